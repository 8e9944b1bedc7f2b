"""An avatar over WebRTC: real media over the loopback, in real time."""

from __future__ import annotations

import asyncio
import errno
import importlib
import logging
import socket
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.avatar_peer import AvatarPeer, avatar_peer, only_loopback
from tests.support.flashes import flashes_and_beeps

from voicelive.avatar.frames import AudioFrame, VideoFrame
from voicelive.avatar.media import AvatarMedia, Direction, receive
from voicelive.avatar.mp4_writer import Mp4Writer
from voicelive.errors import AvatarLinkFailedError, AvatarLinkLostError, ConfigurationError, ServiceError


@pytest.fixture(autouse=True)
async def nothing_left(monkeypatch: pytest.MonkeyPatch, loop_complaints: list[dict[str, Any]]) -> AsyncIterator[None]:
    only_loopback(monkeypatch)
    threads = threading.active_count()
    yield
    await asyncio.sleep(0.01)  # callbacks of closed transports
    assert not asyncio.all_tasks() - {asyncio.current_task()}
    assert not loop_complaints
    assert threading.active_count() - threads <= 4, "decoders end; the pool of to_thread may stay"
    assert not [thread for thread in threading.enumerate() if thread.name.endswith("-decoder")]


async def until(condition: Callable[[], bool]) -> None:
    """Media take their time; three seconds are plenty."""
    for _ in range(300):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come about")


async def record_some(media: AvatarMedia, directory: Path) -> None:
    async with media.record(directory / "talk.mp4"):
        frames = media.frames()
        for _ in range(3):
            await anext(frames)


async def test_pictures_sound_and_messages_come(tmp_path: Path) -> None:
    async with avatar_peer() as peer, receive(peer) as media:
        frames, pictures, sounds, events = media.frames(), media.video(), media.audio(), media.events()
        picture, sound = await anext(pictures), await anext(sounds)
        merged = [await anext(frames) for _ in range(40)]
        await until(lambda: bool(peer.channels) and peer.channels[0].readyState == "open")
        peer.channels[0].send('{"event":{"eventType":"EVENT_TYPE_TURN_START","offset":"1.5s"}}')
        event = await anext(events)
        assert peer.connection is not None
        theirs = peer.connection.createDataChannel("service")
        await until(lambda: theirs.readyState == "open")
        theirs.send("hello")
        stats = await media.stats()

        assert (await anext(events)).raw == "hello"
        assert (event.kind, event.offset_s) == ("EVENT_TYPE_TURN_START", 1.5)
        assert (picture.width, picture.height, sound.rate_hz, sound.channels) == (320, 180, 48_000, 2)
        assert picture.to_ndarray().mean() > 200, "it begins with a flash"
        assert np.abs(sound.to_ndarray()).max() >= 0
        assert {type(frame) for frame in merged} == {VideoFrame, AudioFrame}
        times = [frame.timestamp_s for frame in merged]
        assert times == sorted(times)
        assert media.state == "connected"
        assert stats.pictures > 5
        assert stats.sounds > 20
        assert stats.bytes_received > 1000
        assert (stats.video_packets_lost, stats.audio_packets_lost) == (0, 0)
        assert not [field for field in vars(media).values() if "v=0" in repr(field)]
    await media.wait_closed()
    # What had come can be read, then both end.
    assert [frame async for frame in media.video()] == []
    assert len([frame async for frame in pictures]) <= 8


async def test_an_offer_is_whole_and_has_what_the_service_wants() -> None:
    async with avatar_peer() as peer, receive(peer):
        pass

    [offer] = peer.offers
    sections = offer.split("\r\nm=")[1:]
    assert [section.split()[0] for section in sections] == ["video", "audio", "application"]
    assert "a=candidate" in sections[0]
    assert "a=recvonly" in sections[0]
    first_codec = sections[0].split("\r\n")[0].split()[3]
    assert f"a=rtpmap:{first_codec} H264/90000" in sections[0]


@pytest.mark.parametrize("data_channel", [True, False])
async def test_the_older_form_of_an_offer_works_too(data_channel: bool) -> None:
    async with avatar_peer() as peer, receive(peer, direction="sendrecv", data_channel=data_channel) as media:
        await anext(media.video())

    assert peer.offers[0].count("a=sendrecv") == 2
    assert ("m=application" in peer.offers[0]) is data_channel


async def test_a_recording_has_picture_and_sound_in_step(tmp_path: Path) -> None:
    """The picture begins 0.3 s after the sound, with its timestamps at 0: only reports and arrival tell."""
    path = tmp_path / "talk.mp4"
    async with avatar_peer(video_later_s=0.3) as peer, receive(peer) as media, media.record(path) as recording:
        await asyncio.sleep(3.0)
        assert recording.duration_s > 1.5
        assert recording.dropped_pictures == 0
        assert (await media.stats()).in_step_by_reports

    flashes, beeps = flashes_and_beeps(path)
    lags = [flash - 0.3 - min(beeps, key=lambda beep: abs(flash - 0.3 - beep)) for flash in flashes]
    assert len(lags) >= 2
    assert max(abs(lag) for lag in lags) < 0.08, lags


async def test_a_recording_is_whole_when_cancelled(tmp_path: Path) -> None:
    path = tmp_path / "talk.mp4"
    async with avatar_peer() as peer:
        began = asyncio.Event()

        async def call() -> None:
            async with receive(peer) as media, media.record(path):
                await anext(media.audio())
                began.set()
                await asyncio.sleep(3600)

        task = asyncio.ensure_future(call())
        await began.wait()
        await asyncio.sleep(1.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    flashes, beeps = flashes_and_beeps(path)
    assert len(flashes) == 1
    assert flashes[0] == pytest.approx(beeps[-1], abs=0.08)


async def test_a_full_disk_ends_the_recording_and_not_the_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(Mp4Writer, "put", full)
    async with avatar_peer() as peer, receive(peer) as media:
        with pytest.raises(OSError, match="no space left"):
            await record_some(media, tmp_path)
        assert media.state == "connected"
    assert [record.message for record in caplog.records if record.name == "voicelive"] == [
        "= an avatar is not recorded any more: OSError"
    ]


async def test_a_path_that_cannot_be_written_fails_at_once(tmp_path: Path) -> None:
    async with avatar_peer() as peer, receive(peer) as media:
        with pytest.raises(FileNotFoundError):
            await media.record(tmp_path / "nowhere" / "talk.mp4").__aenter__()


async def test_media_that_stop_are_noticed_by_counters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicelive.avatar.link_watch.STALLED_AFTER_S", 0.3)
    path = tmp_path / "talk.mp4"
    async with avatar_peer() as peer, receive(peer, lost_after_s=1.0) as media, media.record(path) as recording:
        pictures = media.video()
        await anext(pictures)
        await asyncio.sleep(0.3)
        peer.mute()
        await until(lambda: media.state == "stalled")

        with pytest.raises(AvatarLinkLostError, match="nothing came for 1 s"):
            await media.wait_closed()

        assert media.state == "lost"
        with pytest.raises(AvatarLinkLostError):
            [picture async for picture in pictures]
        with pytest.raises(AvatarLinkLostError):
            await anext(media.events())
    assert recording.failure is None
    assert path.stat().st_size > 1000


async def test_a_service_that_ends_the_media_is_noticed() -> None:
    async with avatar_peer() as peer, receive(peer) as media:
        await anext(media.video())
        await peer.close()

        with pytest.raises(AvatarLinkLostError, match="the service ended it"):
            await media.wait_closed()


async def test_own_servers_go_to_the_peer_and_the_services_are_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(AvatarPeer):
        async def ice_servers_ready(self, *, timeout_s: float | None = None) -> Any:
            raise AssertionError("own servers replace those of the service")

    own = {"urls": ["turn:127.0.0.1:9?transport=udp"], "username": "n4me", "credential": "w0rd"}
    asked = configurations(monkeypatch)
    peer = Silent()
    try:
        async with receive(peer, ice_servers=[own], gather_timeout_s=0.2) as media:
            await anext(media.video())
    finally:
        await peer.close()

    [server] = asked[0].iceServers
    assert (server.urls, server.username, server.credential) == (own["urls"], "n4me", "w0rd")
    assert "n4me" not in peer.offers[0]


async def test_the_services_servers_are_used_and_no_public_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = configurations(monkeypatch)
    turn = {"urls": ["turn:127.0.0.1:9"], "username": "n4me", "credential": "w0rd"}
    for servers in ((), (turn,)):
        async with avatar_peer(servers=servers) as peer, receive(peer, gather_timeout_s=0.2):
            pass

    assert [[server.urls for server in it.iceServers] for it in asked] == [[], [["turn:127.0.0.1:9"]]]


def configurations(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    peer: Any = importlib.import_module("voicelive.avatar.peer")
    seen: list[Any] = []
    real = peer.RTCPeerConnection

    def remembered(configuration: Any) -> Any:
        seen.append(configuration)
        return real(configuration)

    monkeypatch.setattr(peer, "RTCPeerConnection", remembered)
    return seen


@pytest.fixture
def silent_relay() -> Any:
    """A TURN server that never answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as open_socket:
        open_socket.bind(("127.0.0.1", 0))
        port = open_socket.getsockname()[1]
        yield {"urls": [f"turn:127.0.0.1:{port}"], "username": "n4me", "credential": "w0rd"}


async def test_gathering_ends_at_its_limit_with_what_there_is(silent_relay: Any) -> None:
    now = asyncio.get_running_loop().time
    began_s = now()
    async with avatar_peer(servers=[silent_relay]) as peer, receive(peer, gather_timeout_s=0.3):
        assert 0.3 <= now() - began_s < 3
    assert "typ host" in peer.offers[0]


async def test_without_a_candidate_nothing_is_sent(silent_relay: Any) -> None:
    async with avatar_peer(servers=[silent_relay]) as peer:
        with pytest.raises(AvatarLinkFailedError, match=r"no candidate was found within 0\.2 s") as failed:
            await receive(peer, relay_only=True, gather_timeout_s=0.2).__aenter__()

    assert failed.value.stage == "gathering"
    assert peer.offers == []


async def test_relays_only_needs_a_relay() -> None:
    with pytest.raises(AvatarLinkFailedError, match="needs a TURN server"):
        await receive(AvatarPeer(), relay_only=True).__aenter__()


@pytest.mark.parametrize("kind", ["video", "audio"])
async def test_an_answer_without_picture_or_voice_is_none(kind: str) -> None:
    async with avatar_peer(without=kind) as peer:
        with pytest.raises(AvatarLinkFailedError, match=f"holds no {kind}") as failed:
            await receive(peer).__aenter__()

    assert failed.value.stage == "tracks"


@pytest.mark.parametrize(
    "answer",
    [{"type": "offer", "sdp": "v=0"}, {"type": "answer"}, {"type": "answer", "sdp": "v=s3cret"}, {}, "v=s3cret"],
)
async def test_an_answer_that_is_none_is_told_without_quoting_it(answer: Any) -> None:
    async with avatar_peer(edit=lambda _: answer) as peer:
        with pytest.raises(AvatarLinkFailedError) as failed:
            await receive(peer).__aenter__()

    assert failed.value.stage == "answer"
    assert "s3cret" not in str(failed.value)
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__ or failed.value.__context__ is None


def without_candidates(answer: dict[str, str]) -> dict[str, str]:
    lines = [line for line in answer["sdp"].split("\r\n") if not line.startswith("a=candidate")]
    return {"type": "answer", "sdp": "\r\n".join(lines)}


async def test_no_way_through_the_network_is_told() -> None:
    async with avatar_peer(edit=without_candidates, deaf=True) as peer:
        with pytest.raises(AvatarLinkFailedError, match=r"UDP 3478") as failed:
            await receive(peer, connect_timeout_s=0.5).__aenter__()

    assert failed.value.stage == "ice"


async def test_a_way_that_swallows_everything_is_given_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]

        def edit(answer: dict[str, str]) -> dict[str, str]:
            way = f"a=candidate:1 1 udp 2130706431 127.0.0.1 {port} typ host\r\na=end-of-candidates"
            return {"type": "answer", "sdp": without_candidates(answer)["sdp"].replace("a=end-of-candidates", way)}

        async with avatar_peer(edit=edit, deaf=True) as peer:
            began_s = asyncio.get_running_loop().time()
            with pytest.raises(AvatarLinkFailedError, match=r"not connected within 0\.3 s") as failed:
                await receive(peer, connect_timeout_s=0.3).__aenter__()
            assert asyncio.get_running_loop().time() - began_s < 2, "its checks are not awaited"

    assert failed.value.stage == "ice"


async def test_a_refusal_of_the_service_goes_through() -> None:
    class Refusing(AvatarPeer):
        async def connect(self, offer: Mapping[str, str], *, timeout_s: float | None = None) -> Mapping[str, str]:
            raise ServiceError("server_error", "avatar_service_internal_error", "no")

    with pytest.raises(ServiceError):
        await receive(Refusing()).__aenter__()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"direction": "sendonly"}, "direction is 'sendonly', allowed: recvonly, sendrecv"),
        ({"gather_timeout_s": 0}, "gather_timeout_s is 0"),
        ({"connect_timeout_s": float("inf")}, "connect_timeout_s is inf"),
        ({"lost_after_s": True}, "lost_after_s is True"),
        ({"lost_after_s": "5"}, "lost_after_s is '5'"),
        ({"ice_servers": [{"urls": []}]}, "ice_servers"),
    ],
)
async def test_arguments_are_checked_first(arguments: Any, problem: str) -> None:
    peer = AvatarPeer()
    with pytest.raises(ConfigurationError, match=problem):
        await receive(peer, **arguments).__aenter__()
    assert peer.offers == []


async def test_cancelled_anywhere_nothing_is_left() -> None:
    """From before the offer until media come; the fixture looks for what stays."""
    for moment in range(24):
        async with avatar_peer() as peer:
            task = asyncio.ensure_future(linked(peer))
            for _ in range(moment):
                await asyncio.sleep(0)
            await asyncio.sleep(moment * 0.004)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task


async def linked(peer: AvatarPeer, direction: Direction = "recvonly") -> None:
    async with receive(peer, direction=direction):
        await asyncio.sleep(3600)


async def test_an_error_in_the_block_goes_through_and_closes_all() -> None:
    seen: list[AvatarMedia] = []

    async def fail() -> None:
        async with avatar_peer() as peer, receive(peer) as media:
            seen.append(media)
            raise KeyError("the application's")

    with pytest.raises(KeyError):
        await fail()
    assert seen[0].state == "closed"


async def test_logs_hold_no_sdp_and_no_credentials_unless_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with avatar_peer() as peer, receive(peer):
        pass

    assert not [record for record in caplog.records if record.name.startswith(("aiortc", "aioice"))]
    assert "ice-pwd" not in caplog.text


async def test_without_a_look_at_packets_frames_are_timed_by_their_arrival(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As with a release of aiortc whose inside has other names."""
    monkeypatch.setattr("voicelive.avatar.aiortc_inside._ON_RTP", "_renamed")
    async with avatar_peer() as peer, receive(peer) as media, media.record(tmp_path / "talk.mp4"):
        await asyncio.sleep(1.9)
        assert not (await media.stats()).in_step_by_reports

    flashes, beeps = flashes_and_beeps(tmp_path / "talk.mp4")
    assert flashes[0] == pytest.approx(beeps[-1], abs=0.08)
