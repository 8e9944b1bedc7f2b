"""How fast the emulated service is: the waits of one session, as figures and nothing else.

Whoever waits asks the event loop's clock (``loop.time``, ``asyncio.sleep``), so that a virtual clock works.
The measured figures are medians of 30 timed sessions with the real service (api-version 2025-10-01,
``gpt-realtime`` with an Azure HD voice); the service varies with region, model and load.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Pace"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Waits of the emulated service in seconds; all zero unless given.

    Attributes:
        session_updated_s: From ``session.update`` to ``session.updated``.
        committed_s: From ``speech_stopped`` to ``input_audio_buffer.committed``.
        response_created_s: From the end of the user's turn, or ``response.create``, to ``response.created``.
        caller_transcript_s: From the end of the user's turn to its transcript; never before ``response.created``.
        first_text_s: From the end of the user's turn to the first delta of text, transcript or arguments.
        first_audio_s: From the end of the user's turn to the first ``response.audio.delta``.
        text_delta_s: Between two deltas of text, transcript or arguments.
        audio_delta_ms: Speech in one ``response.audio.delta``.
        audio_speedup: How many times faster than real time audio is delivered; infinite means at once.
        interrupt_s: From ``speech_started`` to the late audio delta and the end of the response it interrupts.
        avatar_answer_s: From ``session.avatar.connect`` to ``session.avatar.connecting``.
        avatar_error_s: From ``session.avatar.connect`` to the ``error`` that refuses it.
    """

    session_updated_s: float = 0.0
    committed_s: float = 0.0
    response_created_s: float = 0.0
    caller_transcript_s: float = 0.0
    first_text_s: float = 0.0
    first_audio_s: float = 0.0
    text_delta_s: float = 0.0
    audio_delta_ms: int = 500
    audio_speedup: float = math.inf
    interrupt_s: float = 0.0
    avatar_answer_s: float = 0.0
    avatar_error_s: float = 0.0

    def __post_init__(self) -> None:
        if self.audio_delta_ms < 20:  # milliseconds; the shortest frame that telephone bridges cut
            raise ValueError(f"audio_delta_ms is {self.audio_delta_ms}; it must be at least 20")
        if not self.audio_speedup > 0:
            raise ValueError(f"audio_speedup is {self.audio_speedup}; it must be greater than 0")

    @classmethod
    def instant(cls) -> Pace:
        """No waits at all: every event follows at once, in the service's order."""
        return cls()

    @classmethod
    def measured(cls) -> Pace:
        """The medians measured with the real service.

        ``text_delta_s`` was not measured: 20 ms is the usual speed of a text model, and makes the transcript of
        a short reply complete before its audio starts, as it was seen to be.
        """
        return cls(
            session_updated_s=0.053,
            committed_s=0.006,
            response_created_s=0.017,
            caller_transcript_s=0.394,
            first_text_s=0.716 - 0.331,
            first_audio_s=0.716,
            text_delta_s=0.020,
            audio_delta_ms=500,
            audio_speedup=2.9,
            interrupt_s=0.100,
            avatar_answer_s=0.3,  # these two were seen by third parties in 2026
            avatar_error_s=0.4,
        )

    @property
    def audio_delta_interval_s(self) -> float:
        """Seconds between two audio deltas."""
        return self.audio_delta_ms / 1000 / self.audio_speedup
