"""What goes wrong at the handshake because a test ordered it, and how often clients tried.

Orders are taken one after the other, each by as many upgrade requests as it says. Knows no socket: ``door``
carries them out.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import TypeAlias

__all__ = ["Answer", "HandshakeFaults", "Mishap", "Order", "Orders", "Upgrade"]

_KEPT_UPGRADES = 1000
_REFUSALS = frozenset(status.value for status in HTTPStatus if status >= 300)


@dataclass(slots=True)
class Upgrade:
    """One request for the upgrade to a WebSocket.

    Attributes:
        path: Path of the request, without its query.
        at_s: When it came, on the event loop's clock.
        status: HTTP status of the answer, 101 where the client was let in; ``None`` while, and if, there is none.
    """

    path: str
    at_s: float
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A refusal as it goes out."""

    status: int
    body: str
    headers: Mapping[str, str]


class Mishap(Enum):
    """What else may become of a request."""

    UNANSWERED = "unanswered"
    SILENT = "silent"


Order: TypeAlias = Answer | Mishap


class Orders:
    """What is to become of the upgrade requests to come, and the list of those that came.

    Attributes:
        delay_s: How much later each is answered.
        upgrades: The latest 1000, oldest first.
    """

    def __init__(self) -> None:
        self.delay_s = 0.0
        self.upgrades: deque[Upgrade] = deque(maxlen=_KEPT_UPGRADES)
        self._waiting: deque[tuple[Order, int | None]] = deque()

    def add(self, order: Order, times: int | None) -> None:
        """Put an order behind the others.

        Raises:
            ValueError: ``times`` is below 1.
        """
        if times is not None and times < 1:
            raise ValueError(f"times is {times}; it must be at least 1, or None for all")
        self._waiting.append((order, times))

    def take(self) -> Order | None:
        """The order for the next request; ``None``: it is judged as always."""
        if not self._waiting:
            return None
        order, times = self._waiting[0]
        if times == 1:
            self._waiting.popleft()
        elif times is not None:
            self._waiting[0] = order, times - 1
        return order

    def clear(self) -> None:
        """Forget all orders, and the delay."""
        self._waiting.clear()
        self.delay_s = 0.0


class HandshakeFaults:
    """Orders of a test about the upgrade requests to come."""

    def __init__(self) -> None:
        self._handshakes = Orders()

    @property
    def upgrades(self) -> list[Upgrade]:
        """The upgrade requests so far, oldest first; the latest 1000."""
        return list(self._handshakes.upgrades)

    def refuse(
        self,
        status: int,
        *,
        times: int | None = 1,
        retry_after_s: float | None = None,
        location: str | None = None,
        body: str | None = None,
    ) -> None:
        """Refuse the next upgrade requests, whatever is in them.

        Several orders are carried out one after the other, those of the other methods with ``times`` included.

        Args:
            status: HTTP status, 300 to 599.
            times: How many requests; ``None``: all, until ``recover``.
            retry_after_s: Sent as ``Retry-After``.
            location: Sent as ``Location``, for the statuses that redirect.
            body: Text of the answer; by default the service's error envelope.

        Raises:
            ValueError: A status that refuses nothing, or ``times`` below 1.
        """
        if status not in _REFUSALS:
            raise ValueError(f"status is {status}; it must be a registered HTTP status from 300 to 599")
        envelope = {"error": {"code": str(status), "message": HTTPStatus(status).phrase}}
        body = json.dumps(envelope) if body is None else body
        headers = {"Content-Type": "application/json" if body.startswith("{") else "text/plain; charset=utf-8"}
        if retry_after_s is not None:
            headers["Retry-After"] = f"{retry_after_s:g}"
        if location is not None:
            headers["Location"] = location
        self._handshakes.add(Answer(status, body, headers), times)

    def leave_unanswered(self, *, times: int | None = 1) -> None:
        """Accept the connections of the next requests, and never answer them.

        Args:
            times: How many requests; ``None``: all, until ``recover``.

        Raises:
            ValueError: ``times`` is below 1.
        """
        self._handshakes.add(Mishap.UNANSWERED, times)

    def open_silently(self, *, times: int | None = 1) -> None:
        """Let the next clients in, and say nothing: no ``session.created``, no pong. See ``EmulatedSession.silence``.

        Args:
            times: How many requests; ``None``: all, until ``recover``.

        Raises:
            ValueError: ``times`` is below 1.
        """
        self._handshakes.add(Mishap.SILENT, times)

    def delay_handshake(self, delay_s: float) -> None:
        """Answer upgrade requests, refused ones too, this much later on the event loop's clock; 0: at once.

        Raises:
            ValueError: ``delay_s`` is negative.
        """
        if not delay_s >= 0:
            raise ValueError(f"delay_s is {delay_s}; it must be at least 0")
        self._handshakes.delay_s = delay_s

    def recover(self) -> None:
        """Forget all orders about handshakes, the delay included; requests that wait already go on waiting."""
        self._handshakes.clear()
