"""Where the pieces of a call land in its recording."""

from __future__ import annotations

import io
import itertools
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.audio import AudioFormat, TimelineWriter, encode_ulaw
from voicelive.audio.call_tracks import JITTER_MS, CallTracks, Voiced, check_rates
from voicelive.audio.timeline import Track
from voicelive.errors import ConfigurationError

PCM_8K = AudioFormat("pcm16", 8_000)
PCM_24K = AudioFormat("pcm16", 24_000)


class Recorded:
    """A recording at 8 kHz that begins at second 100."""

    def __init__(self) -> None:
        self.file = io.BytesIO()
        self.tracks = CallTracks(TimelineWriter(self.file, 8_000), 100.0)

    def put(self, track: Track, ended_s: float, ms: int, value: int, *, anew: bool = False) -> None:
        audio = array("h", [value] * (8 * ms)).tobytes()
        self.tracks.put(Voiced(track, audio, PCM_8K, ended_s, anew=anew))

    def runs(self, track: Track) -> list[tuple[int, float]]:
        """Values and their lengths in ms, one after the other; the recording ends with it."""
        return self.all_runs()[track]

    def all_runs(self) -> dict[Track, list[tuple[int, float]]]:
        """Those of both tracks."""
        self.tracks.close()
        samples = array("h", self.file.getvalue()[44:])
        return {"left": _runs(samples[0::2]), "right": _runs(samples[1::2])}


def _runs(samples: array[int]) -> list[tuple[int, float]]:
    return [(value, len(list(run)) / 8) for value, run in itertools.groupby(samples)]


def test_a_piece_ends_when_it_sounded_and_pauses_are_silent() -> None:
    call = Recorded()

    call.put("left", 100.02, 20, 5)
    call.put("left", 101.0, 200, 6)
    call.put("right", 100.5, 300, 7, anew=True)

    assert call.runs("left") == [(5, 20), (0, 780), (6, 200)]


def test_jitter_of_the_network_makes_no_gaps() -> None:
    call = Recorded()

    for number, late_s in enumerate((0.0, 0.03, 0.0, 0.09, 0.0)):
        call.put("left", 100.02 * 1 + 0.02 * number + late_s, 20, number + 1)

    assert call.runs("left") == [(1, 20), (2, 20), (3, 20), (4, 20), (5, 20)]


def test_what_begins_anew_has_its_own_time() -> None:
    call = Recorded()

    call.put("right", 100.02, 20, 1)
    call.put("right", 100.07, 20, 2, anew=True)

    assert call.runs("right") == [(1, 20), (0, 30), (2, 20)]


def test_a_voice_that_came_faster_than_it_sounds_moves_what_follows() -> None:
    call = Recorded()

    for _ in range(20):
        call.put("left", 100.1, 100, 1)  # two seconds that waited for the session
    call.put("right", 100.3, 100, 2, anew=True)

    (_, silence_ms), voice = call.runs("right")
    assert abs(silence_ms - 2_100) <= JITTER_MS, "100 ms after the caller had said all of it"
    assert voice == (2, 100)


def test_mu_law_and_other_rates_become_those_of_the_file() -> None:
    call = Recorded()
    tone = array("h", [8_000] * 160).tobytes()

    call.tracks.put(Voiced("left", encode_ulaw(tone), AudioFormat("g711_ulaw", 8_000), 100.02))
    call.tracks.put(Voiced("right", array("h", [900] * 24_000).tobytes(), PCM_24K, 101.0))
    call.tracks.put(Voiced("right", array("h", [900] * 24_000).tobytes(), PCM_24K, 102.0))
    call.tracks.put(Voiced("right", array("h", [50] * 80).tobytes(), PCM_8K, 102.01))

    assert call.tracks.duration_ms == pytest.approx(2_010, abs=5)
    runs = call.runs("right")
    assert max(runs, key=lambda run: run[1])[0] == 900
    assert runs[-1][0] == 50


def test_of_an_input_with_an_echo_reference_the_microphone_is_recorded() -> None:
    call = Recorded()
    frames = array("h", [3, 9] * 80).tobytes()

    call.tracks.put(Voiced("left", frames, AudioFormat("pcm16", 8_000, channels=2), 100.01))

    assert call.runs("left") == [(3, 10)]


def test_a_pause_lets_out_what_the_filter_held_back() -> None:
    call = Recorded()
    piece = array("h", [900] * 2_400).tobytes()

    call.tracks.put(Voiced("left", piece, PCM_24K, 100.1))
    call.tracks.put(Voiced("left", piece, PCM_24K, 101.0))

    assert call.tracks.duration_ms == pytest.approx(1_000, abs=3)


def test_rates_are_checked_before_anything_is_recorded() -> None:
    check_rates((8_000, 24_000), 24_000)
    with pytest.raises(ConfigurationError, match="out_rate_hz is 7000"):
        check_rates((8_000,), 7_000)


@given(
    pieces=st.lists(
        st.tuples(st.sampled_from(("left", "right")), st.integers(1, 400), st.integers(0, 400), st.booleans()),
        max_size=15,
    )
)
def test_no_sample_is_lost_and_order_is_kept(pieces: list[tuple[Track, int, int, bool]]) -> None:
    call = Recorded()
    now, given_ms = 100.0, {"left": 0.0, "right": 0.0}
    for number, (track, ms, wait_ms, anew) in enumerate(pieces):
        now += wait_ms / 1000
        call.put(track, now, ms, number + 1, anew=anew)
        given_ms[track] += ms

    for track, all_runs in call.all_runs().items():
        runs = [run for run in all_runs if run[0]]
        assert sum(length for _, length in runs) == given_ms[track]
        assert [value for value, _ in runs] == sorted(value for value, _ in runs)
