"""Which meter a name of the Retail Prices API is, and what its unit makes of its price.

By the meter's name only: sources disagree on ``skuName``. Real names hold mistakes that may be put right any day
("Outpt", "Cache", "Std- LLM"; "BYO" without "API" and dash), so a pattern is tolerant of both spellings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, TypeAlias, assert_never, cast

from voicelive.catalogue.money import product
from voicelive.catalogue.terms import AvatarCategory, Category, CustomCategory, Tier, as_tier

__all__ = ["AvatarMeter", "CustomMeter", "Meter", "TokenMeter", "concerns_us", "meter_of", "price_per_unit"]


@dataclass(frozen=True, slots=True)
class TokenMeter:
    """Tokens of a tier, priced by the million."""

    tier: Tier
    category: Category


@dataclass(frozen=True, slots=True)
class AvatarMeter:
    """Minutes of an avatar."""

    category: AvatarCategory


@dataclass(frozen=True, slots=True)
class CustomMeter:
    """Hours of hosting, compute hours of training, or images, as the category says."""

    category: CustomCategory


Meter: TypeAlias = TokenMeter | AvatarMeter | CustomMeter

_TOKENS: Final = re.compile(
    r"voice live (?:api )?(?P<tier>pro|std|standard|lite|byo) ?-? ?"
    r"(?P<speech>standard speech|custom speech|llm) (?P<medium>audio|text) "
    r"(?P<way>input|outp?u?t|cached?) tokens"
)
_MEDIA: Final = {
    ("llm", "text"): "text",
    ("llm", "audio"): "audio_native",
    ("standard speech", "audio"): "audio_standard",
    ("custom speech", "audio"): "audio_custom",
}
_WAYS: Final = {"i": "input", "o": "output", "c": "cached_input"}
_AVATAR: Final = re.compile(r"tts (?P<hd>hd )?(?P<make>standard|custom) avatar (?P<way>realtime|batch) speech")
_CUSTOM: Final[dict[str, CustomCategory]] = {
    "s1 custom neural training": "custom_voice_training",
    "s1 custom neural voice model hosting unit": "custom_voice_hosting",
    "s1 custom speech training": "custom_speech_training",
    "s1 custom speech model hosting unit": "custom_speech_hosting",
    "tts custom avatar training unit": "custom_avatar_training",
    "tts custom avatar hosting unit": "custom_avatar_hosting",
    "photo avatar creation images": "photo_avatar_creation",
}

_Measure: TypeAlias = Literal["million tokens", "minute", "hour", "image"]
_FACTORS: Final[dict[_Measure, dict[str, Decimal]]] = {
    "million tokens": {"1k": Decimal(1000), "1m": Decimal(1)},
    "minute": {"1 minute": Decimal(1)},
    "hour": {"1 hour": Decimal(1), "1/hour": Decimal(1)},
    "image": {"1": Decimal(1), "100": Decimal("0.01"), "1k": Decimal("0.001")},
}
"""What a price of a unit is multiplied by. No other unit is converted: a month has no fixed number of hours."""


def meter_of(name: str) -> Meter | None:
    """The meter of that name, whatever its case and blanks; ``None``: it is none that is known here."""
    plain = _plain(name)
    if (custom := _CUSTOM.get(plain)) is not None:
        return CustomMeter(custom)
    if (avatar := _AVATAR.fullmatch(plain)) is not None:
        category = f"avatar_{avatar['way']}_{avatar['make']}" + ("_hd" if avatar["hd"] else "")
        return AvatarMeter(cast("AvatarCategory", category))
    tokens = _TOKENS.fullmatch(plain)
    medium = _MEDIA.get((tokens["speech"], tokens["medium"])) if tokens else None
    if tokens is None or medium is None:
        return None
    return TokenMeter(as_tier(tokens["tier"]), cast("Category", f"{medium}_{_WAYS[tokens['way'][0]]}"))


def concerns_us(name: str) -> bool:
    """Whether a name that is no known meter may be a new one of Voice Live or of avatars."""
    plain = _plain(name)
    return "voice live" in plain or "avatar" in plain


def price_per_unit(meter: Meter, price: Decimal, unit: str) -> Decimal | None:
    """What a million tokens, a minute, an hour or an image costs, exactly; ``None``: the unit says nothing of that."""
    factor = _FACTORS[_measure(meter)].get(_plain(unit))
    return None if factor is None else product(price, factor)


def _measure(meter: Meter) -> _Measure:
    match meter:
        case TokenMeter():
            return "million tokens"
        case AvatarMeter():
            return "minute"
        case CustomMeter(category):
            return "image" if category == "photo_avatar_creation" else "hour"
        case _:
            assert_never(meter)


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()
