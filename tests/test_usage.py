"""What a call costs while it runs: each response on its own meters, sums that hold, and what nobody can price."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.catalogue import Bill, BillingMode, bill, prices
from voicelive.errors import ConfigurationError, NotInCatalogueError
from voicelive.protocol.usage_book import UsageBook
from voicelive.usage import SessionUsage
from voicelive.wire.codec import decode

AVA = {"type": "azure-standard", "name": "en-US-AvaNeural"}
ORACLES: dict[str, Any] = json.loads(
    (Path(__file__).parent / "catalogue" / "data" / "oracles.json").read_text(encoding="utf-8")
)
NATIVE_CASES = [
    case
    for case in ORACLES["cases"]
    if case["mode"]["tier"] in ("pro", "standard")
    and case["mode"]["audio_input"] == case["mode"]["audio_output"] == "native"
    and "feb2026" not in case["name"]
]


def usage_of(text: int = 0, audio: int = 0, cached: tuple[int, int] = (0, 0), out: tuple[int, int] = (0, 0)) -> Any:
    return {
        "total_tokens": text + audio + sum(out),
        "input_tokens": text + audio,
        "output_tokens": sum(out),
        "input_token_details": {
            "cached_tokens": sum(cached),
            "text_tokens": text,
            "audio_tokens": audio,
            "cached_tokens_details": {"text_tokens": cached[0], "audio_tokens": cached[1]},
        },
        "output_token_details": {"text_tokens": out[0], "audio_tokens": out[1]},
    }


class Call:
    """A call without a session: its account, and the clocks that move it."""

    def __init__(self, **settings: Any) -> None:
        self.book, self.now, self.audio_ms = UsageBook(), 0.0, 0.0
        self.turns: dict[str, str] = {}
        self.usage = SessionUsage(
            self.book,
            lambda: self.now,
            lambda: datetime(2026, 11, 26, tzinfo=UTC) + timedelta(seconds=self.now),
            lambda: self.audio_ms,
            lambda: self.turns,
        )
        self.configure(**settings)

    def configure(self, **settings: Any) -> None:
        self.tell("session.updated", session={"id": "s1", "model": "gpt-realtime", **settings})

    def tell(self, kind: str, **fields: Any) -> None:
        self.book.receive(decode(json.dumps({"type": kind, **fields})), self.now, self.audio_ms)

    def respond(self, used: Any, response_id: str = "r1", turn: str | None = None, **response: Any) -> None:
        if turn is not None:
            self.turns[response_id] = turn
        self.tell("response.done", response={"id": response_id, "status": "completed", "usage": used, **response})


def figures(found: Bill) -> dict[str, int]:
    return {f"{line.tier} {line.category}": line.tokens for line in found.lines if line.tokens}


def test_a_call_in_which_nothing_was_said_costs_nothing_and_hides_nothing() -> None:
    found = Call().usage.bill

    assert (found.total, found.complete, found.estimated, found.currency) == (Decimal(0), True, False, "USD")


@pytest.mark.parametrize("case", NATIVE_CASES, ids=[case["name"] for case in NATIVE_CASES])
def test_worked_examples_are_exact_within_a_call_too(case: dict[str, Any]) -> None:
    call = Call()
    call.usage.use(model={"pro": "gpt-realtime", "standard": "gpt-realtime-mini"}[case["mode"]["tier"]])
    call.respond(case["usage"])

    assert str(call.usage.bill.total) == case["total_usd"]


def test_each_response_counts_on_the_meters_of_its_own_voice() -> None:
    call = Call(voice=AVA)
    call.respond(usage_of(out=(0, 100)), "r1")
    call.configure(voice={"type": "openai", "name": "alloy"})
    call.respond(usage_of(out=(0, 10)), "r2")
    call.respond(usage_of(out=(0, 1)), "r3", voice={"type": "azure-custom", "name": "mine", "endpoint_id": "e"})

    assert figures(call.usage.bill) == {
        "pro audio_standard_output": 100,
        "pro audio_native_output": 10,
        "pro audio_custom_output": 1,
    }


def test_responses_stand_beside_their_turn_and_those_out_of_band_together() -> None:
    call = Call()
    call.respond(usage_of(text=1_000), "r1", turn="turn_1")
    call.respond(usage_of(text=2_000), "r2", turn="turn_1")
    call.respond(usage_of(text=4_000), "r3")

    assert [(one.turn_id, one.responses, one.bill.total) for one in call.usage.turns] == [
        ("turn_1", 2, Decimal("0.012")),
        (None, 1, Decimal("0.016")),
    ]
    assert [(one.response_id, one.turn_id, one.bill.total) for one in call.usage.responses][2] == (
        "r3",
        None,
        Decimal("0.016"),
    )
    assert call.usage.tokens.text_fresh == call.usage.tokens.total == 7_000


def test_tokens_without_details_are_reported_and_not_taken_for_nothing() -> None:
    call = Call()
    call.respond({"total_tokens": 30, "input_tokens": 10, "output_tokens": 20})

    assert sum(one.tokens for one in call.usage.unpriced) == 30
    assert call.usage.tokens.unknown == 30
    assert not call.usage.bill.complete


def test_usage_that_makes_no_sense_is_a_flag_and_no_exception() -> None:
    call = Call()
    call.respond({"total_tokens": -5, "input_tokens": -5, "output_tokens": 0})
    call.respond(usage_of(text=1_000_000), "r2")

    found = call.usage.bill
    assert found.total == 4
    assert any("'r1' makes no sense" in flag for flag in call.usage.flags)
    assert not found.complete
    assert call.usage.tokens.total == 1_000_000


def test_a_model_that_the_catalogue_does_not_know_has_no_price_until_it_is_named() -> None:
    call = Call()
    call.configure(model="gpt-99")
    call.respond(usage_of(text=1_000_000))
    assert [(one.what, one.tokens) for one in call.usage.unpriced] == [("tokens of an unknown model", 1_000_000)]
    assert any("gpt-99" in note for note in call.usage.notes)

    call.usage.use(model="gpt-4.1")

    assert call.usage.bill.total == 4
    assert call.usage.bill.complete


def test_the_model_that_was_asked_for_counts_where_the_service_names_none_that_is_known() -> None:
    call = Call()
    call.configure(model=None)
    call.respond(usage_of(text=1_000_000))
    assert any("use(model=" in note for note in call.usage.notes)

    asked = Call()
    asked.configure(model="my-deployment")
    asked.usage.asked_for("gpt-realtime")
    asked.respond(usage_of(text=1_000_000))
    assert asked.usage.bill.total == 4


def test_a_deployment_of_one_s_own_has_the_meters_of_speech_alone() -> None:
    call = Call(voice=AVA)
    call.usage.asked_for("mine", "byom-azure-openai-chat-completion")
    call.respond(usage_of(text=500, audio=1_000_000, out=(50, 1_000_000)))

    assert call.usage.bill.total == Decimal("35.5")


def test_a_response_without_usage_is_counted_by_the_length_of_its_audio_and_marked() -> None:
    call = Call()
    call.audio_ms = 60_000.0
    call.tell("response.created", response={"id": "r1"})
    call.respond(None)

    found = call.usage.bill
    assert figures(found) == {"pro audio_native_input": 600}
    assert found.estimated
    assert [(one.what, one.tokens) for one in found.unpriced] == [("text of responses without usage", 0)]
    assert call.usage.tokens.total == 0, "nobody told"


def test_a_hosted_agent_without_usage_or_model_is_reported_in_tokens() -> None:
    call = Call()
    call.configure(model=None, agent={"type": "agent", "name": "baker"})
    call.audio_ms = 30_000.0
    call.respond(None)

    assert {one.what: one.tokens for one in call.usage.unpriced} == {
        "tokens of an unknown model": 300,
        "text of responses without usage": 0,
    }
    assert call.usage.estimated


def test_a_session_that_only_transcribes_is_estimated_by_what_was_sent() -> None:
    call = Call(turn_detection={"type": "server_vad", "create_response": False})
    call.configure(model="gpt-4.1", turn_detection={"type": "server_vad", "create_response": False})
    assert call.usage.runs_by_time
    call.audio_ms = 60_000.0

    found = call.usage.bill

    assert figures(found) == {"pro audio_standard_input": 600}
    assert found.estimated
    assert found.complete
    assert found.total == Decimal("0.0102")


def test_transcripts_beside_the_model_have_no_published_price() -> None:
    call = Call()
    kind = "conversation.item.input_audio_transcription.completed"
    for item_id, told in {"i1": {"total_tokens": 12}, "i2": {"seconds": 1.2}, "i3": {}}.items():
        call.tell(kind, item_id=item_id, usage=told)

    assert {one.what: one.tokens for one in call.usage.unpriced} == {
        "transcription beside the model": 12,
        "seconds of transcription beside the model": 2,
    }


def test_an_avatar_counts_by_time_until_the_session_ends() -> None:
    call = Call(avatar={"type": "video-avatar", "character": "lisa", "style": "casual-sitting"})
    call.tell("session.avatar.connecting")
    call.now = 90.0

    running = call.usage.runs_by_time
    assert call.usage.avatar_s == {"avatar_realtime_standard": Decimal(90)}
    assert call.usage.bill.total == Decimal("0.75")

    call.now = 120.0
    call.usage.end()
    call.now = 999.0
    call.usage.end()

    assert call.usage.bill.total == Decimal(1)
    assert (running, call.usage.runs_by_time) == (True, False)
    record = call.usage.record()
    assert (record.duration_ms, record.avatar_ms) == (120_000, 120_000)
    assert record.ended_at == record.started_at + timedelta(seconds=120)


def test_an_avatar_of_an_unknown_kind_is_unpriced_by_its_seconds() -> None:
    call = Call(avatar={"type": "hologram"})
    call.now = 1.2

    assert [(one.what, one.tokens) for one in call.usage.unpriced] == [("seconds of avatar_of_unknown_kind", 2)]


def test_other_prices_bill_the_whole_call_anew() -> None:
    call = Call()
    call.respond(usage_of(text=1_000_000))
    assert call.usage.bill.total == 4

    call.usage.use(prices.converted(Decimal("0.5"), "EUR"))

    assert (call.usage.bill.total, call.usage.bill.currency) == (Decimal(2), "EUR")
    assert call.usage.prices.currency == "EUR"
    with pytest.raises(ConfigurationError, match="prices is a dict; it must be a PriceList"):
        call.usage.use({})  # type: ignore[arg-type]
    with pytest.raises(NotInCatalogueError, match="gpt-99"):
        call.usage.use(model="gpt-99")


def test_an_observer_that_fails_disturbs_nobody(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def responded(self) -> None:
            raise LookupError("secret")

        def ended(self) -> None:
            heard.append("ended")

    heard: list[str] = []
    call = Call()
    call.usage.observe(Broken())

    call.usage.counted()
    call.usage.end()

    assert heard == ["ended"]
    assert "LookupError" in caplog.text
    assert "secret" not in caplog.text


# -- what must hold whatever was said

COUNT = st.integers(0, 10**9)


@st.composite
def usages(draw: st.DrawFn) -> Any:
    text, audio = draw(COUNT), draw(COUNT)
    cached = draw(st.integers(0, text)), draw(st.integers(0, audio))
    return usage_of(text, audio, cached, (draw(COUNT), draw(COUNT)))


@given(st.lists(st.tuples(usages(), st.sampled_from(["turn_1", "turn_2", None])), min_size=1, max_size=6))
def test_a_call_costs_the_sum_of_its_responses_and_of_its_turns(said: Sequence[tuple[Any, str | None]]) -> None:
    call = Call()
    for place, (used, turn) in enumerate(said):
        call.respond(used, f"r{place}", turn)
        _ = call.usage.bill  # reading between makes no difference

    total = call.usage.bill.total
    mode = BillingMode.of("gpt-realtime")
    assert total == sum(Fraction(bill(used, mode).total) for used, _ in said)
    assert total == sum(Fraction(one.bill.total) for one in call.usage.responses)
    assert total == sum(Fraction(one.bill.total) for one in call.usage.turns)
    assert sum(one.responses for one in call.usage.turns) == len(said)


@given(st.lists(usages(), min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_responses_does_not_matter(said: list[Any], random: Any) -> None:
    one, other = Call(), Call()
    numbered = list(enumerate(said))
    for place, used in numbered:
        one.respond(used, f"r{place}")
    random.shuffle(numbered)
    for place, used in numbered:
        other.respond(used, f"r{place}")

    assert one.usage.bill == other.usage.bill
    assert one.usage.tokens == other.usage.tokens


@given(usages(), st.sampled_from(["text", "audio", "text out", "audio out"]), st.integers(1, 10**6))
def test_more_tokens_of_any_kind_never_cost_less(used: Any, kind: str, more: int) -> None:
    richer = json.loads(json.dumps(used))
    side = "output" if kind.endswith("out") else "input"
    richer[f"{side}_token_details"][f"{kind.split()[0]}_tokens"] += more
    richer[f"{side}_tokens"] += more
    richer["total_tokens"] += more
    one, other = Call(), Call()
    one.respond(used)
    other.respond(richer)

    assert other.usage.bill.total > one.usage.bill.total


@given(st.lists(usages(), max_size=4), st.integers(0, 10**7))
def test_no_amount_ever_becomes_a_float(said: list[Any], shown_ms: int) -> None:
    call = Call(avatar={"character": "mine", "customized": True, "output_protocol": "websocket"})
    for place, used in enumerate(said):
        call.respond(used, f"r{place}", "turn_1")
    call.now = shown_ms / 1000
    found = call.usage.bill
    record = call.usage.record()

    amounts: list[Decimal | None] = [found.total, record.total, *(turn.total for turn in record.turns)]
    amounts += [figure for line in found.lines for figure in (line.amount, line.price_per_1m)]
    amounts += [figure for line in found.avatars for figure in (line.amount, line.price_per_minute, line.seconds)]
    assert {type(amount) for amount in amounts if amount is not None} == {Decimal}
    assert not _floats(json.loads(record.to_json()))


def _floats(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [found for member in value.values() for found in _floats(member)]
    if isinstance(value, list):
        return [found for member in value for found in _floats(member)]
    return [value] if isinstance(value, float) else []
