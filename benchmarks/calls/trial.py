"""One trial: so many calls of one provider through one bridge, and whether they were held in real time.

The bridge has a core of its own, the far ends and this process have the others. Which bounds decide is said here.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.calls.spread import Spread, Use
from benchmarks.children import answer, process, tell

__all__ = ["LATE_MS", "Plan", "Result", "hold"]

LATE_MS: Final = 20.0
"""The bound for p99, each way: a frame that is later is overtaken by the next one that is due."""
MOST_SHARE: Final = 1.0
_SATURATED: Final = 0.9  # of a core: far ends that are busier delay what they measure
_STARVED: Final = 0.02  # of the time: what the bridge may wait for its core before that explains what is late


@dataclass(frozen=True)
class Plan:
    """What to do.

    Attributes:
        line: The provider.
        calls: How many at once.
        seconds: How long it is measured.
        manner: ``frames``: the service speaks in real time, in deltas that are frames of the line, so that none has to
            wait. ``usual``: 500 ms at once, twice as fast as it sounds.
        reply_s: Length of a reply of the agent.
        frame_ms: Of the agent's voice, for Twilio, whose line takes any.
        uvloop: Whether the bridge runs on that event loop, which has to be installed.
    """

    line: str
    calls: int
    seconds: float
    manner: str
    reply_s: float = 6.0
    frame_ms: int = 20
    uvloop: bool = False

    @property
    def title(self) -> str:
        further = (f", {self.frame_ms} ms" if self.frame_ms != 20 else "") + (", uvloop" if self.uvloop else "")
        return f"{self.calls} {self.line}, {self.manner}{further}"


@dataclass(frozen=True)
class Result:
    """What the far ends and the bridge found."""

    plan: Plan
    ends: dict[str, Any]
    bridge: dict[str, Any]

    def spread(self, name: str) -> Spread:
        """``up``, ``down``, ``silenced``, ``late`` of the far ends; ``lag`` and ``gc`` of the bridge."""
        return Spread(**(self.ends | self.bridge)[name])

    @property
    def ear(self) -> Spread:
        """From the service to the caller, of audio that does not wait to be played."""
        return self.spread("down" if self.plan.manner == "frames" else "first")

    @property
    def use(self) -> Use:
        return Use(**self.bridge["use"])

    @property
    def ends_use(self) -> Use:
        return Use(**self.ends["use"])

    def faults(self) -> list[str]:
        """What went wrong, whatever the machine."""
        ends, bridge, calls = self.ends, self.bridge, self.plan.calls
        cuts = ends["barge_ins"] + ends["belated"]
        expected = {
            "pieces lost": (ends["lost"], 0),
            "pieces wrong or out of order": (ends["wrong"], 0),
            "marks not sent back": (ends["marks_due"], 0),
            "barge-ins that silenced the line": (ends["silences"], ends["barge_ins"]),
            "barge-ins told to the service": (ends["truncated"], cuts),
            "replies heard to their end": (bridge["heard"], ends["replies"] - ends["belated"]),
            "replies cut": (bridge["cut"], cuts),
            "ms of the caller's audio dropped": (bridge["dropped_ms"], 0),
            "ms of the caller's audio missing": (bridge["gap_ms"], 0),
            "odd messages": (bridge["odd"], 0),
            "calls held": (bridge["held"], calls),
            "sessions": (ends["sessions"], calls),
            "calls that ended well": (bridge["ended"], calls),
            "calls that did not end": (bridge["left"] + bridge["failed"], 0),
        }
        return [f"{name}: {found:g}, not {wanted:g}" for name, (found, wanted) in expected.items() if found != wanted]

    def delays(self) -> list[str]:
        """What was too slow, on this machine."""
        slow = []
        if self.use.share >= MOST_SHARE:
            slow.append(f"the bridge needs {self.use.share:.2f} of a core, not less than {MOST_SHARE:g}")
        for name, spread in (("to the service", self.spread("up")), ("to the ear", self.ear)):
            if spread.p99 >= LATE_MS:
                slow.append(f"the p99 {name} is {spread.p99:.1f} ms, not below {LATE_MS:g}")
        dry = self.spread("dry")
        if dry.count:
            slow.append(f"the caller's line ran dry {dry.count} times, for {dry.most:.1f} ms at most")
        if self.ends["belated"]:
            slow.append(f"{self.ends['belated']} replies were not over when the next turn began")
        return slow

    def excuses(self) -> list[str]:
        """Why figures may be worse than the bridge is."""
        found = []
        if self.ends_use.share >= _SATURATED:
            found.append(f"the far ends needed {self.ends_use.share:.2f} of a core: what they measure is their own")
        for name, use in (("the bridge", self.use), ("the far ends", self.ends_use)):
            if use.waited_s / use.wall_s >= _STARVED:
                found.append(f"{name} waited {use.waited_s / use.wall_s:.0%} of the time for a core that others used")
        return found


def hold(plan: Plan, watch: Callable[[str, float], None]) -> Result:
    """Hold the calls; ``watch`` is told what happens, and how much of the measured time has passed, in seconds.

    Raises:
        RuntimeError: A process ended early; its own words are on standard error.
    """
    bridge_core = _keep_off_one_core()
    with ExitStack() as running:
        wanted = (plan.line, str(plan.calls), str(plan.seconds), str(plan.reply_s), plan.manner)
        ends = running.enter_context(process("benchmarks.calls.ends", *wanted))
        service_port = str(answer(ends, "the far ends")["port"])
        further = (str(plan.frame_ms), "uvloop" if plan.uvloop else "asyncio")
        bridge = running.enter_context(
            process("benchmarks.calls.bridge", plan.line, service_port, bridge_core, *further)
        )
        tell(ends, **answer(bridge, "the bridge"))
        for news in _news(lambda: answer(ends, "the far ends")):
            if "window" in news:
                tell(bridge, **news["window"])
            elif "talking" in news:
                watch(f"{plan.line}: {news['talking']} calls", 0.0)
            elif "second" in news:
                watch(plan.title, news["second"])
            else:
                return Result(plan, news["result"], answer(bridge, "the bridge"))
    raise AssertionError("the last news is the result")


def _news(read: Callable[[], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    while True:
        yield read()


def _keep_off_one_core() -> str:
    """Leave a core to the bridge; children inherit where they may run. Empty where the system cannot do that."""
    if not hasattr(os, "sched_setaffinity"):
        return ""
    first, *others = sorted(_CORES)
    if not others:
        return ""
    os.sched_setaffinity(0, set(others))
    return str(first)


_CORES: Final = frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else frozenset()
