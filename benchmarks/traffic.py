"""What the service says in one spoken turn, as frames: the same for both SDKs.

Kinds, order and fields of the events come from a recorded conversation. Its audio was cut out, so random bytes of
the wanted duration take its place. Ids are new in every turn: the same ones over and over would flatter a decoder that
keeps short strings in a cache, as pydantic's does. Nothing here knows a socket or an SDK.
"""

import base64
import json
import random
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

RECORDING: Final = Path(__file__).parent.parent / "tests" / "data" / "recordings" / "audio_in_server_vad_turn.jsonl"

USUAL_DELTA_MS: Final = 500
"""Median duration of an audio delta in timed sessions with the service; the recording's turn is taken to have these."""

_BYTES_PER_MS: Final = 48  # 24 kHz, 16 bit, mono: the service's default output
_AUDIO_DELTA: Final = "response.audio.delta"
_ONCE_PER_SESSION: Final = frozenset({"session.created", "session.updated"})
_ID: Final = re.compile(r"\b(event|item|resp)_[A-Za-z0-9]{10,}")  # long enough to spare the keys, as event_id
_AUDIO_HERE: Final = "<audio>"
_PAYLOADS: Final = 16  # different ones, to be used in turn


class Message(NamedTuple):
    """One frame in three pieces, so that many frames can share their audio in memory."""

    before: bytes
    audio: bytes
    after: bytes

    @property
    def frame(self) -> bytes:
        """The whole text, UTF-8."""
        return b"".join(self)


def messages(delta_ms: int, count: int, seed: int) -> Iterator[Message]:
    """``count`` messages of turns in a row, ``delta_ms`` of speech in each audio delta. Same arguments, same bytes."""
    source = random.Random(seed)
    payloads = [base64.b64encode(source.randbytes(delta_ms * _BYTES_PER_MS)) for _ in range(_PAYLOADS)]
    made = 0
    while True:
        renamed: dict[str, str] = {}
        for template in _turn(delta_ms):
            if made == count:
                return
            text = _with_new_ids(template, renamed, source)
            before, here, after = text.partition(_AUDIO_HERE)
            yield Message(before.encode(), payloads[made % _PAYLOADS] if here else b"", after.encode())
            made += 1


def session_created() -> bytes:
    """The frame with which a session begins."""
    created = next(message for message in _recorded() if message["type"] == "session.created")
    settings = created["session"]
    # turns pour in faster than anybody could hear them: with barge-in on, each would cut the one before
    turn_detection = settings["turn_detection"] | {"interrupt_response": False}
    return _compact(created | {"session": settings | {"turn_detection": turn_detection}}).encode()


@cache
def _turn(delta_ms: int) -> tuple[str, ...]:
    """One turn as texts; a shorter delta occurs more often, so that the turn takes as long."""
    turn: list[str] = []
    for message in _recorded():
        if message["type"] == _AUDIO_DELTA:
            turn += [_compact(message | {"delta": _AUDIO_HERE})] * (USUAL_DELTA_MS // delta_ms)
        elif message["type"] not in _ONCE_PER_SESSION:
            turn.append(_compact(message))
    return tuple(turn)


@cache
def _recorded() -> tuple[dict[str, Any], ...]:
    lines = (json.loads(line) for line in RECORDING.read_text(encoding="utf-8").splitlines() if line)
    return tuple(line["msg"] for line in lines if line["dir"] == "server")


def _compact(message: dict[str, Any]) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def _with_new_ids(text: str, renamed: dict[str, str], source: random.Random) -> str:
    """Ids of as many characters as before; one of an event is used once, others belong to the turn."""

    def rename(found: re.Match[str]) -> str:
        old, kind = found[0], found[1]
        if kind == "event" or old not in renamed:
            renamed[old] = f"{kind}_{source.getrandbits(128):032x}"[: len(old)]
        return renamed[old]

    return _ID.sub(rename, text)
