"""The no-input timer: silence counts from the moment in which the caller was given the word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.histories import begins, calls, ends, event, says, typed
from tests.support.peer import JsonObject

from voicelive.events import NoInput
from voicelive.protocol.core import SessionProtocol
from voicelive.protocol.effects import Effect, Tell
from voicelive.protocol.responses import Ask
from voicelive.protocol.silence import Prompt, Silence
from voicelive.wire.client_events import ConversationItemCreate, InputAudioBufferCommit
from voicelive.wire.items import FunctionCallOutputItem, UserMessageItem
from voicelive.wire.parts import InputTextContentPart
from voicelive.wire.responses import ResponseCreateParams
from voicelive.wire.server_events import ServerEvent

T0 = 1000.1  # no round number: sums of floats must not decide


# -- the timer alone


def test_a_prompt_is_due_exactly_when_it_says() -> None:
    silence = Silence()
    silence.watch(3.3, 2)
    assert silence.due_at() is None
    assert silence.observe(T0, quiet=True) is None
    due_at = silence.due_at()

    assert due_at is not None
    assert due_at == T0 + 3.3
    assert silence.observe(due_at - 1e-6, quiet=True) is None
    assert silence.observe(due_at, quiet=True) == Prompt(count=1, last=False)


def test_prompts_end_after_so_many_in_a_row() -> None:
    silence = Silence()
    silence.watch(1, 2)
    told = [prompt for now in range(10) if (prompt := silence.observe(now, quiet=True)) is not None]

    assert told == [Prompt(1, last=False), Prompt(2, last=True)]
    assert silence.due_at() is None


def test_the_callers_voice_starts_the_count_anew() -> None:
    silence = Silence()
    silence.watch(1, 1)
    silence.observe(0, quiet=True)
    assert silence.observe(1, quiet=True) == Prompt(1, last=True)
    silence.caller_spoke()
    assert silence.observe(2, quiet=True) is None
    assert silence.observe(3, quiet=True) == Prompt(1, last=True)


def test_any_noise_starts_the_time_anew() -> None:
    silence = Silence()
    silence.watch(2, 1)
    silence.observe(0, quiet=True)
    silence.observe(1.5, quiet=False)
    assert silence.due_at() is None
    assert silence.observe(1.8, quiet=True) is None
    assert silence.due_at() == 3.8


def test_none_stops_and_watching_again_counts_anew() -> None:
    silence = Silence()
    silence.watch(1, 1)
    silence.observe(0, quiet=True)
    silence.watch(None, 1)
    assert silence.observe(9, quiet=True) is None
    assert silence.due_at() is None
    silence.watch(1, 1)
    silence.observe(10, quiet=True)
    assert silence.observe(11, quiet=True) == Prompt(1, last=True)


# Eighths of a second and whole seconds are exact as floats, so that the model may add them up.
STEPS = st.lists(st.tuples(st.integers(1, 24), st.sampled_from(["quiet", "busy", "speech"])), max_size=40)


@given(st.integers(1, 3), st.integers(1, 4), STEPS)
def test_no_prompt_without_the_whole_silence_before_it(after_s: int, times: int, steps: list[tuple[int, str]]) -> None:
    silence = Silence()
    silence.watch(after_s, times)
    now, quiet_since, in_a_row = 0.0, None, 0
    for eighths, what in steps:
        now += eighths / 8
        if what == "speech":
            silence.caller_spoke()
            in_a_row, quiet_since = 0, None
        prompt = silence.observe(now, quiet=what == "quiet")
        if what != "quiet":
            assert prompt is None
            quiet_since = None
        elif prompt is not None:
            assert quiet_since is not None
            assert now - quiet_since >= after_s
            in_a_row, quiet_since = in_a_row + 1, None
            assert prompt == Prompt(in_a_row, in_a_row == times)
            assert in_a_row <= times
        elif quiet_since is None:
            quiet_since = now
        else:
            assert now - quiet_since < after_s or in_a_row == times


# -- among everything else


class Call:
    """A session's protocol, moved on by a test as an event loop does; records prompts and requests with their times."""

    def __init__(self, after_s: float | None = 5.0, times: int = 2, **settings: object) -> None:
        self.protocol = SessionProtocol()
        self.now = T0
        self.told: list[tuple[float, NoInput]] = []
        self.asked: list[tuple[float, JsonObject]] = []
        self.say(event("session.created", session={"id": "sess", "turn_detection": {"type": "server_vad"}, **settings}))
        self.prompt(after_s, times)

    def prompt(
        self,
        after_s: float | None,
        times: int = 2,
        params: ResponseCreateParams | None = None,
        instructions: str | None = None,
    ) -> None:
        self.protocol.prompt_on_silence(after_s, times, params, instructions)
        self.perform(self.protocol.tick(self.now))

    def say(self, *events: ServerEvent) -> None:
        for one in events:
            self.perform(self.protocol.receive(one, self.now))

    def wait(self, for_s: float) -> None:
        until = self.now + for_s
        for _ in range(1000):
            due = self.protocol.due_at(self.now)
            if due is None or due > until:
                self.now = until
                return
            self.now = max(self.now, due)
            self.perform(self.protocol.tick(self.now))
        raise AssertionError("time stands still: something stays due")

    def perform(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            if isinstance(effect, Tell) and isinstance(effect.event, NoInput):
                self.told.append((round(self.now - T0, 6), effect.event))
            elif isinstance(effect, Ask):
                self.asked.append((round(self.now - T0, 6), _request(effect)))

    def replies(self, response_id: str, item_id: str, audio_ms: int = 1000) -> None:
        done = event("response.audio.done", response_id=response_id, item_id=item_id)
        self.say(begins(response_id), *says(response_id, item_id, "Well.", audio_ms), done, ends(response_id))

    @property
    def times(self) -> list[float]:
        return [at for at, _ in self.told]


def _request(ask: Ask) -> JsonObject:
    params = ask.wish.params
    return {
        "params": None if params is None else params.model_dump(exclude_unset=True),
        "instructions": ask.wish.additional_instructions,
    }


SPEECH = event("input_audio_buffer.speech_started", item_id="u1", audio_start_ms=0)
SPEECH_ENDS = event("input_audio_buffer.speech_stopped", item_id="u1", audio_end_ms=900)
COMMITTED = event("input_audio_buffer.committed", item_id="u1", previous_item_id=None)


def test_silence_counts_from_the_end_of_playback_and_not_of_generation() -> None:
    call = Call()
    call.wait(1.0)
    call.replies("r1", "a1", audio_ms=3000)
    call.wait(60)

    assert call.told[0] == (9.0, NoInput(count=1, last=False))


def test_with_a_sink_silence_counts_from_the_last_acknowledgement() -> None:
    call = Call()
    call.protocol.playback.attend()
    call.replies("r1", "a1", audio_ms=3000)
    call.wait(20)
    assert call.told == []
    call.protocol.playback.acknowledge("a1", 3000)
    call.perform(call.protocol.tick(call.now))
    call.wait(60)

    assert call.times[0] == 25.0


def test_asked_for_while_the_agent_speaks_it_waits_for_the_end_of_the_speech() -> None:
    call = Call(after_s=None)
    call.replies("r1", "a1", audio_ms=3000)
    call.wait(2.0)
    call.prompt(4.0)
    call.wait(60)

    assert call.times[0] == 7.0


def test_a_prompt_asks_once_and_the_next_silence_begins_behind_its_answer() -> None:
    call = Call(times=2)
    call.wait(5.0)
    assert call.told == [(5.0, NoInput(1, last=False))]
    assert [at for at, _ in call.asked] == [5.0]
    call.wait(29)
    assert len(call.told) == 1, "a response is asked for and has not begun"
    call.replies("r1", "a1", audio_ms=2000)
    call.wait(60)

    assert call.told[1:] == [(41.0, NoInput(2, last=True))]
    call.replies("r2", "a2")
    call.wait(600)
    assert len(call.told) == 2
    assert len(call.asked) == 2


def test_the_prompt_carries_what_was_asked_for() -> None:
    call = Call(after_s=None)
    call.prompt(1.0, params=ResponseCreateParams(temperature=0.7), instructions="Ask whether they are there.")
    call.wait(1.0)

    assert call.asked == [(1.0, {"params": {"temperature": 0.7}, "instructions": "Ask whether they are there."})]


def test_after_the_last_prompt_only_the_callers_voice_starts_again() -> None:
    call = Call(times=1)
    call.wait(5.0)
    call.replies("r1", "a1")
    call.wait(100)
    assert call.times == [5.0]
    call.say(SPEECH, SPEECH_ENDS, COMMITTED)
    call.replies("r2", "a2", audio_ms=1000)
    call.wait(60)

    assert call.times == [5.0, 111.0]
    assert call.told[1][1] == NoInput(1, last=True)


def test_not_while_the_caller_speaks() -> None:
    call = Call()
    call.wait(4.0)
    call.say(SPEECH)
    call.wait(100)
    assert call.told == []


def test_not_while_turn_detection_is_about_to_answer() -> None:
    call = Call(after_s=1.0)
    call.say(SPEECH)
    call.wait(2.0)
    call.say(SPEECH_ENDS, COMMITTED)
    call.wait(4.9)
    assert call.told == []


def test_a_turn_that_never_gets_its_answer_does_not_hold_the_timer_for_ever() -> None:
    call = Call(after_s=3.0)
    call.say(SPEECH, SPEECH_ENDS, COMMITTED)
    call.wait(60)

    assert call.times[:1] == [8.0]


def test_speech_that_was_cleared_is_over() -> None:
    call = Call(after_s=3.0)
    call.say(SPEECH)
    call.wait(10)
    call.say(event("input_audio_buffer.cleared"))
    call.wait(60)

    assert call.times[:1] == [13.0]


def test_not_while_a_response_runs() -> None:
    call = Call()
    call.say(begins("r1"))
    call.wait(100)
    assert call.told == []
    call.say(ends("r1"))
    call.wait(100)
    assert call.times[:1] == [105.0]


def test_not_while_a_response_waits() -> None:
    call = Call()
    call.perform(call.protocol.wish(call.now)[1])
    call.wait(29)
    assert call.told == []


def test_not_while_a_tool_is_owed() -> None:
    call = Call()
    call.say(begins("r1"), *calls("r1", "f1", "call_1"), ends("r1"))
    call.wait(100)
    assert call.told == []
    call.perform(call.protocol.answer("call_1", "42", call.now))
    call.wait(29)
    assert call.told == [], "its answer is asked for"
    call.replies("r2", "a2", audio_ms=1000)
    call.wait(100)
    assert call.times[:1] == [135.0]


def test_not_while_the_service_calls_an_mcp_server() -> None:
    call = Call()
    done = {"id": "m1", "type": "mcp_call", "name": "look_up", "server_label": "s", "arguments": "{}", "output": "42"}
    call.say(begins("r1"), event("response.mcp_call.in_progress", item_id="m1", output_index=0), ends("r1"))
    call.wait(100)
    assert call.told == []
    call.say(event("response.output_item.done", response_id="r1", output_index=0, item=done))
    call.replies("r2", "a2", audio_ms=1000)
    call.wait(100)
    assert call.times[:1] == [106.0]


@pytest.mark.parametrize("by_voice", [True, False])
def test_a_typed_message_and_a_turn_by_hand_are_the_callers_word(by_voice: bool) -> None:
    call = Call(times=1, turn_detection=None)
    call.wait(5.0)
    call.replies("r1", "a1")
    if by_voice:
        call.say(COMMITTED)
    else:
        item = UserMessageItem(content=[InputTextContentPart(text="Hi")])
        call.perform(call.protocol.sent(ConversationItemCreate(item=item), call.now))
    call.replies("r2", "a2")
    call.wait(100)

    assert [told for _, told in call.told] == [NoInput(1, last=True)] * 2


def test_a_tool_result_sent_by_hand_is_not_the_callers_word() -> None:
    call = Call(times=1)
    call.wait(5.0)
    call.replies("r1", "a1")
    result = FunctionCallOutputItem(call_id="call_1", output="42")
    call.perform(call.protocol.sent(ConversationItemCreate(item=result), call.now))
    call.perform(call.protocol.sent(InputAudioBufferCommit(), call.now))
    call.say(typed("u9", "told by the service, whoever put it there"))
    call.wait(100)

    assert len(call.told) == 1


def test_a_refused_prompt_is_one_of_the_row() -> None:
    call = Call(times=2)
    call.wait(5.0)
    refusal = {"type": "invalid_request_error", "code": "bad", "message": "no", "event_id": "voicelive_response_1"}
    call.say(event("error", error=refusal))
    call.wait(100)

    assert call.told == [(5.0, NoInput(1, last=False)), (10.0, NoInput(2, last=True))]


def test_none_stops_it() -> None:
    call = Call()
    call.wait(4.0)
    call.prompt(None)
    call.wait(100)

    assert call.told == []
    assert call.protocol.due_at(call.now) is None


@pytest.mark.parametrize("audio_ms", [1, 7, 333, 1001])
def test_nothing_stays_due_when_its_time_has_come(audio_ms: int) -> None:
    call = Call(after_s=0.1, times=1)
    call.replies("r1", "a1", audio_ms)
    call.wait(100)  # fails when time stands still

    assert call.times == [round(audio_ms / 1000 + 0.1, 6)]
