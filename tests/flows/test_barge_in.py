"""Barge-in as measured with the real service: one more old delta, the item completed, the response cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress

import pytest
from tests.flows.scene import QUIET, Stage, emulated, speak, staged, wav
from tests.support.streams import settle

from voicelive.audio.playback import PlaybackFrame
from voicelive.events import AgentTranscript, BargeIn
from voicelive.options import ClientOptions
from voicelive.session import Session
from voicelive.testing import Pace, Script, Turn
from voicelive.wire.audio import AudioInputTranscriptionOptions
from voicelive.wire.client_events import ConversationItemTruncate
from voicelive.wire.server.conversation import InputAudioBufferSpeechStarted
from voicelive.wire.server.response import ResponseAudioDelta, ResponseDone
from voicelive.wire.session import SessionConfig
from voicelive.wire.turn_detection import ServerVad

TEXT = "one two three four five six seven eight nine ten"
SECOND = 48_000  # bytes of the default output format
OLD, NEW = b"\x11" * SECOND, b"\x22" * SECOND


async def old_reply(stage: Stage, *, asked: bool = False) -> None:
    """Two seconds of a reply have come, and more is under way."""
    await stage.begins("r1", stage.creates[-1] if asked else None)
    await stage.opens("r1", "a1")
    await stage.words("r1", "a1", TEXT)
    await stage.voice("r1", "a1", OLD)
    await stage.voice("r1", "a1", OLD)
    await stage.meet()


async def cut_by_caller(stage: Stage) -> None:
    """What follows ``speech_started`` in seven of seven measured barge-ins."""
    await stage.voice("r1", "a1", OLD[: SECOND // 2])
    await stage.closes("r1", "a1", TEXT)
    await stage.ends("r1", "cancelled", "turn_detected")
    await stage.meet()


async def new_reply(stage: Stage) -> None:
    await stage.speech_ends("u1", "a1")
    await stage.begins("r2")
    await stage.answers("r2", "a2", "Sure.", NEW, after="u1")
    await stage.meet()


def truncations(stage: Stage) -> list[tuple[str, int, int]]:
    events = stage.heard_of("conversation.item.truncate")
    return [(event["item_id"], event["content_index"], event["audio_end_ms"]) for event in events]


class Loudspeaker:
    """Plays in real time of the loop's clock."""

    def __init__(self) -> None:
        self.played: list[PlaybackFrame] = []
        self.at_flush: list[int] = []

    async def write(self, frame: PlaybackFrame) -> None:
        await asyncio.sleep(frame.duration_ms / 1000)
        self.played.append(frame)

    def flush(self) -> None:
        self.at_flush.append(len(self.played))

    def played_ms(self, item_id: str) -> int:
        return round(sum(frame.duration_ms for frame in self.played if frame.item_id == item_id))


# -- with somebody who takes the frames


async def test_nothing_of_the_old_reply_is_played_after_the_flush() -> None:
    async with staged() as (session, stage), aclosing(session.playback.frames(20)) as frames:
        await asyncio.gather(old_reply(stage), _take(frames, 26))
        await stage.speech_starts("u1")
        await stage.meet()
        waiting_ms = session.playback.waiting_ms
        await cut_by_caller(stage)
        await new_reply(stage)
        after = [await anext(frames) for _ in range(50)]
        stale = session.playback.stale_deltas

    assert waiting_ms == 0
    assert {frame.item_id for frame in after} == {"a2"}
    assert b"".join(after) == NEW
    assert stale == 1


async def test_the_truncation_says_what_was_acknowledged_and_comes_after_the_response_is_done() -> None:
    async with staged() as (session, stage), aclosing(session.playback.frames(20)) as frames:
        await asyncio.gather(old_reply(stage), _take(frames, 26))  # asking for the 26th acknowledged the 25th
        await stage.speech_starts("u1")
        await stage.meet()
        too_early = truncations(stage)
        await cut_by_caller(stage)
        cuts = truncations(stage)
        await new_reply(stage)
        await anext(frames)  # the 26th is acknowledged now, which is too late
        cuts_in_the_end = truncations(stage)

    assert too_early == []
    assert cuts == cuts_in_the_end == [("a1", 0, 500)]


async def test_without_acknowledging_only_what_was_told_by_hand_counts() -> None:
    async with staged() as (session, stage), aclosing(session.playback.frames(20, acknowledge=False)) as frames:
        await asyncio.gather(old_reply(stage), _take(frames, 80))
        session.playback.played("a1", 340)
        session.playback.played("a1", 320)  # never back
        with session.subscribe(BargeIn) as told:
            await stage.speech_starts("u1")
            barge_in = await anext(told)
        await cut_by_caller(stage)
        cuts = truncations(stage)

    assert cuts == [("a1", 0, 340)]
    assert (barge_in.heard_ms, barge_in.total_ms, barge_in.exact) == (340, 2000, True)


async def test_the_heard_transcript_ends_where_the_caller_spoke() -> None:
    async with staged() as (session, stage), aclosing(session.playback.frames(20)) as frames:
        transcripts = session.subscribe(AgentTranscript)
        await asyncio.gather(old_reply(stage), _take(frames, 51))
        await stage.speech_starts("u1")
        await cut_by_caller(stage)
        (turn,) = session.conversation.turns
        (item,) = session.conversation.items
        told = await anext(transcripts)

    assert turn.agent_text == TEXT
    assert turn.agent_heard_text == "one two three four"  # 1000 of 2500 ms, and 19 of 48 characters
    assert (turn.status, item.heard_ms, item.heard_is_estimate, item.status) == ("interrupted", 1000, True, "completed")
    assert (told.text, told.heard_text) == (TEXT, "one two three four")
    assert session.conversation.messages() == [{"role": "assistant", "content": "one two three four"}]


async def test_times_of_words_tell_exactly_what_was_heard() -> None:
    async with staged() as (session, stage), aclosing(session.playback.frames(20)) as frames:
        await asyncio.gather(old_reply(stage), _take(frames, 26))
        for place, word in enumerate(TEXT.split()):
            await stage.say(
                "response.audio_timestamp.delta",
                response_id="r1",
                item_id="a1",
                output_index=0,
                content_index=0,
                audio_offset_ms=place * 200,
                audio_duration_ms=200,
                text=word,
                timestamp_type="word",
            )
        await stage.speech_starts("u1")
        await cut_by_caller(stage)
        (item,) = session.conversation.items

    assert (item.heard_text, item.heard_is_estimate) == ("one two", False)


async def test_a_reply_that_is_complete_already_is_cut_at_once() -> None:
    async with staged() as (session, stage), aclosing(session.playback.frames(20)) as frames:
        transcripts = session.subscribe(AgentTranscript)
        await asyncio.gather(old_reply(stage), _take(frames, 11))
        await stage.closes("r1", "a1", TEXT)
        await stage.ends("r1")
        await stage.speech_starts("u1")
        await stage.meet()
        cuts = truncations(stage)
        (turn,) = session.conversation.turns
        told = [await anext(transcripts), await anext(transcripts)]

    assert cuts == [("a1", 0, 200)]
    assert turn.agent_heard_text == "one"
    assert [(event.text, event.heard_text) for event in told] == [(TEXT, None), (TEXT, "one")]


async def test_a_reply_that_was_heard_to_its_end_is_not_cut() -> None:
    async with staged() as (session, stage), aclosing(session.playback.frames(20)) as frames:
        await asyncio.gather(old_reply(stage), _take(frames, 100))
        await stage.closes("r1", "a1", TEXT)
        await stage.ends("r1")
        await stage.meet()
        session.playback.played("a1", 2000)
        await stage.speech_starts("u1")
        await stage.meet()
        cuts = truncations(stage)
        (turn,) = session.conversation.turns

    assert cuts == []
    assert (turn.status, turn.agent_heard_text) == ("finished", TEXT)


async def test_a_reply_that_had_no_voice_yet_stays_silent() -> None:
    async with staged() as (session, stage), aclosing(session.playback.frames(20)) as frames:
        first_frame = asyncio.ensure_future(anext(frames))
        await stage.begins("r1")
        await stage.opens("r1", "a1")
        await stage.speech_starts("u1")
        await cut_by_caller(stage)
        await new_reply(stage)
        first = await first_frame
        stale = session.playback.stale_deltas

    assert first.item_id == "a2"
    assert stale == 1


@pytest.mark.looptime
async def test_a_sink_is_flushed_and_counts_what_it_played() -> None:
    sink = Loudspeaker()
    async with staged() as (session, stage):
        playing = asyncio.create_task(session.playback.play_to(sink))
        await old_reply(stage)
        await asyncio.sleep(0.75)  # 37 frames of 20 ms, and half of another one
        await stage.speech_starts("u1")
        await cut_by_caller(stage)
        await new_reply(stage)
        await asyncio.sleep(1.5)
        cuts = truncations(stage)
        await _end(playing)

    assert sink.at_flush == [37]
    assert cuts == [("a1", 0, 740)]
    assert {frame.item_id for frame in sink.played[38:]} == {"a2"}  # the 38th was being played
    assert sink.played_ms("a2") == 1000


async def test_the_application_interrupts_as_a_caller_does() -> None:
    async with staged() as (session, stage), aclosing(session.playback.frames(20)) as frames:
        await asyncio.gather(old_reply(stage), _take(frames, 26))
        await session.interrupt()
        await stage.meet()
        cancels = stage.heard_of("response.cancel")
        await stage.closes("r1", "a1", TEXT)
        await stage.ends("r1", "cancelled", "client_cancelled")
        await stage.meet()
        cuts = truncations(stage)

    assert [event["response_id"] for event in cancels] == ["r1"]
    assert cuts == [("a1", 0, 500)]


# -- without one


@pytest.mark.looptime
async def test_without_a_sink_hearing_is_estimated_by_time_and_says_so() -> None:
    async with staged() as (session, stage):
        await old_reply(stage)
        await asyncio.sleep(0.6)
        with session.subscribe(BargeIn) as told:
            await stage.speech_starts("u1")
            barge_in = await anext(told)
        await cut_by_caller(stage)
        cuts = truncations(stage)

    assert not barge_in.exact
    assert barge_in.heard_ms == pytest.approx(600, abs=1)
    assert cuts == [("a1", 0, barge_in.heard_ms)]


@pytest.mark.looptime
async def test_an_estimate_never_goes_beyond_what_came() -> None:
    async with staged() as (session, stage):
        await old_reply(stage)
        await asyncio.sleep(60)
        with session.subscribe(BargeIn) as told:
            await stage.speech_starts("u1")
            barge_in = await anext(told)

    assert (barge_in.heard_ms, barge_in.total_ms) == (2000, 2000)


# -- settings


async def test_a_service_that_truncates_by_itself_is_not_told() -> None:
    config = SessionConfig(turn_detection=ServerVad(auto_truncate=True))
    async with staged(config) as (session, stage), aclosing(session.playback.frames(20)) as frames:
        await asyncio.gather(old_reply(stage), _take(frames, 26))
        await stage.speech_starts("u1")
        await cut_by_caller(stage)
        await stage.say("conversation.item.truncated", item_id="a1", content_index=0, audio_end_ms=800)
        await new_reply(stage)
        cuts = truncations(stage)
        item = session.conversation.items[0]
        first = await anext(frames)

    assert cuts == []
    assert (item.heard_ms, item.truncated_at_ms) == (500, 800)  # what the sink counted, and what the service guessed
    assert first.item_id == "a2"


async def test_without_interrupt_response_nothing_is_flushed() -> None:
    config = SessionConfig(turn_detection=ServerVad(interrupt_response=False))
    async with staged(config) as (session, stage), aclosing(session.playback.frames(20)) as frames:
        told: list[BargeIn] = []
        session.on(BargeIn)(told.append)
        await asyncio.gather(old_reply(stage), _take(frames, 26))
        await stage.speech_starts("u1")
        await stage.closes("r1", "a1", TEXT)
        await stage.ends("r1")
        await stage.meet()
        rest = await _take(frames, 74)
        cuts = truncations(stage)
        stale = session.playback.stale_deltas

    assert {frame.item_id for frame in rest} == {"a1"}
    assert (cuts, stale, told) == ([], 0, [])


@pytest.mark.looptime
async def test_speech_counts_as_a_barge_in_once_it_has_lasted() -> None:
    options = ClientOptions(ping_interval_s=None, min_barge_in_ms=300)
    async with staged(options=options) as (session, stage):
        told = session.subscribe(BargeIn)
        await old_reply(stage)
        await stage.speech_starts("cough")
        await stage.meet()
        await asyncio.sleep(0.2)
        await stage.say("input_audio_buffer.speech_stopped", item_id="cough", audio_end_ms=200)
        await asyncio.sleep(0.5)
        await stage.meet()
        still_playing = session.playback.playing
        await stage.speech_starts("u1")
        await stage.meet()
        began_s = asyncio.get_running_loop().time()
        barge_in = await anext(told)
        waited_s = asyncio.get_running_loop().time() - began_s

    assert still_playing
    assert waited_s == pytest.approx(0.3, abs=0.01)
    assert barge_in.heard_ms == pytest.approx(1000, abs=10)


# -- phrases that may not be interrupted


async def test_speech_does_not_cut_a_protected_phrase_that_still_comes() -> None:
    async with staged() as (session, stage), aclosing(session.playback.frames(20)) as frames:
        await asyncio.gather(_protected_phrase(session, stage), _take(frames, 26))
        await stage.speech_starts("u1")
        await stage.closes("r1", "a1", TEXT)
        await stage.ends("r1")
        await stage.meet()
        rest = await _take(frames, 74)
        cuts = truncations(stage)

    assert {frame.item_id for frame in rest} == {"a1"}
    assert cuts == []


async def test_speech_does_not_cut_a_protected_phrase_that_has_come_and_is_still_played() -> None:
    async with staged() as (session, stage), aclosing(session.playback.frames(20)) as frames:
        await asyncio.gather(_protected_phrase(session, stage), _take(frames, 26))
        await stage.closes("r1", "a1", TEXT)
        await stage.ends("r1")
        await stage.meet()
        await stage.speech_starts("u1")
        await stage.meet()
        rest = await asyncio.wait_for(_take(frames, 74), 5)
        cuts = truncations(stage)

    assert {frame.item_id for frame in rest} == {"a1"}
    assert cuts == []


async def test_speech_cuts_the_reply_after_a_protected_phrase() -> None:
    async with staged() as (session, stage), aclosing(session.playback.frames(20)) as frames:
        await asyncio.gather(_protected_phrase(session, stage), _take(frames, 100))
        await stage.closes("r1", "a1", TEXT)
        await stage.ends("r1")
        await stage.begins("r2")
        await stage.answers("r2", "a2", "Another one.", NEW, after="a1")
        await stage.meet()
        await _take(frames, 6)  # the first of them acknowledged the last of the phrase
        await stage.speech_starts("u1")
        await stage.meet()
        cuts = truncations(stage)

    assert cuts == [("a2", 0, 100)]


@pytest.mark.looptime
async def test_long_speech_does_not_cut_a_protected_phrase_either() -> None:
    options = ClientOptions(ping_interval_s=None, min_barge_in_ms=300)
    async with staged(options=options) as (session, stage):
        await _protected_phrase(session, stage)
        await stage.speech_starts("u1")
        await stage.meet()
        await asyncio.sleep(1)
        await stage.meet()
        playing = session.playback.playing

    assert playing


# -- the whole of it, as the emulator plays it


@pytest.mark.looptime
async def test_a_caller_who_speaks_over_the_agent_cuts_it_where_it_was_heard() -> None:
    story = "Once upon a time there was a very long story that nobody wanted to hear until its very end."
    config = SessionConfig(
        turn_detection=ServerVad(), input_audio_transcription=AudioInputTranscriptionOptions(model="whisper-1")
    )
    sink = Loudspeaker()
    script = Script(story, Turn("Fine.", transcript="Wait, stop."))
    async with emulated(script, pace=Pace.measured(), config=config, options=QUIET) as (session, service):
        playing = asyncio.create_task(session.playback.play_to(sink))
        first_audio = asyncio.create_task(session.wait_for(ResponseAudioDelta))
        await settle()
        await session.send_text("Tell me a story")
        await session.create_response(confirm=False)
        await first_audio
        await speak(session, wav("stop.wav"))
        await asyncio.sleep(5)
        truncates = service.received_of(ConversationItemTruncate)
        errors = [event.type for event in service.sent if event.type == "error"]
        first, second = session.conversation.turns
        ends = [event.response.status for event in service.sent_of(ResponseDone)]
        stale = session.playback.stale_deltas
        started = service.sent_of(InputAudioBufferSpeechStarted)
        await _end(playing)

    (cut,) = truncates
    spoken_id = first.agent_item_ids[-1]
    assert (ends, errors, len(started)) == (["cancelled", "completed"], [], 1)
    assert stale == 1
    assert cut.item_id == spoken_id
    frames = [frame.item_id for frame in sink.played]
    assert frames == sorted(frames, key=[spoken_id, second.agent_item_ids[-1]].index), "nothing of it later"
    assert cut.audio_end_ms == sum(frame.duration_ms for frame in sink.played[: sink.at_flush[0]])
    assert story.startswith(first.agent_heard_text)
    assert 0 < len(first.agent_heard_text) < len(first.agent_text)
    assert (second.caller_text, second.agent_text) == ("Wait, stop.", "Fine.")


async def _take(frames: AsyncIterator[PlaybackFrame], count: int) -> list[PlaybackFrame]:
    return [await anext(frames) for _ in range(count)]


async def _protected_phrase(session: Session, stage: Stage) -> None:
    """Two seconds of a phrase have come that may not be interrupted."""
    saying = asyncio.create_task(session.say("Your call is recorded.", interruptible=False))
    await settle()
    await stage.meet()
    await old_reply(stage, asked=True)
    await saying


async def _end(playing: asyncio.Task[None]) -> None:
    playing.cancel()
    with suppress(asyncio.CancelledError):
        await playing
