"""What a content part says, and how much of it was heard.

Decides how pieces become the whole text, and where a text is cut that was played in part: at the words' own times
where the service told them, in proportion to the audio otherwise. Keeps no audio, only its length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from voicelive.audio.formats import AudioFormat

__all__ = ["HeardText", "PartText", "Word", "cut_by_share", "heard_part"]

# Thai to Lao, Khmer, and Han with kana up to Yi: written without spaces, so that each character may end a word.
_SPACELESS = "\u0e00-\u0eff\u1780-\u17ff\u2e80-\ua4cf\uf900-\ufaff\U00020000-\U0003ffff"
_WORDS = re.compile(f"[{_SPACELESS}]|[^\\s{_SPACELESS}]+")
_REST_OF_WORD = re.compile(r"[^\w\s]*")
_LOOK_AHEAD_CHARACTERS = 40  # a word that stands further on is another one of the same letters


@dataclass(frozen=True, slots=True)
class Word:
    """When a word is spoken, in milliseconds of its part's audio."""

    text: str = field(repr=False)
    end_ms: int


@dataclass(frozen=True, slots=True)
class HeardText:
    """What was heard of a text.

    Attributes:
        text: ``None`` where nothing tells.
        is_estimate: Whether it was cut in proportion to the audio.
    """

    text: str | None = field(repr=False)
    is_estimate: bool = False


@dataclass(slots=True)
class PartText:
    """The text of one content part as it comes in.

    Attributes:
        kind: The wire's word, in the spelling of dated versions.
        final: Whether the text is whole; what comes later changes nothing.
        audio_bytes: Size of the audio that came.
        audio_format: Its format; ``None`` where that is not known.
        words: Times of words, in the order of arrival.
        image_url: Address of an image.
        raw: A part of a kind that this version does not know, whole.
    """

    kind: str
    final: bool = False
    audio_bytes: int = 0
    audio_format: AudioFormat | None = None
    words: list[Word] = field(default_factory=list, repr=False)
    image_url: str | None = field(default=None, repr=False)
    raw: dict[str, Any] | None = field(default=None, repr=False)
    _pieces: list[str] = field(default_factory=list, repr=False)

    def add(self, piece: str) -> None:
        """The next piece of the text."""
        if not self.final:
            self._pieces.append(piece)

    def finish(self, text: str) -> None:
        """The whole text."""
        if not self.final:
            self._pieces, self.final = [text], True

    @property
    def audio_ms(self) -> float | None:
        """Length of the audio that came, fractions kept; ``None`` where its format is not known."""
        if not self.audio_bytes:
            return 0.0
        return None if self.audio_format is None else self.audio_format.duration_ms(self.audio_bytes)

    @property
    def empty(self) -> bool:
        """Whether no text has come yet."""
        return not self._pieces

    @property
    def text(self) -> str | None:
        """The text so far; ``None`` before its first piece."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else None


def heard_part(part: PartText, heard_ms: float, total_ms: float | None) -> HeardText:
    """What was heard of a spoken part.

    Args:
        part: The part.
        heard_ms: How much of its audio was played.
        total_ms: Length of its audio; ``None`` where that is not known.
    """
    text = part.text
    if text is None:
        return HeardText(None)
    if heard_ms <= 0:
        return HeardText("")
    if total_ms and heard_ms >= int(total_ms):  # played positions are whole milliseconds
        return HeardText(text)
    end = _end_by_words(text, part.words, heard_ms)
    if end is not None:
        return HeardText(text[:end])
    if not total_ms:
        return HeardText(None)
    return HeardText(cut_by_share(text, heard_ms / total_ms), is_estimate=True)


def cut_by_share(text: str, share: float) -> str:
    """The words that end within this share of the text's characters."""
    limit = len(text) * share
    end = 0
    for word in _WORDS.finditer(text):
        if word.end() > limit:
            break
        end = word.end()
    return text[:end]


def _end_by_words(text: str, words: list[Word], heard_ms: float) -> int | None:
    """Where the last word that was played to its end stops in the text; ``None``: the times do not fit the text."""
    same_length = len(text.lower()) == len(text)  # a letter that becomes two would shift the places
    folded, cursor, fits = text.lower() if same_length else text, 0, False
    for word in words:
        spoken = word.text.strip()
        spoken = spoken.lower() if same_length else spoken
        found = folded.find(spoken, cursor, cursor + _LOOK_AHEAD_CHARACTERS + len(spoken)) if spoken else -1
        fits = fits or found >= 0
        if found < 0 or word.end_ms > heard_ms:
            continue
        cursor = found + len(spoken)
        rest = _REST_OF_WORD.match(text, cursor)
        cursor = rest.end() if rest else cursor
    return cursor if fits else None
