from __future__ import annotations

from voicelive.protocol.latency import Stopwatch, TurnLatency


def test_nothing_happened_is_nothing_measured() -> None:
    assert Stopwatch().read() == TurnLatency()


def test_steps_count_from_the_end_of_speech() -> None:
    watch = Stopwatch()
    watch.start(10.0, "speech_stopped")
    watch.mark("committed", 10.006)
    watch.mark("response_created", 10.017)
    watch.mark("first_transcript", 10.385)
    watch.mark("first_audio", 10.716)
    watch.played_since(10.75)
    watch.mark("done", 14.0)

    assert watch.read() == TurnLatency("speech_stopped", 6.0, 17.0, 385.0, 716.0, 750.0, 4000.0)


def test_the_last_input_before_the_answer_counts() -> None:
    watch = Stopwatch()
    watch.start(1.0, "sent")
    watch.start(2.0, "speech_stopped")
    watch.mark("response_created", 2.5)
    watch.start(3.0, "speech_stopped")

    assert watch.read() == TurnLatency("speech_stopped", response_created_ms=500.0)


def test_the_first_time_of_a_step_counts_and_the_last_of_done() -> None:
    watch = Stopwatch()
    watch.start(0.0, "sent")
    for now in (1.0, 2.0):
        watch.mark("first_audio", now)
        watch.mark("done", now)

    latency = watch.read()
    assert (latency.first_audio_ms, latency.done_ms) == (1000.0, 2000.0)


def test_where_no_input_was_told_the_first_step_is_zero() -> None:
    watch = Stopwatch()
    watch.mark("response_created", 5.0)
    watch.mark("done", 5.25)

    assert watch.read() == TurnLatency("first_event", response_created_ms=0.0, done_ms=250.0)


def test_nothing_is_played_before_it_came() -> None:
    watch = Stopwatch()
    watch.start(0.0, "sent")
    watch.mark("first_audio", 1.0)
    watch.played_since(0.9)

    assert watch.read().first_played_ms == 1000.0
