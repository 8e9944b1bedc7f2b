"""An avatar over the session's socket."""

from __future__ import annotations

import asyncio
import base64
import errno
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import OpenSession
from tests.support.flashes import flashes_and_beeps
from tests.support.fragments import fragmented_mp4
from tests.support.peer import Peer
from tests.support.streams import settle

from voicelive.avatar.frames import AudioFrame, VideoFrame
from voicelive.avatar.mp4_boxes import Mp4Joiner
from voicelive.avatar.recording import SegmentFile
from voicelive.avatar.socket_video import LIMIT_BYTES, SocketVideo
from voicelive.errors import (
    AvatarLinkLostError,
    AvatarStreamError,
    LocalProtocolError,
    SessionClosedError,
    SlowConsumerError,
)
from voicelive.events import LossReport, SessionResumed
from voicelive.session import Session
from voicelive.taps import Subscription

STREAM = fragmented_mp4(1.4)
REPORT = LossReport(planned=False, gap_s=0.1, attempts=1, previous_session_id="sess_1")
WHOLE = [segment.data for segment in Mp4Joiner().feed(STREAM)]


async def show(peer: Peer, data: bytes, piece_bytes: int = 3000) -> None:
    """As the service sends it: cut anywhere."""
    for begin in range(0, len(data), piece_bytes):
        delta = base64.b64encode(data[begin : begin + piece_bytes]).decode()
        await peer.say("response.video.delta", output_index=0, codec="h264", delta=delta)


async def opened(open_session: OpenSession) -> tuple[Session, Peer]:
    session, peer = open_session()
    await peer.create()
    return session, peer


async def test_raw_bytes_are_the_stream(open_session: OpenSession) -> None:
    session, peer = await opened(open_session)
    async with SocketVideo(session) as video:
        raw = video.raw()
        await show(peer, STREAM)
        await peer.transport.close(1000, "")

        assert b"".join([piece async for piece in raw]) == b"".join(WHOLE)


async def test_who_comes_late_gets_the_header_first(open_session: OpenSession) -> None:
    session, peer = await opened(open_session)
    async with SocketVideo(session) as video:
        early = video.segments()
        assert video.header is None
        await show(peer, b"".join(WHOLE[:5]))
        for data in WHOLE[:5]:
            assert (await anext(early)).data == data
        late = video.segments()
        await show(peer, WHOLE[5])

        assert [(await anext(late)).data for _ in range(2)] == [WHOLE[0], WHOLE[5]]
        assert (await anext(early)).data == WHOLE[5]
        assert video.header == WHOLE[0]


async def test_frames_are_those_of_the_stream(open_session: OpenSession) -> None:
    session, peer = await opened(open_session)
    async with SocketVideo(session) as video:
        frames, pictures, sounds = video.frames(), video.video(), video.audio()
        await show(peer, STREAM)
        await peer.transport.close(1000, "")
        merged = [frame async for frame in frames]

        assert [frame.timestamp_s for frame in merged] == sorted(frame.timestamp_s for frame in merged)
        assert [frame for frame in merged if isinstance(frame, VideoFrame)] == [frame async for frame in pictures]
        assert [frame for frame in merged if isinstance(frame, AudioFrame)] == [frame async for frame in sounds]
        assert sum(isinstance(frame, VideoFrame) for frame in merged) == 35


async def test_a_recording_is_the_stream_and_plays(open_session: OpenSession, tmp_path: Path) -> None:
    session, peer = await opened(open_session)
    path = tmp_path / "talk.mp4"
    async with SocketVideo(session) as video, video.record(path) as recording:
        watcher = video.segments()
        await show(peer, STREAM)
        for _ in WHOLE:
            await anext(watcher)

    assert recording.failure is None
    assert path.read_bytes() == b"".join(WHOLE)
    flashes, beeps = flashes_and_beeps(path)
    assert flashes == [pytest.approx(beeps[-1], abs=0.08)]


async def test_a_recording_is_whole_when_cancelled(open_session: OpenSession, tmp_path: Path) -> None:
    session, peer = await opened(open_session)
    path = tmp_path / "talk.mp4"
    async with SocketVideo(session) as video:
        began, watcher = asyncio.Event(), video.segments()

        async def record() -> None:
            async with video.record(path):
                began.set()
                await asyncio.sleep(3600)

        task = asyncio.ensure_future(record())
        await began.wait()
        await show(peer, STREAM)
        for _ in WHOLE:
            await anext(watcher)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert path.read_bytes() == b"".join(WHOLE)


async def record_some(video: SocketVideo, peer: Peer, directory: Path) -> None:
    async with video.record(directory / "talk.mp4"):
        watcher = video.segments(limit_bytes=1 << 20)
        await show(peer, STREAM)
        for _ in WHOLE:
            await anext(watcher)


async def test_a_full_disk_is_told_after_the_block(
    open_session: OpenSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, peer = await opened(open_session)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(SegmentFile, "put", full)
    async with SocketVideo(session) as video:
        with pytest.raises(OSError, match="no space left"):
            await record_some(video, peer, tmp_path)


async def test_a_disk_slower_than_the_stream_is_told(
    open_session: OpenSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, peer = await opened(open_session)
    monkeypatch.setattr("voicelive.avatar.socket_video.LIMIT_BYTES", 100)
    async with SocketVideo(session) as video:
        with pytest.raises(SlowConsumerError):
            await record_some(video, peer, tmp_path)


async def test_who_reads_too_slowly_is_cut_off_alone(open_session: OpenSession) -> None:
    session, peer = await opened(open_session)
    async with SocketVideo(session) as video:
        slow, quick = video.segments(limit_bytes=5000), video.segments()
        await show(peer, STREAM)
        for data in WHOLE:
            assert (await anext(quick)).data == data

        with pytest.raises(SlowConsumerError):
            [segment async for segment in slow]


@pytest.mark.parametrize("kind", ["segments", "raw", "frames", "video", "audio"])
async def test_a_broken_stream_is_told_to_all(open_session: OpenSession, kind: str) -> None:
    session, peer = await opened(open_session)
    async with SocketVideo(session) as video:
        stream: Any = getattr(video, kind)()
        await show(peer, b"RIFF1234WAVE" * 3)

        with pytest.raises(AvatarStreamError):
            await anext(stream)
        with pytest.raises(AvatarStreamError):
            await anext(video.segments())


async def test_what_cannot_be_decoded_is_told_to_those_who_decode(open_session: OpenSession) -> None:
    session, peer = await opened(open_session)
    stream = b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x10moovgarbage!"
    async with SocketVideo(session) as video:
        frames, segments = video.frames(), video.segments()
        await show(peer, stream)
        assert (await anext(segments)).data == stream
        await peer.transport.close(1000, "")

        with pytest.raises(AvatarStreamError):
            await anext(frames)


async def test_a_lost_session_is_told(open_session: OpenSession) -> None:
    session, peer = await opened(open_session)
    async with SocketVideo(session) as video:
        frames = video.frames()
        await peer.transport.close(1011, "broken")

        with pytest.raises(SessionClosedError, match="1011"):
            await anext(frames)


class Resumed:
    """A session whose service is another one now."""

    def __init__(self) -> None:
        self.events: Subscription[Any] = Subscription("test", (), 1 << 20)

    def subscribe(self, *classes: type[Any], limit_bytes: int | None = None) -> Subscription[Any]:
        assert SessionResumed in classes
        assert limit_bytes == LIMIT_BYTES
        return self.events


async def test_what_was_made_for_a_resumed_session_ends_with_the_next_one() -> None:
    session = Resumed()
    session.events.offer(SessionResumed("sess_2", REPORT), 10)
    async with SocketVideo(session, resuming=True) as video:
        segments = video.segments()
        await settle()
        session.events.offer(SessionResumed("sess_3", REPORT), 10)

        with pytest.raises(AvatarLinkLostError):
            await anext(segments)


async def test_another_stream_of_a_resumed_session_is_not_joined_to_the_first() -> None:
    session = Resumed()
    async with SocketVideo(session) as video:
        segments = video.segments()
        session.events.offer(SessionResumed("sess_2", REPORT), 10)

        with pytest.raises(AvatarLinkLostError, match=r"take session\.avatar\.video\(\) again"):
            await anext(segments)


async def test_everything_ends_with_the_block(open_session: OpenSession) -> None:
    session, peer = await opened(open_session)
    async with SocketVideo(session) as video:
        streams: Sequence[Any] = [video.frames(), video.segments(), video.raw()]
        await show(peer, WHOLE[0])
    with pytest.raises(LocalProtocolError):
        await video.__aenter__()

    left = [[item async for item in stream] for stream in streams]
    assert left[0] == []
    assert [item async for item in video.segments()] in ([], left[1])


def test_a_path_that_cannot_be_written_fails_where_it_was_given(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        SegmentFile(tmp_path / "nowhere" / "talk.mp4")
