"""What an emulated session leaves behind for a test to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from voicelive import wire
from voicelive.testing.handshake import Admission
from voicelive.testing.history import History

__all__ = ["EmulatedSession"]

_E = TypeVar("_E")


@dataclass(slots=True, eq=False)
class EmulatedSession:
    """One session as the service saw it; filled while it goes on.

    Attributes:
        id: ``session.id``.
        admission: The upgrade request: ``path``, ``query``, ``headers`` (without secrets), ``credential``, ``model``.
        received: Events of the client in order; what could not be read as an event is missing.
        sent: Events of the service in order.
        history: The conversation.
        close_code: Code of the closing handshake, 1006 where there was none; ``None`` while the session goes on.
    """

    id: str
    admission: Admission
    history: History = field(repr=False)
    received: list[wire.ClientEvent] = field(default_factory=list, repr=False)
    sent: list[wire.ServerEvent] = field(default_factory=list, repr=False)
    close_code: int | None = None

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
