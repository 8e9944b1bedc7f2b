"""How a link that is lost is followed by another one.

Another session of the service needs a link of its own, always. Within one session of the service a broken link is
repaired in place, once: what breaks again is broken for good. The old link is given back before the new one is offered:
a resource shows few avatars at once, and the service refuses an offer while it takes the old link for healthy.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from voicelive.avatar.contracts import FollowedSignalling
from voicelive.errors import (
    AvatarBusyError,
    AvatarLinkFailedError,
    AvatarLinkLostError,
    AvatarRefusedError,
    RequestLostError,
    VoiceLiveError,
)
from voicelive.unhurried import to_the_end

if TYPE_CHECKING:
    from voicelive.avatar.link import Link, Linking

__all__ = ["PATIENCE_S", "Relinking", "try_again_in_s"]

PATIENCE_S: Final = 60.0
"""How long a busy service is waited for in all. Its quota is of a minute; "Retry after 43.0s" was seen (2026)."""

_LOOK_AGAIN_S: Final = 5.0
"""Where the service names no time: a place that our own last link held, or a link that it has not missed yet."""

_SESSION_S: Final = 120.0
"""Beyond any sensible ``Resume.within_s``, which ends a session that cannot go on; for one without its avatar."""


def try_again_in_s(refusal: VoiceLiveError, waited_s: float) -> float | None:
    """How long to wait before the next offer; ``None``: another one would fare no better, or not within patience."""
    if isinstance(refusal, AvatarBusyError):
        wait_s = _LOOK_AGAIN_S if refusal.retry_after_s is None else refusal.retry_after_s
    elif isinstance(refusal, AvatarRefusedError) and refusal.code is None:  # the old link still counts as healthy
        wait_s = _LOOK_AGAIN_S
    else:
        return None
    return wait_s if waited_s + wait_s <= PATIENCE_S else None


class Relinking:
    """Makes the further links of one ``receive``."""

    def __init__(self, signalling: FollowedSignalling, linking: Linking) -> None:
        self._signalling, self._linking = signalling, linking
        self._repaired = False

    @property
    def due(self) -> bool:
        """Whether the link belongs to a session of the service that is gone."""
        return not self._signalling.linked

    async def replace(self, old: Link) -> Link:
        """The next link. ``old`` may show what it can until the session goes on, and is given back then.

        Raises:
            AvatarLinkLostError: It broke once more within one session of the service.
            VoiceLiveError: No link can be made.
            TimeoutError: The session does not ask for one.
        """
        if not self.due and self._repaired:
            raise AvatarLinkLostError("it broke once more")
        self._repaired = not self.due
        now = asyncio.get_running_loop().time
        began_s: float | None = None
        while True:
            servers = await self._linking.servers(_SESSION_S)
            await to_the_end(old.close())
            try:
                return await self._linking.make(servers, old)
            except VoiceLiveError as failure:
                if self._overtaken(failure):
                    began_s, self._repaired = None, False
                    continue
                began_s = now() if began_s is None else began_s
                wait_s = try_again_in_s(failure, now() - began_s)
                if wait_s is None:
                    raise
            await asyncio.sleep(wait_s)

    def _overtaken(self, failure: VoiceLiveError) -> bool:
        """Whether that happened because the session of the service went away meanwhile."""
        answered = isinstance(failure, AvatarLinkFailedError) and failure.stage != "gathering"
        return isinstance(failure, RequestLostError) or (answered and self.due)
