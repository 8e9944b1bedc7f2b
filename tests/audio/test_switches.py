"""A switch turns a source into silence of the same length, and reasons to be silent add up."""

from __future__ import annotations

import pytest

from voicelive.audio.formats import AudioFormat
from voicelive.audio.sources import PcmSource
from voicelive.audio.switches import SwitchedSource
from voicelive.errors import ConfigurationError

ULAW = AudioFormat.of_output("g711_ulaw")
FRAME = 160


async def test_a_muted_source_gives_silence_of_the_same_length_and_nothing_is_late_afterwards() -> None:
    source = SwitchedSource(PcmSource(b"".join(bytes([n]) * FRAME for n in range(4))))
    frames = source.frames(ULAW)

    heard = [await anext(frames)]
    source.mute()
    heard.append(await anext(frames))
    source.unmute()
    heard += [frame async for frame in frames]

    assert [frame[0] for frame in heard] == [0, 0xFF, 2, 3]
    assert [len(frame) for frame in heard] == [FRAME] * 4


def heard_after(source: SwitchedSource, *steps: str) -> list[bool]:
    found = []
    for step in steps:
        getattr(source, step)()
        found.append(source.heard)
    return found


def test_it_is_heard_again_when_the_last_reason_is_gone() -> None:
    source = SwitchedSource(PcmSource(b""))

    assert heard_after(source, "mute", "hold", "unmute", "resume") == [False, False, False, True]


def test_push_to_talk_begins_released_and_on_hold_nobody_is_heard_pressed_or_not() -> None:
    source = SwitchedSource(PcmSource(b""), push_to_talk=True)

    assert not source.heard
    assert heard_after(source, "press", "hold", "resume", "release") == [True, False, True, False]


def test_a_thing_that_is_no_source_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="source is a bytes"):
        SwitchedSource(b"")  # type: ignore[arg-type]  # the point


def test_it_has_the_pace_of_its_source() -> None:
    class Live(PcmSource):
        live = True

    assert SwitchedSource(Live(b"")).live
    assert not SwitchedSource(PcmSource(b"")).live
