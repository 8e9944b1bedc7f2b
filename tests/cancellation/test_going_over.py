"""Going over to another connection, disturbed at every pass of the event loop: by an end, a loss, a cancelled wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final, TypeAlias

import pytest
from tests.cancellation.service import Service
from tests.cancellation.stepping import Cut, cut
from tests.cancellation.test_verbs import OPTIONS, ends, update, works
from tests.support.sockets import turns, until
from tests.support.streams import settle

from voicelive.options import Resume
from voicelive.session import Session

Move: TypeAlias = Callable[[Session, Service], Awaitable[None]]

PASSES: Final = range(48)  # the slowest move is over by then
MAX_AGE_S: Final = 30.0
RENEWING: Final = replace(OPTIONS, resume=Resume(max_age_s=MAX_AGE_S))


async def resume(session: Session, service: Service) -> None:
    """A connection is lost."""
    service.drop()


async def resume_at_the_second_try(session: Session, service: Service) -> None:
    """A connection is lost, and the next one breaks at once."""
    dials = service.dials
    service.drop()
    await until(lambda: service.dials > dials)
    await turns(3)
    service.drop()


async def renew(session: Session, service: Service) -> None:
    """The session is old enough."""
    dials = service.dials
    while service.dials == dials:  # noqa: ASYNC110 - virtual time passes while nothing is to be done
        await asyncio.sleep(0.5)


MOVES: Final[tuple[Move, ...]] = (resume, resume_at_the_second_try, renew)
EACH_MOVE = pytest.mark.parametrize("move", MOVES, ids=lambda move: move.__name__)
ON_BOTH_LINES = pytest.mark.parametrize("limit_bytes", [None, 1], ids=["free", "narrow"])


async def moving(service: Service, move: Move, passes: int) -> Session:
    """A session with something to say again, that many passes of the loop after its move began."""
    session = await service.session()
    await session.ask("hello")
    await session.send_audio(bytes(48 * 300))
    await settle()
    async with asyncio.timeout(100):
        await move(session, service)
    await turns(passes)
    if passes == PASSES[-1]:
        await asyncio.sleep(10)
        assert service.dials
        assert not session._outbox.held
    return session


@EACH_MOVE
@ON_BOTH_LINES
@pytest.mark.looptime
async def test_closing_at_any_moment_of_a_move_ends_everything(move: Move, limit_bytes: int | None) -> None:
    for passes in PASSES:
        async with Service(limit_bytes=limit_bytes, options=RENEWING) as service:
            session = await moving(service, move, passes)
            await ends(session, service)


@EACH_MOVE
@ON_BOTH_LINES
@pytest.mark.looptime
async def test_a_program_cancelled_at_any_moment_of_a_move_ends_everything(move: Move, limit_bytes: int | None) -> None:
    for passes in PASSES:
        async with Service(limit_bytes=limit_bytes, options=RENEWING) as service:
            session = await moving(service, move, passes)

            async def program(session: Session = session) -> None:
                async with session:
                    await session.ask("Are you there?")

            await cut(program(), Cut(1, late=False))
            await ends(session, service)


@EACH_MOVE
@ON_BOTH_LINES
@pytest.mark.looptime
async def test_a_loss_at_any_moment_of_a_move_is_made_good(move: Move, limit_bytes: int | None) -> None:
    for passes in PASSES[::2]:
        async with Service(limit_bytes=limit_bytes, options=RENEWING) as service:
            session = await moving(service, move, passes)
            service.drop()
            await settle()
            await works(session, service)
            await ends(session, service)


@EACH_MOVE
@ON_BOTH_LINES
@pytest.mark.looptime
async def test_a_verb_given_up_at_any_moment_of_a_move_takes_nothing_from_the_next(
    move: Move, limit_bytes: int | None
) -> None:
    for passes in PASSES[1::2]:
        async with Service(limit_bytes=limit_bytes, options=RENEWING) as service:
            session = await moving(service, move, passes)
            await cut(session.commit_audio(), Cut(1 + passes % 4, late=bool(passes % 2)))
            await cut(update(session, service), Cut(1 + passes % 3, late=bool(passes % 2)))
            await works(session, service)
            await ends(session, service)
