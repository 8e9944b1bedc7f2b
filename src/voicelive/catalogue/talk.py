"""How many tokens a conversation will make: what is new to each response, and what it reads again.

The counts are those of the service's price calculator, as far as they are known: the first response reads the
instructions, every later one what was said since as new and everything before from the cache. Fractions all the way:
minutes need not divide by turns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from fractions import Fraction

__all__ = ["TEXT_TOKENS_PER_S", "TOOL_CALL_TOKENS", "TOOL_RESULT_TOKENS", "Talk", "TalkTokens"]

TEXT_TOKENS_PER_S = 3  # of the agent's speech; gives the calculator's published counts
TOOL_CALL_TOKENS = 50  # a function's name and a few arguments; assumed
TOOL_RESULT_TOKENS = 150  # a short JSON object; assumed


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkTokens:
    """Tokens of a whole conversation. What is read again may come from the cache or not."""

    text_new: Fraction
    text_again: Fraction
    audio_new: Fraction
    audio_again: Fraction
    text_out: Fraction
    audio_out: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A conversation in which caller and agent take turns of equal length.

    Attributes:
        turns: How often the agent answers the caller.
        caller_tokens: Audio tokens that the caller's speech makes in all.
        agent_tokens: Audio tokens that the agent's speech makes in all.
        agent_text: Text tokens of what the agent says in all.
        instructions: Text tokens that stand before the conversation.
        tool_calls: Calls in all, spread over the turns; each is a response of its own.
        rereads_speech: Whether later responses read the agent's speech again as audio, or its text alone.
        rereads_audio: Whether later responses read audio again at all.
    """

    turns: int
    caller_tokens: Fraction
    agent_tokens: Fraction
    agent_text: Fraction
    instructions: int
    tool_calls: int
    rereads_speech: bool
    rereads_audio: bool

    def tokens(self) -> TalkTokens:
        """The sum over all responses."""
        sums = {field.name: Fraction(0) for field in fields(TalkTokens)}
        for response in self._responses():
            for name in sums:
                sums[name] += getattr(response, name)
        return TalkTokens(**sums)

    def _responses(self) -> Iterator[TalkTokens]:
        new_text, new_audio = Fraction(self.instructions), Fraction(0)
        old_text, old_audio = Fraction(0), Fraction(0)
        said_text, said_audio = self.agent_text / self.turns, self.agent_tokens / self.turns
        for turn in range(self.turns):
            new_audio += self.caller_tokens / self.turns
            calls = (turn + 1) * self.tool_calls // self.turns - turn * self.tool_calls // self.turns
            for speaks in [False] * calls + [True]:
                yield TalkTokens(
                    text_new=new_text,
                    text_again=old_text,
                    audio_new=new_audio,
                    audio_again=old_audio if self.rereads_audio else Fraction(0),
                    text_out=said_text if speaks else Fraction(TOOL_CALL_TOKENS),
                    audio_out=said_audio if speaks else Fraction(0),
                )
                old_text, old_audio = old_text + new_text, old_audio + new_audio
                new_text = said_text if speaks else Fraction(TOOL_CALL_TOKENS + TOOL_RESULT_TOKENS)
                new_audio = said_audio if speaks and self.rereads_speech else Fraction(0)
