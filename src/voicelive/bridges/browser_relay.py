"""What passes between a page and its session beside voice: two tasks, each as long as ``Call.run``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from voicelive.avatar.signalling import plain_servers
from voicelive.bridges import browser_codec as codec
from voicelive.bridges import browser_messages as messages
from voicelive.bridges.trunk import Trunk
from voicelive.errors import AvatarBusyError, ServiceError, SessionClosedError, VoiceLiveError
from voicelive.events import (
    AgentTranscript,
    AvatarLinkNeeded,
    SessionInterrupted,
    SessionResumed,
    ToolCallFinished,
    ToolCallStarted,
    UserTranscript,
)
from voicelive.refusals import refusal
from voicelive.wire.responses import Response
from voicelive.wire.server.conversation import ConversationItemInputAudioTranscriptionDelta
from voicelive.wire.server.response import ResponseAudioTranscriptDelta, ResponseDone, ResponseTextDelta
from voicelive.wire.server.session import ErrorEvent, SessionAvatarSwitchToIdle, SessionAvatarSwitchToSpeaking

if TYPE_CHECKING:
    from voicelive.session import Session

__all__ = ["obey", "tell", "told"]

log = logging.getLogger("voicelive")

_MOST_OFFERS: Final = 1

_HEARS: Final = (
    UserTranscript,
    AgentTranscript,
    ConversationItemInputAudioTranscriptionDelta,
    ResponseAudioTranscriptDelta,
    ResponseTextDelta,
    ResponseDone,
    ToolCallStarted,
    ToolCallFinished,
    SessionInterrupted,
    SessionResumed,
    AvatarLinkNeeded,
    SessionAvatarSwitchToSpeaking,
    SessionAvatarSwitchToIdle,
    ErrorEvent,
)


async def tell(session: Session, trunk: Trunk[Any]) -> None:
    """Tell the page what becomes of the session, until it ends."""

    def push(*commands: messages.Command) -> None:
        for command in commands:
            trunk.outgoing.push(codec.encode(command))

    with suppress(SessionClosedError), session.subscribe(*_HEARS) as events:  # who waits for its end tells of it
        push(messages.SessionState(session.id, "running"))
        if session.avatar.link_needed:
            push(messages.IceServers(session.avatar.ice_servers))
        async for event in events:
            push(*told(event))


def told(event: object) -> Iterable[messages.Command]:
    """What the page is told of an event of the session."""
    match event:
        case UserTranscript(item_id=item_id, text=text):
            return (messages.Transcript("caller", item_id, text),)
        case AgentTranscript(item_id=item_id, text=text, heard_text=heard_text):
            return (messages.Transcript("agent", item_id, text, heard_text=heard_text),)
        case ConversationItemInputAudioTranscriptionDelta(item_id=item_id, delta=str(piece)):
            return (messages.Transcript("caller", item_id, piece, final=False),)
        case (
            ResponseAudioTranscriptDelta(item_id=item_id, delta=piece) | ResponseTextDelta(item_id=item_id, delta=piece)
        ):
            return (messages.Transcript("agent", item_id, piece, final=False),)
        case ToolCallStarted(call_id=call_id, name=name):
            return (messages.Tool(call_id, name, "started"),)
        case ToolCallFinished(call_id=call_id, name=name, failure=failure):
            return (messages.Tool(call_id, name, "finished" if failure is None else "failed"),)
        case SessionInterrupted(session_id=session_id):
            return (messages.SessionState(session_id, "interrupted"),)
        case SessionResumed(session_id=session_id):
            return (messages.SessionState(session_id, "resumed"),)
        case AvatarLinkNeeded(ice_servers=ice_servers):
            return (messages.IceServers(plain_servers(ice_servers)),)
        case SessionAvatarSwitchToSpeaking():
            return (messages.AvatarState("speaking"),)
        case SessionAvatarSwitchToIdle():
            return (messages.AvatarState("idle"),)
        case ResponseDone(response=Response(status="failed", status_details=details)):
            return (messages.Failure(_code_of(getattr(details, "error", None)) or "response_failed"),)
        case ErrorEvent(error=error):
            retry_after_s = getattr(refusal(error), "retry_after_s", None)
            return (messages.Failure(error.code or error.type or "error", retry_after_s),)
        case _:
            return ()


async def obey(session: Session, trunk: Trunk[Any]) -> None:
    """Do what the page asks for, until the call ends.

    An answer may have to wait behind a running response, an avatar's link takes its time, and an interruption must not
    wait behind either.
    """
    wanted = asyncio.Event()
    offers: asyncio.Queue[str] = asyncio.Queue(_MOST_OFFERS)
    slow = [asyncio.create_task(_answer(session, trunk, wanted)), asyncio.create_task(_link(session, trunk, offers))]
    try:
        async for wish in trunk.wishes:
            match wish:
                case messages.Text(text=text):
                    await _attempt(trunk, session.send_text(text))
                    wanted.set()
                case messages.Interrupt():
                    await _attempt(trunk, session.interrupt())
                case messages.AvatarOffer(sdp=sdp):
                    if offers.full():
                        offers.get_nowait()  # the newest is of the peer that the page has now
                    offers.put_nowait(sdp)
    finally:
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)


async def _link(session: Session, trunk: Trunk[Any], offers: asyncio.Queue[str]) -> None:
    async def connect(sdp: str) -> None:
        answer = await session.avatar.connect(sdp)
        trunk.outgoing.push(codec.encode(messages.AvatarAnswer(answer)))

    while True:
        await _attempt(trunk, connect(await offers.get()))


async def _answer(session: Session, trunk: Trunk[Any], wanted: asyncio.Event) -> None:
    while True:
        await wanted.wait()
        wanted.clear()
        await _attempt(trunk, session.create_response())


async def _attempt(trunk: Trunk[Any], doing: Awaitable[object]) -> None:
    """What fails is told, and the call goes on."""
    try:
        await doing
    except AvatarBusyError as busy:
        if busy.error_type == "local":  # refused here, without an event
            trunk.outgoing.push(codec.encode(messages.Failure(busy.code or "", busy.retry_after_s)))
    except (ServiceError, SessionClosedError):
        pass  # the page is told of an error by its event, and of the end by the line
    except VoiceLiveError as error:
        log.warning("= a wish of a page was not fulfilled: %s", type(error).__name__)
        trunk.outgoing.push(codec.encode(messages.Failure(type(error).__name__)))


def _code_of(error: object) -> str | None:
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) else None
