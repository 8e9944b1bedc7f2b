"""Which events concern which of the machines; what is in none of these sets only adds to the history."""

from __future__ import annotations

from typing import Final

from voicelive.protocol import avatar, caller_audio, calls, cues, ledger, mcp, responses, turns
from voicelive.wire.server.animation import (
    ResponseAnimationBlendshapesDelta,
    ResponseAnimationVisemeDelta,
    ResponseAudioTimestampDelta,
)
from voicelive.wire.server.calls import RtcCallError
from voicelive.wire.server.conversation import (
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionFailed,
)
from voicelive.wire.server.response import ResponseAudioDone
from voicelive.wire.server.session import ErrorEvent, SessionCreated, SessionUpdated

__all__ = ["PLAYBACK", "ROUTED", "SPEECH", "TIMED"]

TIMED: Final = (
    responses.HEARS
    | turns.HEARS
    | {ErrorEvent, SessionCreated, SessionUpdated, ResponseAudioDone, ResponseAudioTimestampDelta}
    | {ResponseAnimationVisemeDelta, ResponseAnimationBlendshapesDelta}
    | {ConversationItemInputAudioTranscriptionCompleted, ConversationItemInputAudioTranscriptionFailed}
)
"""Events after which something may be due at another time than before."""

PLAYBACK: Final = cues.HEARS | {ResponseAudioDone}
"""Events with which something can have been heard to its end, or to the place of a cue; else time tells."""

SPEECH: Final = caller_audio.HEARS

_ANSWERS: Final = frozenset(rule.answer for rule in ledger.RULES.values())

ROUTED: Final = TIMED | avatar.HEARS | calls.HEARS | mcp.HEARS | {RtcCallError} | _ANSWERS
"""Events that concern more than the history: one of five."""
