"""How many tokens a response would have cost: plausible counts, not the service's own.

Text is counted by length; audio by duration, at the rates of the price calculator: 10 tokens a second in and
20 out with OpenAI's models, 12.5 in with Phi. A context that a response repeats is cached, in whole blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from voicelive import wire
from voicelive.testing.items import Item, MessageItem, Part

__all__ = ["Meter", "text_tokens", "voice_tokens"]

_CHARACTERS_PER_TOKEN = 4  # English text, tokenizers of the GPT family
_OUTPUT_TOKENS_PER_SECOND = 20.0
_INPUT_TOKENS_PER_SECOND = 10.0
_PHI_INPUT_TOKENS_PER_SECOND = 12.5
_IMAGE_TOKENS = 85  # an image of low detail
_ITEM_OVERHEAD_TOKENS = 4  # role and separators of one item
_CACHE_BLOCK_TOKENS = 64  # recorded cached counts are multiples of it


@dataclass(frozen=True, slots=True)
class _Count:
    text: int = 0
    audio: int = 0
    image: int = 0

    def __add__(self, other: _Count) -> _Count:
        return _Count(self.text + other.text, self.audio + other.audio, self.image + other.image)


class Meter:
    """Counts the tokens of one session; remembers which context it has seen."""

    def __init__(self, model: str) -> None:
        phi = model.startswith("phi")
        self._input_rate = _PHI_INPUT_TOKENS_PER_SECOND if phi else _INPUT_TOKENS_PER_SECOND
        self._seen: tuple[tuple[str, _Count], ...] = ()

    def usage(
        self, *, prompt: str, context: Iterable[Item], said: str, said_audio_ms: float, called: str
    ) -> wire.TokenUsage:
        """The bill of one response.

        Args:
            prompt: Instructions and tools.
            context: Items that the model read.
            said: Text or transcript of the reply.
            said_audio_ms: Length of its audio.
            called: Names and arguments of its function calls.
        """
        read = (("", _Count(text_tokens(prompt))), *((item.id, self._count(item)) for item in context))
        cached = _in_blocks(_shared_prefix(self._seen, read))
        self._seen = read
        total = sum((count for _, count in read), _Count())
        text_out, audio_out = text_tokens(said) + text_tokens(called), voice_tokens(said_audio_ms)
        tokens_in, tokens_out = total.text + total.audio + total.image, text_out + audio_out
        return wire.TokenUsage(
            total_tokens=tokens_in + tokens_out,
            input_tokens=tokens_in,
            output_tokens=tokens_out,
            input_token_details=wire.InputTokenDetails(
                cached_tokens=cached.text + cached.audio,
                text_tokens=total.text,
                audio_tokens=total.audio,
                image_tokens=total.image,
                cached_tokens_details=wire.CachedTokenDetails(
                    text_tokens=cached.text, audio_tokens=cached.audio, image_tokens=0
                ),
            ),
            output_token_details=wire.OutputTokenDetails(
                text_tokens=text_out, audio_tokens=audio_out, reasoning_tokens=0
            ),
        )

    def _count(self, item: Item) -> _Count:
        overhead = _Count(_ITEM_OVERHEAD_TOKENS)
        if isinstance(item, MessageItem):
            return sum((self._part(part) for part in item.parts), overhead)
        return overhead + _Count(text_tokens(item.words))

    def _part(self, part: Part) -> _Count:
        match part.kind:
            case "input_audio":
                return _Count(audio=round(part.audio_ms / 1000 * self._input_rate))
            case "audio":  # the model reads its own speech again as audio, the transcript as text
                return _Count(text_tokens(part.transcript or ""), round(part.audio_ms / 1000 * self._input_rate))
            case "input_image":
                return _Count(image=_IMAGE_TOKENS)
            case "input_text" | "text":
                return _Count(text_tokens(part.text or ""))


def text_tokens(text: str) -> int:
    """Tokens of a text, 0 for none."""
    return -(-len(text) // _CHARACTERS_PER_TOKEN)


def voice_tokens(audio_ms: float) -> int:
    """Tokens of the agent's speech."""
    return round(audio_ms / 1000 * _OUTPUT_TOKENS_PER_SECOND)


def _shared_prefix(before: Sequence[tuple[str, _Count]], now: Sequence[tuple[str, _Count]]) -> _Count:
    shared = _Count()
    for old, new in zip(before, now, strict=False):
        if old != new:
            break
        shared += new[1]
    return shared


def _in_blocks(count: _Count) -> _Count:
    return _Count(
        count.text // _CACHE_BLOCK_TOKENS * _CACHE_BLOCK_TOKENS,
        count.audio // _CACHE_BLOCK_TOKENS * _CACHE_BLOCK_TOKENS,
    )
