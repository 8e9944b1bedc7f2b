"""Pictures and sound in one loop."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.avatar.broadcast import Broadcast
from voicelive.avatar.frames import AudioFrame, VideoFrame
from voicelive.avatar.merging import PATIENCE_S, FrameStream
from voicelive.errors import AvatarLinkLostError

RAW = cast("Any", None)


class Source:
    def __init__(self) -> None:
        self.pictures: Broadcast[VideoFrame] = Broadcast(100)
        self.sounds: Broadcast[AudioFrame] = Broadcast(100)
        self.frames = FrameStream(self.pictures.stream(), self.sounds.stream())

    def picture(self, at_s: float) -> None:
        self.pictures.put(VideoFrame(at_s, RAW))

    def sound(self, at_s: float) -> None:
        self.sounds.put(AudioFrame(at_s, RAW))

    def end(self, failure: Exception | None = None) -> None:
        self.pictures.end(failure)
        self.sounds.end(failure)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 100)), max_size=50))
def test_frames_come_by_their_timestamps(timed: list[tuple[bool, float]]) -> None:
    async def run() -> list[float]:
        source = Source()
        for is_picture, at_s in sorted(timed, key=lambda it: it[1]):
            (source.picture if is_picture else source.sound)(at_s)
        source.end()
        return [frame.timestamp_s async for frame in source.frames]

    assert asyncio.run(run()) == sorted(at_s for _, at_s in timed)


@pytest.mark.looptime
async def test_the_other_kind_is_awaited_for_a_moment_only() -> None:
    source, now = Source(), asyncio.get_running_loop().time
    source.picture(0.04)
    asyncio.get_running_loop().call_later(PATIENCE_S / 2, source.sound, 0.0)

    first, second, took_s = await anext(source.frames), await anext(source.frames), now()

    assert isinstance(first, AudioFrame)
    assert isinstance(second, VideoFrame)
    assert took_s == pytest.approx(PATIENCE_S / 2 + PATIENCE_S, abs=0.01)


@pytest.mark.looptime
async def test_a_kind_that_has_ended_is_not_awaited() -> None:
    source, now = Source(), asyncio.get_running_loop().time
    source.sounds.end()
    source.picture(1.0)
    source.pictures.end()

    assert [frame.timestamp_s async for frame in source.frames] == [1.0]
    assert now() == pytest.approx(0, abs=0.01)


@pytest.mark.looptime
async def test_a_lost_link_is_told_after_what_came() -> None:
    source = Source()
    source.sound(1.0)
    source.end(AvatarLinkLostError("gone"))

    assert (await anext(source.frames)).timestamp_s == 1.0
    with pytest.raises(AvatarLinkLostError):
        await anext(source.frames)


@pytest.mark.looptime
async def test_what_is_dropped_is_counted_apart_and_a_closed_stream_ends() -> None:
    pictures: Broadcast[VideoFrame] = Broadcast(1)
    sounds: Broadcast[AudioFrame] = Broadcast(2)
    frames = FrameStream(pictures.stream(), sounds.stream())
    for at_s in (1.0, 2.0, 3.0):
        pictures.put(VideoFrame(at_s, RAW))
        sounds.put(AudioFrame(at_s, RAW))
    frames.close()

    assert [frame.timestamp_s async for frame in frames] == [2.0, 3.0, 3.0]
    assert (frames.dropped_pictures, frames.dropped_sounds) == (2, 1)
