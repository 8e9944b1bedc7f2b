"""Any row of verbs on one session, each cancelled at a suspension that Hypothesis chooses, with losses in between."""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, NamedTuple

import looptime
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cancellation.service import Service
from tests.cancellation.stepping import Cut, cut
from tests.cancellation.test_verbs import OPTIONS, VERBS, Verb, ends, works
from tests.support.streams import settle

from voicelive.options import Resume

_MOST_STEPS: Final = 40
PATIENT: Final = replace(OPTIONS, resume=Resume(attempts=100))


class Step(NamedTuple):
    verb: Verb
    where: Cut
    loss: bool
    """Whether the connection is lost just before."""
    passes: int
    """How often the event loop goes round before the next one."""


STEPS = st.builds(
    Step,
    verb=st.sampled_from(VERBS),
    where=st.builds(Cut, at=st.integers(1, _MOST_STEPS), late=st.booleans()),
    loss=st.sampled_from([False, False, False, True]),
    passes=st.integers(0, 20),
)


@given(course=st.lists(STEPS, min_size=1, max_size=6), narrow=st.booleans())
@settings(max_examples=60)
def test_any_row_of_cancelled_verbs_leaves_a_session_that_works(course: list[Step], narrow: bool) -> None:
    complaints: list[dict[str, Any]] = []

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        async with Service(limit_bytes=1 if narrow else None, options=PATIENT) as service:
            session = await service.session()
            for step in course:
                if step.loss:
                    service.drop()
                await cut(_run(step.verb, session, service), step.where)
                for _ in range(step.passes):
                    await asyncio.sleep(0)
            await settle()
            await works(session, service)
            await ends(session, service)

    async def _run(verb: Verb, *arguments: Any) -> None:
        with suppress(TimeoutError):  # a verb before may have been cut off before it could end the agent's speech
            async with asyncio.timeout(60):
                await verb(*arguments)

    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        runner.run(run())
    gc.collect(0)
    assert not complaints
