"""When the next link of an avatar may be asked for: after what the service told, and what the application allows.

The service takes few new links a minute and resource (2 by its documentation, 3 were measured), gives none back when a
session is closed, and says in its refusal how long to wait. Pure: times are arguments.
"""

from __future__ import annotations

import math

from voicelive.errors import AvatarBusyError
from voicelive.transport.limiter import Window

__all__ = ["LinkTurns"]


class LinkTurns:
    """For all sessions of one client, which stands for one resource.

    Args:
        per_minute: How many links may be asked for in a minute; ``None``: only the service's refusals count.
    """

    def __init__(self, per_minute: int | None = None) -> None:
        self._window = None if per_minute is None else Window(per_minute)
        self._not_before = -math.inf

    def take(self, now: float) -> None:
        """Count a link that is being asked for.

        Raises:
            AvatarBusyError: It is too early; nothing was counted, and nothing should be sent.
        """
        due = self._not_before if self._window is None else max(self._not_before, self._window.next_start(now))
        if due > now:
            message = "not asked for, since it would be refused."
            raise AvatarBusyError("local", "rate_limit_exceeded", message, retry_after_s=round(due - now, 1))
        if self._window is not None:
            self._window.start(now)

    def refused(self, retry_after_s: float | None, now: float) -> None:
        """The service has refused one, and told when to come again."""
        if retry_after_s is not None:
            self._not_before = max(self._not_before, now + retry_after_s)
