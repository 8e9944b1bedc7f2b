"""A track of animation as JSON, for keeping, and as CSV, for other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from typing import Any, Final, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from voicelive.avatar.animation_parts import TimedFrame, TimedViseme, TimedWord, UnreadFrames
from voicelive.avatar.shapes import BLENDSHAPES
from voicelive.errors import ConfigurationError

__all__ = ["Archive", "from_json", "to_csv", "to_json"]

_COLUMNS: Final = ("offset_ms", "kind", "duration_ms", "viseme_id", "text")


@with_config(ConfigDict(extra="forbid", strict=True, allow_inf_nan=False))
@dataclass(frozen=True, slots=True)
class Archive:
    """What the JSON of a track holds."""

    item_id: str | None
    content_index: int
    ends_ms: float | None
    visemes: tuple[TimedViseme, ...]
    frames: tuple[TimedFrame, ...]
    words: tuple[TimedWord, ...]
    unread: tuple[UnreadFrames, ...]
    format: Literal["voicelive.animation.v1"] = "voicelive.animation.v1"
    time_unit: Literal["ms"] = "ms"
    frames_per_s: Literal[60] = 60
    blendshapes: tuple[str, ...] = BLENDSHAPES


@cache
def _adapter() -> TypeAdapter[Archive]:
    return TypeAdapter(Archive)


def to_json(archive: Archive) -> str:
    return _adapter().dump_json(archive).decode()


def from_json(text: str | bytes) -> Archive:
    """What ``to_json`` wrote.

    Raises:
        ConfigurationError: The text is no such thing, or its blendshapes have another order.
    """
    try:
        archive = _adapter().validate_json(text)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(step) for step in problem["loc"]) or "the whole text"
        raise ConfigurationError(
            f"not a saved animation: {where}: {problem['msg']}; allowed: what AnimationTrack.to_json() wrote"
        ) from None
    if archive.blendshapes != BLENDSHAPES:
        raise ConfigurationError(
            "not a saved animation: blendshapes: other names, or another order; allowed: those of BLENDSHAPES"
        )
    return archive


def to_csv(archive: Archive) -> str:
    rows: list[tuple[float, dict[str, Any]]] = [*_visemes(archive), *_words(archive), *_frames(archive)]
    rows.sort(key=lambda row: row[0])
    most = max((len(frame.weights) for frame in archive.frames), default=0)
    names = [*BLENDSHAPES[:most], *(f"blendshape_{place}" for place in range(len(BLENDSHAPES), most))]
    text = io.StringIO()
    table = csv.DictWriter(text, [*_COLUMNS, *names], restval="")
    table.writeheader()
    for offset_ms, values in rows:
        weights = dict(zip(names, values.pop("weights", ()), strict=False))
        table.writerow({"offset_ms": _plain(offset_ms), **values, **weights})
    return text.getvalue()


def _visemes(archive: Archive) -> Iterator[tuple[float, dict[str, Any]]]:
    ends = [following.offset_ms for following in archive.visemes[1:]]
    for shape, end_ms in zip_longest(archive.visemes, ends):
        lasts_ms = "" if end_ms is None else end_ms - shape.offset_ms
        yield shape.offset_ms, {"kind": "viseme", "duration_ms": lasts_ms, "viseme_id": shape.viseme_id}


def _words(archive: Archive) -> Iterator[tuple[float, dict[str, Any]]]:
    for word in archive.words:
        yield word.offset_ms, {"kind": "word", "duration_ms": _plain(word.duration_ms), "text": word.text}


def _frames(archive: Archive) -> Iterator[tuple[float, dict[str, Any]]]:
    for frame in archive.frames:
        yield frame.offset_ms, {"kind": "blendshapes", "weights": frame.weights}


def _plain(ms: float) -> str:
    """Milliseconds without needless digits: a frame stands at a sixtieth of a second."""
    return f"{ms:.3f}".rstrip("0").rstrip(".")
