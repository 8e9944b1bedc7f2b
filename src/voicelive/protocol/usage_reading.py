"""How settings and events are read for the account: the meter of an avatar, what a transcript has used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from voicelive.wire.session import SessionResource

__all__ = ["avatar_meter", "transcript_ms", "transcript_tokens"]

_LONGEST_S: Final = 1e6  # of audio; beyond it a length is none
_4K_PIXELS: Final = 3840 * 2160


def avatar_meter(settings: SessionResource) -> str | None:
    """The word of the meter of avatar minutes under these settings; ``None`` without an avatar."""
    avatar = settings.avatar
    if avatar is None:
        return None
    if avatar.type == "unknown":
        return "avatar_of_unknown_kind"
    size = None if avatar.video is None else avatar.video.resolution
    large = size is not None and size.width * size.height >= _4K_PIXELS
    return f"avatar_realtime_{'custom' if avatar.customized else 'standard'}{'_hd' if large else ''}"


def transcript_tokens(told: Mapping[Any, Any]) -> int | None:
    """All tokens that a transcript was told to have used; ``None``: not told, or nonsense."""
    total = told.get("total_tokens")
    counts = [total] if total is not None else list(_both_ways(told))
    good = all(isinstance(count, int) and not isinstance(count, bool) and count >= 0 for count in counts)
    return sum(counts) if counts and good else None


def transcript_ms(told: Mapping[Any, Any]) -> int | None:
    """Length of the audio that a transcript was told to be of; ``None``: not told, or nonsense."""
    seconds = told.get("seconds")
    return round(seconds * 1000) if isinstance(seconds, int | float) and 0 <= seconds < _LONGEST_S else None


def _both_ways(told: Mapping[Any, Any]) -> Iterator[Any]:
    for name in ("input_tokens", "output_tokens"):
        if told.get(name) is not None:
            yield told[name]
