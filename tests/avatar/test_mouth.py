"""The face now follows what is heard: estimated, counted by a sink, cut by a barge-in."""

from __future__ import annotations

import asyncio
import gc
from base64 import b64encode

import pytest
from tests.conftest import OpenSession
from tests.flows.scene import emulated
from tests.support.peer import JsonObject, Peer
from tests.support.streams import settle

from voicelive.avatar.animation import AnimationTrack, Face
from voicelive.avatar.mouth import Mouth
from voicelive.avatar.shapes import VISEMES
from voicelive.errors import SessionClosedError
from voicelive.events import BargeIn
from voicelive.testing import Pace, Script
from voicelive.wire.avatar import Animation
from voicelive.wire.session import SessionConfig
from voicelive.wire.voices import AzureStandardVoice

AZURE = {"type": "azure-standard", "name": "en-US-AvaNeural"}
FACES = SessionConfig(
    voice=AzureStandardVoice(name="en-US-AvaNeural"), animation=Animation(outputs=["blendshapes", "viseme_id"])
)


def place(item_id: str, response_id: str) -> JsonObject:
    return {"response_id": response_id, "item_id": item_id, "output_index": 0, "content_index": 0}


async def reply(peer: Peer, ms: int, *visemes: tuple[int, int], item_id: str = "a1", response_id: str = "r1") -> None:
    """A reply that is complete: some shapes before its audio, and the rest behind it."""
    where = place(item_id, response_id)
    await peer.say("response.created", response={"id": response_id, "status": "in_progress", "output": []})
    for number, (offset_ms, viseme_id) in enumerate(visemes):
        if number == 1:
            await peer.say("response.audio.delta", **where, delta=b64encode(bytes(48 * ms)).decode())
        await peer.say("response.animation_viseme.delta", **where, audio_offset_ms=offset_ms, viseme_id=viseme_id)
    await peer.say("response.audio.done", **where)
    await peer.say("response.done", response={"id": response_id, "status": "completed", "output": []})
    await settle()


async def shown(mouth: Mouth, *moments_s: float) -> list[int]:
    """What is shown at moments from now on."""
    start_s = asyncio.get_running_loop().time()
    found = []
    for moment_s in moments_s:
        await asyncio.sleep(max(0.0, start_s + moment_s - asyncio.get_running_loop().time()))
        found.append(mouth.now().viseme_id)
    return found


@pytest.mark.looptime
async def test_without_a_sink_the_mouth_follows_the_estimate_and_rests_between_replies(
    open_session: OpenSession,
) -> None:
    session, peer = open_session()
    mouth = Mouth(session)
    await peer.create(voice=AZURE)
    assert mouth.now() == Face()

    await reply(peer, 1000, (0, 5), (400, 7))
    first = await shown(mouth, 0.1, 0.39, 0.41, 0.99, 1.01, 3)
    await reply(peer, 500, (0, 9), (300, 99), item_id="a2", response_id="r2")
    second = await shown(mouth, 0.1, 0.31, 0.51)

    assert (first, second) == ([5, 5, 7, 7, 0, 0], [9, 99, 0])


@pytest.mark.looptime
async def test_replies_that_come_ahead_are_shown_one_after_the_other(open_session: OpenSession) -> None:
    session, peer = open_session()
    mouth = Mouth(session)
    await peer.create(voice=AZURE)

    await reply(peer, 1000, (0, 5), (400, 7))
    await reply(peer, 500, (0, 9), (300, 8), item_id="a2", response_id="r2")

    assert await shown(mouth, 0.1, 0.9, 1.1, 1.4, 1.6) == [5, 7, 9, 8, 0]


@pytest.mark.looptime
async def test_a_sink_decides_where_the_mouth_is(open_session: OpenSession) -> None:
    session, peer = open_session()
    mouth = Mouth(session)
    frames = session.playback.frames(100)
    first = asyncio.ensure_future(anext(frames))
    await settle()
    await peer.create(voice=AZURE)
    await reply(peer, 300, (0, 5), (150, 7))
    await asyncio.sleep(9)
    found = [mouth.now().viseme_id]  # the line has not played anything yet
    await first
    for _ in range(2):
        await anext(frames)
        found.append(mouth.now().viseme_id)
    session.playback.played("a1", 300)
    await settle()
    found.append(mouth.now().viseme_id)
    await frames.aclose()

    assert found == [0, 5, 7, 0]


@pytest.mark.looptime
async def test_the_mouth_rests_where_the_audio_runs_dry(open_session: OpenSession) -> None:
    session, peer = open_session()
    mouth = Mouth(session)
    await peer.create(voice=AZURE)
    where = place("a1", "r1")
    await peer.say("response.created", response={"id": "r1", "status": "in_progress", "output": []})
    await peer.say("response.animation_viseme.delta", **where, audio_offset_ms=0, viseme_id=5)
    await peer.say("response.audio.delta", **where, delta=b64encode(bytes(48 * 100)).decode())
    await settle()

    assert await shown(mouth, 0.05, 0.15) == [5, 0]


@pytest.mark.looptime
async def test_replies_that_were_heard_are_not_kept(open_session: OpenSession) -> None:
    def tracks() -> int:
        gc.collect()
        return sum(isinstance(found, AnimationTrack) for found in gc.get_objects())

    session, peer = open_session()
    mouth, before = Mouth(session), tracks()
    await peer.create(voice=AZURE)
    for number in range(5):
        await reply(peer, 500, (0, 5), (300, 7), item_id=f"a{number}", response_id=f"r{number}")
        await asyncio.sleep(1)

    assert tracks() == before + 1, "the newest one"
    assert mouth.now() == Face()


@pytest.mark.looptime
async def test_a_stopped_mouth_rests_and_a_closed_session_has_none(open_session: OpenSession) -> None:
    session, peer = open_session()
    mouth = Mouth(session)
    await peer.create(voice=AZURE)
    await reply(peer, 1000, (0, 5), (400, 7))
    await asyncio.sleep(0.1)
    mouth.stop()
    mouth.stop()
    await reply(peer, 1000, (0, 5), (400, 7), item_id="a2", response_id="r2")

    assert await shown(mouth, 0.1, 1.2) == [0, 0]
    await session.close()
    with pytest.raises(SessionClosedError):
        Mouth(session)


@pytest.mark.looptime
async def test_a_barge_in_shuts_the_mouth_before_anything_tells_of_it() -> None:
    async with emulated(Script("A long reply of very many words."), pace=Pace.measured(), config=FACES) as (session, _):
        mouth, track = Mouth(session), AnimationTrack()
        session.on()(track.add)
        cuts = session.subscribe(BargeIn)
        await session.send_text("Hi")
        await session.create_response()
        seen: set[int] = set()
        while len(seen) < 6:
            await asyncio.sleep(1 / 60)
            face = mouth.now()
            seen.add(face.viseme_id)
        before = mouth.now()
        await session.interrupt()
        after = mouth.now()
        cut = await anext(aiter(cuts))
        await asyncio.sleep(5)

        assert after == mouth.now() == Face()
        heard = track.until(cut.heard_ms)
        assert seen <= {0, *(shape.viseme_id for shape in heard.visemes)}, "nothing that was not heard was shown"
        assert before != Face()
        assert len(heard.visemes) < len(track.visemes)


@pytest.mark.looptime
async def test_the_jaw_opens_with_the_voice_that_is_heard() -> None:
    async with emulated(Script("Ah, far away."), pace=Pace.measured(), config=FACES) as (session, _):
        mouth = Mouth(session)
        await session.send_text("Hi")
        answer = await session.create_response()
        jaws = []
        while answer.status == "in_progress" or session.playback.playing:
            await asyncio.sleep(1 / 60)
            if session.playback.playing:
                face = mouth.now()
                jaws.append((VISEMES[face.viseme_id].openness, face.blendshapes["jawOpen"]))
        wide = [jaw for openness, jaw in jaws if openness >= 0.45]
        shut = [jaw for openness, jaw in jaws if openness == 0]

        assert len(jaws) > 50
        assert sum(wide) / len(wide) > 3 * sum(shut) / len(shut)
        assert mouth.now() == Face()
