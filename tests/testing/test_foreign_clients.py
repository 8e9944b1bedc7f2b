"""The service's own SDK for Python holds a whole conversation with the emulator."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from voicelive.testing import Emulator

models = pytest.importorskip("azure.ai.voicelive.models")


async def test_the_official_sdk_talks_calls_a_tool_and_hears_the_answer(speech: Any) -> None:
    from azure.ai.voicelive.aio import connect
    from azure.core.credentials import AzureKeyCredential

    heard: list[str] = []
    async with (
        Emulator() as emulator,
        connect(endpoint=emulator.endpoint, credential=AzureKeyCredential("any"), model="gpt-realtime") as session,
    ):
        settings = models.RequestSession(
            modalities=[models.Modality.TEXT, models.Modality.AUDIO],
            voice=models.AzureStandardVoice(name="en-US-AvaMultilingualNeural"),
            turn_detection=models.AzureSemanticVad(),
            input_audio_transcription=models.AudioInputTranscriptionOptions(model="azure-speech"),
            input_audio_echo_cancellation=models.AudioEchoCancellation(),
            tools=[models.FunctionTool(name="get_weather", description="weather", parameters={"type": "object"})],
        )
        await session.session.update(session=settings)
        await session.input_audio_buffer.append(audio=base64.b64encode(speech(24_000)).decode())
        event: Any  # the SDK types its stream by the base class only
        async for event in session:
            assert event.type != models.ServerEventType.ERROR
            if event.type == models.ServerEventType.CONVERSATION_ITEM_INPUT_AUDIO_TRANSCRIPTION_COMPLETED:
                heard.append(event.transcript)
            elif event.type == models.ServerEventType.RESPONSE_DONE:
                [item] = event.response.output
                if item.type == models.ItemType.MESSAGE:
                    heard.append(item.content[0].transcript)
                    break
                output = models.FunctionCallOutputItem(call_id=item.call_id, output='{"sky": "sunny", "degrees": 24}')
                await session.conversation.item.create(item=output)
                await session.response.create()

    assert heard == ["What is the weather in Lisbon today?", "It is sunny in Lisbon, with 24 degrees."]
