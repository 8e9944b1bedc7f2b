"""The caller's transcript comes after the reply began: it belongs to the turn of its item, whichever began since."""

from __future__ import annotations

from itertools import permutations

import pytest
from tests.flows.scene import Stage, emulated, speak, staged, wav

from voicelive.events import TurnFinished, UserTranscript
from voicelive.protocol.snapshots import Turn as TurnRecord
from voicelive.testing import Pace, Script, Turn
from voicelive.wire.audio import AudioInputTranscriptionOptions
from voicelive.wire.server.conversation import ConversationItemInputAudioTranscriptionCompleted
from voicelive.wire.server.response import ResponseCreated
from voicelive.wire.session import SessionConfig
from voicelive.wire.turn_detection import ServerVad

VOICE = b"\x01" * 4800
WORDS = {"u1": "First question.", "u2": "Second question.", "u3": "Third question."}


async def spoken_turn(stage: Stage, number: int, *, complete: bool = True) -> None:
    """The caller speaks, and the agent answers; the transcript is to come."""
    before = f"a{number - 1}" if number > 1 else None
    await stage.speech_starts(f"u{number}")
    await stage.speech_ends(f"u{number}", before)
    await stage.begins(f"r{number}")
    if complete:
        await stage.answers(f"r{number}", f"a{number}", f"Answer {number}.", VOICE, f"u{number}")


def texts(turns: tuple[TurnRecord, ...]) -> list[tuple[str | None, str]]:
    return [(turn.caller_text, turn.agent_text) for turn in turns]


async def test_a_transcript_after_the_reply_belongs_to_the_question() -> None:
    async with staged() as (session, stage):
        told = session.subscribe(UserTranscript)
        await spoken_turn(stage, 1)
        await stage.meet()
        before = texts(session.conversation.turns)
        await stage.transcribes("u1", WORDS["u1"])
        transcript = await anext(told)
        after = texts(session.conversation.turns)

    assert before == [(None, "Answer 1.")]
    assert after == [("First question.", "Answer 1.")]
    assert (transcript.item_id, transcript.turn_id, transcript.text) == ("u1", "turn_1", "First question.")


@pytest.mark.parametrize("order", list(permutations(WORDS)), ids="-".join)
async def test_three_turns_in_flight_get_their_own_transcripts(order: tuple[str, ...]) -> None:
    async with staged() as (session, stage):
        told = session.subscribe(UserTranscript)
        await spoken_turn(stage, 1)
        await spoken_turn(stage, 2)
        await spoken_turn(stage, 3, complete=False)
        for item_id in order:
            await stage.transcribes(item_id, WORDS[item_id])
        await stage.meet()
        came = [await anext(told) for _ in order]
        turns = session.conversation.turns
        messages = session.conversation.messages(generated=True)

    assert [(event.item_id, event.turn_id) for event in came] == [(item, f"turn_{item[1]}") for item in order]
    assert texts(turns) == [
        ("First question.", "Answer 1."),
        ("Second question.", "Answer 2."),
        ("Third question.", ""),
    ]
    assert [message["content"] for message in messages] == [
        "First question.",
        "Answer 1.",
        "Second question.",
        "Answer 2.",
        "Third question.",
    ]


async def test_a_turn_is_finished_once_its_transcript_has_come() -> None:
    async with staged() as (session, stage):
        finished = session.subscribe(TurnFinished)
        await spoken_turn(stage, 1)
        await spoken_turn(stage, 2, complete=False)
        await stage.transcribes("u2", WORDS["u2"])
        await stage.transcribes("u1", WORDS["u1"])
        first = await anext(finished)
        await stage.answers("r2", "a2", "Answer 2.", VOICE, "u2")
        second = await anext(finished)

    assert texts((first.turn, second.turn)) == [("First question.", "Answer 1."), ("Second question.", "Answer 2.")]


@pytest.mark.looptime
async def test_the_emulator_is_as_late_as_the_service_and_every_turn_is_right() -> None:
    config = SessionConfig(
        turn_detection=ServerVad(), input_audio_transcription=AudioInputTranscriptionOptions(model="whisper-1")
    )
    script = Script(*(Turn(f"Answer {n}.", transcript=f"Question {n}.") for n in (1, 2, 3)))
    async with emulated(script, pace=Pace.measured(), config=config) as (session, service):
        finished = session.subscribe(TurnFinished)
        turns = []
        for name in ("question.wav", "followup.wav", "stop.wav"):
            await speak(session, wav(name))
            turns.append((await anext(finished)).turn)
        kinds = [type(event) for event in service.sent]

    late = ConversationItemInputAudioTranscriptionCompleted
    assert all(
        kinds.index(ResponseCreated, begun) < kinds.index(late, begun)
        for begun in [place for place, kind in enumerate(kinds) if kind is ResponseCreated]
    )
    assert texts(tuple(turns)) == [(f"Question {n}.", f"Answer {n}.") for n in (1, 2, 3)]
