"""Whole calls: a simulated caller, a bridge, a session and the emulator, over real sockets and in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.flows.scene import AUDIO, QUIET
from tests.support.callers import AcsCaller, AudioHookCaller, Caller, TwilioCaller, answered

from voicelive import wire
from voicelive.audio.wav import WavFile
from voicelive.bridges import Call, CallEnd, acs, audiohook, twilio
from voicelive.client import VoiceLiveClient
from voicelive.session import Session
from voicelive.testing import EmulatedSession, Emulator, Script, ToneVoice
from voicelive.wire.session import SessionConfig
from voicelive.wire.turn_detection import ServerVad

pytestmark = [pytest.mark.looptime, pytest.mark.timeout(20)]

REPLIES = (
    "We open at nine and close at five.",
    "The weather in Lisbon is sunny today, with a light wind from the sea in the afternoon.",
    "Of course, I stop.",
    "There are three trains in the morning and two more of them in the evening, all to Lisbon.",
    "Good bye.",
)
VAD = ServerVad(silence_duration_ms=500)


@dataclass
class Answered:
    """What a server has of its calls."""

    emulator: Emulator
    url: str = ""
    calls: list[Call[Any]] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    ends: list[CallEnd] = field(default_factory=list)

    @property
    def service(self) -> EmulatedSession:
        return self.emulator.sessions[0]

    async def ended(self) -> CallEnd:
        while not self.ends:  # noqa: ASYNC110 - of another task, at an unknown time
            await asyncio.sleep(0.02)
        return self.ends[0]


@asynccontextmanager
async def answering(
    accept: Callable[[Any], AbstractAsyncContextManager[Call[Any]]],
    config: SessionConfig,
    *replies: str,
) -> AsyncIterator[Answered]:
    async with Emulator(Script(*replies), voice=ToneVoice(), ping_interval_s=None) as emulator:
        client = VoiceLiveClient(emulator.endpoint, "any-key", options=QUIET)
        place = Answered(emulator)

        async def answer(socket: Any) -> None:
            async with accept(socket) as call, client.connect("gpt-realtime", config=config) as session:
                place.calls.append(call)
                place.sessions.append(session)
                place.ends.append(await call.run(session))

        async with answered(answer) as url:
            place.url = url
            yield place


def wav(name: str, caller: Caller) -> bytes:
    return WavFile(Path(AUDIO / name)).read(caller.format)


async def converse(caller: Caller) -> None:
    """Five turns; the caller speaks over the second reply and over the fourth."""
    question, stop = wav("question.wav", caller), wav("stop.wav", caller)
    await caller.start()
    await caller.speak(question)
    await caller.listen_to_the_end()
    for _ in range(2):
        await caller.speak(question)
        await caller.listen(900)
        await caller.speak(stop)
        await caller.listen_to_the_end()
    await caller.hang_up()


def spoken(service: EmulatedSession) -> dict[str, bytes]:
    """What the agent said, item by item."""
    voices: dict[str, bytes] = {}
    for delta in service.sent_of(wire.ResponseAudioDelta):
        voices[delta.item_id] = voices.get(delta.item_id, b"") + delta.delta
    return voices


def cuts(service: EmulatedSession) -> list[tuple[str, int]]:
    return [(event.item_id, event.audio_end_ms) for event in service.received_of(wire.ConversationItemTruncate)]


def check_conversation(place: Answered, caller: Caller, *, exact_to_ms: float) -> None:
    """The caller heard each reply in order, and two of them up to the place that the service was told."""
    voices, told = spoken(place.service), cuts(place.service)
    items, (first, second, third, fourth, fifth) = list(voices), voices.values()
    heard_of_second = caller.silenced_at[0] - len(first)
    heard_of_fourth = caller.silenced_at[1] - caller.silenced_at[0] - len(third)
    parts = (first, second[:heard_of_second], third, fourth[:heard_of_fourth], fifth)

    assert len(caller.heard) == sum(map(len, parts))
    assert hash(caller.heard) == hash(b"".join(parts)), "nothing twice, nothing out of order"
    assert [item for item, _ in told] == [items[1], items[3]]
    for (_, told_ms), heard_bytes in zip(told, (heard_of_second, heard_of_fourth), strict=True):
        heard_ms = caller.format.duration_ms(heard_bytes)
        assert 900 <= heard_ms < 3000
        assert abs(told_ms - heard_ms) <= exact_to_ms


async def test_five_turns_with_two_barge_ins_over_twilio() -> None:
    config = twilio.session_config(turn_detection=VAD)
    async with answering(twilio.accept, config, *REPLIES) as place, TwilioCaller(place.url) as caller:
        await converse(caller)
        end = await place.ended()

    check_conversation(place, caller, exact_to_ms=0)
    assert end.how == "caller"
    assert place.calls[0].counts.broken_messages == 0


@pytest.mark.parametrize("rate_hz", [16_000, 24_000])
async def test_five_turns_with_two_barge_ins_over_acs(rate_hz: int) -> None:
    config = acs.session_config(rate_hz=rate_hz, turn_detection=VAD)
    async with answering(acs.accept, config, *REPLIES) as place, AcsCaller(place.url, rate_hz) as caller:
        await converse(caller)
        end = await place.ended()

    check_conversation(place, caller, exact_to_ms=40)
    assert end.how == "caller"
    assert place.calls[0].counts.broken_messages == 0


async def test_five_turns_with_two_barge_ins_over_audiohook() -> None:
    config = audiohook.session_config(turn_detection=VAD)
    async with answering(audiohook.accept, config, *REPLIES) as place, AudioHookCaller(place.url) as caller:
        await converse(caller)
        end = await place.ended()

    check_conversation(place, caller, exact_to_ms=40)
    assert (end.how, end.detail) == ("caller", "end")
    assert place.calls[0].counts.broken_messages == 0
