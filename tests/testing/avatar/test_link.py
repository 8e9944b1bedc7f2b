"""An avatar over WebRTC, seen and heard by a peer of aiortc over the loopback interface.

Real media knows no virtual clock, so these tests take real seconds; each looks at several things of one link.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiortc import RTCPeerConnection
from tests.support.viewer import Viewer, until, viewer

from voicelive import wire
from voicelive.testing import AvatarLimits, AvatarPicture, Emulator, Pace, Script, ToneVoice

SAMPLES = Path(__file__).parents[2] / "data" / "avatar" / "sdp_offers"
INDEX = json.loads((SAMPLES / "index.json").read_text())["files"]
OFFERS = [entry for entry in INDEX if entry["name"].endswith(".offer")]
ACCEPTED = [entry["name"] for entry in OFFERS if entry["expect"].startswith("accept")]
OFFER = (SAMPLES / "aiortc_recvonly.offer.b64").read_text()
LISA = {"character": "lisa", "style": "casual-sitting", "customized": False}
SENTENCE = "It is sunny in Lisbon."  # a second and a half


@pytest.fixture(autouse=True)
async def _nothing_is_left() -> AsyncIterator[None]:
    complaints: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    yield
    async with asyncio.timeout(5):
        while asyncio.all_tasks() - {asyncio.current_task()}:  # noqa: ASYNC110 - the last ones are on their way
            await asyncio.sleep(0.01)
    assert not complaints


def emulator(*replies: str, **options: Any) -> Emulator:
    defaults: dict[str, Any] = {
        "avatar_picture": AvatarPicture.small(),
        "avatar_limits": AvatarLimits.none(),
        "voice": ToneVoice(),
    }
    return Emulator(Script(*replies), **{**defaults, **options})


async def link(peer: Any, watching: Viewer, **offer: Any) -> None:
    await peer.send("session.avatar.connect", client_sdp=await watching.offer(**offer))
    await watching.accept((await peer.one("session.avatar.connecting"))["server_sdp"])


async def test_the_avatar_says_the_reply_in_step_with_its_mouth(dial: Any) -> None:
    async with emulator(SENTENCE) as service, viewer() as watching:
        peer = await dial(service)
        await peer.update(avatar=LISA)
        await link(peer, watching)
        await until(lambda: len(watching.pictures) > 5)
        events = await peer.ask("Hi")
        idle = await peer.one("session.avatar.switch_to_idle")
        await until(watching.is_quiet)

    kinds = [event["type"] for event in events]
    (speaking,) = (event for event in peer.events if event["type"] == "session.avatar.switch_to_speaking")
    assert "response.audio.delta" not in kinds
    assert {"response.audio_transcript.delta", "response.audio.done"} < set(kinds)
    assert speaking["turn_id"] == idle["turn_id"]
    assert len(bytes.fromhex(idle["turn_id"])) == 16
    assert watching.sizes == {(240, 136)}
    assert 0.9 < watching.loud[-1] - watching.loud[0] < 2.0
    assert abs(watching.loud[0] - watching.mouth_open[0]) <= 0.08
    assert abs(watching.loud[-1] - watching.mouth_open[-1]) <= 0.08
    hints = [message["eventType"].removeprefix("EVENT_TYPE_") for message in watching.messages]
    assert hints[:3] == ["TURN_START", "SWITCH_TO_SPEAKING", "SWITCH_TO_IDLE"]
    assert {message["turnID"] for message in watching.messages[:3]} == {idle["turn_id"]}
    start_s, end_s = (float(watching.messages[n]["offset"].removesuffix("s")) for n in (0, 2))
    assert start_s == pytest.approx(watching.loud[0], abs=0.08)
    assert end_s == pytest.approx(watching.loud[-1], abs=0.08)


async def test_clearing_stops_the_sound_and_the_next_reply_is_said(dial: Any) -> None:
    long = "One two three four five six seven eight nine ten. " * 3
    async with emulator(long, "Yes.") as service, viewer() as watching:
        peer = await dial(service)
        await peer.update(avatar={**LISA, "output_audit_audio": True}, turn_detection=None)
        await link(peer, watching, direction="sendrecv", data=False)
        assert "response.audio.delta" in [event["type"] for event in await peer.ask("Hi")]  # audited
        await until(lambda: watching.loud)
        await peer.send("output_audio_buffer.clear")
        await peer.one("output_audio_buffer.cleared")
        await peer.one("session.avatar.switch_to_idle")
        await until(watching.is_quiet)
        stopped_s = watching.loud[-1]
        assert stopped_s - watching.loud[0] < 5  # of ten seconds
        await peer.ask("And?")
        await peer.one("session.avatar.switch_to_idle")

    assert watching.loud[-1] > stopped_s


async def test_barge_in_drops_what_waits_to_be_said(dial: Any, speech: Any) -> None:
    long = "One two three four five six seven eight nine ten. " * 3
    async with emulator(long, "Yes.") as service, viewer() as watching:
        peer = await dial(service)
        await peer.update(avatar=LISA, turn_detection={"type": "server_vad", "create_response": False})
        await link(peer, watching)
        await peer.ask("Hi")
        await until(lambda: watching.loud)
        await peer.say(speech())
        await peer.one("session.avatar.switch_to_idle")
        await until(watching.is_quiet)

    assert watching.loud[-1] - watching.loud[0] < 5  # of ten seconds


async def test_a_second_connect_is_refused_until_the_link_is_gone(dial: Any) -> None:
    async with emulator() as service, viewer() as first, viewer() as second:
        peer = await dial(service)
        await peer.update(avatar=LISA)
        await link(peer, first)
        await peer.send("session.avatar.connect", client_sdp="whatever", event_id="again")
        error = (await peer.one("error"))["error"]
        await first.close()
        await until(lambda: not any("Link._play" in repr(task) for task in asyncio.all_tasks()))
        offer = await second.offer()
        while True:  # until the service has noticed
            await peer.send("session.avatar.connect", client_sdp=offer)
            event = await peer.receive()
            if event["type"] == "session.avatar.connecting":
                break
        await second.accept(event["server_sdp"])
        await until(lambda: second.pictures)

    assert (error["type"], error["code"]) == ("invalid_request_error", None)
    assert (error["message"], error["event_id"]) == ("WebRTC connection is in connected state", "again")


async def test_quotas_hold_for_all_sessions_of_an_emulator(dial: Any) -> None:
    async with emulator(avatar_limits=AvatarLimits(per_minute=2, at_once=1)) as service:
        first, second = await dial(service), await dial(service)
        for peer in (first, second):
            await peer.update(avatar=LISA)
        async with viewer() as watching:
            await link(first, watching)
            await second.send("session.avatar.connect", client_sdp=OFFER)
            full = (await second.one("error"))["error"]
            await first.socket.close()
            await until(lambda: service.sessions[0].close_code is not None)
        async with viewer() as watching:
            await link(second, watching)
            third = await dial(service)
            await third.update(avatar=LISA)
            await third.send("session.avatar.connect", client_sdp=OFFER)
            late = (await third.one("error"))["error"]

    assert (full["type"], full["code"]) == ("server_error", "avatar_service_resource_exhausted")
    assert late["code"] == "rate_limit_exceeded"
    assert re.fullmatch(r"Avatar request was rate-limited\. Retry after (5\d|60)\.\ds\.", late["message"])


@pytest.mark.parametrize("name", ACCEPTED)
async def test_every_accepted_offer_gets_a_complete_answer(dial: Any, name: str) -> None:
    client_sdp = (SAMPLES / f"{name}.b64").read_text()
    async with emulator() as service:
        peer = await dial(service)
        await peer.update(avatar=LISA)
        await peer.send("session.avatar.connect", client_sdp=client_sdp)
        event = await peer.receive()

    assert event["type"] == "session.avatar.connecting", event
    answer = json.loads(base64.b64decode(event["server_sdp"]))
    assert answer["type"] == "answer"
    sections = answer["sdp"].split("\r\nm=")[1:]
    offered = json.loads(base64.b64decode(client_sdp))["sdp"]
    assert len(sections) == offered.count("\nm=")
    video = next(section for section in sections if section.startswith("video"))
    assert "H264/90000" in video
    assert "VP8" not in video
    assert ("a=inactive" in video) == ("inactive" in name)
    assert "typ host" in answer["sdp"]
    assert "127.0.0.1" in answer["sdp"]
    assert "a=end-of-candidates" in answer["sdp"]


async def test_a_browser_that_hides_its_addresses_is_found(dial: Any) -> None:
    async with emulator() as service, viewer() as watching:
        peer = await dial(service)
        await peer.update(avatar=LISA)
        offer = json.loads(base64.b64decode(await watching.offer()))
        offer["sdp"] = re.sub(r"(udp \d+) \S+ (\d+) typ host", rf"\1 {uuid.uuid4()}.local \2 typ host", offer["sdp"])
        assert "end-of-candidates" in offer["sdp"]
        await peer.send("session.avatar.connect", client_sdp=base64.b64encode(json.dumps(offer).encode()).decode())
        await watching.accept((await peer.one("session.avatar.connecting"))["server_sdp"])
        await until(lambda: watching.pictures)


async def test_voice_without_a_picture(dial: Any) -> None:
    """The picture's section is there but inactive, as in ``chromium_video_inactive``."""
    async with emulator(SENTENCE) as service, viewer() as watching:
        peer = await dial(service)
        await peer.update(avatar=LISA)
        offer = json.loads(base64.b64decode(await watching.offer()))
        picture, sound = offer["sdp"].index("m=video"), offer["sdp"].index("m=audio")
        assert picture < sound
        offer["sdp"] = offer["sdp"].replace("a=recvonly", "a=inactive", 1)
        await peer.send("session.avatar.connect", client_sdp=base64.b64encode(json.dumps(offer).encode()).decode())
        await watching.accept((await peer.one("session.avatar.connecting"))["server_sdp"])
        await peer.ask("Hi")
        await until(lambda: watching.loud)

    assert not watching.pictures


@pytest.mark.parametrize(
    ("name", "code", "ending"),
    [
        ("bad_audio_only", "avatar_service_internal_error", "None is not in list"),
        (
            "bad_no_h264",
            "avatar_service_internal_error",
            "Failed to set remote video description send parameters",
        ),
        ("bad_type_answer", "invalid_value", "its 'type' is not 'offer'."),
    ],
)
async def test_a_bad_offer_is_refused_and_a_good_one_taken_afterwards(
    dial: Any, name: str, code: str, ending: str
) -> None:
    async with emulator() as service:
        peer = await dial(service)
        await peer.update(avatar=LISA)
        await peer.send("session.avatar.connect", client_sdp=(SAMPLES / f"{name}.offer.b64").read_text(), event_id="e")
        error = (await peer.one("error"))["error"]
        await peer.send("session.avatar.connect", client_sdp=OFFER)
        await peer.one("session.avatar.connecting")

    assert (error["code"], error["event_id"]) == (code, "e")
    assert error["message"].endswith(ending)


@pytest.mark.parametrize("change", [("packetization-mode=1", "packetization-mode=0"), ("a=ice-ufrag", "a=x-ufrag")])
async def test_an_offer_that_the_peer_cannot_work_with_is_refused_without_being_quoted(
    dial: Any, change: tuple[str, str]
) -> None:
    sdp = (SAMPLES / "aiortc_recvonly.offer.sdp").read_bytes().decode().replace(*change)
    text = json.dumps({"type": "offer", "sdp": sdp})
    async with emulator() as service:
        peer = await dial(service)
        await peer.update(avatar=LISA)
        await peer.send("session.avatar.connect", client_sdp=base64.b64encode(text.encode()).decode())
        error = (await peer.one("error"))["error"]

    assert error["code"] == "avatar_service_internal_error"
    assert len(error["message"]) < 160


async def test_a_link_that_never_stands_makes_room_for_another(dial: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicelive.testing.avatar.link._CONNECT_S", 0.1)
    async with emulator() as service, viewer() as watching:
        peer = await dial(service)
        await peer.update(avatar=LISA)
        await peer.send("session.avatar.connect", client_sdp=OFFER)
        await peer.one("session.avatar.connecting")
        await asyncio.sleep(0.15)
        monkeypatch.undo()  # a slow machine may take longer to link
        await link(peer, watching)
        seen = len(watching.pictures)
        await until(lambda: len(watching.pictures) > seen)


async def test_an_idle_avatar_ends_and_says_so(dial: Any) -> None:
    async with emulator(avatar_limits=AvatarLimits(idle_s=0.5)) as service, viewer() as watching:
        peer = await dial(service)
        await peer.update(avatar=LISA)
        await link(peer, watching)
        await until(lambda: watching.peer.connectionState == "closed")

    assert [message["eventType"] for message in watching.messages] == ["EVENT_TYPE_SESSION_END"]


async def test_a_lost_picture_is_made_good_on_demand_and_a_scene_is_changed(dial: Any) -> None:
    photo = {"type": "photo-avatar", "model": "vasa-1", "character": "anika", "customized": False}
    async with emulator("One two three four five six seven eight nine ten.") as service, viewer() as watching:
        peer = await dial(service)
        await peer.update(avatar={**photo, "video": {"gop_size": 2000}})
        await link(peer, watching)
        await peer.ask("Hi")
        await until(lambda: watching.mouth_open)
        wide = max(dark for _, dark in watching.pictures)
        (receiver,) = (one for one in watching.peer.getReceivers() if one.track.kind == "video")
        (source,) = receiver.getSynchronizationSources()
        keys = len(watching.key_pictures)
        await receiver._send_rtcp_pli(source.source)
        await until(lambda: len(watching.key_pictures) > keys)
        await peer.update(avatar={**photo, "scene": {"zoom": 0.4}})
        seen = len(watching.pictures)
        await until(lambda: len(watching.pictures) > seen + 15)

    assert watching.sizes == {(64, 64)}
    assert 0 < max(dark for _, dark in watching.pictures[seen + 5 :]) < wide / 2


async def test_answers_and_errors_take_the_time_that_was_measured(dial: Any) -> None:
    pace = Pace(avatar_answer_s=0.3, avatar_error_s=0.4)
    loop = asyncio.get_running_loop()
    async with emulator(pace=pace) as service:
        peer = await dial(service)
        await peer.update(avatar=LISA)
        begun_s = loop.time()
        await peer.send("session.avatar.connect", client_sdp=(SAMPLES / "bad_no_h264.offer.b64").read_text())
        await peer.one("error")
        refused_s = loop.time() - begun_s
        await peer.send("session.avatar.connect", client_sdp=OFFER)
        await peer.one("session.avatar.connecting")
        answered_s = loop.time() - begun_s - refused_s

    assert refused_s >= 0.399
    assert answered_s >= 0.299
    assert (Pace.measured().avatar_answer_s, Pace.measured().avatar_error_s) == (0.3, 0.4)


async def test_nothing_of_an_offer_reaches_the_log(dial: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "voicelive")
    async with emulator() as service:
        peer = await dial(service)
        await peer.update(avatar=LISA)
        await peer.send("session.avatar.connect", client_sdp=OFFER)
        await peer.one("session.avatar.connecting")
        (connecting,) = service.sessions[0].sent_of(wire.SessionAvatarConnecting)

    assert "ufrag" not in caplog.text
    assert connecting.server_sdp not in repr(connecting)


async def test_other_peers_of_the_process_gather_as_before() -> None:
    async with viewer() as watching:
        await watching.offer()
        other = RTCPeerConnection()
        other.addTransceiver("audio", direction="recvonly")
        connection = other.getTransceivers()[0].receiver.transport.transport.iceGatherer._connection
        assert "get_component_candidates" not in vars(connection)
        await other.close()
        assert "127.0.0.1" in watching.peer.localDescription.sdp
