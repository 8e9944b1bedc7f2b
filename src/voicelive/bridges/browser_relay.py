"""What passes between a page and its session beside voice: two tasks, each as long as ``Call.run``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from voicelive.bridges import browser_codec as codec
from voicelive.bridges import browser_messages as messages
from voicelive.bridges.trunk import Trunk
from voicelive.errors import ServiceError, SessionClosedError, VoiceLiveError
from voicelive.events import (
    AgentTranscript,
    SessionInterrupted,
    SessionResumed,
    ToolCallFinished,
    ToolCallStarted,
    UserTranscript,
)
from voicelive.wire.client_events import SessionAvatarConnect
from voicelive.wire.responses import Response
from voicelive.wire.server.conversation import ConversationItemInputAudioTranscriptionDelta
from voicelive.wire.server.response import ResponseAudioTranscriptDelta, ResponseDone, ResponseTextDelta
from voicelive.wire.server.session import ErrorEvent, SessionAvatarConnecting, SessionUpdated

if TYPE_CHECKING:
    from voicelive.session import Session

__all__ = ["obey", "tell", "told"]

log = logging.getLogger("voicelive")

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
    SessionUpdated,
    SessionAvatarConnecting,
    ErrorEvent,
)


async def tell(session: Session, trunk: Trunk[Any]) -> None:
    """Tell the page what becomes of the session, until it ends."""
    servers: list[Mapping[str, Any]] = []

    def push(*commands: messages.Command) -> None:
        for command in commands:
            trunk.outgoing.push(codec.encode(command))

    def push_servers() -> None:
        found = _ice_servers(session)
        if found and found != servers:
            servers[:] = found
            push(messages.IceServers(tuple(found)))

    with suppress(SessionClosedError), session.subscribe(*_HEARS) as events:  # who waits for its end tells of it
        push(messages.SessionState(session.id, "running"))
        push_servers()
        async for event in events:
            push(*told(event))
            if isinstance(event, SessionResumed):
                servers.clear()  # a link belongs to one session of the service
            push_servers()


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
        case SessionAvatarConnecting(server_sdp=server_sdp):
            return (codec.link_answer(server_sdp) or messages.Failure("avatar_answer"),)
        case ResponseDone(response=Response(status="failed", status_details=details)):
            return (messages.Failure(_code_of(getattr(details, "error", None)) or "response_failed"),)
        case ErrorEvent(error=error):
            return (messages.Failure(error.code or error.type or "error"),)
        case _:
            return ()


async def obey(session: Session, trunk: Trunk[Any]) -> None:
    """Do what the page asks for, until the call ends.

    An answer may have to wait behind a running response, and an interruption must not wait behind that.
    """
    wanted = asyncio.Event()
    answering = asyncio.create_task(_answer(session, trunk, wanted))
    try:
        async for wish in trunk.wishes:
            await _attempt(trunk, _do(session, wish))
            if isinstance(wish, messages.Text):
                wanted.set()
    finally:
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)


async def _do(session: Session, wish: messages.Text | messages.Interrupt | messages.AvatarOffer) -> None:
    match wish:
        case messages.Text(text=text):
            await session.send_text(text)
        case messages.Interrupt():
            await session.interrupt()
        case messages.AvatarOffer(sdp=sdp):
            await session.send(SessionAvatarConnect(client_sdp=codec.link_offer(sdp)))


async def _answer(session: Session, trunk: Trunk[Any], wanted: asyncio.Event) -> None:
    while True:
        await wanted.wait()
        wanted.clear()
        await _attempt(trunk, session.create_response())


async def _attempt(trunk: Trunk[Any], doing: Awaitable[object]) -> None:
    """What fails is told, and the call goes on."""
    try:
        await doing
    except (ServiceError, SessionClosedError):
        pass  # the page is told of an error by its event, and of the end by the line
    except VoiceLiveError as error:
        log.warning("= a wish of a page was not fulfilled: %s", type(error).__name__)
        trunk.outgoing.push(codec.encode(messages.Failure(type(error).__name__)))


def _code_of(error: object) -> str | None:
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) else None


def _ice_servers(session: Session) -> list[Mapping[str, Any]]:
    servers = getattr(session.config.avatar, "ice_servers", None) or ()
    return [server.model_dump(mode="json", exclude_none=True) for server in servers]
