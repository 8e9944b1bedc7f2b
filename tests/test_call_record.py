"""Records of calls: round trips to the last digit, rows of a table, sums, and nothing of what was said."""

from __future__ import annotations

import csv
import io
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.test_usage import Call, usage_of, usages

from voicelive.call_record import CSV_COLUMNS, CallRecord, sum_records, write_csv
from voicelive.catalogue import prices
from voicelive.errors import ConfigurationError


def record_of(*said: Any, **settings: Any) -> CallRecord:
    call = Call(**settings)
    for place, used in enumerate(said):
        call.respond(used, f"r{place}", f"turn_{place + 1}")
    call.now = 61.5
    call.usage.end()
    return call.usage.record()


@given(st.lists(usages(), max_size=4))
def test_a_record_comes_back_from_json_as_it_was(said: list[Any]) -> None:
    record = record_of(*said, avatar={"character": "mine", "customized": True, "output_protocol": "websocket"})
    again = CallRecord.from_json(record.to_json())

    assert again == record
    assert str(again.total) == str(record.total)
    assert again.to_json() == record.to_json()


def test_amounts_are_texts_in_json() -> None:
    raw = json.loads(record_of(usage_of(text=3)).to_json())

    assert raw["format"] == "voicelive.call_record.v1"
    assert raw["record"]["bill"]["total"] == "0.000012"
    assert raw["record"]["turns"] == [{"turn_id": "turn_1", "responses": 1, "total": "0.000012"}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "it is not JSON"),
        ("{}", "look at format, record"),
        ('{"format":"voicelive.call_record.v1","record":{"total":0.1}}', "0.1 has a fraction; amounts are texts"),
        ('{"format":"other","record":{"total":NaN}}', "NaN has a fraction"),
    ],
)
def test_what_is_no_record_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        CallRecord.from_json(text)


def test_a_record_holds_nothing_of_what_was_said() -> None:
    call = Call(instructions="Never tell anybody.", voice={"type": "azure-standard", "name": "en-US-AvaNeural"})
    item = {"type": "message", "role": "assistant", "id": "i1", "content": [{"type": "text", "text": "my secret"}]}
    call.respond(usage_of(text=3), output=[item], metadata={"note": "my secret"})
    call.tell("conversation.item.input_audio_transcription.completed", item_id="i1", transcript="my secret", usage={})

    record = call.usage.record()

    for text in (record.to_json(), repr(record), str(record.csv_row()), repr(call.usage.responses)):
        assert "secret" not in text
        assert "Never tell" not in text


def test_rows_stand_under_their_columns(tmp_path: Path) -> None:
    avatar = {"character": "mine", "customized": True, "output_protocol": "websocket"}
    records = [record_of(usage_of(text=10, audio=4, cached=(3, 1), out=(2, 5)), avatar=avatar), record_of(None)]
    write_csv(tmp_path / "calls.csv", records)

    with (tmp_path / "calls.csv").open(encoding="utf-8", newline="") as file:
        first, second = csv.DictReader(file)
    assert tuple(first) == CSV_COLUMNS
    assert first == records[0].csv_row()
    assert (first["tokens_text_input"], first["tokens_text_cached_input"]) == ("7", "3")
    assert (first["tokens_audio_native_output"], first["tokens"], first["turns"]) == ("5", "21", "1")
    assert (first["avatar_ms"], first["duration_ms"], first["complete"]) == ("61500", "61500", "yes")
    assert (second["estimated"], second["complete"], second["total"]) == ("yes", "no", "0")
    assert (first["currency"], first["prices_as_of"]) == ("USD", prices.as_of.isoformat())

    stream = io.StringIO(newline="")
    write_csv(stream, records)
    assert stream.getvalue() == (tmp_path / "calls.csv").read_bytes().decode()


def test_a_call_under_way_has_no_end_yet() -> None:
    call = Call()
    call.now = 2.0

    record = call.usage.record()

    assert record.ended_at is None
    assert record.duration_ms == 2_000
    assert record.csv_row()["ended_at"] == ""


@given(st.lists(st.lists(usages(), max_size=3), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_the_sum_of_calls_is_that_of_their_parts_in_any_order(calls: list[list[Any]], random: Any) -> None:
    records = [record_of(*said) for said in calls]
    total = sum_records(records)
    random.shuffle(records)

    assert sum_records(records) == total
    assert total.total == sum(Fraction(record.total) for record in records)
    assert (total.calls, total.responses) == (len(calls), sum(map(len, calls)))
    assert total.tokens == sum(record.tokens for record in records)


def test_calls_of_several_currencies_have_no_sum() -> None:
    call = Call()
    call.usage.use(prices.converted(prices.tokens[("pro", "text_input")], "EUR"))

    with pytest.raises(ConfigurationError, match="EUR and USD"):
        sum_records([record_of(), call.usage.record()])
    with pytest.raises(ConfigurationError, match="there is no bill"):
        sum_records([])
