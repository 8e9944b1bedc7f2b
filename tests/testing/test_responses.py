"""The events of one response, without a clock: order, what closes, and what stopping at any point leaves."""

from __future__ import annotations

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from voicelive import wire
from voicelive.audio.formats import AudioFormat
from voicelive.testing.history import History
from voicelive.testing.ids import Ids
from voicelive.testing.pace import Pace
from voicelive.testing.replies import Reply, TimedWord
from voicelive.testing.responses import CancelReason, Response
from voicelive.testing.script import Call
from voicelive.testing.settings import Settings
from voicelive.testing.wishes import Wishes

PCM = AudioFormat("pcm16", 8_000)
SPOKEN = Reply("One two three.", bytes(16 * 2_000), PCM, (TimedWord("One", 0, 600), TimedWord("two", 600, 600)))
CLOSING = {
    wire.ResponseOutputItemAdded: wire.ResponseOutputItemDone,
    wire.ResponseContentPartAdded: wire.ResponseContentPartDone,
    wire.ResponseCreated: wire.ResponseDone,
}


def new_response(history: History | None) -> Response:
    settings = Settings(session_id="s", model="gpt-realtime", expires_at=1)
    return Response(Ids(1), Wishes.of(settings), history, "conv_1", lambda response: wire.TokenUsage(total_tokens=0))


def whole(reply: Reply, pace: Pace, history: History | None = None) -> list[tuple[float, wire.ServerEvent]]:
    response = new_response(history)
    timed: list[tuple[float, wire.ServerEvent]] = [(0.0, event) for event in response.begin()]
    for due_s, act in response.timeline(reply, pace):
        timed.extend((due_s, event) for event in act())
    return timed


def test_steps_are_due_in_order() -> None:
    for pace in (Pace.instant(), Pace.measured()):
        dues = [due_s for due_s, _ in whole(SPOKEN, pace)]
        assert dues == sorted(dues)


def test_text_runs_ahead_of_audio_at_the_measured_pace() -> None:
    timed = whole(SPOKEN, Pace.measured())
    text = [due_s for due_s, event in timed if isinstance(event, wire.ResponseAudioTranscriptDelta)]
    audio = [due_s for due_s, event in timed if isinstance(event, wire.ResponseAudioDelta)]
    assert text[-1] < audio[0]
    assert len(audio) == 4


def test_a_message_and_its_calls_are_items_of_one_response() -> None:
    history = History()
    reply = Reply("Wait.", calls=(Call("f", {"a": 1}), Call("g")))
    events = [event for _, event in whole(reply, Pace.instant(), history)]
    done = events[-1]
    assert isinstance(done, wire.ResponseDone)
    assert done.response.output is not None
    assert [item.id for item in done.response.output] == [item.id for item in history]
    created = [event for event in events if isinstance(event, wire.ConversationItemCreated)]
    assert [event.previous_item_id for event in created] == [None, *(item.id for item in list(history)[:-1])]


def test_an_out_of_band_response_creates_no_items() -> None:
    events = [event for _, event in whole(Reply("Aside."), Pace.instant())]
    assert not [event for event in events if isinstance(event, wire.ConversationItemCreated)]


@given(
    st.integers(0, 60),
    st.sampled_from(["turn_detected", "client_cancelled"]),
    st.sampled_from([SPOKEN, Reply("Just text."), Reply("Say.", calls=(Call("f", {"a": 1}),)), Reply(None)]),
)
def test_stopping_anywhere_closes_everything_once(steps: int, reason: CancelReason, reply: Reply) -> None:
    response = new_response(History())
    events = list(response.begin())
    for _, act in islice(response.timeline(reply, Pace.instant()), steps):
        events += act()
    if not isinstance(events[-1], wire.ResponseDone):
        events += response.stop(reason)

    for opening, closing in CLOSING.items():
        assert sum(type(event) is opening for event in events) == sum(type(event) is closing for event in events)
    assert isinstance(events[-1], wire.ResponseDone)
    said = "".join(event.delta for event in events if isinstance(event, wire.ResponseAudioTranscriptDelta))
    for done in events:
        if isinstance(done, wire.ResponseAudioTranscriptDone):
            assert done.transcript == said
    assert len({event.event_id for event in events}) == len(events)


@given(st.integers(0, 20))
def test_an_interruption_lets_exactly_one_more_piece_of_audio_through(steps: int) -> None:
    response = new_response(History())
    sent = list(response.begin())
    for _, act in islice(response.timeline(SPOKEN, Pace.instant()), steps):
        sent += act()
    if isinstance(sent[-1], wire.ResponseDone):
        return
    sounded = sum(isinstance(event, wire.ResponseAudioDelta) for event in sent)
    late = sum(isinstance(event, wire.ResponseAudioDelta) for event in response.stop("turn_detected"))
    assert late == (1 if 0 < sounded < 4 else 0)
