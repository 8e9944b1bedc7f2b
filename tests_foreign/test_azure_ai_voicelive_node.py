"""The service's own SDK for JavaScript holds conversations with the emulator, in a process of its own.

That SDK logs and drops what it cannot read, so the events it received are compared with those that were sent.
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

from voicelive.testing import Call, Emulator, Script, Turn

TALK = Path(__file__).with_name("talk.mjs")
# Sent by the service on dated versions (recorded), and dropped by @azure/ai-voicelive 1.1.0.
UNKNOWN_TO_THE_SDK = frozenset({"conversation.item.done"})
SENTENCE = "It is sunny in Lisbon, with 24 degrees."


async def talk(emulator: Emulator, kind: str, *recording: Path) -> dict[str, Any]:
    modules = os.environ["VOICELIVE_FOREIGN_NODE"]
    node = await asyncio.create_subprocess_exec(
        "node",
        *(str(TALK), modules, emulator.endpoint, kind, *map(str, recording)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(20):
            output, complaints = await node.communicate()
    finally:
        if node.returncode is None:
            node.kill()
            await node.wait()
    assert node.returncode == 0, complaints.decode()
    report: dict[str, Any] = json.loads(output)
    [session] = emulator.sessions
    assert report["sessionId"] == session.id
    assert report["types"] == [event.type for event in session.sent if event.type not in UNKNOWN_TO_THE_SDK]
    return report


async def test_a_typed_question_is_answered_in_text() -> None:
    async with Emulator(Script("Good morning.")) as emulator:
        report = await talk(emulator, "text")

    assert report["text"] == "Good morning."
    assert report["status"] == "completed"


async def test_a_spoken_question_is_heard_answered_and_counted(question: bytes, tmp_path: Path) -> None:
    recording = tmp_path / "question.pcm"
    recording.write_bytes(question)
    async with Emulator() as emulator:
        report = await talk(emulator, "voice", recording)

    assert report["heard"] == ["What is the weather in Lisbon today?"]
    assert report["transcript"] == SENTENCE
    assert report["words"] == SENTENCE.split()
    assert 3_000 * 48 < report["audioBytes"] < 3_200 * 48
    details = report["usage"]["inputTokenDetails"]
    assert details["audioTokens"] > 0
    assert details["cachedTokensDetails"] == {"textTokens": 0, "audioTokens": 0, "imageTokens": 0}


async def test_functions_are_called_in_parallel_and_their_outputs_told() -> None:
    calls = [Call("get_weather", {"city": "Lisbon"}), Call("get_time")]
    script = Script(Turn(calls=calls, reply_after_calls=" and ".join))
    async with Emulator(script) as emulator:
        report = await talk(emulator, "tool")

    assert [json.loads(arguments) for arguments in report["calls"]] == [{"city": "Lisbon"}, {}]
    assert report["text"] == "sunny and noon"
