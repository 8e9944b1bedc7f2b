"""What a dialogue does by the clock and by the record: cues, prompts to a silent caller, compaction, restoring."""

from __future__ import annotations

import asyncio
import math
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.conftest import OpenSession
from tests.flows.scene import emulated
from tests.support.peer import JsonObject, Peer
from tests.support.streams import settle

from voicelive.audio.playback import PlaybackFrame
from voicelive.conversation import Conversation
from voicelive.errors import ConfigurationError, ServiceError, SessionClosedError
from voicelive.events import NoInput, PlaybackCue, ToolTrouble
from voicelive.session import Session
from voicelive.testing import Call, EmulatedSession, Pace, Script, Turn
from voicelive.tools import tool
from voicelive.wire.avatar import Animation
from voicelive.wire.client_events import ConversationItemCreate, ConversationItemDelete, ResponseCreate
from voicelive.wire.items import UserMessageItem
from voicelive.wire.parts import InputTextContentPart
from voicelive.wire.server.response import ResponseAudioDelta
from voicelive.wire.session import SessionConfig
from voicelive.wire.voices import AzureStandardVoice

AZURE = {"type": "azure-standard", "name": "en-US-AvaNeural"}
VOICE = AzureStandardVoice(name="en-US-AvaNeural")
LATE_S = 0.005


def place(item_id: str = "item_1") -> JsonObject:
    return {"response_id": "resp_1", "item_id": item_id, "output_index": 0, "content_index": 0}


async def begin(peer: Peer) -> None:
    await peer.create(voice=AZURE)
    await settle()


async def start_speaking(peer: Peer, ms: int, *words_ms: int) -> None:
    """One delta of audio, and what moves with it."""
    await peer.say("response.created", response={"id": "resp_1", "status": "in_progress", "output": []})
    await peer.speak(b64encode(bytes(48 * ms)).decode(), output_index=0, content_index=0)
    for at_ms in words_ms:
        await peer.say("response.audio_timestamp.delta", **place(), audio_offset_ms=at_ms, text="word")


async def finish_speaking(peer: Peer) -> None:
    await peer.say("response.audio.done", **place())
    await peer.say("response.done", response={"id": "resp_1", "status": "completed", "output": []})
    await settle()


class Moments:
    """When events of a class were told, by the loop's clock."""

    def __init__(self, session: Session, *classes: type[PlaybackCue | NoInput]) -> None:
        self.told: list[tuple[float, PlaybackCue | NoInput]] = []

        @session.on(*classes)
        def note(event: PlaybackCue | NoInput) -> None:
            self.told.append((asyncio.get_running_loop().time(), event))

    @property
    def cues(self) -> list[tuple[float, float]]:
        """Seconds, and the places in milliseconds."""
        return [(at, cue.place_ms) for at, cue in self.told if isinstance(cue, PlaybackCue)]

    @property
    def prompts(self) -> list[tuple[float, NoInput]]:
        return [(at, told) for at, told in self.told if isinstance(told, NoInput)]


# -- cues


@pytest.mark.looptime
async def test_without_a_sink_cues_come_when_they_are_estimated_to_be_heard(open_session: OpenSession) -> None:
    session, peer = open_session()
    moments = Moments(session, PlaybackCue)
    await begin(peer)
    await asyncio.sleep(1)
    await start_speaking(peer, 1000, 0, 333)
    await peer.say("response.animation_blendshapes.delta", **place(), frames=[[0.1]], frame_index=7)
    await peer.say("response.animation_viseme.delta", **place(), audio_offset_ms=50, viseme_id=3)
    await finish_speaking(peer)
    await asyncio.sleep(5)

    assert [at_ms for _, at_ms in moments.cues] == [0, 50, 7000 / 60, 333]
    for at_s, at_ms in moments.cues:
        assert 1 + at_ms / 1000 - 1e-5 <= at_s <= 1 + at_ms / 1000 + LATE_S


@pytest.mark.looptime
async def test_audio_behind_its_cues_sets_the_clock_for_them(open_session: OpenSession) -> None:
    session, peer = open_session()
    moments = Moments(session, PlaybackCue)
    await begin(peer)
    session.prompt_on_silence(20)  # something else is due, much later
    await peer.say("response.audio_timestamp.delta", **place(), audio_offset_ms=100, text="word")
    await peer.say("response.created", response={"id": "resp_1", "status": "in_progress", "output": []})
    await peer.say("response.audio_timestamp.delta", **place(), audio_offset_ms=200, text="word")
    await settle()
    await asyncio.sleep(1)
    await peer.speak(b64encode(bytes(48 * 1000)).decode(), output_index=0, content_index=0)
    await asyncio.sleep(1)

    assert [at_ms for _, at_ms in moments.cues] == [100, 200]
    assert moments.cues[1][0] == pytest.approx(1.2, abs=LATE_S)


@pytest.mark.looptime
async def test_a_sink_that_takes_frames_decides_when_cues_come(open_session: OpenSession) -> None:
    session, peer = open_session()
    moments = Moments(session, PlaybackCue)
    frames = session.playback.frames(20)
    first = asyncio.ensure_future(anext(frames))
    await begin(peer)
    await start_speaking(peer, 100, 0, 20, 21, 60)
    await finish_speaking(peer)
    await asyncio.sleep(3)
    taken = [await first]
    assert moments.cues == [], "the first frame has not been played yet"
    for _ in range(3):
        await asyncio.sleep(1)  # a slow line
        taken.append(await anext(frames))
    await asyncio.sleep(1)
    await frames.aclose()

    assert [frame.start_ms for frame in taken] == [0, 20, 40, 60]
    assert moments.cues == [(4, 0), (4, 20), (5, 21), (6, 60)]


@pytest.mark.looptime
async def test_a_sink_object_decides_when_cues_come(open_session: OpenSession) -> None:
    class Line:
        async def write(self, frame: PlaybackFrame) -> None:
            await asyncio.sleep(2 * frame.duration_ms / 1000)  # half as fast as it should be

        def flush(self) -> None:
            pass

    session, peer = open_session()
    moments = Moments(session, PlaybackCue)
    playing = asyncio.create_task(session.playback.play_to(Line()))
    await begin(peer)
    await start_speaking(peer, 1000, 0, 500, 990, 1200)
    await finish_speaking(peer)
    await asyncio.sleep(5)
    playing.cancel()
    await asyncio.wait([playing])

    assert [at_ms for _, at_ms in moments.cues] == [0, 500, 990, 1200]
    assert [at_s for at_s, _ in moments.cues] == pytest.approx([0.04, 1.0, 2.0, 2.0], abs=LATE_S)


@pytest.mark.looptime
async def test_played_by_hand_decides_when_cues_come(open_session: OpenSession) -> None:
    session, peer = open_session()
    moments = Moments(session, PlaybackCue)
    await begin(peer)
    await start_speaking(peer, 1000, 10, 500, 501)
    session.playback.played("item_1", 0)
    await settle()
    session.playback.played("item_1", 0)
    await asyncio.sleep(7)
    assert moments.cues == []
    session.playback.played("item_1", 500)
    await settle()

    assert moments.cues == [(7, 10), (7, 500)]


@pytest.mark.looptime
async def test_what_interrupt_cuts_off_has_no_cues(open_session: OpenSession) -> None:
    session, peer = open_session()
    moments = Moments(session, PlaybackCue)
    await begin(peer)
    await start_speaking(peer, 1000, 0, 400, 600)
    await asyncio.sleep(0.5)
    await session.interrupt()
    await peer.say("response.audio_timestamp.delta", **place(), audio_offset_ms=100, text="stale")
    await finish_speaking(peer)
    await asyncio.sleep(5)

    assert [at_ms for _, at_ms in moments.cues] == [0, 400]


@pytest.mark.looptime
async def test_over_a_socket_every_word_and_viseme_comes_in_its_moment() -> None:
    config = SessionConfig(
        voice=VOICE, output_audio_timestamp_types=["word"], animation=Animation(outputs=["viseme_id"])
    )
    script = Script("It is a long way to the lighthouse, and the last ferry leaves before sunset.")
    async with emulated(script, pace=Pace.measured(), config=config) as (session, service):
        moments = Moments(session, PlaybackCue)
        voice = session.subscribe(ResponseAudioDelta)
        await session.create_response()
        await anext(voice)
        began_s = asyncio.get_running_loop().time()
        await asyncio.sleep(30)
        sent = [event for event in service.sent if event.type in _CUES]

    assert len(moments.cues) == len(sent) > 30
    assert moments.cues == sorted(moments.cues)
    for at_s, at_ms in moments.cues:
        assert began_s + at_ms / 1000 - 1e-4 <= at_s <= began_s + at_ms / 1000 + LATE_S


_CUES = {"response.audio_timestamp.delta", "response.animation_viseme.delta"}


# -- a silent caller


async def next_request(peer: Peer) -> JsonObject:
    """The next ``response.create``, answered by a short reply that is heard at once."""
    while (event := await peer.hear())["type"] != "response.create":
        pass
    return event


async def answer_at_once(peer: Peer, number: int, request: JsonObject) -> None:
    response = {"id": f"resp_{number}", "output": [], "metadata": request["response"]["metadata"]}
    await peer.say("response.created", response={**response, "status": "in_progress"})
    await peer.say("response.done", response={**response, "status": "completed"})
    await settle()


@pytest.mark.looptime
async def test_a_silent_caller_is_prompted_through_the_gate_and_told_of(open_session: OpenSession) -> None:
    session, peer = open_session()
    moments = Moments(session, NoInput)
    await begin(peer)
    session.prompt_on_silence(4, say="Are you still there?")
    request = await next_request(peer)
    assert asyncio.get_running_loop().time() == pytest.approx(4, abs=LATE_S)
    await asyncio.sleep(1)
    await answer_at_once(peer, 1, request)
    await answer_at_once(peer, 2, await next_request(peer))
    await asyncio.sleep(100)

    message = request["response"]["pre_generated_assistant_message"]
    assert message["content"] == [{"type": "text", "text": "Are you still there?"}]
    assert [told for _, told in moments.prompts] == [NoInput(1, last=False), NoInput(2, last=True)]
    assert [at for at, _ in moments.prompts] == pytest.approx([4, 9], abs=LATE_S)


@pytest.mark.looptime
async def test_a_prompt_by_instructions_or_by_the_model_alone(open_session: OpenSession) -> None:
    session, peer = open_session()
    await begin(peer)
    session.prompt_on_silence(1, instructions="Ask whether the caller is still there.", times=1)
    by_instructions = await next_request(peer)
    await answer_at_once(peer, 1, by_instructions)
    session.prompt_on_silence(1)
    alone = await next_request(peer)

    assert by_instructions["additional_instructions"] == "Ask whether the caller is still there."
    assert "additional_instructions" not in alone


@pytest.mark.looptime
async def test_while_the_agent_speaks_silence_has_not_begun(open_session: OpenSession) -> None:
    session, peer = open_session()
    moments = Moments(session, NoInput)
    await begin(peer)
    await start_speaking(peer, 3000)
    await finish_speaking(peer)
    session.prompt_on_silence(2, times=1)
    await asyncio.sleep(20)

    (at_s, told), *rest = moments.prompts
    assert at_s == pytest.approx(5, abs=LATE_S)
    assert told == NoInput(1, last=True)
    assert rest == []


@pytest.mark.looptime
async def test_none_stops_prompting(open_session: OpenSession) -> None:
    session, peer = open_session()
    moments = Moments(session, NoInput)
    await begin(peer)
    session.prompt_on_silence(2)
    await asyncio.sleep(1)
    session.prompt_on_silence(None)
    await asyncio.sleep(20)

    assert moments.prompts == []


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"after_s": 0}, "after_s"),
        ({"after_s": -1}, "after_s"),
        ({"after_s": math.nan}, "after_s"),
        ({"after_s": math.inf}, "after_s"),
        ({"after_s": 1, "times": 0}, "times"),
        ({"after_s": 1, "say": "Hello?", "instructions": "Ask."}, "say"),
    ],
)
async def test_prompts_that_make_no_sense_are_refused(
    open_session: OpenSession, arguments: JsonObject, field: str
) -> None:
    session, peer = open_session()
    await begin(peer)
    with pytest.raises(ConfigurationError, match=field):
        session.prompt_on_silence(**arguments)


async def test_a_ready_text_needs_an_azure_voice(open_session: OpenSession) -> None:
    session, peer = open_session()
    await peer.create(voice={"type": "openai", "name": "alloy"})
    await settle()
    with pytest.raises(ConfigurationError, match="alloy"):
        session.prompt_on_silence(1, say="Hello?")
    session.prompt_on_silence(1, instructions="Ask.")


async def test_a_closed_session_does_not_prompt(open_session: OpenSession) -> None:
    session, peer = open_session()
    await begin(peer)
    await session.close()
    with pytest.raises(SessionClosedError):
        session.prompt_on_silence(1)


@pytest.mark.looptime
async def test_over_a_socket_prompts_come_so_long_after_the_agent_was_heard() -> None:
    script = Script("Good morning, what can I do for you?", then=lambda heard: Turn("Pardon?"))
    config = SessionConfig(voice=VOICE)
    async with emulated(script, pace=Pace.measured(), config=config) as (session, service):
        moments = Moments(session, NoInput)
        session.prompt_on_silence(5, say="Are you still there?", times=2)
        voice = session.subscribe(ResponseAudioDelta)
        handle = await session.create_response()
        audio = (await anext(voice)).delta
        began_s = asyncio.get_running_loop().time()
        await handle
        assert session.playback.playing, "the reply is generated faster than it is heard"
        audio += b"".join([(await anext(voice)).delta for _ in range(len(service.sent_of(ResponseAudioDelta)) - 1)])
        heard_s = began_s + len(audio) / 48_000  # 24 kHz, 16 bit
        await asyncio.sleep(60)
        texts = [message["content"] for message in session.conversation.messages()]
        requests = len(service.received_of(ResponseCreate))

    assert [told for _, told in moments.prompts] == [NoInput(1, last=False), NoInput(2, last=True)]
    assert moments.prompts[0][0] == pytest.approx(heard_s + 5, abs=LATE_S)
    assert moments.prompts[1][0] > heard_s + 10
    assert texts == ["Good morning, what can I do for you?", "Are you still there?", "Are you still there?"]
    assert requests == 3


# -- compact and restore


@tool
async def weather(city: str) -> str:
    """How the weather is."""
    return f"{city} is sunny"


@asynccontextmanager
async def conversation() -> AsyncIterator[tuple[Session, EmulatedSession]]:
    """A session in which three questions were answered, and what the service saw of it."""
    script = Script(
        Turn(calls=[Call("weather", {"city": "Porto"})], reply_after_calls="Porto is sunny."),
        "You are welcome.",
        "It is seven.",
    )
    async with emulated(script, config=SessionConfig(modalities=["text"]), tools=[weather]) as (session, service):
        for question in ("How is Porto?", "Thank you.", "What time is it?"):
            await session.ask(question)
        yield session, service


def deleted(service: EmulatedSession) -> list[str]:
    return [event.item_id for event in service.received_of(ConversationItemDelete)]


async def test_compact_deletes_what_the_plan_says_in_its_order() -> None:
    async with conversation() as (session, service):
        plan = session.conversation.compact(keep_last=1)
        gone = await session.compact(keep_last=1)
        left = [message["content"] for message in session.conversation.messages()]
        sent = deleted(service)

    assert len(plan) == 6
    assert list(gone) == sent == plan
    assert left == ["What time is it?", "It is seven."]


@pytest.mark.looptime
async def test_compact_by_age_counts_on_the_sessions_clock() -> None:
    async with conversation() as (session, service):
        await asyncio.sleep(100)
        kept = await session.compact(older_than_s=101)
        plan = session.conversation.compact(older_than_s=99, now=asyncio.get_running_loop().time())
        gone = await session.compact(older_than_s=99)
        sent = deleted(service)

    assert kept == ()
    assert len(gone) == 6
    assert list(gone) == plan == sent


async def test_compact_without_a_limit_is_refused_before_anything_is_sent() -> None:
    async with conversation() as (session, service):
        with pytest.raises(ConfigurationError, match="keep_last"):
            await session.compact()
        sent = deleted(service)

    assert sent == []


async def test_compact_raises_where_the_service_refuses_and_goes_no_further(open_session: OpenSession) -> None:
    session, peer = open_session()
    await begin(peer)
    for number in range(3):
        part = {"type": "input_text", "text": f"question {number}"}
        item = {"id": f"u{number}", "type": "message", "role": "user", "content": [part]}
        response = {"id": f"resp_{number}", "output": []}
        await peer.say("conversation.item.created", item=item)
        await peer.say("response.created", response={**response, "status": "in_progress"})
        await peer.say("response.done", response={**response, "status": "completed"})
    await settle()
    plan = session.conversation.compact(keep_last=0)
    compacting = asyncio.ensure_future(session.compact(keep_last=0))
    first = await peer.hear()
    await peer.say("conversation.item.deleted", item_id=first["item_id"])
    second = await peer.hear()
    await peer.refuse(second["event_id"], "item_not_found")
    with pytest.raises(ServiceError, match="item_not_found"):
        await compacting

    assert plan == ["u0", "u1"]
    assert [first["item_id"], second["item_id"]] == plan
    assert [item.id for item in session.conversation.items] == ["u1", "u2"]


async def test_a_conversation_restored_into_another_session_reads_the_same() -> None:
    async with conversation() as (first, _):
        messages = first.conversation.messages()
        saved = first.conversation.to_json()
    async with emulated(Script("Seven, still.")) as (second, service):
        odd = second.subscribe(ToolTrouble)
        left_out = await second.restore(Conversation.from_json(saved))
        await second.add_item(UserMessageItem(content=[InputTextContentPart(text="And now?")]), confirm=True)
        restored = second.conversation.messages()
        turns = [turn.status for turn in second.conversation.turns]
        requests = service.received_of(ResponseCreate)
        kinds = [event.item.type for event in service.received_of(ConversationItemCreate) if event.item is not None]
        later = await second.ask("Now?")
        await second.close()
        trouble = [event async for event in odd]

    assert left_out == ()
    assert len(messages) == 8
    assert restored == [*messages, {"role": "user", "content": "And now?"}]
    assert kinds == ["message", "function_call", "function_call_output", *["message"] * 6]
    assert requests == []
    assert trouble == []
    assert later.text == "Seven, still."
    assert turns


async def test_restore_keeps_the_order_and_names_what_is_left_out(open_session: OpenSession) -> None:
    old, old_peer = open_session()
    await begin(old_peer)
    audio = {"id": "u1", "type": "message", "role": "user", "content": [{"type": "input_audio", "transcript": None}]}
    said = {"id": "a1", "type": "message", "role": "assistant", "content": [{"type": "audio", "transcript": "Hello."}]}
    call = {"id": "f1", "type": "function_call", "name": "weather", "call_id": "c1", "arguments": "{}"}
    typed = {"id": "u2", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi."}]}
    for item, after in ((audio, None), (said, "u1"), (call, "a1"), (typed, "f1")):
        await old_peer.say("conversation.item.created", previous_item_id=after, item=item)
    await settle()
    session, peer = open_session()
    await begin(peer)
    left_out = await session.restore(old.conversation)
    sent = [await peer.hear(), await peer.hear()]
    await session.clear_audio()

    assert [event["item"]["content"][0]["text"] for event in sent] == ["Hello.", "Hi."]
    assert [(one.item_id, one.kind) for one in left_out] == [("u1", "message"), ("f1", "function_call")]
    assert all(one.reason for one in left_out)
    assert (await peer.hear())["type"] == "input_audio_buffer.clear", "nothing else was sent"
