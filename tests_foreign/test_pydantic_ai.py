"""pydantic-ai holds conversations with the emulator, in its mode for Voice Live: over TLS, or not at all."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest
import trustme
from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, SpeechPart, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.providers.azure import AzureProvider
from pydantic_ai.realtime import RealtimeSession
from pydantic_ai.realtime.azure import AzureRealtimeModel, AzureRealtimeModelSettings

from voicelive.testing import Call, Emulator, Script, Turn

_P = TypeVar("_P")

SENTENCE = "It is sunny in Lisbon, with 24 degrees."


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """A certificate authority that this process trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return authority


@pytest.fixture
def server_side(authority: trustme.CA) -> ssl.SSLContext:
    """What the emulator needs to be trusted by it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@asynccontextmanager
async def call(
    emulator: Emulator, agent: Agent[None, str], settings: AzureRealtimeModelSettings
) -> AsyncIterator[RealtimeSession]:
    async with asyncio.timeout(20):
        # No other resource of Azure is involved.
        provider = AzureProvider(azure_endpoint=emulator.endpoint, api_key="any", api_version="2026-07-15")
        model = AzureRealtimeModel("gpt-realtime", provider=provider, settings=settings)
        async with agent.realtime(model).session() as session:
            yield session
    [served] = emulator.sessions
    assert [event for event in served.sent if event.type == "error"] == []  # it sent nothing that was refused


def parts(messages: list[ModelMessage], kind: type[_P]) -> list[_P]:
    return [part for message in messages for part in message.parts if isinstance(part, kind)]


async def test_a_typed_question_is_answered_in_text(server_side: ssl.SSLContext) -> None:
    settings = AzureRealtimeModelSettings(azure_voice_live=True, output_modality="text")
    async with (
        Emulator(Script("Good morning."), ssl=server_side) as emulator,
        call(emulator, Agent(), settings) as session,
    ):
        await session.send("Hello!")
        await session.wait_for_reply()
        messages = session.all_messages()

    assert [part.content for part in parts(messages, TextPart)] == ["Good morning."]


async def test_a_spoken_question_is_answered_by_voice(server_side: ssl.SSLContext, question: bytes) -> None:
    settings = AzureRealtimeModelSettings(azure_voice_live=True)
    sound = bytearray()
    async with Emulator(ssl=server_side) as emulator, call(emulator, Agent(), settings) as session:
        audio = session.stream_audio()
        for start in range(0, len(question), 4_800):
            await session.send_audio(question[start : start + 4_800])
        async for chunk in audio:
            sound += chunk
            if len(sound) > 3 * 48_000:  # all but the last delta of a reply of three seconds
                break
        await session.wait_for_reply()
        messages = session.all_messages()

    said = {part.speaker: part.transcript for part in parts(messages, SpeechPart)}
    assert said == {"user": "What is the weather in Lisbon today?", "assistant": SENTENCE}


async def test_functions_are_called_in_parallel_and_their_outputs_told(server_side: ssl.SSLContext) -> None:
    agent: Agent[None, str] = Agent()

    @agent.tool_plain
    def get_weather(city: str) -> str:
        return f"sunny in {city}"

    @agent.tool_plain
    def get_time() -> str:
        return "noon"

    def tell(outputs: Sequence[str]) -> str:
        return " and ".join(outputs)

    calls = [Call("get_weather", {"city": "Lisbon"}), Call("get_time")]
    script = Script(Turn(calls=calls, reply_after_calls=tell))
    settings = AzureRealtimeModelSettings(azure_voice_live=True, output_modality="text")
    async with Emulator(script, ssl=server_side) as emulator, call(emulator, agent, settings) as session:
        await session.send("What is the weather in Lisbon, and what time is it?")
        await session.wait_for_reply()
        messages = session.all_messages()

    assert {part.tool_name for part in parts(messages, ToolCallPart)} == {"get_weather", "get_time"}
    assert {part.content for part in parts(messages, ToolReturnPart)} == {"sunny in Lisbon", "noon"}
    assert [part.content for part in parts(messages, TextPart)] == ["sunny in Lisbon and noon"]
