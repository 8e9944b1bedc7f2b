"""A WebRTC call: the page's peer connection talks with the service, and this process steers by the signalling socket.

Source of the exchange, the path and the routing of events: the guide "Voice Live API with WebRTC" (preview) of
2026-04-30, learn.microsoft.com/azure/ai-services/speech-service/voice-live-webrtc. There the offer is the first thing
that is said on the socket, and settings follow by ``session.update``; whether a session exists before the offer is not
told, so nothing is waited for before it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from voicelive.avatar.negotiation import MOST_CHARACTERS, complete
from voicelive.errors import ConfigurationError, ProtocolError
from voicelive.wire.session import SessionConfig

if TYPE_CHECKING:
    from voicelive.session import Session

__all__ = ["CALL_API_VERSION", "RtcCall", "answered", "checked_offer", "opened", "refuse_avatar"]

CALL_API_VERSION: Final = "2026-01-01-preview"
"""The version in the guide; dated versions without ``-preview`` do not have calls."""

_MOST_MESSAGE_BYTES: Final = 262_144  # what browsers take as one message of a data channel


class RtcCall:
    """A call that the service has answered, made by ``VoiceLiveClient.answer_call``.

    Attributes:
        id: The service's id of the call, for support.
        sdp_answer: For the page: the SDP text of its remote description. Holds addresses and credentials.
        session: The call's session: settings, tools, events. No audio passes it.
    """

    def __init__(self, session: Session, rtc_call_id: str, sdp_answer: str) -> None:
        """Made by ``VoiceLiveClient.answer_call``."""
        self.session, self.id, self.sdp_answer = session, rtc_call_id, sdp_answer

    def receive(self, message: str | bytes) -> bool:
        """Take in a message of the data channel ``voice-live-events`` that the page forwards, and never wait.

        Gives whether it was new: an event that came over the socket already is not delivered again, and
        ``session.counts`` counts it. So it does with what a page is not believed: session events, errors, arguments of
        functions and MCP events come over the socket alone. What is no JSON object is told as ``UndecodableFrame``.
        After the end of the session nothing is new.

        Raises:
            ConfigurationError: ``message`` is neither text nor bytes, or larger than a data channel carries.
        """
        if not isinstance(message, str | bytes):
            raise ConfigurationError(f"message is a {type(message).__name__}; pass on what the page got, str or bytes")
        if len(message) > _MOST_MESSAGE_BYTES:
            raise ConfigurationError(f"message has {len(message)} bytes; at most {_MOST_MESSAGE_BYTES} are allowed")
        return self.session.take_forwarded(message)

    def __repr__(self) -> str:
        return f"RtcCall({self.id!r})"


def checked_offer(sdp_offer: str) -> str:
    """An offer that the service can answer, with the line ends that SDP has.

    Raises:
        ConfigurationError: It is no SDP text, is too long, or has no audio or no candidates. The text quotes nothing.
    """
    if not isinstance(sdp_offer, str) or not sdp_offer.startswith("v="):
        kind = "no SDP text" if isinstance(sdp_offer, str) else f"a {type(sdp_offer).__name__}"
        raise ConfigurationError(
            f"sdp_offer is {kind}; pass the text of the page's peer.localDescription.sdp, which begins with v=0"
        )
    if len(sdp_offer) > MOST_CHARACTERS:
        raise ConfigurationError(f"sdp_offer has {len(sdp_offer)} characters; at most {MOST_CHARACTERS} are allowed")
    if "\nm=audio " not in sdp_offer:
        raise ConfigurationError("sdp_offer has no section for audio; add the microphone's track before createOffer()")
    return complete(sdp_offer)


def refuse_avatar(config: SessionConfig | None) -> None:
    """Refuse settings that the service does not play in calls.

    Raises:
        ConfigurationError: They show an avatar.
    """
    if config is not None and config.avatar is not None:
        raise ConfigurationError("config.avatar is set; the service shows no avatar in WebRTC calls, leave it out")


@asynccontextmanager
async def opened(opening: Callable[[], Awaitable[RtcCall]]) -> AsyncIterator[RtcCall]:
    """A call for the length of a block; its socket is closed at the end."""
    call = await opening()
    try:
        yield call
    finally:
        await call.session.close()


async def answered(session: Session, offer: str, limit_s: float) -> RtcCall:
    """Have the service answer, and wait until the call's settings are in effect: its page hears nothing before.

    Raises:
        RtcCallRefusedError: The service does not take the offer.
        ServiceError: It refuses the settings.
        ConfirmationTimeoutError: No answer in time.
        ProtocolError: Its answer holds no SDP.
    """
    created = await session.answer_offer(offer, limit_s)
    if not created.sdp_answer.startswith("v="):
        size = len(created.sdp_answer)
        raise ProtocolError(f"the service's answer of {size} characters is no SDP; have the page make another offer")
    await session.prepare(limit_s)
    return RtcCall(session, created.rtc_call_id, created.sdp_answer)
