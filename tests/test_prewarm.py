"""Connections wait ready for the next calls, are replaced when taken or unfit, and end with the client."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.support.server import Line, Server
from tests.support.sockets import turns

from voicelive.client import VoiceLiveClient
from voicelive.errors import ConfigurationError, ConnectFailedError, ConnectTimeoutError, ServiceBusyError
from voicelive.options import ClientOptions
from voicelive.prewarm import Prewarmed
from voicelive.testing import Emulator
from voicelive.transport.address import Agent, ClassicAgent, Target
from voicelive.transport.memory import MemoryTransport, memory_pair
from voicelive.wire.audio import AudioEchoCancellation
from voicelive.wire.server_events import ServerEvent
from voicelive.wire.session import SessionConfig

MODEL, OTHER = Target(model="m"), Target(model="other")
AGE_S = 600.0


class Dialer:
    """Opens memory transports, or fails with each of ``failures`` in turn; keeps the loop's time of each try."""

    def __init__(self, *failures: Exception, takes_s: float = 0) -> None:
        self.failures: list[Exception] = list(failures)
        self.takes_s = takes_s
        self.tried_at: list[float] = []
        self.made: list[MemoryTransport] = []
        self.peers: list[MemoryTransport] = []

    async def __call__(self, target: Target) -> MemoryTransport:
        self.tried_at.append(round(clock(), 3))
        await asyncio.sleep(self.takes_s)
        if self.failures:
            raise self.failures.pop(0)
        ours, theirs = memory_pair()
        self.made.append(ours)
        self.peers.append(theirs)
        return ours

    @property
    def open(self) -> list[MemoryTransport]:
        return [one for one in self.made if not one.closed]


def clock() -> float:
    return asyncio.get_running_loop().time()


@pytest.fixture(autouse=True)
async def nothing_is_left_behind() -> AsyncIterator[None]:
    """No task and no complaint of the loop; a socket left open would be a ResourceWarning."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    yield
    assert not asyncio.all_tasks() - {asyncio.current_task()}
    assert not complaints


# -- a client and the emulator


async def session_id(client: VoiceLiveClient, *args: Any, **kwargs: Any) -> str:
    async with client.connect(*args, **kwargs) as session:
        return session.id


async def test_a_call_takes_a_ready_connection_and_another_is_opened() -> None:
    async with Emulator() as emulator, VoiceLiveClient(emulator.endpoint, "any-key") as client:
        await client.prewarm(2, "gpt-realtime")
        ready = [session.id for session in emulator.sessions]
        assert len(ready) == 2

        config = SessionConfig(instructions="Be brief.")
        async with client.connect("gpt-realtime", config=config) as session:
            assert session.id == ready[0]
            assert session.config.instructions == "Be brief."
            assert (await session.ask("How is the weather?")).text
        while len(emulator.sessions) < 3:  # noqa: ASYNC110 - the emulator has no event for it
            await asyncio.sleep(0)
        assert await session_id(client, "gpt-realtime") == ready[1]

    assert [session.close_code for session in emulator.sessions[:3]] == [1000, 1000, 1000]


@pytest.mark.parametrize(
    "other",
    [
        {"model": "gpt-4.1"},
        {
            "model": "gpt-realtime",
            "config": SessionConfig(
                input_audio_echo_cancellation=AudioEchoCancellation(reference_source="client", channels=2)
            ),
        },
    ],
)
async def test_another_target_is_connected_to_as_ever(other: dict[str, Any]) -> None:
    async with Emulator() as emulator, VoiceLiveClient(emulator.endpoint, "any-key") as client:
        await client.prewarm(1, "gpt-realtime")

        assert await session_id(client, **other) == emulator.sessions[1].id


async def test_a_target_is_the_same_with_the_same_features() -> None:
    config = SessionConfig(input_audio_echo_cancellation=AudioEchoCancellation(reference_source="client", channels=2))
    async with Emulator() as emulator, VoiceLiveClient(emulator.endpoint, "any-key") as client:
        await client.prewarm(1, "gpt-realtime", config=config)

        assert await session_id(client, "gpt-realtime", config=config) == emulator.sessions[0].id


async def test_calls_at_the_same_time_never_share_a_connection() -> None:
    async with Emulator() as emulator, VoiceLiveClient(emulator.endpoint, "any-key") as client:
        await client.prewarm(2, "gpt-realtime")

        ids = await asyncio.gather(*(session_id(client, "gpt-realtime") for _ in range(5)))

    assert len(set(ids)) == 5


async def test_a_cancelled_connect_closes_the_connection_it_took() -> None:
    async def mute(line: Line) -> None:
        await line.stay()

    async with Server(mute) as server, VoiceLiveClient(server.endpoint, "any-key") as client:
        await client.prewarm(1, "gpt-realtime")
        context = client.connect("gpt-realtime")
        entering = asyncio.ensure_future(context.__aenter__())
        await server.until(lambda: len(server.lines) == 2)  # the replacement: so the first was taken

        entering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await entering
        await server.lines[0].socket.wait_closed()
        assert server.lines[1].socket.close_code is None


async def test_a_connection_that_the_service_closed_is_not_handed_out() -> None:
    async with Server() as server, VoiceLiveClient(server.endpoint, "any-key") as client:
        await client.prewarm(1, "gpt-realtime")
        await server.until(lambda: server.lines)
        await server.lines[0].socket.close(1001, "idle")

        await session_id(client, "gpt-realtime")

        assert len(server.lines) >= 2


async def test_prewarming_that_reaches_nobody_raises() -> None:
    async with Emulator(api_key="right") as emulator, VoiceLiveClient(emulator.endpoint, "wrong") as client:
        with pytest.raises(ConnectFailedError):
            await client.prewarm(2, "gpt-realtime")


async def test_a_ready_connection_counts_for_the_limit() -> None:
    options = ClientOptions(connections_per_minute=2, connect_timeout_s=5)
    async with Emulator() as emulator, VoiceLiveClient(emulator.endpoint, "any-key", options=options) as client:
        await client.prewarm(2, "gpt-realtime")
        for _ in range(2):
            await session_id(client, "gpt-realtime")

        with pytest.raises(ConnectTimeoutError, match="connections_per_minute is 2"):
            await session_id(client, "gpt-realtime")

    assert len(emulator.sessions) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": -1, "model": "m"}, "count is -1; it must be at least 0"),
        ({"count": 1, "model": "m", "max_age_s": 0}, "max_age_s is 0; allowed: more than 0, less than 3600"),
        ({"count": 1, "model": "m", "max_age_s": 3600}, "max_age_s is 3600; allowed"),
        ({"count": 1, "agent": Agent("a", "p")}, "agents take Entra ID tokens only"),
        ({"count": 1}, "model"),
    ],
)
async def test_what_cannot_work_is_refused(arguments: dict[str, Any], message: str) -> None:
    async with VoiceLiveClient("https://far.example", "any-key") as client:
        with pytest.raises(ConfigurationError, match=message):
            await client.prewarm(**arguments)


# -- what is kept


async def test_they_are_opened_side_by_side_and_the_oldest_is_taken_first() -> None:
    dial = Dialer()
    pool = Prewarmed(dial)

    await pool.keep(MODEL, 3, AGE_S)
    assert len(dial.open) == 3
    assert [pool.take(MODEL) for _ in range(4)] == [*dial.made, None]
    assert pool.take(OTHER) is None

    await pool.close()
    assert dial.open == dial.made, "what was taken is the taker's to close"


@pytest.mark.looptime
async def test_side_by_side_means_that_three_take_no_longer_than_one() -> None:
    pool = Prewarmed(Dialer(takes_s=1.3))

    await pool.keep(MODEL, 3, AGE_S)

    assert clock() == pytest.approx(1.3)
    await pool.close()


@pytest.mark.looptime
async def test_one_that_grew_too_old_is_closed_and_replaced() -> None:
    dial = Dialer()
    pool = Prewarmed(dial)
    await pool.keep(MODEL, 1, 60)

    await asyncio.sleep(59)
    assert dial.open == dial.made[:1]
    await asyncio.sleep(2.5)

    assert dial.open == dial.made[1:]
    assert pool.take(MODEL) is dial.made[1]
    await pool.close()
    await dial.made[1].close()


@pytest.mark.looptime
async def test_one_that_grew_too_old_a_moment_ago_is_not_handed_out() -> None:
    dial = Dialer()
    pool = Prewarmed(dial)
    await pool.keep(MODEL, 1, 60.5)  # is looked at once a second

    await asyncio.sleep(60.7)

    assert not dial.made[0].closed
    assert pool.take(MODEL) is None
    await pool.close()


@pytest.mark.looptime
async def test_one_that_the_peer_dropped_is_replaced() -> None:
    dial = Dialer()
    pool = Prewarmed(dial)
    await pool.keep(MODEL, 2, AGE_S)

    dial.peers[0].drop()
    await asyncio.sleep(1.5)

    assert dial.open == dial.made[1:]
    assert len(dial.open) == 2
    await pool.close()


async def test_the_number_can_be_raised_and_lowered_without_opening_anew() -> None:
    dial = Dialer()
    pool = Prewarmed(dial)

    await pool.keep(MODEL, 1, AGE_S)
    await pool.keep(MODEL, 3, AGE_S)
    assert len(dial.open) == len(dial.made) == 3
    await pool.keep(MODEL, 1, AGE_S)
    assert dial.open == dial.made[2:], "the youngest lasts longest"

    await pool.close()


@pytest.mark.looptime
async def test_a_number_lowered_while_connections_are_opened_holds_in_the_end() -> None:
    dial = Dialer(takes_s=1)
    pool = Prewarmed(dial)
    more = asyncio.create_task(pool.keep(MODEL, 3, AGE_S))
    await asyncio.sleep(0.5)

    await pool.keep(MODEL, 1, AGE_S)

    await more
    assert len(dial.open) == 1
    await pool.close()


async def test_zero_closes_those_of_one_target_and_keeps_the_others() -> None:
    dial = Dialer()
    pool = Prewarmed(dial)
    await pool.keep(MODEL, 2, AGE_S)
    await pool.keep(OTHER, 1, AGE_S)

    await pool.keep(MODEL, 0, AGE_S)
    await pool.keep(MODEL, 0, AGE_S)

    assert dial.open == dial.made[2:]
    assert pool.take(MODEL) is None
    await pool.close()
    assert not dial.open


async def test_a_closed_pool_may_be_filled_again() -> None:
    dial = Dialer()
    pool = Prewarmed(dial)
    await pool.keep(MODEL, 1, AGE_S)
    await pool.close()

    await pool.keep(MODEL, 1, AGE_S)

    assert dial.open == dial.made[1:]
    await pool.close()


async def test_zero_ends_a_stock_whose_task_has_not_even_begun() -> None:
    pool = Prewarmed(Dialer())
    keeping = asyncio.create_task(pool.keep(MODEL, 2, AGE_S))
    await asyncio.sleep(0)

    await pool.keep(MODEL, 0, AGE_S)

    await keeping


@pytest.mark.looptime
@pytest.mark.parametrize("after_s", [0, 0.5])
async def test_closing_ends_what_is_being_opened_and_those_who_wait_for_it(after_s: float) -> None:
    pool = Prewarmed(Dialer(takes_s=100))
    keeping = asyncio.create_task(pool.keep(MODEL, 2, AGE_S))
    await asyncio.sleep(after_s)

    await pool.close()

    await keeping
    assert clock() < 1


async def test_cancelling_the_task_of_a_stock_closes_what_it_holds() -> None:
    dial = Dialer()
    pool = Prewarmed(dial)
    await pool.keep(MODEL, 2, AGE_S)

    [task] = asyncio.all_tasks() - {asyncio.current_task()}
    task.cancel()  # as asyncio.run does with what an application left running
    await asyncio.wait([task])

    assert not dial.open
    assert pool.take(MODEL) is None


# -- what fails


async def test_the_first_failure_is_raised_when_not_one_could_be_made_and_none_is_kept() -> None:
    first = ConnectFailedError("out of reach")
    pool = Prewarmed(Dialer(first, ConnectFailedError("and again")))

    with pytest.raises(ConnectFailedError) as caught:
        await pool.keep(MODEL, 2, AGE_S)

    assert caught.value is first
    assert not asyncio.all_tasks() - {asyncio.current_task()}


async def test_all_who_wait_for_the_first_connection_hear_that_it_failed() -> None:
    dial = Dialer(ConnectFailedError("out of reach"))
    pool = Prewarmed(dial)

    results = await asyncio.gather(*(pool.keep(MODEL, 1, AGE_S) for _ in range(2)), return_exceptions=True)

    assert [type(result) for result in results] == [ConnectFailedError] * 2
    await pool.keep(MODEL, 1, AGE_S)
    assert len(dial.open) == 1
    await pool.close()


async def test_a_failure_that_nobody_waited_for_stands_in_nobodys_way() -> None:
    dial = Dialer(ConnectFailedError("out of reach"))
    pool = Prewarmed(dial)
    impatient = asyncio.create_task(pool.keep(MODEL, 1, AGE_S))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.wait([impatient])
    while asyncio.all_tasks() - {asyncio.current_task()}:  # noqa: ASYNC110 - until the task gave up
        await asyncio.sleep(0)

    await pool.keep(MODEL, 1, AGE_S)

    assert len(dial.open) == 1
    await pool.close()


@pytest.mark.looptime
async def test_cancelling_ends_the_waiting_and_not_the_keeping() -> None:
    dial = Dialer(takes_s=1)
    pool = Prewarmed(dial)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(pool.keep(MODEL, 1, AGE_S), 0.5)

    await asyncio.sleep(1)

    assert len(dial.open) == 1
    await pool.close()


@pytest.mark.looptime
async def test_one_success_is_enough_and_the_rest_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    dial = Dialer(ConnectFailedError("out of reach"))
    pool = Prewarmed(dial)

    await pool.keep(MODEL, 2, AGE_S)
    assert len(dial.open) == 1
    await asyncio.sleep(1.5)

    assert len(dial.open) == 2
    assert "= no ready connection to m, trying again in 1.0 s: out of reach" in caplog.text
    await pool.close()


@pytest.mark.looptime
async def test_failures_to_refill_are_tried_again_ever_more_slowly_and_never_raised() -> None:
    dial = Dialer()
    pool = Prewarmed(dial)
    await pool.keep(MODEL, 1, AGE_S)
    dial.failures = [ServiceBusyError("busy", 503) for _ in range(7)]

    assert pool.take(MODEL) is not None
    await asyncio.sleep(90)
    assert dial.tried_at == [0, 0, 1, 3, 7, 15, 31, 61]
    assert pool.take(MODEL) is None

    await asyncio.sleep(2)
    assert pool.take(MODEL) is dial.made[1]
    await pool.close()


@pytest.mark.looptime
async def test_the_wait_that_the_service_or_the_limit_asks_for_is_kept() -> None:
    dial = Dialer()
    pool = Prewarmed(dial)
    await pool.keep(MODEL, 1, AGE_S)
    dial.failures = [ServiceBusyError("busy", 429, None, 42)]

    pool.take(MODEL)
    await asyncio.sleep(50)

    assert dial.tried_at == [0, 0, 42]
    await pool.close()


@pytest.mark.looptime
async def test_no_log_holds_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    agent = Target(agent=ClassicAgent("id-of-agent", "project", access_token="t0ken"))
    dial = Dialer()
    pool = Prewarmed(dial)
    await pool.keep(agent, 1, AGE_S)
    dial.failures = [RuntimeError("key=s3cret")]

    pool.take(agent)
    await asyncio.sleep(0.5)

    assert "= no ready connection to an agent, trying again in 1.0 s: RuntimeError" in caplog.text
    for secret in ("s3cret", "t0ken", "id-of-agent"):
        assert secret not in caplog.text
    await pool.close()


@pytest.mark.looptime
@pytest.mark.parametrize("how", ["dies as it is taken", "is silent"])
async def test_a_ready_connection_that_is_dead_costs_a_call_time_and_nothing_else(how: str) -> None:
    options = ClientOptions(ping_interval_s=None, connect_timeout_s=10)
    config = SessionConfig(temperature=0.5)
    async with (
        Emulator(ping_interval_s=None) as emulator,
        VoiceLiveClient(emulator.endpoint, "k", options=options) as client,
    ):
        await client.prewarm(1, "m")
        dead = emulator.sessions[0]

        def die(event: ServerEvent) -> list[ServerEvent]:
            if how == "dies as it is taken":
                dead.abort()
            return []

        dead.tamper = die
        began = clock()

        async with client.connect("m", config=config) as session:
            assert session.id != dead.id
            assert session.config.temperature == 0.5
            assert clock() - began <= 6


@pytest.mark.parametrize("passes", range(1, 8))
async def test_closing_at_any_moment_closes_what_is_being_closed_and_what_is_ready(passes: int) -> None:
    dial = Dialer()
    ready = Prewarmed(dial)
    await ready.keep(MODEL, 3, AGE_S)
    fewer = asyncio.create_task(ready.keep(MODEL, 1, AGE_S))
    await turns(passes)

    await ready.close()

    await fewer
    assert not dial.open


async def test_closing_that_is_cancelled_at_once_closes_all_the_same() -> None:
    dial = Dialer()
    ready = Prewarmed(dial)
    await ready.keep(MODEL, 2, AGE_S)
    await ready.keep(OTHER, 2, AGE_S)
    closing = asyncio.create_task(ready.close())
    await turns(1)

    closing.cancel()
    await turns()

    assert closing.cancelled()
    assert not dial.open
