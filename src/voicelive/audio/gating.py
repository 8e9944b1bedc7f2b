"""What is sent of a stream of which only the speech matters, decided from windows and their probabilities alone.

Every window with speech goes out whole, with what came shortly before it, though that was taken for silence when it
came. So more is sent than was recorded, and as much silence is left out later. Not right after the speech: the turn is
to close as soon as it would have, so first comes the silence that closes it.

Windows count from the stream's first byte. How the stream is cut on its way here does not matter, to the last byte.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

__all__ = ["Gating", "GatingRules"]

_MOST_LEADS_AHEAD: Final = 2  # beyond it pauses that are too short to put the time right would add up without end


@dataclass(frozen=True, slots=True)
class GatingRules:
    """When the gate opens and closes, and what is sent meanwhile.

    Attributes:
        threshold: The least probability that counts as speech.
        lead_bytes: Sent of what came before the first window with speech.
        hold_bytes: Sent after the last window with speech.
        closing_bytes: Of silence that follows without a gap once the gate has closed.
        keeps_time: Send silence afterwards too, as much as makes up the time; otherwise nothing.
    """

    threshold: float
    lead_bytes: int
    hold_bytes: int
    closing_bytes: int
    keeps_time: bool


class Gating:
    """One stream through the gate. Pure, as far as ``probability`` is.

    Args:
        rules: When it opens and closes.
        window_bytes: Of one window.
        probability: Of speech in the stream's next window; called once for each.
        silence_of: So many bytes of silence.
    """

    def __init__(
        self,
        rules: GatingRules,
        window_bytes: int,
        probability: Callable[[bytes], float],
        silence_of: Callable[[int], bytes],
    ) -> None:
        self.open = False
        self.silenced_bytes = 0
        self._rules, self._window_bytes = rules, window_bytes
        self._probability, self._silence_of = probability, silence_of
        self._window = b""
        self._held = b""  # came while closed, and may have to be sent yet
        self._most_held = rules.lead_bytes + window_bytes
        self._quiet_bytes = 0  # since the last window with speech
        self._closing_bytes = 0  # silence that is due still, so that the turn can close
        self._ahead_bytes = 0  # what was sent beyond what was recorded

    def push(self, audio: bytes) -> bytes:
        """Take audio in, any number of bytes, and return what is to be sent."""
        sent = []
        while audio:
            room = self._window_bytes - len(self._window)
            part, audio = audio[:room], audio[room:]
            self._window += part
            sent.append(self._pass(part))
            if len(self._window) == self._window_bytes:
                sent.append(self._judge())
        return b"".join(sent)

    def finish(self) -> bytes:
        """The stream has ended: return what is to be sent still, where its last, shorter window has speech."""
        if not self._window:
            return b""
        self._window += self._silence_of(self._window_bytes - len(self._window))
        return self._judge()

    def _pass(self, audio: bytes) -> bytes:
        if self.open:
            self._quiet_bytes += len(audio)
            return audio
        self._held = (self._held + audio)[-self._most_held :]
        self.silenced_bytes += len(audio)
        return self._silence_of(len(audio) - self._left_out(len(audio)))

    def _left_out(self, count: int) -> int:
        """How much of so much silence is left out."""
        surplus = min(count, max(0, self._ahead_bytes - _MOST_LEADS_AHEAD * self._most_held))
        self._ahead_bytes -= surplus
        closing = min(count - surplus, self._closing_bytes)
        self._closing_bytes -= closing
        rest = count - surplus - closing
        if self._rules.keeps_time:
            rest = min(rest, self._ahead_bytes)
        self._ahead_bytes = max(0, self._ahead_bytes - rest)
        return surplus + rest

    def _judge(self) -> bytes:
        window, self._window = self._window, b""
        if self._probability(window) >= self._rules.threshold:
            self.open, self._quiet_bytes = True, 0
            held, self._held = self._held, b""  # nothing, where it was open already
            self._ahead_bytes += len(held)
            self.silenced_bytes -= len(held)
            return held
        if self.open and self._quiet_bytes >= self._rules.hold_bytes:
            self.open = False
            self._closing_bytes = self._rules.closing_bytes
        return b""
