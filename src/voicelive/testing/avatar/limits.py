"""How many avatars a resource may show: new ones per minute, and how many at once. Pure: time is an argument.

The figures are those seen by third parties in 2026 (3 in 60 s; 5 at once); the documentation has 2 per minute and says
nothing of the other. Both are of a resource, so all sessions of an emulator share one ledger.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from voicelive.testing.checks import Refusal

__all__ = ["AvatarLedger", "AvatarLimits"]

_WINDOW_S = 60.0
_ROUNDING_S = 0.001  # who waits exactly as long as told must get in, whatever becomes of the last digits
_TENTHS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class AvatarLimits:
    """Quotas of the emulated resource; ``None`` switches one off.

    Attributes:
        per_minute: Avatar connections within 60 s. Each counts from its beginning; closing it gives nothing back.
        at_once: Avatars shown at the same time, over WebRTC or the socket.
        idle_s: An avatar that has not spoken for so long ends; documented are 5 minutes.

    Raises:
        ValueError: A limit below 1, or an ``idle_s`` that is not above 0.
    """

    per_minute: int | None = 3
    at_once: int | None = 5
    idle_s: float | None = 300.0

    def __post_init__(self) -> None:
        for name, limit in (("per_minute", self.per_minute), ("at_once", self.at_once)):
            if limit is not None and limit < 1:
                raise ValueError(f"{name} is {limit}; it must be at least 1, or None for no limit")
        if self.idle_s is not None and not self.idle_s > 0:
            raise ValueError(f"idle_s is {self.idle_s}; it must be greater than 0, or None for no limit")

    @classmethod
    def none(cls) -> AvatarLimits:
        """No limits at all."""
        return cls(per_minute=None, at_once=None, idle_s=None)


class AvatarLedger:
    """Counts the avatars of one emulator."""

    def __init__(self, limits: AvatarLimits) -> None:
        self.limits = limits
        self._shown = 0
        self._begun_s: deque[float] = deque()

    def connect(self, now_s: float) -> None:
        """Count a connection, and take a place; give the place back with ``leave``.

        Raises:
            Refusal: Too many within the minute, or at once. What is refused does not count.
        """
        while self._begun_s and self._begun_s[0] + _WINDOW_S <= now_s + _ROUNDING_S:
            self._begun_s.popleft()
        if self.limits.per_minute is not None and len(self._begun_s) >= self.limits.per_minute:
            raise _rate_limited(self._begun_s[-self.limits.per_minute] + _WINDOW_S - now_s)
        self.enter()
        self._begun_s.append(now_s)

    def enter(self) -> None:
        """Take a place without counting a connection: whether avatars on the socket count is not known.

        Raises:
            Refusal: Too many at once.
        """
        if self.limits.at_once is not None and self._shown >= self.limits.at_once:
            raise Refusal(
                "avatar_service_resource_exhausted",
                "Service capacity exceeded: too many concurrent avatar rendering requests.",
                kind="server_error",
            )
        self._shown += 1

    def leave(self) -> None:
        """Give a place back."""
        self._shown -= 1


def _rate_limited(left_s: float) -> Refusal:
    shown_s = math.ceil(left_s * _TENTHS) / _TENTHS  # rounded up: who waits that long must get in
    return Refusal("rate_limit_exceeded", f"Avatar request was rate-limited. Retry after {shown_s:.1f}s.")
