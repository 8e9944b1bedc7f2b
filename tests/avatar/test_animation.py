"""Tracks of animation: any order and cutting, the face at a place, what a barge-in leaves, files."""

from __future__ import annotations

import csv
import io
import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.avatar.tracks import CUES, Cue, batch, tracked, viseme, word

from voicelive import wire
from voicelive.avatar.animation import AnimationTrack, Face, from_ticks
from voicelive.avatar.shapes import BLENDSHAPES
from voicelive.errors import ConfigurationError

SAMPLES = Path(__file__).parents[1] / "data" / "samples" / "server.jsonl"


# -- in


@given(CUES.flatmap(lambda cues: st.tuples(st.just(cues), st.permutations(cues))))
def test_the_order_of_events_does_not_matter(orders: tuple[list[Cue], list[Cue]]) -> None:
    one, other = (tracked(*cues) for cues in orders)

    assert one.to_json() == other.to_json()
    assert one.to_csv() == other.to_csv()


@given(
    st.lists(st.lists(st.floats(0, 1), max_size=3), max_size=20), st.lists(st.integers(0, 20), max_size=5), st.data()
)
def test_the_cutting_into_batches_does_not_matter(
    frames: list[list[float]], cuts: list[int], data: st.DataObject
) -> None:
    edges = sorted({0, len(frames), *(cut for cut in cuts if cut <= len(frames))})
    pieces: list[Cue] = []
    for start, end in pairwise(edges):
        rows = frames[start:end]
        pieces.append(batch(start, json.dumps(rows) if data.draw(st.booleans()) else rows))

    assert tracked(*pieces).frames == tracked(batch(0, frames)).frames
    assert [frame.number for frame in tracked(*pieces).frames] == list(range(len(frames)))


def test_a_track_is_of_the_part_that_moves_first_and_takes_nothing_else() -> None:
    track = AnimationTrack()

    taken = [
        track.add(event)
        for event in (
            viseme(0, 5, content_index=1),
            wire.ResponseAudioDelta(item_id="a1", delta=b"\0\0"),
            viseme(0, 6),
            viseme(10, 7, item_id="a2"),
            wire.ResponseAnimationVisemeDone(item_id="a1"),
            word(0, 10, "so"),
        )
    ]

    assert taken == [False, False, True, False, False, True]
    assert track.item_id == "a1"
    assert [shape.viseme_id for shape in track.visemes] == [6]
    assert AnimationTrack("a1", 1).add(viseme(0, 5, content_index=1))


def test_of_two_visemes_for_one_place_the_last_holds_and_unknown_ids_are_kept() -> None:
    assert [shape.viseme_id for shape in tracked(viseme(5, 3), viseme(5, 77)).visemes] == [77]


def test_the_samples_of_the_protocol_make_a_track() -> None:
    track = AnimationTrack("item_9aF1")
    events = [wire.decode(line) for line in SAMPLES.read_text(encoding="utf-8").splitlines()]
    taken = [event.type for event in events if track.add(event)]

    assert set(taken) == {
        "response.audio_timestamp.delta",
        "response.animation_viseme.delta",
        "response.animation_blendshapes.delta",
    }
    assert [(shape.offset_ms, shape.viseme_id) for shape in track.visemes] == [(455, 20)]
    assert [frame.weights for frame in track.frames] == [(0.0, 0.12, 0.5), (0.0, 0.15, 0.48)]
    assert [(batch.number, batch.content) for batch in track.unread] == [(2, "AAECAw==")]
    assert AnimationTrack.from_json(track.to_json()).to_json() == track.to_json()


@pytest.mark.parametrize("fields", [{}, {"audio_offset_ms": None, "viseme_id": None}])
def test_an_event_without_its_fields_is_the_beginning_at_rest(fields: dict[str, Any]) -> None:
    track = AnimationTrack()
    assert track.add(wire.decode(json.dumps({"type": "response.animation_viseme.delta", **fields})))
    assert [(shape.offset_ms, shape.viseme_id) for shape in track.visemes] == [(0, 0)]


# -- the face at a place


@given(CUES, st.lists(st.floats(0, 4_000), min_size=2, max_size=20).map(sorted))
def test_going_forward_never_shows_an_earlier_viseme_again(cues: list[Cue], places: list[float]) -> None:
    track = tracked(*cues)
    for ms in places:
        begun = [shape for shape in track.visemes if shape.offset_ms <= ms]
        assert track.at(ms).viseme_id == (begun[-1].viseme_id if begun else 0)


@given(CUES, st.floats(0, 4_000))
def test_weights_lie_between_those_of_the_neighbours(cues: list[Cue], ms: float) -> None:
    track = tracked(*cues)
    weights = track.at(ms).weights
    before = [frame for frame in track.frames if frame.offset_ms <= ms + 1e-6][-1:]
    after = [frame for frame in track.frames if frame.offset_ms > ms - 1e-6][:1]

    def at(place: int) -> list[float]:
        found = [frame.weights[place] if place < len(frame.weights) else 0.0 for frame in (*before, *after)]
        return [*found, 0.0] if len(found) < 2 else found

    assert len(weights) >= len(BLENDSHAPES)
    for place, value in enumerate(weights):
        assert min(at(place)) - 1e-6 <= value <= max(at(place)) + 1e-6


def test_blendshapes_go_evenly_from_frame_to_frame_and_end_with_the_last() -> None:
    track = tracked(batch(6, [[0.0, 1.0], [1.0]]))

    assert track.at(99).weights == Face().weights
    assert track.at(100).weights[:2] == (0.0, 1.0)
    assert track.at(100 + 1000 / 240).weights[:2] == pytest.approx((0.25, 0.75))
    assert track.at(125).blendshapes["eyeBlinkLeft"] == 1.0
    assert track.at(134).weights == Face().weights
    assert len(track.at(110).weights) == 55


def test_weights_beyond_the_names_are_kept_without_one() -> None:
    face = tracked(batch(0, [[0.5] * 57, [0.5]])).at(0)

    assert face.weights == (0.5,) * 57
    assert len(face.blendshapes) == 55


def test_a_lost_batch_is_bridged() -> None:
    track = tracked(batch(0, [[0.0]]), batch(60, [[1.0]]))
    assert track.at(500).weights[0] == pytest.approx(0.5)


def test_a_word_is_there_while_it_is_spoken() -> None:
    track = tracked(word(100, 200, "half"), word(300, 100, "past"))

    assert [track.at(ms).word for ms in (99, 100, 299.9, 300, 399.9, 400)] == [
        *(None, "half", "half", "past"),
        *("past", None),
    ]


@pytest.mark.parametrize("ms", [-1, -0.5, math.nan, math.inf])
def test_a_place_that_is_none_is_refused(ms: float) -> None:
    track = tracked(viseme(0, 1))
    for call in (track.at, track.until, lambda ms: AnimationTrack(ends_ms=ms)):
        with pytest.raises(ConfigurationError, match=r"ms is .*; allowed are milliseconds from 0 on"):
            call(ms)


def test_ticks_are_a_ten_thousandth_of_a_millisecond() -> None:
    assert (from_ticks(4_550_000), from_ticks(5_000)) == (455.0, 0.5)


# -- the cut


@given(CUES, st.floats(0, 3_500), st.floats(0, 4_000))
def test_what_was_heard_stays_and_the_rest_is_gone(cues: list[Cue], cut_ms: float, ms: float) -> None:
    track = tracked(*cues)
    heard = track.until(cut_ms)

    assert heard.visemes == tuple(shape for shape in track.visemes if shape.offset_ms < cut_ms)
    assert heard.frames == tuple(frame for frame in track.frames if frame.offset_ms < cut_ms)
    assert all(word.offset_ms + word.duration_ms <= cut_ms for word in heard.words)
    assert heard.until(cut_ms).to_json() == heard.to_json()
    if ms >= cut_ms:
        assert heard.at(ms) == Face()
    else:
        assert heard.at(ms).viseme_id == track.at(ms).viseme_id
        assert heard.at(ms).word == track.at(ms).word


@given(CUES, st.floats(0, 3_500), st.floats(0, 3_500))
def test_the_earlier_of_two_cuts_holds_whatever_comes_after_it(cues: list[Cue], one_ms: float, other_ms: float) -> None:
    late = AnimationTrack("a1", ends_ms=min(one_ms, other_ms))
    for event in cues:
        assert late.add(event)

    assert tracked(*cues).until(one_ms).until(other_ms).to_json() == late.to_json()


# -- files


@given(CUES, st.none() | st.floats(0, 3_500))
def test_a_saved_track_is_the_same_track(cues: list[Cue], cut_ms: float | None) -> None:
    track = tracked(*cues) if cut_ms is None else tracked(*cues).until(cut_ms)
    again = AnimationTrack.from_json(track.to_json())

    assert again.to_json() == track.to_json()
    assert (again.visemes, again.frames, again.words, again.unread) == (
        *(track.visemes, track.frames, track.words),
        track.unread,
    )
    assert (again.item_id, again.content_index, again.ends_ms) == ("a1", 0, cut_ms)


def test_a_file_says_what_its_numbers_are() -> None:
    saved = json.loads(tracked(viseme(455, 20), batch(2, [[0.5]])).to_json())

    assert (saved["format"], saved["time_unit"], saved["frames_per_s"]) == ("voicelive.animation.v1", "ms", 60)
    assert saved["blendshapes"] == list(BLENDSHAPES)
    assert saved["visemes"] == [{"offset_ms": 455, "viseme_id": 20}]
    assert saved["frames"] == [{"number": 2, "weights": [0.5]}]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"format": "voicelive.animation.v2"}, "format"),
        ({"time_unit": "ticks"}, "time_unit"),
        ({"frames_per_s": 30}, "frames_per_s"),
        ({"blendshapes": list(reversed(BLENDSHAPES))}, "blendshapes"),
        ({"visemes": [{"offset_ms": "0", "viseme_id": 1}]}, "visemes.0.offset_ms"),
        ({"frames": [{"number": 0, "weights": [None]}]}, "frames.0.weights.0"),
        ({"words": [{"offset_ms": 0, "text": "secret"}]}, "words.0.duration_ms"),
        ({"more": 1}, "more"),
        ({"ends_ms": -1}, "ends_ms"),
    ],
)
def test_a_file_of_another_kind_is_refused_where_it_differs(change: dict[str, Any], place: str) -> None:
    saved = {**json.loads(tracked(word(0, 10, "secret")).to_json()), **change}

    with pytest.raises(ConfigurationError, match=place) as caught:
        AnimationTrack.from_json(json.dumps(saved))

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "null", "\ud800", b"\xff"])
def test_what_is_no_file_is_refused(text: str | bytes) -> None:
    with pytest.raises(ConfigurationError, match="not a saved animation: "):
        AnimationTrack.from_json(text)


def test_a_table_has_a_row_for_everything_by_its_place() -> None:
    track = tracked(batch(1, [[0.25, 0.5]]), word(10, 30, 'so, "well"'), viseme(0, 3), viseme(40, 0))

    assert track.to_csv().splitlines() == [
        "offset_ms,kind,duration_ms,viseme_id,text,eyeBlinkLeft,eyeLookDownLeft",
        "0,viseme,40,3,,,",
        '10,word,30,,"so, ""well""",,',
        "16.667,blendshapes,,,,0.25,0.5",
        "40,viseme,,0,,,",
    ]


@given(CUES)
def test_a_table_gives_back_what_is_in_the_track(cues: list[Cue]) -> None:
    track = tracked(*cues)
    rows = list(csv.DictReader(io.StringIO(track.to_csv(), newline="")))

    kinds = {kind: [row for row in rows if row["kind"] == kind] for kind in ("viseme", "word", "blendshapes")}
    assert [(int(row["offset_ms"]), int(row["viseme_id"])) for row in kinds["viseme"]] == [
        (shape.offset_ms, shape.viseme_id) for shape in track.visemes
    ]
    assert [(int(row["offset_ms"]), row["text"]) for row in kinds["word"]] == [
        (word.offset_ms, word.text) for word in track.words
    ]
    named = [tuple(float(value) for value in list(row.values())[5:] if value) for row in kinds["blendshapes"]]
    assert named == [frame.weights for frame in track.frames]
    assert [float(row["offset_ms"]) for row in rows] == sorted(float(row["offset_ms"]) for row in rows)


def test_longer_frames_have_columns_of_their_own() -> None:
    header = tracked(batch(0, [[0.0] * 57])).to_csv().splitlines()[0]
    assert header.endswith(",rightEyeRoll,blendshape_55,blendshape_56")


def test_no_repr_shows_what_was_said() -> None:
    track = tracked(word(0, 10, "secret"), batch(0, "secret"), viseme(0, 1))

    assert "secret" not in repr((track, track.words, track.unread, track.at(5)))
    assert "1 visemes, 0 frames, 1 words" in repr(track)
