"""What users write with events and settings, as type checkers must understand it.

``mypy --strict`` and pyright read this file; ``tests/wire/test_typing.py`` also runs it. Each function narrows one
union in one of the ways that applications use, and ends where nothing is left.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from typing import Any, Literal, assert_never, assert_type

from voicelive import wire


def say_by_class(event: wire.ServerEvent) -> str:
    """``match`` on the class."""
    match event:
        case wire.ResponseAudioDelta():
            assert_type(event.delta, bytes)
            return f"{len(event.delta)} bytes"
        case wire.ResponseDone(response=response):
            assert_type(response, wire.Response)
            return response.id or "no id"
        case wire.ConversationItemCreated(item=wire.ResponseFunctionCallItem() as call):
            assert_type(call.arguments, str)
            return call.name
        case wire.ErrorEvent(error=wire.ServerEventErrorDetails(code="session_expired")):
            return "expired"
        case wire.UnknownServerEvent():
            assert_type(event.kind, str | None)
            return f"unknown {event.kind}"
        case _:
            return event.type


def say_by_word(event: wire.ServerEvent) -> str:
    """``==`` on ``type``."""
    if event.type == "response.audio.delta" or event.type == "response.output_audio.delta":
        assert_type(event, wire.ResponseAudioDelta)
        return f"{len(event.delta)} bytes"
    if event.type == "session.created":
        assert_type(event, wire.SessionCreated)
        return event.session.id or ""
    if event.type == "unknown":
        assert_type(event, wire.UnknownServerEvent)
        return f"unknown {event.kind}"
    return event.type


def say_by_matched_word(event: wire.ServerEvent) -> str:
    """``match`` on ``type``."""
    match event.type:
        case "response.audio.delta":
            assert_type(event, wire.ResponseAudioDelta)
            return f"{len(event.delta)} bytes"
        case "input_audio_buffer.speech_started":
            assert_type(event, wire.InputAudioBufferSpeechStarted)
            return f"{event.audio_start_ms} ms"
        case "unknown":
            assert_type(event, wire.UnknownServerEvent)
            return f"unknown {event.kind}"
        case other:
            return other


def silence_ms(detection: wire.TurnDetection) -> int | None:
    """Every kind of turn detection."""
    match detection:
        case wire.ServerVad() | wire.AzureSemanticVad() | wire.AzureSemanticVadEn():
            return detection.silence_duration_ms
        case wire.AzureSemanticVadMultilingual():
            assert_type(detection.languages, list[str] | None)
            return detection.silence_duration_ms
        case wire.OpenAISemanticVad():
            return None
        case wire.UnknownTurnDetection():
            return None
        case _:
            assert_never(detection)


def voice_name(voice: wire.Voice) -> str:
    """Every kind of voice, the bare name included."""
    match voice:
        case str():
            return voice
        case wire.AzureStandardVoice() | wire.AzureCustomVoice() | wire.AzurePersonalVoice():
            return voice.name
        case wire.OpenAIVoice() | wire.AzureRealtimeNativeVoice():
            return voice.name
        case wire.AzureAvatarVoiceSyncVoice():
            return voice.model
        case wire.UnknownVoice():
            return voice.kind or ""
        case _:
            assert_never(voice)


def words(part: wire.ContentPart) -> str | None:
    """Every kind of content part; by class, because two of them answer to two words each."""
    match part:
        case wire.RequestTextContentPart() | wire.ResponseTextContentPart():
            return part.text
        case wire.RequestAudioContentPart() | wire.ResponseAudioContentPart():
            assert_type(part.audio, bytes | None)
            return part.transcript
        case wire.RequestImageContentPart():
            return part.image_url
        case wire.UnknownContentPart():
            return part.kind
        case _:
            assert_never(part)


def tool_name(tool: wire.Tool) -> str | None:
    """Every kind of tool, told apart by ``type``."""
    if tool.type == "function":
        return tool.name
    if tool.type == "mcp":
        assert_type(tool.headers, dict[str, str] | None)
        return tool.server_label
    if tool.type == "foundry_agent":
        return tool.agent_name
    if tool.type == "unknown":
        return tool.kind
    assert_never(tool)


def item_id(item: wire.ResponseItem) -> str | None:
    """Every kind of item."""
    match item:
        case wire.ResponseMessageItem():
            assert_type(item.content, list[wire.ContentPart])
        case wire.ResponseFunctionCallItem() | wire.ResponseFunctionCallOutputItem():
            assert_type(item.call_id, str)
        case wire.ResponseMCPListToolItem():
            assert_type(item.tools, list[wire.MCPTool])
        case wire.ResponseMCPCallItem() | wire.ResponseMCPApprovalRequestItem():
            assert_type(item.server_label, str)
        case wire.ResponseMCPApprovalResponseItem():
            assert_type(item.approve, bool)
        case wire.ResponseWebSearchCallItem() | wire.ResponseFileSearchCallItem():
            pass
        case wire.ResponseFoundryAgentCallItem():
            pass
        case wire.UnknownResponseItem():
            assert_type(item.raw, dict[str, Any])
        case _:
            assert_never(item)
    return item.id


def client_word(event: wire.ClientEvent) -> str:
    """A client event, as a server reads it."""
    if event.type == "input_audio_buffer.append":
        assert_type(event.audio, bytes)
    return event.type


def settings() -> wire.SessionConfig:
    """Settings of every kind, with what this version does not know put there on purpose."""
    config = wire.SessionConfig(
        modalities=["text", "audio", wire.Unlisted("smell")],
        voice=wire.AzureStandardVoice(name="en-US-AvaMultilingualNeural", rate="1.1"),
        turn_detection=wire.AzureSemanticVad(end_of_utterance_detection=wire.AzureSemanticDetection(timeout_ms=800)),
        input_audio_noise_reduction=wire.AudioNoiseReduction(type=wire.Unlisted("brand_new")),
        avatar=wire.VideoAvatar(character="lisa", style="casual-sitting", video=wire.VideoParams(bitrate=1_000_000)),
        tools=[wire.FunctionTool(name="look_up"), wire.UnknownTool(type="brand_new", extra={"depth": 2})],
        tool_choice="auto",
        max_response_output_tokens="inf",
        extra={"brand_new": 1},
    )
    assert_type(config.max_response_output_tokens, int | Literal["inf"] | None)
    return config


def refused() -> list[object]:
    """What a type checker refuses before anything runs; never called."""
    return [
        wire.AudioNoiseReduction(type="nope"),  # type: ignore[arg-type]  # no such kind
        wire.SessionConfig(modality=["text"]),  # type: ignore[call-arg]  # no such setting
        wire.InputAudioBufferAppend(audio="AAAA"),  # type: ignore[arg-type]  # audio is bytes, not base64
        wire.ConversationItemDelete(),  # type: ignore[call-arg]  # which one?
        wire.ServerVad(type="semantic_vad"),  # type: ignore[arg-type]  # another class
    ]
