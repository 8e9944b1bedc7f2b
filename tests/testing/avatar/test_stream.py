"""An avatar whose video comes over the socket: real bytes, on a virtual clock."""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from typing import Any

import av
import numpy as np
import pytest
from av.error import InvalidDataError

from voicelive.testing import AvatarLimits, AvatarPicture, Emulator, Pace, Script, ToneVoice
from voicelive.testing.avatar.moments import mouth_of

PHOTO = {
    "type": "photo-avatar",
    "model": "vasa-1",
    "character": "anika",
    "customized": False,
    "output_protocol": "websocket",
}


def emulator(*replies: str, **options: Any) -> Emulator:
    return Emulator(Script(*replies), voice=ToneVoice(), avatar_picture=AvatarPicture.small(), **options)


def joined(events: list[dict[str, Any]]) -> bytes:
    return b"".join(base64.b64decode(event["delta"]) for event in events if event["type"] == "response.video.delta")


def played(stream: bytes) -> tuple[list[tuple[float, bool]], list[tuple[float, bool]]]:
    """When the mouth is open, and when there is sound, by the clock of the stream."""
    pictures: list[tuple[float, bool]] = []
    sounds: list[tuple[float, bool]] = []
    # A stream that was left in the middle of a picture ends with an error.
    with suppress(InvalidDataError), av.open(io.BytesIO(stream), "r") as container:
        frames: Iterator[Any] = container.decode()  # of both kinds, which its type does not say
        for frame in frames:
            assert frame.time is not None
            if isinstance(frame, av.AudioFrame):
                samples = np.rint(frame.to_ndarray()[0] * 32_767).astype("<i2")
                sounds.append((frame.time, mouth_of(samples.tobytes()) > 1))
            elif isinstance(frame, av.VideoFrame):
                pictures.append((frame.time, bool((frame.to_ndarray()[: frame.height] < 45).any())))
    return pictures, sounds


def first_and_last(signal: list[tuple[float, bool]]) -> tuple[float, float]:
    times = [at_s for at_s, on in signal if on]
    return times[0], times[-1]


@pytest.mark.looptime
async def test_the_reply_is_said_in_one_endless_stream_and_nowhere_else(dial: Any) -> None:
    loop = asyncio.get_running_loop()
    async with emulator("It is sunny in Lisbon.") as service:
        peer = await dial(service)
        await peer.update(avatar=PHOTO)
        begun_s = loop.time()
        await peer.one("response.video.delta")
        await peer.ask("Hi")
        await peer.one("session.avatar.switch_to_idle")
        while loop.time() < begun_s + 4:
            await peer.receive()
        took_s = loop.time() - begun_s

    kinds = [event["type"] for event in peer.events]
    assert kinds.index("response.video.delta") > kinds.index("session.updated")
    assert "response.audio.delta" not in kinds
    assert {"response.audio_transcript.delta", "response.audio.done"} < set(kinds)
    speaking, idle = (event for event in peer.events if event["type"].startswith("session.avatar.switch_to"))
    assert speaking["turn_id"] == idle["turn_id"]
    deltas = [event for event in peer.events if event["type"] == "response.video.delta"]
    assert {(event["output_index"], event["codec"]) for event in deltas} == {(0, "h264")}
    stream = joined(peer.events)
    assert (stream[4:8], stream.count(b"ftyp"), stream.count(b"moov")) == (b"ftyp", 1, 1)
    pictures, sounds = played(stream)
    assert took_s - 0.5 <= pictures[-1][0] <= took_s + 0.05
    for picture_s, sound_s in zip(first_and_last(pictures), first_and_last(sounds), strict=True):
        assert abs(picture_s - sound_s) <= 0.08
    assert all(0.03 < later[0] - earlier[0] < 0.07 for earlier, later in pairwise(pictures))


@pytest.mark.looptime
async def test_deltas_are_cut_anywhere(dial: Any) -> None:
    async with emulator() as service:
        peer = await dial(service)
        await peer.update(avatar=PHOTO)
        while sum(event["type"] == "response.video.delta" for event in peer.events) < 30:
            await peer.receive()

    parts = [joined([event]) for event in peer.events if event["type"] == "response.video.delta"]
    at_a_box = sum(part[4:8] in (b"ftyp", b"moof", b"mdat") for part in parts)
    assert at_a_box < len(parts) / 2


@pytest.mark.looptime
async def test_clearing_silences_the_stream_which_goes_on(dial: Any) -> None:
    async with emulator("One two three four five six seven eight nine ten. " * 5) as service:
        peer = await dial(service)
        await peer.update(avatar=PHOTO)
        await peer.ask("Hi")
        await asyncio.sleep(1)
        await peer.send("output_audio_buffer.clear")
        await peer.one("output_audio_buffer.cleared")
        await peer.one("session.avatar.switch_to_idle")
        loop = asyncio.get_running_loop()
        until_s = loop.time() + 2
        while loop.time() < until_s:
            await peer.receive()

    pictures, sounds = played(joined(peer.events))
    assert 0.8 < first_and_last(sounds)[1] < 1.4
    assert pictures[-1][0] > 2.5


@pytest.mark.looptime
async def test_barge_in_drops_what_waits_and_what_is_still_generated(dial: Any, speech: Any) -> None:
    pace = Pace(audio_speedup=2.0, interrupt_s=0.3)
    async with emulator("One two three four five six seven eight nine ten. " * 3, "Yes.", pace=pace) as service:
        peer = await dial(service)
        await peer.update(avatar=PHOTO, turn_detection={"type": "server_vad", "create_response": False})
        await peer.send("response.create")
        await peer.one("session.avatar.switch_to_speaking")
        await asyncio.sleep(1)
        await peer.say(speech())
        response = (await peer.one("response.done"))["response"]
        (stopped,) = (event for event in peer.events if event["type"] == "session.avatar.switch_to_idle")
        await peer.ask("And?")
        await peer.one("session.avatar.switch_to_idle")
        await asyncio.sleep(0.5)
        await peer.one("response.video.delta")

    assert response["status_details"]["reason"] == "turn_detected"
    speaking = [event["turn_id"] for event in peer.events if event["type"] == "session.avatar.switch_to_speaking"]
    assert speaking[0] == stopped["turn_id"]
    assert len(set(speaking)) == len(speaking) == 2
    _, sounds = played(joined(peer.events))
    assert first_and_last(sounds)[1] < 3.5  # of eleven


@pytest.mark.looptime
async def test_the_scene_is_changed_live(dial: Any) -> None:
    async with emulator() as service:
        peer = await dial(service)
        await peer.update(avatar=PHOTO)
        await asyncio.sleep(2)
        await peer.update(avatar={**PHOTO, "scene": {"position_x": 1}})
        await asyncio.sleep(2)
        await peer.send("session.update", session={"avatar": {**PHOTO, "scene": {"position_x": 1}}})
        await peer.until("session.updated")

    shirts: list[int] = []
    with suppress(InvalidDataError), av.open(io.BytesIO(joined(peer.events)), "r") as container:
        for frame in container.decode(video=0):
            shirts.append(int((frame.to_ndarray()[: frame.height] < 100).sum()))
    assert shirts[0] > 200
    assert shirts[-1] < shirts[0] / 2


@pytest.mark.looptime
async def test_an_idle_stream_ends_and_a_later_reply_is_not_heard(dial: Any) -> None:
    async with emulator("Hello.", avatar_limits=AvatarLimits(idle_s=2)) as service:
        peer = await dial(service)
        await peer.update(avatar=PHOTO)
        await asyncio.sleep(5)
        events = await peer.ask("Hi")
        await peer.update(avatar={**PHOTO, "scene": {"zoom": 2}})
        await peer.no_more()

    assert "response.audio.delta" not in [event["type"] for event in events]
    pictures, _ = played(joined(peer.events))
    assert pictures[-1][0] == pytest.approx(2, abs=0.1)


@pytest.mark.looptime
async def test_a_client_that_does_not_read_holds_the_film_up(dial: Any) -> None:
    async with emulator(avatar_limits=AvatarLimits(idle_s=None)) as service:
        peer = await dial(service)
        await peer.update(avatar=PHOTO)
        service.sessions[0].silence()
        await asyncio.sleep(18)  # a little less than the patience of pings
        service.sessions[0].silence(False)
        loop = asyncio.get_running_loop()
        until_s = loop.time() + 2
        while loop.time() < until_s:
            await peer.receive()

    pictures, _ = played(joined(peer.events))
    assert 2 < pictures[-1][0] < 14


@pytest.mark.looptime
async def test_streams_take_places_and_give_them_back(dial: Any) -> None:
    async with emulator(avatar_limits=AvatarLimits(at_once=1)) as service:
        first, second, third = [await dial(service) for _ in range(3)]
        await first.update(avatar=PHOTO)
        await second.update(avatar=PHOTO)
        error = (await second.one("error"))["error"]
        await first.socket.close()
        await asyncio.sleep(1)
        await third.update(avatar=PHOTO)
        await third.one("response.video.delta")
        await second.no_more()

    assert error["code"] == "avatar_service_resource_exhausted"


@pytest.mark.looptime
async def test_a_stream_takes_no_offer(dial: Any) -> None:
    async with emulator() as service:
        peer = await dial(service)
        await peer.update(avatar=PHOTO)
        await peer.send("session.avatar.connect", client_sdp="x", event_id="e")
        error = (await peer.one("error"))["error"]

    assert (error["code"], error["event_id"]) == ("invalid_value", "e")
    assert "websocket" in error["message"]
