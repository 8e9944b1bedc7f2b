"""What a response of a session costs: on which meters it counts, and what stands in for a usage that never came.

Loads the catalogue's tables, so it is imported when somebody asks for a bill.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from voicelive.catalogue.billing import Bill, Unpriced, bill
from voicelive.catalogue.listed import models
from voicelive.catalogue.model_list import Model
from voicelive.catalogue.modes import BillingMode
from voicelive.catalogue.price_list import PriceList
from voicelive.errors import ConfigurationError
from voicelive.protocol.usage_book import ResponseUsage, TranscriptionUsage
from voicelive.wire.responses import TokenUsage
from voicelive.wire.session import SessionResource

__all__ = ["Served", "bill_of", "transcribed", "transcripts"]

_UNMEASURED: Final = "text of responses without usage"
_AUDIO_RATES: Final = (Decimal(10), Decimal(20))  # tokens per second in and out, of the OpenAI family


@dataclass(frozen=True, slots=True)
class Served:
    """Who answers, as the application asked for it.

    Attributes:
        model: The model's name, or the deployment's.
        byom: The profile of a deployment of one's own.
        chosen: The model to bill by, whatever the service reports.
    """

    model: str | None = None
    byom: str | None = None
    chosen: str | None = None


def bill_of(response: ResponseUsage, served: Served, prices: PriceList) -> Bill:
    """What one response costs. What the service tells never raises: what cannot be read is reported."""
    model, mode, problem = _mode(response.settings, response.voice, served)
    usage: Any = response.usage
    notes: tuple[str, ...] = ()
    if usage is None:
        usage = _by_length(response.caller_ms, response.agent_ms, model)
        notes = (f"{_UNMEASURED} is not on the bill; their audio is counted by its length",)
    if mode is None:
        return _without_mode(response, usage, problem, prices, notes)
    try:
        found = bill(usage, mode, prices=prices)
    except ConfigurationError as error:
        flag = f"the usage of response {response.response_id!r} makes no sense: {error}"
        return Bill.empty(prices, unpriced=(Unpriced("tokens of usage that makes no sense", 0),), flags=(flag,))
    if not notes:
        return found
    missing = Unpriced(_UNMEASURED, 0)
    return replace(found, estimated=True, notes=(*notes, *found.notes), unpriced=(*found.unpriced, missing))


def transcribed(caller_ms: int, settings: SessionResource, served: Served, prices: PriceList) -> Bill:
    """What it costs that the caller is heard and nobody answers: by the length of the audio that was sent."""
    silent = ResponseUsage("", "", "", settings, settings.voice, None, caller_ms, 0)
    found = bill_of(silent, served, prices)
    note = "the session only transcribes, so no usage comes: the caller's audio is counted by its length"
    unpriced = tuple(one for one in found.unpriced if one.what != _UNMEASURED)
    return replace(found, notes=(note, *(one for one in found.notes if _UNMEASURED not in one)), unpriced=unpriced)


def transcripts(told: list[TranscriptionUsage], prices: PriceList) -> Bill:
    """What transcripts were told to have used: no price of it is published."""
    tokens = sum(one.tokens or 0 for one in told)
    seconds = -(-sum(one.seconds_ms or 0 for one in told if one.tokens is None) // 1000)
    unpriced = []
    if tokens:
        unpriced.append(Unpriced("transcription beside the model", tokens))
    if seconds or (told and not tokens):
        unpriced.append(Unpriced("seconds of transcription beside the model", seconds))
    return Bill.empty(prices, unpriced=unpriced)


def _mode(settings: SessionResource, voice: Any, served: Served) -> tuple[Model | None, BillingMode | None, str]:
    config = {"voice": voice, "input_audio_transcription": settings.input_audio_transcription}
    if served.byom is not None and served.chosen is None:
        return None, BillingMode.of(served.model or "", config, byom=served.byom), ""
    names = [name for name in (served.chosen, settings.model, served.model) if name]
    for name in names:
        model = models.resolve(name)
        if model is not None:
            return model, BillingMode.of(model, config), ""
    if not names:
        return None, None, "the service does not tell the model; name it by session.usage.use(model=...)"
    return None, None, f"the model {names[0]!r:.80} is not in the catalogue, so nobody can say its tier"


def _without_mode(response: ResponseUsage, usage: Any, problem: str, prices: PriceList, notes: tuple[str, ...]) -> Bill:
    tokens = _whole(usage)
    unpriced = [Unpriced("tokens of an unknown model", tokens)]
    if response.usage is None:
        unpriced.append(Unpriced(_UNMEASURED, 0))
    return replace(Bill.empty(prices, unpriced=unpriced, notes=(*notes, problem)), estimated=response.usage is None)


def _whole(usage: Any) -> int:
    """All tokens of a usage, 0 where it does not tell."""
    if isinstance(usage, TokenUsage):
        parts = (usage.input_tokens or 0) + (usage.output_tokens or 0)
        return max(0, parts if usage.total_tokens is None else usage.total_tokens)
    return int(usage["total_tokens"])


def _by_length(caller_ms: int, agent_ms: int, model: Model | None) -> dict[str, Any]:
    heard_rate, spoken_rate = (
        _AUDIO_RATES if model is None else (model.audio_in_tokens_per_s, model.audio_out_tokens_per_s)
    )
    heard, spoken = _tokens(caller_ms, heard_rate), _tokens(agent_ms, spoken_rate)
    return {
        "total_tokens": heard + spoken,
        "input_tokens": heard,
        "output_tokens": spoken,
        "input_token_details": {"text_tokens": 0, "audio_tokens": heard, "cached_tokens": 0},
        "output_token_details": {"text_tokens": 0, "audio_tokens": spoken},
    }


def _tokens(milliseconds: int, per_second: Decimal) -> int:
    """Begun tokens count."""
    exact = Fraction(per_second) * milliseconds / 1000
    return -(-exact.numerator // exact.denominator)
