"""What a test sees of an emulated session, and what it may do to one.

Faults of the application layer only: what the service may say or fail to say, and how it ends. What becomes of bytes
on the way is nobody's business here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from voicelive import wire
from voicelive.testing.connection import Connection
from voicelive.testing.handshake import Admission
from voicelive.testing.history import History
from voicelive.testing.ids import Ids
from voicelive.testing.tampering import Tamper

__all__ = ["EmulatedSession"]

_E = TypeVar("_E")

_CLOSE_CODES = (range(1000, 1004), range(1007, 1015), range(3000, 5000))  # RFC 6455 and the registry it founded
_MAX_REASON_BYTES = 123  # a control frame holds 125, two are the code
_GOING_AWAY = 1001
_EXPIRED = "session_expired"  # code and reason as the sibling Azure service was seen to send them


@dataclass(slots=True, eq=False)
class EmulatedSession:
    """One session as the service sees it; filled while it goes on, and a handle on what goes wrong in it.

    The methods that send or end take effect in the order of their calls, behind what the service has to say already.

    Attributes:
        id: ``session.id``.
        admission: The upgrade request: ``path``, ``query``, ``headers`` (without secrets), ``credential``, ``model``.
        history: The conversation.
        connection: The way out.
        ids: Names of what the session makes.
        close_code: Code of the closing handshake, 1006 where there was none; ``None`` while the session goes on.
    """

    id: str
    admission: Admission
    history: History = field(repr=False)
    connection: Connection = field(repr=False)
    ids: Ids = field(repr=False)
    close_code: int | None = None

    @property
    def received(self) -> list[wire.ClientEvent]:
        """Events of the client in order; what could not be read as an event is missing."""
        return self.connection.received

    @property
    def sent(self) -> list[wire.ServerEvent]:
        """Events in the order in which they were written to the socket, faults and hand-made frames included.

        What is not a JSON object, and what is kept back, is missing.
        """
        return self.connection.sent

    @property
    def tamper(self) -> Tamper | None:
        """What becomes of each event that is to go out; ``None``: it goes out. May be set at any time."""
        return self.connection.tamper

    @tamper.setter
    def tamper(self, tamper: Tamper | None) -> None:
        self.connection.tamper = tamper

    @property
    def path(self) -> str:
        """Path of the request."""
        return self.admission.path

    @property
    def query(self) -> Mapping[str, str]:
        """Query parameters of the request, without secrets."""
        return self.admission.query

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of the request with lower-case names, without secrets."""
        return self.admission.headers

    @property
    def conversation(self) -> list[wire.ResponseItem]:
        """The items of the conversation as they are now, without audio."""
        return [item.report() for item in self.history]

    def received_of(self, kind: type[_E]) -> list[_E]:
        """The client's events of one class."""
        return [event for event in self.received if isinstance(event, kind)]

    def sent_of(self, kind: type[_E]) -> list[_E]:
        """The service's events of one class."""
        return [event for event in self.sent if isinstance(event, kind)]

    def send(self, *events: wire.ServerEvent) -> None:
        """Send events that the service would not, through ``tamper``.

        Raises:
            RuntimeError: The session has ended.
        """
        self._check_open()
        for event in events:
            self.connection.send(event)

    def send_raw(self, data: str | bytes, *, binary: bool = False) -> None:
        """Send one frame of any content: malformed JSON, invalid UTF-8, nothing at all, many megabytes.

        Args:
            data: A text is sent as UTF-8, lone surrogates included.
            binary: Send a binary frame; else a text frame, whether it holds text or not.

        Raises:
            RuntimeError: The session has ended.
        """
        self._check_open()
        frame = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
        self.connection.send_frame(frame, is_text=not binary)

    def flood(self, count: int, size_bytes: int) -> None:
        """Send many events at once: valid ``warning`` events with a message of that many bytes.

        Raises:
            RuntimeError: The session has ended.
        """
        details = wire.ServerEventWarningDetails(message="x" * size_bytes, code="flood")
        self.send(*(wire.WarningEvent(event_id=self.ids.event(), warning=details) for _ in range(count)))

    def silence(self, on: bool = True) -> None:
        """Write nothing to the socket any more: no event, no pong, no close frame. What comes in is still heard.

        Args:
            on: ``False`` ends the silence: what was kept back goes out, in its order.

        A session that is still silent when the emulator closes is dropped as by ``abort``.
        """
        self.connection.silence(on=on)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the socket once everything before is written; a session that closes says nothing more.

        Args:
            code: 1000 to 1003, 1007 to 1014, or 3000 to 4999: what may stand in a close frame.
            reason: At most 123 bytes of UTF-8.

        Raises:
            ValueError: No close frame can say that; for 1006 there is ``abort``.
        """
        if not any(code in codes for codes in _CLOSE_CODES):
            raise ValueError(f"code is {code}; allowed: 1000 to 1003, 1007 to 1014, 3000 to 4999")
        if len(reason.encode()) > _MAX_REASON_BYTES:
            raise ValueError(f"reason has {len(reason.encode())} bytes; at most {_MAX_REASON_BYTES} fit a close frame")
        self.connection.end(code, reason)

    def expire(self) -> None:
        """End the session as when its time is over: an ``error`` event, and the close."""
        details = wire.ServerEventErrorDetails(
            type="invalid_request_error",
            code=_EXPIRED,
            message="The session reached its longest allowed duration.",
            param=None,
            event_id=None,
        )
        self.connection.send(wire.ErrorEvent(event_id=self.ids.event(), error=details))
        self.connection.end(_GOING_AWAY, _EXPIRED)

    def abort(self) -> None:
        """Drop the socket at once, without a close frame; what is not written yet is lost."""
        self.connection.abort()

    def _check_open(self) -> None:
        if self.close_code is not None:
            raise RuntimeError(f"session {self.id} has ended with code {self.close_code}; nothing can be sent")
