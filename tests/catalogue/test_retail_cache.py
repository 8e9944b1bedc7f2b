"""Answers kept on disk: whole or not at all, and never in the way."""

from __future__ import annotations

import json
import logging
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.retail import NOW

from voicelive.catalogue.retail_cache import Saved, recall, save

URL = "https://prices.azure.com/api/retail/prices?a"
ANSWER = Saved(url=URL, fetched_at=NOW, texts=('{"Items": []}', "é"))


@pytest.fixture(autouse=True)
def _warnings(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)


def test_what_was_kept_is_recalled(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    save(tmp_path / "new" / "directory", "a", ANSWER)

    assert recall(tmp_path / "new" / "directory", "a", url=URL) == ANSWER
    assert [path.name for path in (tmp_path / "new" / "directory").iterdir()] == ["a.json"]
    assert not caplog.messages


def test_nothing_kept_is_no_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert recall(tmp_path / "no" / "directory", "a", url=URL) is None
    assert not caplog.messages


def test_the_answer_to_another_query_is_not_taken(tmp_path: Path) -> None:
    save(tmp_path, "a", ANSWER)

    assert recall(tmp_path, "a", url=URL + "b") is None


@given(text=st.text(max_size=20), instant=st.datetimes(timezones=st.timezones()))
def test_any_text_and_instant_come_back(tmp_path_factory: pytest.TempPathFactory, text: str, instant: datetime) -> None:
    directory = tmp_path_factory.mktemp("cache")
    answer = Saved(url=URL, fetched_at=instant, texts=(text,))
    save(directory, "a", answer)

    again = recall(directory, "a", url=URL)
    assert again is not None
    assert again.texts == (text,)
    assert again.fetched_at.isoformat() == instant.isoformat()


WHOLE: dict[str, Any] = {"format": 1, "url": URL, "fetched_at": NOW.isoformat(), "pages": ["a"]}


@pytest.mark.parametrize(
    "content",
    [
        "",
        '{"format": 1, "url"',
        "[]",
        "5",
        "[" * 100_000,
        json.dumps({**WHOLE, "format": 2}),
        json.dumps({**WHOLE, "fetched_at": "yesterday"}),
        json.dumps({**WHOLE, "fetched_at": "2026-11-22T06:00:00"}),
        json.dumps({**WHOLE, "fetched_at": 5}),
        json.dumps({**WHOLE, "url": None}),
        json.dumps({**WHOLE, "pages": []}),
        json.dumps({**WHOLE, "pages": [5]}),
        json.dumps({**WHOLE, "pages": 5}),
        json.dumps({name: value for name, value in WHOLE.items() if name != "pages"}),
    ],
)
def test_a_damaged_file_is_ignored_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    (tmp_path / "a.json").write_text(content, encoding="utf-8")

    assert recall(tmp_path, "a", url=URL) is None
    assert "cannot be read" in caplog.text
    assert str(tmp_path / "a.json") in caplog.text


def test_bytes_that_are_no_text_are_ignored_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.json").write_bytes(b"\xff\xfe")

    assert recall(tmp_path, "a", url=URL) is None
    assert "cannot be read" in caplog.text


def test_where_nothing_can_be_written_a_warning_is_all(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    save(tmp_path / "file", "a", ANSWER)

    assert "could not keep" in caplog.text


def test_a_write_that_fails_leaves_the_old_file_and_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, "a", ANSWER)

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "replace", full)
    save(tmp_path, "a", Saved(url=URL, fetched_at=NOW, texts=("new",)))

    assert recall(tmp_path, "a", url=URL) == ANSWER
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert "no space left" in caplog.text
