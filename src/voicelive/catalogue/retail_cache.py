"""Answers of the Retail Prices API kept in a directory, as they came, so that a newer parser may read them better.

What is wrong with a file is told as a warning and costs a request, never more.
"""

from __future__ import annotations

import json
import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import mkstemp
from typing import Any, Final

__all__ = ["Saved", "recall", "save"]

_log = logging.getLogger("voicelive.catalogue")

_FORMAT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """An answer: the texts of its pages, the query's address, and when it came."""

    url: str
    fetched_at: datetime
    texts: tuple[str, ...]


def recall(directory: Path, name: str, *, url: str) -> Saved | None:
    """The answer kept under a name; ``None``: there is none, it cannot be read, or it answers another query."""
    path = directory / f"{name}.json"
    try:
        saved = _read(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        _log.warning("prices: ignored %s, which cannot be read (%s); it will be written anew", path, error)
        return None
    return saved if saved.url == url else None


def save(directory: Path, name: str, answer: Saved) -> None:
    """Keep an answer. A reader sees the old file or the new one, never a part."""
    content = {
        "format": _FORMAT,
        "url": answer.url,
        "fetched_at": answer.fetched_at.isoformat(),
        "pages": answer.texts,
    }
    unfinished: str | None = None
    try:
        directory.mkdir(parents=True, exist_ok=True)
        handle, unfinished = mkstemp(dir=directory, prefix=f".{name}-", suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file)
        os.replace(unfinished, directory / f"{name}.json")
    except OSError as error:
        _log.warning("prices: could not keep the answer in %s (%s); the next program will ask again", directory, error)
        if unfinished is not None:
            with suppress(OSError):
                os.unlink(unfinished)


def _read(raw: Any) -> Saved:
    if raw["format"] != _FORMAT:
        raise ValueError(f"format {raw['format']!r}")
    fetched_at = datetime.fromisoformat(raw["fetched_at"])
    if fetched_at.tzinfo is None:
        raise ValueError("fetched_at without a time zone")
    if not isinstance(raw["url"], str) or not raw["pages"] or not all(isinstance(text, str) for text in raw["pages"]):
        raise ValueError("url or pages are no texts")
    return Saved(url=raw["url"], fetched_at=fetched_at, texts=tuple(raw["pages"]))
