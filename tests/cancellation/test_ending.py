"""Closing, cancelled at every suspension and in every state: what has begun to end ends soon, without a second call.

The last tests leave the context manager by an exception, with everything pending that can be.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

import pytest
from tests.cancellation.service import Service
from tests.cancellation.stepping import Cut, Ending, at_every_step, cut, tool_threads
from tests.cancellation.test_verbs import EARLY_AND_LATE, OPTIONS, SPEECH, ends, works
from tests.support.sockets import turns
from tests.support.streams import rest_of, settle

from voicelive.errors import ConfirmationTimeoutError, SessionClosedError
from voicelive.session import Session
from voicelive.tools.declaring import tool
from voicelive.tools.toolset import ToolSet
from voicelive.wire.server.response import ResponseCreated
from voicelive.wire.session import SessionConfig

State: TypeAlias = Callable[[Session, Service], Awaitable[object]]

BOUND_S: Final = 2 * OPTIONS.close_timeout_s + 0.1


async def idle(session: Session, service: Service) -> None:
    """Nothing is under way."""


async def waiting(session: Session, service: Service) -> None:
    """Verbs wait for answers that do not come, and a response for its turn."""
    service.quiet = True
    for verb in (session.update(SessionConfig(temperature=0.6)), session.commit_audio(), session.create_response()):
        spawn(verb)
    spawn(session.say("Good morning."))
    spawn(rest_of(session))
    await settle()


async def sending(session: Session, service: Service) -> None:
    """Frames of both kinds wait to be written."""
    for verb in (session.send_audio(SPEECH), session.send_text("hello"), session.send_audio(SPEECH)):
        spawn(verb)
    await turns(2)


async def speaking(session: Session, service: Service) -> None:
    """The agent speaks."""
    await session.create_response()


async def handling(session: Session, service: Service) -> None:
    """A handler is busy, and further events wait for it."""
    busy = asyncio.Event()

    @session.on(ResponseCreated)
    async def handle(_: ResponseCreated) -> None:
        busy.set()
        await asyncio.sleep(60)

    await session.create_response()
    await busy.wait()


async def working(session: Session, service: Service) -> None:
    """Tools run: one on the loop, one in a thread."""
    busy, release = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    @tool
    async def on_the_loop() -> str:
        """Takes long."""
        await asyncio.sleep(60)
        return "done"

    @tool
    def in_a_thread() -> str:
        """Takes until the test has ended."""
        loop.call_soon_threadsafe(busy.set)
        release.wait(10)
        return "done"

    session.use_tools(ToolSet(on_the_loop, in_a_thread))
    service.calls = ["in_a_thread", "on_the_loop"]
    service.at_end.append(release.set)
    await session.create_response()
    await busy.wait()


async def lost(session: Session, service: Service) -> None:
    """Another connection is being made."""
    service.refusals = 1
    service.drop()
    await turns(6)


STATES: Final[tuple[State, ...]] = (idle, waiting, sending, speaking, handling, working, lost)
EACH_STATE = pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)

spawned: set[asyncio.Task[Any]] = set()


def spawn(verb: Any) -> None:
    """Use a session from another task, whose end is looked at."""
    task = asyncio.ensure_future(verb)
    spawned.add(task)


async def all_spawned_have_ended() -> None:
    """Nobody waits for a session that is over."""
    async with asyncio.timeout(BOUND_S):
        found = await asyncio.gather(*spawned, return_exceptions=True)
    spawned.clear()
    failures = [one for one in found if isinstance(one, BaseException)]
    assert all(isinstance(one, SessionClosedError | ConfirmationTimeoutError) for one in failures), failures


async def has_ended(session: Session, service: Service) -> None:
    """It has ended or does so by itself, and took everything along."""
    async with asyncio.timeout(BOUND_S):
        await session.wait_closed()
        await all_spawned_have_ended()
        while asyncio.all_tasks() - {asyncio.current_task()} - service.tasks:  # noqa: ASYNC110 - any task at all
            await asyncio.sleep(0.01)
    assert not service.open_lines
    assert not [entry for entry in session.ledger if entry.status == "waiting"], session.ledger
    with pytest.raises(SessionClosedError):
        await session.send_text("hello")


@EACH_STATE
@EARLY_AND_LATE
@pytest.mark.parametrize("after_playback", [False, True], ids=["at-once", "after-playback"])
@pytest.mark.looptime
async def test_closing_that_is_cancelled_has_closed_or_done_nothing(
    state: State, late: bool, after_playback: bool
) -> None:
    async def attempt(where: Cut) -> Ending:
        async with Service(limit_bytes=1 if state is sending else None, options=OPTIONS) as service:
            session = await service.session()
            await state(session, service)
            ending = await cut(session.close(after_playback=after_playback, playback_timeout_s=5), where)
            assert ending.error is None, where
            if session._closing:
                await has_ended(session, service)
            else:
                await session.close()
                await has_ended(session, service)
        return ending

    assert await at_every_step(attempt, late=late)


@pytest.mark.looptime
async def test_a_cancelled_wait_for_the_farewell_leaves_a_session_that_works() -> None:
    async with Service(options=OPTIONS) as service:
        session = await service.session()
        await session.create_response()
        ending = await cut(session.close(after_playback=True), Cut(1, late=False))

        assert ending.reached
        await works(session, service)
        await ends(session, service)


@EACH_STATE
@pytest.mark.looptime
async def test_leaving_by_an_exception_ends_everything_within_the_bound(state: State) -> None:
    clock = asyncio.get_running_loop().time
    async with Service(limit_bytes=1 if state is sending else None, options=OPTIONS) as service:
        session = await service.session()
        left_s = 0.0

        async def program() -> None:
            nonlocal left_s
            async with session:
                await state(session, service)
                left_s = clock()
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await program()

        assert clock() - left_s <= BOUND_S
        await has_ended(session, service)
    await no_thread_is_left()


@EACH_STATE
@pytest.mark.looptime
async def test_cancelling_the_program_ends_everything_within_the_bound(state: State) -> None:
    clock = asyncio.get_running_loop().time
    async with Service(limit_bytes=1 if state is sending else None, options=OPTIONS) as service:
        session = await service.session()

        async def program() -> None:
            async with session:
                await state(session, service)
                await asyncio.Event().wait()

        running = asyncio.create_task(program())
        await asyncio.sleep(0.1)
        began_s = clock()
        running.cancel()
        await asyncio.wait([running])

        assert clock() - began_s <= BOUND_S
        await has_ended(session, service)
    await no_thread_is_left()


@pytest.mark.looptime
async def test_a_handler_that_ignores_its_cancellation_does_not_hold_up_the_end() -> None:
    clock = asyncio.get_running_loop().time
    released = asyncio.Event()
    async with Service(options=OPTIONS) as service:
        session = await service.session()

        @session.on(ResponseCreated)
        async def stubborn(_: ResponseCreated) -> None:
            while not released.is_set():
                try:
                    await released.wait()
                except asyncio.CancelledError:
                    continue

        await session.create_response()
        await settle()
        began_s = clock()
        await session.close()
        assert clock() - began_s <= BOUND_S
        released.set()
        await has_ended(session, service)


async def no_thread_is_left() -> None:
    """Threads end by themselves once what they wait for is there."""
    async with asyncio.timeout(5):
        while tool_threads():  # noqa: ASYNC110 - threads have no event of a loop
            await asyncio.sleep(0.001)
