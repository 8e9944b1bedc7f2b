"""Whole conversations with every log at DEBUG: no key, no token, no audio and nothing that was said gets out."""

from __future__ import annotations

import asyncio
import base64
import io
import logging
import pickle
import traceback
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final, NamedTuple

import pytest
from tests.support.streams import settle

from voicelive.client import VoiceLiveClient
from voicelive.errors import ConnectFailedError, VoiceLiveError
from voicelive.events import SessionResumed
from voicelive.options import ClientOptions
from voicelive.session import Session
from voicelive.testing import Call, EmulatedSession, Emulator, Script, ToneVoice, Turn
from voicelive.tools.declaring import LocalTool, tool
from voicelive.transport.address import ClassicAgent, Target
from voicelive.transport.auth import Credential
from voicelive.wire.server.response import ResponseDone
from voicelive.wire.session import SessionConfig

KEY: Final = "k3y-0f-the-resource"
TOKEN: Final = "t0ken-0f-the-caller"
ACCESS: Final = "acc3ss-0f-the-agent"
TYPED: Final = "I live at seventeen Privet Drive"
ANSWER: Final = "Your balance is ninety euros"
ARGUMENT: Final = "iban-4711-0815"
FAILURE: Final = "password-of-the-database"
UNREADABLE: Final = "half-a-sentence-of-the-caller"
SPEECH: Final = bytes(range(7, 247)) * 20
SAID: Final = (KEY, TOKEN, ACCESS, TYPED, ANSWER, ARGUMENT, FAILURE, UNREADABLE)
AUDIO: Final = (base64.b64encode(SPEECH[:48]).decode(), repr(SPEECH[:24])[2:-1], SPEECH[:24].hex())


class Token(NamedTuple):
    token: str


class Tokens:
    def get_token(self, *_: str) -> Token:
        return Token(TOKEN)


@tool
async def transfer(account: str) -> str:
    """Transfer everything."""
    raise ConnectionError(FAILURE)


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]) -> Iterator[list[str]]:
    """All texts that the package gives away: those that a test adds, logs, and what is printed."""
    found: list[str] = []
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s %(args)r %(exc_info)s"))
    loggers = [logging.getLogger(name) for name in ("voicelive", "voicelive.transport", "websockets.client", "asyncio")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
        logger.addHandler(handler)
    yield found
    for logger, level in zip(loggers, before, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)
    found += [stream.getvalue(), *capfd.readouterr()]
    assert "voicelive" in found[-3], "something was logged"
    for text in found:
        for secret in (*SAID, *AUDIO):
            assert secret not in text, text[:2000]


def shown(thing: object) -> str:
    """Everything that a log, a debugger or an error report may show of it."""
    texts = [repr(thing), str(thing), f"{thing}"]
    if isinstance(thing, BaseException):
        texts += traceback.format_exception(thing)
    return "\n".join(texts)


def pickled(thing: object) -> str:
    """Its pickle, where it has one: errors do, what holds a credential does not."""
    try:
        return pickle.dumps(thing).decode("latin-1")
    except Exception as error:
        return shown(error)


async def hold(session: Session, emulated: EmulatedSession, found: list[str]) -> None:
    """Text, speech, a failing tool and handler, an unreadable frame, a refused verb, a barge-in and a loss."""
    events: list[Any] = []

    @session.on()
    def listen(event: Any) -> None:
        events.append(event)
        if isinstance(event, ResponseDone):
            raise ValueError(ANSWER)

    reply = await session.ask(TYPED, timeout_s=10)
    await session.send_audio(SPEECH)
    with suppress(VoiceLiveError):
        await session.delete_item("item_of_nobody")
    emulated.send_raw('{"type":"' + UNREADABLE)
    handle = await session.create_response()
    await session.interrupt()
    await settle()
    resumed = asyncio.create_task(session.wait_for(SessionResumed, timeout_s=10))
    await settle()
    emulated.abort()
    events.append(await resumed)
    things = [*events, reply, handle, session, session.ledger, session.counts, session.playback, session.conversation]
    things += [*session.conversation.turns, *session.conversation.items, session.requested, session.config]
    found += [shown(thing) for thing in things]


@pytest.mark.parametrize(
    ("credential", "target"),
    [
        (KEY, Target(model="gpt-realtime")),
        (Tokens(), Target(model="gpt-realtime")),
        (Tokens(), Target(agent=ClassicAgent("asst_1", "proj", access_token=ACCESS))),
    ],
    ids=["key", "token", "classic-agent"],
)
async def test_nothing_that_is_secret_or_was_said_gets_out(
    said: list[str], credential: Credential, target: Target
) -> None:
    tools: list[LocalTool] = [transfer]
    turn = Turn(calls=[Call("transfer", {"account": ARGUMENT})], reply_after_calls=ANSWER)
    script = Script(turn, then=lambda _: Turn(ANSWER))
    config = SessionConfig(turn_detection=None)
    if target.agent is None:
        config = SessionConfig(turn_detection=None, instructions=TYPED)
    options = ClientOptions(headers={"x-further": TOKEN})
    async with Emulator(script, voice=ToneVoice()) as emulator:
        client = VoiceLiveClient(emulator.endpoint, credential, options=options)
        said += [shown(thing) for thing in (client, options, target, config)]
        said += [pickled(thing) for thing in (client, target)]
        sent = (KEY if credential == KEY else "", TOKEN, ACCESS if target.agent is not None else "")
        emulator.refuse(401, body="wrong " + " ".join(sent))
        with pytest.raises(ConnectFailedError) as refused:
            await _talk(client, target, config, tools, emulator, said)
        said += [shown(refused.value), pickled(refused.value)]
        emulator.refuse(503)
        await _talk(client, target, config, tools, emulator, said)
        await client.close()


async def _talk(
    client: VoiceLiveClient,
    target: Target,
    config: SessionConfig,
    tools: list[LocalTool],
    emulator: Emulator,
    said: list[str],
) -> None:
    async with client.connect(target.model, agent=target.agent, config=config, tools=tools) as session:
        await hold(session, emulator.sessions[-1], said)
    try:
        await session.send_text(TYPED)
    except VoiceLiveError as error:
        said += [shown(error), pickled(error)]
