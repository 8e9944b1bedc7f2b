"""Words, visemes and blendshapes come when their audio is heard."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.support.histories import begins, ends, event

from voicelive.audio.formats import AudioFormat
from voicelive.audio.playback import PlaybackQueue
from voicelive.events import BargeIn, PlaybackCue
from voicelive.protocol.core import SessionProtocol
from voicelive.protocol.cues import BLENDSHAPES_PER_S, Cues
from voicelive.protocol.effects import Effect, Tell
from voicelive.wire.server.animation import ResponseAnimationBlendshapesDelta, ResponseAudioTimestampDelta
from voicelive.wire.server_events import ServerEvent

START_S = 1000.1  # no round number: sums of floats must not decide


def of(item_id: str, response_id: str = "r1") -> dict[str, Any]:
    return {"response_id": response_id, "item_id": item_id, "output_index": 0, "content_index": 0}


def word(at_ms: int, item_id: str = "a1", response_id: str = "r1") -> ServerEvent:
    place = {"audio_offset_ms": at_ms, "audio_duration_ms": 100, "text": f"word{at_ms}"}
    return event("response.audio_timestamp.delta", **of(item_id, response_id), **place)


def viseme(at_ms: int, item_id: str = "a1", response_id: str = "r1") -> ServerEvent:
    return event("response.animation_viseme.delta", **of(item_id, response_id), audio_offset_ms=at_ms, viseme_id=1)


def blendshapes(frame_index: int, item_id: str = "a1") -> ServerEvent:
    return event("response.animation_blendshapes.delta", **of(item_id), frames=[[0.5]], frame_index=frame_index)


def voice(ms: int, item_id: str = "a1", response_id: str = "r1") -> ServerEvent:
    return event("response.audio.delta", **of(item_id, response_id), delta="AAAA" * (ms * 16))  # 24 kHz, 16 bit


def voice_ends(item_id: str = "a1", response_id: str = "r1") -> ServerEvent:
    return event("response.audio.done", **of(item_id, response_id))


SPEECH = event("input_audio_buffer.speech_started", item_id="u1", audio_start_ms=0)


class Playing:
    """A protocol whose time a test moves, with every cue it told and when."""

    def __init__(self, *events: ServerEvent) -> None:
        self.protocol = SessionProtocol()
        self.now = START_S
        self.told: list[tuple[int, str, float]] = []
        """Microseconds since the start, item, place."""
        self.take(*events)

    def take(self, *events: ServerEvent) -> None:
        for one in events:
            self._note(self.protocol.receive(one, self.now))

    def tick(self) -> None:
        self._note(self.protocol.tick(self.now))

    def played(self, ms: float, item_id: str = "a1") -> None:
        self.protocol.playback.acknowledge(item_id, ms)
        self.tick()

    def wait(self, for_s: float = 3600.0) -> None:
        """Let time pass as an event loop does: nothing happens but what is due."""
        until = self.now + for_s
        for _ in range(10_000):
            due = self.protocol.due_at(self.now)
            if due is None or due > until:
                self.now = until
                return
            self.now = max(self.now, due)
            self.tick()
        raise AssertionError("time stands still: something stays due")

    def _note(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            if isinstance(effect, Tell) and isinstance(effect.event, PlaybackCue):
                cue = effect.event
                assert cue.cue.item_id == cue.item_id
                self.told.append((round((self.now - START_S) * 1_000_000), cue.item_id, cue.place_ms))

    @property
    def places(self) -> list[float]:
        return [place for _, _, place in self.told]

    @property
    def by_time(self) -> list[tuple[int, float]]:
        """Milliseconds since the start, and place."""
        return [(round(at / 1000), place) for at, _, place in self.told]


# -- by estimate


def test_a_cue_waits_until_its_audio_is_heard() -> None:
    playing = Playing(begins("r1"), voice(1000), word(0), word(300), word(999), voice_ends(), ends("r1"))

    assert playing.by_time == [(0, 0)]
    playing.wait()
    assert playing.by_time == [(0, 0), (300, 300), (999, 999)]


def test_blendshapes_are_placed_by_their_first_frame() -> None:
    playing = Playing(begins("r1"), voice(1000), blendshapes(0), blendshapes(6), blendshapes(20), blendshapes(31))
    playing.wait()

    assert BLENDSHAPES_PER_S == 60
    assert [place for _, place in playing.by_time] == [0, 100, 1000 / 3, 31 * 1000 / 60]
    assert [at for at, _, _ in playing.told] == [0, 100_000, 333_333, 516_667]


def test_a_cue_carries_the_event_of_the_service() -> None:
    cues, playback = Cues(), PlaybackQueue(AudioFormat.of_output(None))
    playback.add("r1", "a1", 0, bytes(48), 0.0)
    cues.receive(word(0), playback)
    cues.receive(blendshapes(0), playback)

    (_, first), (_, second) = cues.reached(playback, 0.0)
    assert isinstance(first, ResponseAudioTimestampDelta)
    assert first.text == "word0"
    assert isinstance(second, ResponseAnimationBlendshapesDelta)
    assert second.frames == [[0.5]]


def test_cues_that_come_before_their_audio_wait_for_it() -> None:
    playing = Playing(begins("r1"), word(0), word(200))
    playing.wait(0.5)
    assert playing.told == []
    playing.take(voice(1000))
    playing.wait()

    assert playing.by_time == [(500, 0), (700, 200)]


def test_a_cue_beyond_the_audio_so_far_waits_for_more_of_it() -> None:
    playing = Playing(begins("r1"), voice(100), word(0), word(150))
    playing.wait(1.0)
    assert playing.places == [0]
    playing.take(voice(100))  # playback ran dry at 100 ms, and goes on now
    playing.wait()

    assert playing.by_time == [(0, 0), (1050, 150)]


def test_the_second_reply_begins_where_the_first_is_over() -> None:
    playing = Playing(begins("r1"), voice(1000), voice_ends(), ends("r1"))
    playing.take(begins("r2"), voice(500, "a2", "r2"), word(0, "a2", "r2"), word(250, "a2", "r2"))
    assert playing.told == []
    playing.wait()

    assert playing.by_time == [(1000, 0), (1250, 250)]


def test_an_item_heard_to_its_end_leaves_no_cue_behind() -> None:
    playing = Playing(begins("r1"), voice(100), word(50), word(101), viseme(5000), voice_ends(), ends("r1"))
    playing.wait()

    assert playing.by_time == [(50, 50), (100, 101), (100, 5000)]
    assert not playing.protocol.cues_wait


def test_the_end_of_each_item_is_noticed_while_the_next_one_waits() -> None:
    playing = Playing(begins("r1"), voice(100), word(101), voice_ends(), ends("r1"))
    playing.take(begins("r2"), voice(5000, "a2", "r2"), voice_ends("a2", "r2"), ends("r2"))
    playing.wait()

    assert playing.by_time == [(100, 101)]


def test_cues_for_audio_that_was_heard_already_come_at_once() -> None:
    playing = Playing(begins("r1"), voice(1000))
    playing.wait(0.5)
    playing.take(word(100), word(499), word(700))
    assert playing.by_time == [(500, 100), (500, 499)]
    playing.wait()
    assert playing.by_time[2:] == [(700, 700)]


def test_cues_for_an_item_heard_to_its_end_come_at_once() -> None:
    running = Playing(begins("r1"), voice(100), voice_ends())
    running.wait(1.0)
    running.take(word(50))
    assert running.by_time == [(1000, 50)]

    done = Playing(begins("r1"), voice(100), voice_ends(), ends("r1"))
    done.wait(1.0)
    done.take(viseme(100), viseme(20))
    assert done.places == [100, 20]
    assert not done.protocol.cues_wait


CUES = st.lists(
    st.one_of(
        st.integers(0, 2000).map(word),
        st.integers(0, 2000).map(viseme),
        st.integers(0, 120).map(blendshapes),
    ),
    max_size=12,
)


@given(st.data(), CUES, st.lists(st.integers(1, 700), min_size=1, max_size=5))
def test_whatever_the_order_of_arrival_each_cue_comes_once_and_never_early(
    data: st.DataObject, cues: list[ServerEvent], pieces_ms: list[int]
) -> None:
    arrivals = data.draw(st.permutations([*cues, *map(voice, pieces_ms)]))
    playing = Playing(begins("r1"))
    first_audio_s: float | None = None
    for arrival in arrivals:
        playing.wait(data.draw(st.sampled_from([0.0, 0.01, 0.3])))
        if first_audio_s is None and arrival.type == "response.audio.delta":
            first_audio_s = playing.now - START_S
        playing.take(arrival)
    playing.take(voice_ends(), ends("r1"))
    playing.wait()

    assert len(playing.told) == len(cues)
    assert first_audio_s is not None
    total_ms = sum(pieces_ms)
    for at_us, _, place_ms in playing.told:
        assert at_us >= (first_audio_s * 1000 + min(place_ms, total_ms)) * 1000 - 1
    assert not playing.protocol.cues_wait


@given(CUES)
def test_cues_known_beforehand_come_in_the_order_of_their_places(cues: list[ServerEvent]) -> None:
    playing = Playing(begins("r1"), *cues, voice(3000), voice_ends(), ends("r1"))
    playing.tick()
    playing.wait()

    assert playing.places == sorted(playing.places)
    assert all(abs(at_us / 1000 - place_ms) < 0.01 for at_us, _, place_ms in playing.told)


# -- by a sink


def test_with_a_sink_a_cue_comes_with_the_acknowledgement_that_reaches_it() -> None:
    playing = Playing()
    playing.protocol.playback.attend()
    playing.take(begins("r1"), voice(1000), word(0), blendshapes(2), word(40), word(60), voice_ends(), ends("r1"))
    playing.wait(60.0)
    assert playing.told == []
    playing.played(20)
    assert playing.places == [0]
    playing.played(33.3)
    assert playing.places == [0]
    playing.played(40)
    assert playing.places == [0, 2000 / 60, 40]
    playing.played(59.9)
    assert len(playing.places) == 3
    playing.played(1000)
    assert playing.places[3:] == [60]


def test_by_hand_the_estimate_ends_with_the_first_acknowledgement() -> None:
    playing = Playing(begins("r1"), voice(1000), word(100), word(200))
    playing.played(10)
    playing.wait(5.0)
    assert playing.told == []
    playing.played(150)
    assert playing.by_time == [(5000, 100)]


def test_nothing_played_yet_reaches_no_cue() -> None:
    playing = Playing(begins("r1"), voice(1000))
    playing.played(0)
    playing.take(word(0))
    assert playing.told == []
    playing.played(1)
    assert playing.places == [0]


def test_audio_that_is_played_by_hand_is_not_kept_for_a_sink() -> None:
    playing = Playing(begins("r1"), voice(1000))
    playing.played(10)
    playing.take(voice(1000))

    assert playing.protocol.playback.waiting_ms == 0
    assert playing.protocol.playback.take(48) is None


def test_an_acknowledgement_beyond_what_came_reaches_no_further() -> None:
    playing = Playing(begins("r1"), voice(100), word(100), word(101))
    playing.played(500)
    assert playing.places == [100]


# -- cut off


def test_a_barge_in_drops_what_it_cuts_off_and_nothing_that_was_heard() -> None:
    playing = Playing(begins("r1"), voice(1000), word(0), word(400), word(401), word(900))
    playing.now += 0.4  # nobody has asked since: the timer is about to
    effects = playing.protocol.receive(SPEECH, playing.now)
    told = [effect.event for effect in effects if isinstance(effect, Tell)]
    playing.wait()

    assert [type(one) for one in told] == [PlaybackCue, BargeIn]
    assert isinstance(told[0], PlaybackCue)
    assert told[0].place_ms == 400
    assert playing.places == [0]
    assert not playing.protocol.cues_wait


def test_cues_of_a_stale_response_are_dropped() -> None:
    playing = Playing(begins("r1"), voice(1000), SPEECH)
    playing.take(word(10), voice(500), viseme(20), voice_ends(), ends("r1", "cancelled"), word(30))
    playing.wait()

    assert playing.told == []
    assert not playing.protocol.cues_wait
    assert playing.protocol.playback.stale_deltas == 1


def test_a_response_cut_off_before_it_had_a_voice_brings_no_cues() -> None:
    playing = Playing(begins("r1"), word(0), SPEECH, word(10), voice(500), ends("r1", "cancelled"))
    playing.wait()

    assert playing.told == []
    assert not playing.protocol.cues_wait


def test_the_reply_after_a_barge_in_has_its_cues() -> None:
    playing = Playing(begins("r1"), voice(1000), word(500), SPEECH, ends("r1", "cancelled"))
    playing.take(begins("r2"), voice(1000, "a2", "r2"), word(100, "a2", "r2"))
    playing.wait()

    assert [item for _, item, _ in playing.told] == ["a2"]


def test_an_item_heard_to_its_end_in_the_moment_of_the_barge_in_is_not_lost() -> None:
    playing = Playing(begins("r1"), voice(500), word(499), voice_ends(), ends("r1"))
    playing.now += 0.5
    effects = playing.protocol.receive(SPEECH, playing.now)

    told = [effect.event for effect in effects if isinstance(effect, Tell)]
    assert not any(isinstance(one, BargeIn) for one in told)
    assert [one.place_ms for one in told if isinstance(one, PlaybackCue)] == [499]


# -- audio that is played elsewhere


def test_cues_of_an_item_without_audio_here_come_when_its_response_is_done() -> None:
    playing = Playing(begins("r1"), word(200), viseme(0), word(100))
    playing.wait(2.0)
    assert playing.told == []
    playing.take(ends("r1"))
    assert playing.by_time == [(2000, 0), (2000, 100), (2000, 200)]
    playing.take(word(300))
    assert playing.places == [0, 100, 200, 300]
    assert not playing.protocol.cues_wait


def test_nothing_of_many_responses_is_remembered() -> None:
    cues, playback = Cues(), PlaybackQueue(AudioFormat.of_output(None))
    for number in range(3):
        name = f"r{number}"
        cues.receive(begins(name), playback)
        cues.receive(word(0, f"a{number}", name), playback)
        cues.finish(f"a{number}")
        cues.receive(ends(name), playback)

    assert not cues.waiting
    assert vars(cues) == vars(Cues())
