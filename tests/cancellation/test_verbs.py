"""Every verb, cancelled at every suspension: the session goes on, and nobody gets an answer that was meant for another.

Each is tried over a free line, over one that takes a frame at a time, and while the session moves to another
connection.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final, Literal, TypeAlias, get_args

import pytest
from tests.cancellation.service import VOICE_MS, Service
from tests.cancellation.stepping import Cut, Ending, at_every_step, cut
from tests.support.streams import settle, take

from voicelive.audio.playback import PlaybackFrame
from voicelive.options import ClientOptions
from voicelive.session import Session
from voicelive.wire.client_events import InputAudioBufferClear
from voicelive.wire.items import UserMessageItem
from voicelive.wire.parts import InputTextContentPart
from voicelive.wire.server.response import ResponseDone
from voicelive.wire.session import SessionConfig

Verb: TypeAlias = Callable[[Session, Service], Awaitable[object]]
Line: TypeAlias = Literal["free", "narrow", "lost"]

OPTIONS: Final = ClientOptions(confirm_timeout_s=5, close_timeout_s=1)
SPEECH: Final = bytes(48 * 350)
HELLO: Final = UserMessageItem(content=[InputTextContentPart(text="hello")])


async def update(session: Session, service: Service) -> None:
    wanted = 0.1 + len(service.heard) / 10_000  # another one each time
    settings = await session.update(SessionConfig(temperature=wanted))
    assert settings is not None
    assert settings.temperature == wanted


async def update_unconfirmed(session: Session, _: Service) -> None:
    await session.update(SessionConfig(temperature=0.7), confirm=False)


async def change(session: Session, _: Service) -> None:
    assert (await session.change(SessionConfig(temperature=0.8))).temperature == 0.8


async def send_audio(session: Session, _: Service) -> None:
    await session.send_audio(SPEECH)


async def send_the_tail_of_audio(session: Session, _: Service) -> None:
    await session.send_audio(bytes(96))
    await session.flush_audio()


async def commit_audio(session: Session, service: Service) -> None:
    await session.send_audio(SPEECH)
    assert await session.commit_audio() == service.committed[-1]


async def clear_audio(session: Session, _: Service) -> None:
    await session.send_audio(bytes(96))
    await session.clear_audio()


async def send_text(session: Session, _: Service) -> None:
    await session.send_text("hello")


async def send_raw(session: Session, _: Service) -> None:
    await session.send_raw({"type": "input_audio_buffer.clear"})


async def send(session: Session, _: Service) -> None:
    await session.send(InputAudioBufferClear())


async def add_item(session: Session, _: Service) -> None:
    await session.add_item(HELLO, confirm=True)


async def look_at_an_item(session: Session, service: Service) -> None:
    name = f"item_{len(service.heard)}"
    item = await session.retrieve_item(name)
    assert getattr(item, "id", None) == name
    await session.truncate(name, 10)
    await session.delete_item(name)


async def create_response(session: Session, _: Service) -> None:
    handle = await session.create_response()
    assert (await handle).status == "completed"
    assert handle.text == "Good morning."


async def follow_a_response(session: Session, _: Service) -> None:
    events = [event async for event in await session.create_response()]
    assert isinstance(events[-1], ResponseDone)


async def cancel_a_response(session: Session, _: Service) -> None:
    handle = await session.create_response(confirm=False)
    await handle.cancel()


async def respond_and_update(session: Session, service: Service) -> None:
    """The update goes behind a frame that was pushed."""
    await session.create_response(confirm=False)
    await update(session, service)


async def ask(session: Session, _: Service) -> None:
    assert (await session.ask("Are you there?")).text == "Good morning."


async def ask_by_voice(session: Session, _: Service) -> None:
    assert (await session.ask(SPEECH)).text == "Good morning."


async def say(session: Session, _: Service) -> None:
    await session.say("Good morning.")


async def greet(session: Session, _: Service) -> None:
    await session.greet(instructions="Say hello.")


async def interrupt(session: Session, service: Service) -> None:
    await service.speak()
    await settle()
    await session.interrupt()


async def restore(session: Session, _: Service) -> None:
    await session.send_text("hello")
    await session.restore(session.conversation)


async def wait_for(session: Session, _: Service) -> None:
    await session.create_response(confirm=False)
    await session.wait_for(ResponseDone, timeout_s=60)


async def listen(session: Session, _: Service) -> None:
    await session.create_response(confirm=False)
    async for event in session:
        if isinstance(event, ResponseDone):
            break


async def subscribe(session: Session, _: Service) -> None:
    with session.subscribe(ResponseDone) as stream:
        await session.create_response(confirm=False)
        await take(stream, 1)


async def play_frames(session: Session, _: Service) -> None:
    await session.create_response(confirm=False)
    heard_ms = 0.0
    async with contextlib.aclosing(session.playback.frames(100)) as frames:
        async for frame in frames:
            heard_ms += frame.duration_ms
            if heard_ms >= VOICE_MS:
                break


async def play_into_a_sink(session: Session, _: Service) -> None:
    class Line:
        def __init__(self) -> None:
            self.full = asyncio.Event()
            self.heard_ms = 0.0

        async def write(self, frame: PlaybackFrame) -> None:
            await asyncio.sleep(frame.duration_ms / 1000)
            self.heard_ms += frame.duration_ms
            if self.heard_ms >= VOICE_MS:
                self.full.set()

        def flush(self) -> None:
            self.full.set()

    line = Line()
    await session.create_response(confirm=False)
    async with asyncio.TaskGroup() as tasks:
        playing = tasks.create_task(session.playback.play_to(line, ms=100))
        await line.full.wait()
        playing.cancel()


async def wait_quiet(session: Session, _: Service) -> None:
    await session.create_response()
    await session.wait_quiet(timeout_s=60)


VERBS: Final[tuple[Verb, ...]] = (
    update, update_unconfirmed, change, send_audio, send_the_tail_of_audio, commit_audio, clear_audio, send_text,
    send_raw, send, add_item, look_at_an_item, create_response, follow_a_response, cancel_a_response,
    respond_and_update, ask, ask_by_voice, say, greet, interrupt, restore, wait_for, listen, subscribe, play_frames,
    play_into_a_sink, wait_quiet,
)  # fmt: skip

EACH_VERB = pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.__name__)
EACH_LINE = pytest.mark.parametrize("line", get_args(Line))
EARLY_AND_LATE = pytest.mark.parametrize("late", [False, True], ids=["early", "late"])


@EACH_VERB
@EACH_LINE
@EARLY_AND_LATE
@pytest.mark.looptime
async def test_a_verb_cancelled_anywhere_leaves_a_session_that_works(verb: Verb, line: Line, late: bool) -> None:
    async def attempt(where: Cut) -> Ending:
        async with Service(limit_bytes=1 if line == "narrow" else None, options=OPTIONS) as service:
            session = await service.session()
            if line == "lost":
                service.drop()
                await settle()
            ending = await cut(_run(verb, session, service, line), where)
            assert ending.error is None, where
            await works(session, service, verb)
            await ends(session, service)
        return ending

    steps = await at_every_step(attempt, late=late)
    assert steps or line != "narrow", "a line that takes no frame makes every verb wait"


async def _run(verb: Verb, session: Session, service: Service, line: Line) -> None:
    if line == "narrow":
        await session.send_audio(bytes(960))  # fills the line for the moment
    await verb(session, service)


async def works(session: Session, service: Service, verb: Verb = ask) -> None:
    """The next verbs get their own answers, those of the same kind first."""
    async with asyncio.timeout(200):
        await service.hush()
        await session.wait_quiet()
        await verb(session, service)
        await update(session, service)
        await ask(session, service)
    await settle()
    assert session.close_info is None
    assert not [entry for entry in session.ledger if entry.status == "waiting"], session.ledger
    assert not session._outbox.waiting_bytes


async def ends(session: Session, service: Service) -> None:
    """It ends in time and takes everything along."""
    clock = asyncio.get_running_loop().time
    began_s = clock()
    await session.close()
    assert clock() - began_s <= 2 * OPTIONS.close_timeout_s + 0.1
    assert not asyncio.all_tasks() - {asyncio.current_task()} - service.tasks
    assert not service.open_lines
