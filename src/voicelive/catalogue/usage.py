"""What a ``usage`` object says: tokens by kind, what of it is a guess, what cannot be told, and what does not add up.

The service sends one with each ``response.done``. By its API reference every part of it may be missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from voicelive.errors import ConfigurationError

__all__ = ["UsageTokens", "read_usage"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageTokens:
    """The tokens of one response by kind; cached ones are counted apart from fresh ones.

    Attributes:
        text_fresh: Text that was read for the first time.
        text_cached: Text that was read from the cache.
        audio_fresh: Speech that was heard for the first time.
        audio_cached: Speech that was read from the cache.
        text_out: Text that was written, reasoning included.
        audio_out: Speech that was spoken.
        unknown: Tokens of which the usage does not say what they are, by the place where they are counted.
        estimated: Whether a split between kinds had to be assumed; the figures then err towards more money.
        notes: What was assumed, and what has no price.
        flags: What is missing or does not add up.
    """

    text_fresh: int
    text_cached: int
    audio_fresh: int
    audio_cached: int
    text_out: int
    audio_out: int
    unknown: Mapping[str, int]
    estimated: bool
    notes: tuple[str, ...]
    flags: tuple[str, ...]


@dataclass(slots=True)
class _Remarks:
    unknown: dict[str, int] = field(default_factory=dict)
    estimated: bool = False
    notes: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)

    def leave(self, what: str, tokens: int, why: str) -> None:
        if tokens > 0:
            self.unknown[what] = self.unknown.get(what, 0) + tokens
            self.notes.append(f"{tokens} tokens of {what} have no price: {why}")

    def assume(self, what: str) -> None:
        self.estimated = True
        self.notes.append(what)


def read_usage(usage: object) -> UsageTokens:
    """The tokens of a ``TokenUsage``, or of the mapping that it is on the wire.

    Raises:
        ConfigurationError: It is neither, or a count is not a whole number.
    """
    if usage is None or isinstance(usage, str | bytes | int | float | list | tuple):
        raise ConfigurationError(f"usage is a {type(usage).__name__}; it must be a TokenUsage or a mapping")
    remarks = _Remarks()
    text, audio, cached_text, cached_audio = _input(usage, remarks)
    text_out, audio_out = _output(usage, remarks)
    parts = [_count(usage, name) for name in ("input_tokens", "output_tokens", "total_tokens")]
    if None not in parts and parts[0] + parts[1] != parts[2]:  # type: ignore[operator]  # none of them is None
        remarks.flags.append(f"total_tokens is {parts[2]}, input and output together are {parts[0]} + {parts[1]}")
    return UsageTokens(
        text_fresh=_rest(text, cached_text, "text_tokens", remarks),
        text_cached=cached_text,
        audio_fresh=_rest(audio, cached_audio, "audio_tokens", remarks),
        audio_cached=cached_audio,
        text_out=text_out,
        audio_out=audio_out,
        unknown=remarks.unknown,
        estimated=remarks.estimated,
        notes=tuple(remarks.notes),
        flags=tuple(remarks.flags),
    )


def _input(usage: object, remarks: _Remarks) -> tuple[int, int, int, int]:
    """Text, audio, and what of either is cached."""
    details = ("input_token_details",)
    text, audio, image = (_count(usage, *details, name) for name in ("text_tokens", "audio_tokens", "image_tokens"))
    _account(usage, "input_tokens", {"text_tokens": text, "audio_tokens": audio, "image_tokens": image or 0}, remarks)
    remarks.leave("input images", image or 0, "no meter for images is published")
    text, audio = text or 0, audio or 0
    if not text and not audio:
        return text, audio, 0, 0
    return text, audio, *_cached(usage, text, audio, image or 0, remarks)


def _cached(usage: object, text: int, audio: int, image: int, remarks: _Remarks) -> tuple[int, int]:
    cached = _count(usage, "input_token_details", "cached_tokens")
    split = ("input_token_details", "cached_tokens_details")
    parts = {name: _count(usage, *split, name) for name in ("text_tokens", "audio_tokens", "image_tokens")}
    if any(part is not None for part in parts.values()):
        told = sum(part or 0 for part in parts.values())
        missing = [name for name, part in parts.items() if part is None and (name != "image_tokens" or image)]
        if cached is not None and len(missing) == 1 and cached > told:  # what is left can only be of that kind
            parts[missing[0]] = cached - told
        elif missing and cached is None:
            remarks.assume(
                "cached_tokens_details is not complete; the kinds that it leaves out are billed as not cached"
            )
        elif cached is not None and told != cached:
            remarks.flags.append(f"cached_tokens is {cached}, its details together are {told}")
        return parts["text_tokens"] or 0, parts["audio_tokens"] or 0
    if cached is None:
        remarks.assume("cached_tokens is missing; all of the input is billed as not cached")
        return 0, 0
    of_audio = min(audio, max(0, cached - text))
    of_text = min(text, cached - of_audio)
    if cached - of_text - of_audio > image:
        remarks.flags.append(f"cached_tokens is {cached}, the input has {text + audio + image} tokens")
    if of_text + of_audio and (image or (text and audio and of_text + of_audio < text + audio)):
        remarks.assume("cached_tokens is not split; as much text as there is counts as cached, the upper bound")
    return of_text, of_audio


def _output(usage: object, remarks: _Remarks) -> tuple[int, int]:
    details = ("output_token_details",)
    text, audio = (_count(usage, *details, name) for name in ("text_tokens", "audio_tokens"))
    _account(usage, "output_tokens", {"text_tokens": text, "audio_tokens": audio}, remarks)
    reasoning = _count(usage, *details, "reasoning_tokens") or 0
    if text is not None and reasoning > text:
        remarks.flags.append(f"reasoning_tokens is {reasoning}, more than the text_tokens {text} that they are part of")
    return text or 0, audio or 0


def _account(usage: object, name: str, parts: Mapping[str, int | None], remarks: _Remarks) -> None:
    """Compare a total with its parts; what is missing of it is unknown where a part is not told."""
    whole, told = _count(usage, name), sum(part or 0 for part in parts.values())
    missing = [part for part, count in parts.items() if count is None]
    if whole is None:
        if missing:
            remarks.flags.append(f"{name} is missing, and so is {' and '.join(missing)}: the bill may lack them")
    elif missing and whole > told:
        remarks.leave(name, whole - told, f"{' and '.join(missing)} is missing")
    elif whole != told:
        remarks.flags.append(f"{name} is {whole}, its details together are {told}")


def _rest(whole: int, cached: int, name: str, remarks: _Remarks) -> int:
    if cached > whole:
        remarks.flags.append(f"{cached} cached {name} are more than the {whole} that they are part of")
    return max(0, whole - cached)


def _count(usage: object, *path: str) -> int | None:
    value: Any = usage
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigurationError(f"usage.{'.'.join(path)} is {value!r}; it must be a whole number of at least 0")
    return value
