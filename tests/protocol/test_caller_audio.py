"""What of the caller's audio is known to be used, and what is kept to be said again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.support.histories import event

from voicelive.audio.formats import AudioFormat
from voicelive.protocol.caller_audio import KEPT_IDLE_MS, CallerAudio
from voicelive.wire.server_events import ServerEvent

PCM = AudioFormat.of_input("pcm16", 24_000)
MS = 48
CHUNK_MS = 20


def account(keep_ms: int = 10_000, *, detects_turns: bool = True) -> CallerAudio:
    audio = CallerAudio(keep_ms)
    audio.configure(PCM, detects_turns=detects_turns)
    return audio


def send(audio: CallerAudio, ms: int, *, speed: float = 1.0) -> None:
    for number in range(ms // CHUNK_MS):
        audio.sent(bytes(CHUNK_MS * MS), number * CHUNK_MS / 1000 / speed)


def started(ms: int) -> ServerEvent:
    return event("input_audio_buffer.speech_started", item_id="item", audio_start_ms=ms)


def stopped(ms: int) -> ServerEvent:
    return event("input_audio_buffer.speech_stopped", item_id="item", audio_end_ms=ms)


COMMITTED = event("input_audio_buffer.committed", item_id="item")
CLEARED = event("input_audio_buffer.cleared")


def kept_ms(audio: CallerAudio) -> float:
    return audio.ms(sum(map(len, audio.recent())))


def test_while_nobody_speaks_the_last_second_is_kept() -> None:
    audio = account()
    send(audio, 5000)

    assert kept_ms(audio) == KEPT_IDLE_MS
    assert audio.ms(audio.unused_bytes) == 5000
    assert not audio.all_is_kept


def test_what_was_sent_faster_than_it_sounds_is_kept_until_the_service_can_have_told_of_it() -> None:
    audio = account()
    send(audio, 5000, speed=10)

    assert kept_ms(audio) == 5000
    audio.sent(bytes(CHUNK_MS * MS), 60.0)
    assert kept_ms(audio) == KEPT_IDLE_MS


def test_a_turn_under_way_is_kept_from_its_beginning() -> None:
    audio = account()
    send(audio, 3000)
    audio.receive(started(2500))
    send(audio, 3000)

    assert kept_ms(audio) == 3500
    assert audio.ms(audio.unused_bytes) == 3500
    assert audio.all_is_kept


def test_no_more_of_a_turn_is_kept_than_was_asked_for() -> None:
    audio = account(keep_ms=1500)
    audio.receive(started(0))
    send(audio, 4000)

    assert kept_ms(audio) == 1500
    assert audio.ms(audio.unused_bytes) == 4000


def test_a_committed_turn_has_used_all_audio_up_to_its_end() -> None:
    audio = account()
    audio.receive(started(0))
    send(audio, 2000)
    audio.receive(stopped(1500))
    audio.receive(COMMITTED)

    assert audio.ms(audio.unused_bytes) == 500
    assert kept_ms(audio) == 500


def test_a_commit_by_hand_uses_what_was_sent_before_it() -> None:
    audio = account(detects_turns=False)
    send(audio, 2000)
    audio.settling()
    send(audio, 400)
    assert audio.all_is_kept
    audio.receive(COMMITTED)

    assert audio.ms(audio.unused_bytes) == 400


def test_a_clear_uses_what_was_sent_before_it() -> None:
    audio = account(detects_turns=False)
    send(audio, 1000)
    audio.settling()
    audio.receive(CLEARED)

    assert audio.unused_bytes == 0
    assert audio.recent() == ()


def test_a_new_connection_has_heard_what_was_said_again_and_nothing_else() -> None:
    audio = account()
    send(audio, 5000)

    assert audio.ms(audio.new_connection()) == KEPT_IDLE_MS
    assert audio.ms(audio.unused_bytes) == KEPT_IDLE_MS
    assert audio.ms(audio.sent_bytes) == 5000
    send(audio, 200)
    audio.receive(started(900))
    assert audio.ms(audio.unused_bytes) == 300, "places count from the beginning of the connection"


def test_what_was_being_written_goes_out_once_more_unless_it_was_said_again() -> None:
    kept, unkept = account(), account(keep_ms=0)
    chunk = bytes(CHUNK_MS * MS)
    for audio in (kept, unkept):
        audio.sent(chunk, 0.0)
        audio.new_connection()

    assert not kept.repeated(chunk)
    assert unkept.repeated(chunk)
    assert unkept.unused_bytes == len(chunk)
    assert unkept.sent_bytes == len(chunk)


def test_odd_places_of_the_service_do_no_harm() -> None:
    audio = account()
    send(audio, 1000)
    for odd in (started(-5), stopped(99_999_999), COMMITTED, started(0)):
        audio.receive(odd)

    assert 0 <= audio.unused_bytes <= 1000 * MS


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("send"), st.integers(0, 400)),
            st.tuples(st.sampled_from(["start", "stop"]), st.integers(-10, 3000)),
            st.tuples(st.sampled_from(["commit", "clear", "settle", "reconnect"]), st.just(0)),
        ),
        max_size=40,
    ),
    st.sampled_from([0, 20, 500, 10_000]),
    st.booleans(),
)
def test_what_is_kept_is_always_the_newest_part_of_what_is_unused(
    steps: list[tuple[str, int]], keep_ms: int, detects_turns: bool
) -> None:
    audio = account(keep_ms, detects_turns=detects_turns)
    said = b""
    number = 0
    for what, detail in steps:
        match what:
            case "send":
                number += 1
                chunk = number.to_bytes(2, "big") * (detail * MS // 2)
                audio.sent(chunk, float(number))
                said += chunk
            case "start":
                audio.receive(started(detail))
            case "stop":
                audio.receive(stopped(detail))
            case "commit":
                audio.receive(COMMITTED)
            case "clear":
                audio.receive(CLEARED)
            case "settle":
                audio.settling()
            case _:
                audio.new_connection()
        recent = b"".join(audio.recent())
        assert said.endswith(recent)
        assert audio.sent_bytes == len(said)
        longest = max((len(piece) for piece in audio.recent()), default=0)
        assert len(recent) <= min(audio.unused_bytes, keep_ms * MS) + longest
