"""Which models would do: filters, order, reasons."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from voicelive.catalogue import estimate, models, prices, recommend, regions
from voicelive.errors import ConfigurationError, NotInCatalogueError


def ids(**wishes: Any) -> list[str]:
    return [one.model.id for one in recommend(**wishes)]


def test_the_cheapest_comes_first_and_the_newest_at_one_price() -> None:
    found = recommend(region="westeurope")

    assert [one.price_per_hour for one in found] == sorted(one.price_per_hour for one in found)
    assert [one.model.id for one in found][:2] == ["gpt-5-nano", "gpt-4.1-nano"]
    assert next(one.model.id for one in found if one.model.tier == "pro") == "gpt-5.6-terra"


def test_the_price_is_that_of_twelve_calls_of_the_calculator() -> None:
    [one] = recommend(native_audio=True, tier="standard", region="westus2", budget_per_hour=2)[:1]
    call = estimate("gpt-realtime-2.1-mini", caller_minutes=2.5, agent_minutes=2.5, turns=5)

    assert one.model.id == "gpt-realtime-2.1-mini"
    assert one.price_per_hour == call.expected.per_hour == 12 * call.expected.per_call
    assert one.reasons[0] == "about 1.58 USD an hour (between 1.36 and 2.22)"
    assert one.currency == "USD"


def test_a_budget_leaves_out_what_costs_more() -> None:
    everything = recommend()
    found = recommend(budget_per_hour=Decimal("2"))

    assert {one.model.id for one in found} == {one.model.id for one in everything if one.price_per_hour <= 2}
    assert 0 < len(found) < len(everything)
    assert any("over the budget if little" in reason for one in found for reason in one.reasons)
    assert ids(budget_per_hour=0) == []


def test_low_latency_puts_models_first_that_hear_by_themselves() -> None:
    found = recommend(latency="low", region="swedencentral")
    native = [one.model.native_out for one in found]

    assert native == sorted(native, reverse=True)
    assert found[0].model.id == "gpt-realtime-2.1-mini"
    assert sum("not measured" in reason for reason in found[0].reasons) == 2


def test_avatars_and_custom_voices_need_their_regions() -> None:
    shown = recommend(avatar=True, native_audio=True)
    assert all(regions[name].avatar for one in shown for name in one.regions)
    assert "swedencentral" in shown[0].regions
    assert all(one.price_per_hour > 30 for one in shown)
    assert ids(avatar="avatar_realtime_custom", region="uksouth") == []

    voiced = recommend(custom_voice=True)
    assert all(regions[name].custom_voice for one in voiced for name in one.regions)
    assert "azure-realtime" not in [one.model.id for one in voiced]
    assert all(one.estimate.mode.audio_output == "custom" for one in voiced)


def test_settings_leave_out_models_and_regions_that_do_not_take_them() -> None:
    whisper = {"input_audio_transcription": {"model": "whisper-1"}}
    assert {models[name].kind for name in ids(config=whisper)} == {"native_realtime"}

    personal = recommend(config={"voice": {"type": "azure-personal", "name": "x"}})
    assert all(regions[name].personal_voice for one in personal for name in one.regions)

    own = {"input_audio_transcription": {"model": "azure-speech", "custom_speech": {"en-US": "id"}}}
    assert recommend(config=own, custom_voice=True, tier="pro")[0].estimate.mode.audio_input == "custom"
    assert not recommend(config=own, tier="lite"), "its price is not known"


def test_previews_are_taken_on_request_and_said() -> None:
    assert "phi4-mm-realtime" not in ids()
    [one] = [one for one in recommend(preview=True) if one.model.preview]
    assert "a preview" in one.reasons


def test_what_retires_is_said() -> None:
    [one] = [one for one in recommend(native_audio=True, today=date(2027, 4, 1)) if one.model.id == "gpt-realtime"]
    assert "retires on 2027-03-02" in one.reasons


def test_only_what_is_offered_is_recommended() -> None:
    assert all(models[name].status == "current" for name in ids(preview=True))


def test_another_price_list_decides() -> None:
    found = recommend(prices=prices.converted(Decimal("0.868"), "EUR"))
    assert {one.currency for one in found} == {"EUR"}
    assert found[0].price_per_hour < recommend()[0].price_per_hour


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"latency": "high"}, "latency is 'high'"),
        ({"budget_per_hour": 2.5}, r"write Decimal\('2.5'\)"),
        ({"avatar": "lisa"}, "avatar is 'lisa'"),
        ({"tier": "gold"}, "tier is 'gold'"),
    ],
)
def test_unknown_words_are_refused(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        recommend(**wrong)


def test_an_unknown_region_is_refused() -> None:
    with pytest.raises(NotInCatalogueError):
        recommend(region="mars")
