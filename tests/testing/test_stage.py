"""What the parts of a session share: a clock that can be virtual, and tasks that end with the session."""

from __future__ import annotations

import asyncio

import pytest

from voicelive import wire
from voicelive.testing import Pace, Script, ToneVoice
from voicelive.testing.checks import Refusal
from voicelive.testing.ids import Ids
from voicelive.testing.replies import Studio
from voicelive.testing.settings import Settings
from voicelive.testing.stage import Stage


class Collector:
    """An outlet that keeps everything."""

    def __init__(self) -> None:
        self.events: list[wire.ServerEvent] = []

    def send(self, event: wire.ServerEvent) -> None:
        self.events.append(event)

    async def room(self) -> None:
        await asyncio.sleep(0)


def new_stage(outlet: Collector, failures: list[BaseException]) -> Stage:
    return Stage(
        ids=Ids(1),
        settings=Settings(session_id="s", model="m", expires_at=1),
        script=Script(),
        pace=Pace.instant(),
        studio=Studio(ToneVoice()),
        outlet=outlet,
        failed=failures.append,
    )


async def test_a_failing_task_is_reported_and_a_cancelled_one_is_not() -> None:
    failures: list[BaseException] = []
    stage = new_stage(Collector(), failures)

    async def fail() -> None:
        raise LookupError

    stage.spawn(fail())
    stage.spawn(asyncio.sleep(3600))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await stage.end()
    assert [type(error) for error in failures] == [LookupError]


async def test_the_end_waits_for_every_task() -> None:
    stage = new_stage(Collector(), [])
    tasks = [stage.spawn(asyncio.sleep(3600)) for _ in range(3)]
    await asyncio.sleep(0)
    await stage.end()
    assert all(task.cancelled() for task in tasks)


@pytest.mark.looptime
async def test_waiting_goes_by_the_clock_of_the_loop() -> None:
    stage = new_stage(Collector(), [])
    await stage.until(stage.now() + 5)
    assert stage.now() == pytest.approx(5)
    await stage.until(stage.now() - 1)
    assert stage.now() == pytest.approx(5)


async def test_a_refusal_has_every_key_of_an_error() -> None:
    outlet = Collector()
    new_stage(outlet, []).refuse(Refusal("invalid_value", "No.", "item.id"), "mine")
    [event] = outlet.events
    assert isinstance(event, wire.ErrorEvent)
    assert event.error.model_dump(exclude_unset=True) == {
        "type": "invalid_request_error",
        "code": "invalid_value",
        "message": "No.",
        "param": "item.id",
        "event_id": "mine",
    }
