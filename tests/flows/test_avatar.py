"""A visible agent end to end: the session, its media in Python, and the emulator's drawn face.

Real media knows no virtual clock, so these tests take real seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import av
import pytest
from tests.flows.scene import QUIET
from tests.support.viewer import until

from voicelive import events, wire
from voicelive.audio.levels import level_of
from voicelive.avatar.frames import AudioFrame, VideoFrame
from voicelive.avatar.media import AvatarMedia
from voicelive.client import VoiceLiveClient
from voicelive.errors import (
    AvatarBusyError,
    AvatarLinkLostError,
    AvatarRefusedError,
    LocalProtocolError,
    SessionClosedError,
)
from voicelive.options import ClientOptions, Resume
from voicelive.session import Session
from voicelive.testing import AvatarLimits, AvatarPicture, EmulatedSession, Emulator, Script, ToneVoice
from voicelive.wire.avatar import VideoAvatar
from voicelive.wire.base import Unlisted
from voicelive.wire.session import SessionConfig
from voicelive.wire.voices import AzureStandardVoice

AVA = AzureStandardVoice(name="en-US-AvaNeural")
LINKED = SessionConfig(voice=AVA, avatar=VideoAvatar(character="lisa", style="casual-sitting"))
STREAMED = SessionConfig(
    voice=AVA, avatar=VideoAvatar(character="lisa", style="casual-sitting", output_protocol="websocket")
)
LONG = "This is a long answer that goes on for a while, so that there is time to cut it off in the middle of it."
SILENCE_DBFS = -50


@asynccontextmanager
async def shown(
    config: SessionConfig, *, options: ClientOptions = QUIET, limits: AvatarLimits | None = None
) -> AsyncIterator[tuple[Session, EmulatedSession]]:
    emulator = Emulator(
        Script(LONG),
        voice=ToneVoice(),
        ping_interval_s=None,
        avatar_picture=AvatarPicture.small(),
        avatar_limits=limits or AvatarLimits.none(),
    )
    async with emulator:
        client = VoiceLiveClient(emulator.endpoint, "any-key", options=options)
        async with client.connect("gpt-4.1", config=config) as session:
            yield session, emulator.sessions[0]


class Ear:
    """Whether the agent is heard just now."""

    def __init__(self, media: AvatarMedia) -> None:
        self.loud = False
        self.heard_s = 0.0
        self._task = asyncio.create_task(self._listen(media))

    async def _listen(self, media: AvatarMedia) -> None:
        async for sound in media.audio():
            self.loud = level_of(sound.pcm).peak_dbfs > SILENCE_DBFS
            self.heard_s += self.loud * sound.samples / sound.rate_hz

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def test_an_avatar_is_seen_heard_and_cut_off() -> None:
    async with shown(LINKED) as (session, service):
        greeting = asyncio.create_task(session.greet(LONG))
        async with session.avatar.receive() as media:
            ear = Ear(media)
            pictures = {hash(picture.to_ndarray().tobytes()) async for picture in first(8, media)}
            await until(lambda: ear.heard_s > 0.5)
            await until(lambda: session.avatar.speaking)
            assert await greeting is not None

            await session.interrupt()

            await until(lambda: not ear.loud)
            heard_s = ear.heard_s
            await asyncio.sleep(0.4)
            assert ear.heard_s - heard_s < 0.3, "what was on its way, and nothing more"
            assert not session.avatar.speaking
            await ear.close()

    assert len(pictures) > 1, "it moves"
    assert heard_s < 4
    assert len(service.received_of(wire.OutputAudioBufferClear)) == 1
    assert not service.sent_of(wire.ResponseAudioDelta), "the voice comes with the picture"


async def first(count: int, media: AvatarMedia) -> AsyncIterator[VideoFrame]:
    """So many pictures."""
    pictures = media.video()
    for _ in range(count):
        yield await anext(pictures)


async def all_of(pictures: AsyncIterator[VideoFrame]) -> int:
    return len([picture async for picture in pictures])


@pytest.mark.parametrize("planned", [False, True])
async def test_media_go_on_over_another_session_of_the_service(planned: bool, tmp_path: Path) -> None:
    path = tmp_path / "talk.mp4"
    resume = Resume(max_age_s=3.0 if planned else None)
    options = ClientOptions(ping_interval_s=None, resume=resume)
    async with shown(LINKED, options=options) as (session, service):
        told = session.subscribe(events.SessionResumed, events.AvatarLinkNeeded)
        async with session.avatar.receive() as media, media.record(path) as recording:
            frames, pictures, ear = media.frames(), media.video(), Ear(media)
            first_id, times = session.id, [(await anext(frames)).timestamp_s]
            stats = await media.stats()
            if not planned:
                await asyncio.sleep(1)
                service.abort()
            await until(lambda: media.state == "relinking")
            await until(lambda: media.state == "connected")
            await session.say(LONG)
            await until(lambda: ear.heard_s > 0.5)
            assert media.links == 2
            needed, resumed = await anext(told), await anext(told)
            assert isinstance(needed, events.AvatarLinkNeeded)
            assert needed.again
            assert isinstance(resumed, events.SessionResumed)
            assert resumed.report.planned is planned
            assert session.id != first_id
            assert session.avatar.linked
            later = await media.stats()
            assert later.pictures > stats.pictures
            assert later.links == 2
            newest_s = recording.duration_s
            await ear.close()
        times += [frame.timestamp_s async for frame in frames]
        assert [picture async for picture in pictures], "the same stream goes on"
        assert times == sorted(times)
        assert times[-1] > newest_s - 1
    ends = [0.0, 0.0]
    with av.open(str(path)) as file:
        for frame in file.decode(video=0, audio=0):
            assert isinstance(frame, av.VideoFrame | av.AudioFrame)
            assert frame.time is not None
            ends[isinstance(frame, av.VideoFrame)] = frame.time
    assert ends[0] == pytest.approx(ends[1], abs=0.3), "picture and voice are equally long, over both links"
    assert ends[0] > 1.5


async def test_a_link_that_nobody_replaces_is_lost_with_its_session_of_the_service() -> None:
    options = ClientOptions(ping_interval_s=None)
    async with shown(LINKED, options=options) as (session, service):
        needed = asyncio.create_task(session.wait_for(events.AvatarLinkNeeded))
        async with session.avatar.receive(relink=False) as media:
            service.abort()
            with pytest.raises(AvatarLinkLostError):
                await media.wait_closed()
        assert (await needed).again
        async with session.avatar.receive() as media:
            async for _ in first(2, media):
                pass
            assert session.avatar.linked


async def test_quotas_and_refusals_of_the_service_are_exceptions() -> None:
    limits = AvatarLimits(per_minute=2, at_once=None)
    async with shown(LINKED, limits=limits) as (session, _), session.avatar.receive():
        with pytest.raises(AvatarRefusedError, match="connected state"):
            await session.avatar.receive().__aenter__()
    unknown = SessionConfig(voice=AVA, avatar=VideoAvatar(character=Unlisted("nobody"), style=Unlisted("at-all")))
    with pytest.raises(AvatarRefusedError) as raised:
        async with shown(unknown):
            pass
    assert raised.value.code == "avatar_verification_failed"


async def test_a_resource_that_shows_too_many_says_when_to_come_again() -> None:
    async with shown(LINKED, limits=AvatarLimits(per_minute=1, at_once=None)) as (session, _):
        async with session.avatar.receive():
            pass
        with pytest.raises(AvatarBusyError) as raised:
            await session.avatar.receive().__aenter__()
    assert 50 < (raised.value.retry_after_s or 0) <= 60


async def test_a_session_that_ends_for_good_ends_the_media() -> None:
    options = ClientOptions(ping_interval_s=None, resume=None)
    async with shown(LINKED, options=options) as (session, service), session.avatar.receive() as media:
        service.abort()
        with pytest.raises(AvatarLinkLostError, match="no new link was made") as raised:
            await media.wait_closed()
        assert isinstance(raised.value.__cause__, SessionClosedError)
        with pytest.raises(SessionClosedError):
            await session.avatar.ice_servers_ready()


async def test_a_video_over_the_socket_is_whole_from_its_first_byte() -> None:
    async with shown(STREAMED) as (session, _):
        await asyncio.sleep(0.3)  # the header has come by now
        async with session.avatar.video() as video:
            saying = asyncio.create_task(session.say(LONG))
            pictures, sounds, loud = 0, 0, 0
            async for frame in video.frames():
                if isinstance(frame, AudioFrame):
                    sounds += 1
                    loud += level_of(frame.pcm).peak_dbfs > SILENCE_DBFS
                else:
                    pictures += 1
                if loud > 20 and pictures > 20:
                    break
            await saying
            with pytest.raises(LocalProtocolError, match="given away already"):
                session.avatar.video()
        with pytest.raises(LocalProtocolError, match=r"read session\.avatar\.video"):
            await session.avatar.connect("v=0")


async def test_a_resumed_session_has_another_video() -> None:
    options = ClientOptions(ping_interval_s=None)
    async with shown(STREAMED, options=options) as (session, service):
        async with session.avatar.video() as video:
            pictures = video.video()
            await anext(pictures)
            service.abort()
            with pytest.raises(AvatarLinkLostError):
                await all_of(pictures)
        async with session.avatar.video() as video:
            await anext(video.video())


async def test_over_webrtc_no_video_comes_over_the_socket() -> None:
    async with shown(LINKED) as (session, _):
        with pytest.raises(LocalProtocolError, match="use receive"):
            session.avatar.video()
