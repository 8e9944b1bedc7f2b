"""What the application sees of a fault while it connects or closes: there is no conversation then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from tests.reliability.outcomes import AT_ONCE_S, MORE_S, odd
from tests.reliability.phases import Phase
from tests.reliability.scene import Scene

from voicelive import ConnectFailedError

__all__ = ["Closes", "Connects", "NotConnected"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Connects:
    """There is a session.

    Attributes:
        tries: How many handshakes it took.
        after_s: It took so long, at least.
        counts: As of ``GoesOn``.
    """

    tries: int = 1
    after_s: float = 0.0
    counts: Mapping[str, int] = field(default_factory=dict)

    def words(self, phase: Phase) -> str:
        told = [f"{self.tries} tries"] if self.tries > 1 else []
        told += [f"a session after {self.after_s:g} s"] if self.after_s else ["a session"]
        told += [f"`counts.{name}` {count}" for name, count in self.counts.items()]
        return ", ".join(told)

    def lost(self, phase: Phase) -> str:
        return "nothing"

    async def check(self, scene: Scene, phase: Phase) -> None:
        began_s = scene.now
        await scene.connect()
        assert scene.now - began_s >= self.after_s - MORE_S
        assert len(scene.proxy.connections) == self.tries
        assert odd(scene.session.counts) == self.counts
        if scene.probes_pieces is not None:
            await scene.test_the_line(pieces=scene.probes_pieces)
        await scene.ask()


@dataclass(frozen=True, slots=True, kw_only=True)
class NotConnected:
    """``connect`` raises.

    Attributes:
        error: The class of its exception.
        tries: How many handshakes were begun.
        status: HTTP status of the last one.
        retry_after_s: What the service asked to wait.
        after_s: When it raises; ``None``: at once, but for the waits between tries.
        says: A part of the message.
    """

    error: type[ConnectFailedError]
    tries: int = 1
    status: int | None = None
    retry_after_s: float | None = None
    after_s: float | None = None
    says: str = ""

    def words(self, phase: Phase) -> str:
        told = [f"`status` {self.status}"] if self.status is not None else ["`status` `None`"]
        told += [f"`retry_after_s` {self.retry_after_s:g}"] if self.retry_after_s is not None else []
        told += [f"“{self.says}”"] if self.says else []
        tries = f" after {self.tries} tries" if self.tries > 1 else ""
        when = f" after {self.after_s:g} s" if self.after_s else " at once" if self.after_s is not None else ""
        return f"`{self.error.__name__}` ({', '.join(told)}){tries}{when}"

    def lost(self, phase: Phase) -> str:
        return phase.at_stake

    async def check(self, scene: Scene, phase: Phase) -> None:
        began_s = scene.now
        with pytest.raises(ConnectFailedError) as caught:
            await scene.connect()
        error = caught.value
        assert type(error) is self.error
        assert (error.status, error.retry_after_s) == (self.status, self.retry_after_s)
        assert self.says in error.message
        assert len(scene.proxy.connections) in (self.tries, 0)  # a refused one is not seen there
        if self.after_s is not None:
            assert scene.now - began_s == pytest.approx(self.after_s, abs=0.02)


@dataclass(frozen=True, slots=True, kw_only=True)
class Closes:
    """``close()`` comes to its end, and so do the loops.

    Attributes:
        after_s: How long that takes from the fault on; 0: no timeout has to pass.
        at_most_s: The bound on it.
        counts: As of ``GoesOn``.
    """

    after_s: float = 0.0
    at_most_s: float = AT_ONCE_S
    counts: Mapping[str, int] = field(default_factory=dict)

    def words(self, phase: Phase) -> str:
        bound = f" after {self.after_s:g} s (`close_timeout_s`)" if self.after_s else ""
        told = ["loops end", f"`close()` returns{bound}"]
        told += [f"`counts.{name}` {count}" for name, count in self.counts.items()]
        return ", ".join(told)

    def lost(self, phase: Phase) -> str:
        return "nothing"

    async def check(self, scene: Scene, phase: Phase) -> None:
        began_s = scene.now
        assert scene.closing is not None, "begun by the phase"
        await scene.closing
        took_s = scene.now - began_s
        assert self.after_s - 0.05 <= took_s <= max(self.after_s, self.at_most_s)
        async for _ in scene.session:
            pass
        info = scene.session.close_info
        assert info is not None
        assert info.normal
        assert odd(scene.session.counts) == self.counts
        assert len(scene.emulator.sessions) == 1
        assert scene.told == [] or "undecodable_frames" in self.counts
