"""Ranges and combinations: what fits is accepted, what does not says why, and only applications are measured."""

import json
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from voicelive import wire
from voicelive.errors import ConfigurationError
from voicelive.wire.base import Settings, Wire


def sent(event: Wire) -> Any:
    return json.loads(wire.encode(event))


def refused(make: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as error:
        make()
    return str(error.value)


LIMITS: dict[str, tuple[Callable[[Any], object], list[Any], list[Any]]] = {
    "threshold": (lambda x: wire.ServerVad(threshold=x), [0, 0.5, 1], [-0.1, 1.1]),
    "prefix_padding_ms": (lambda x: wire.ServerVad(prefix_padding_ms=x), [0, 500], [-1]),
    "timeout_ms": (lambda x: wire.AzureSemanticDetection(timeout_ms=x), [0, 1000], [-1]),
    "temperature": (lambda x: wire.AzureStandardVoice(name="a", temperature=x), [0, 1], [-0.1, 1.1]),
    "max_response_output_tokens": (
        lambda x: wire.SessionConfig(max_response_output_tokens=x),
        [1, 4096, "inf", None],
        [0, 4097],
    ),
    "max_output_tokens": (lambda x: wire.ResponseCreateParams(max_output_tokens=x), [1, "inf"], [0, 4097]),
    "latency_threshold_ms": (lambda x: wire.LlmInterimResponseConfig(latency_threshold_ms=x), [0], [-1]),
    "max_completion_tokens": (lambda x: wire.LlmInterimResponseConfig(max_completion_tokens=x), [1], [0]),
    "bitrate": (lambda x: wire.VideoParams(bitrate=x), [1, 2_000_000], [0]),
    "gop_size": (lambda x: wire.VideoParams(gop_size=x), [1, 2000], [0, 2001]),
    "width": (lambda x: wire.VideoResolution(width=x, height=1), [1], [0]),
    "height": (lambda x: wire.VideoResolution(width=1, height=x), [1], [0]),
    "zoom": (lambda x: wire.Scene(zoom=x), [0.1, 5], [0, -1]),
    "amplitude": (lambda x: wire.Scene(amplitude=x), [0.1, 1], [0, 1.1]),
    "position_x": (lambda x: wire.Scene(position_x=x), [-1, 1], [-1.1, 1.1]),
    "rotation_z": (lambda x: wire.Scene(rotation_z=x), [-math.pi, math.pi], [-3.15, 3.15]),
    "top_left": (lambda x: wire.VideoCrop(top_left=x, bottom_right=[9, 9]), [[0, 0]], [[0], [0, -1], [0, 0, 0]]),
    "bottom_right": (lambda x: wire.VideoCrop(top_left=[0, 0], bottom_right=x), [[9, 9]], [[9]]),
    "phrase_list": (
        lambda x: wire.AudioInputTranscriptionOptions(model="azure-speech", phrase_list=["a"] * x),
        [499],
        [500],
    ),
    "custom_speech": (
        lambda x: wire.AudioInputTranscriptionOptions(
            model="azure-speech", custom_speech=dict.fromkeys("abcdefghijk"[:x], "m")
        ),
        [10],
        [11],
    ),
    "metadata": (lambda x: wire.SessionConfig(metadata=x), [{"k" * 64: "v" * 512}], [{"k" * 65: ""}, {"k": "v" * 513}]),
    "input_audio_sampling_rate": (
        lambda x: wire.SessionConfig(input_audio_sampling_rate=x),
        [8000, 16000, 24000, None],
        [0, 44100],
    ),
}


@pytest.mark.parametrize(("make", "good", "bad"), LIMITS.values(), ids=LIMITS)
def test_a_limit_holds_on_both_sides(
    make: Callable[[Any], object], good: list[Any], bad: list[Any], request: pytest.FixtureRequest
) -> None:
    for value in good:
        make(value)
    for value in bad:
        assert request.node.callspec.id in refused(partial(make, value))


def test_metadata_has_at_most_16_pairs() -> None:
    wire.SessionConfig(metadata={str(index): "" for index in range(16)})

    assert "17 pairs" in refused(lambda: wire.SessionConfig(metadata={str(index): "" for index in range(17)}))


def test_the_service_is_not_measured_against_our_limits() -> None:
    vad = {"type": "server_vad", "threshold": 7}
    avatar = {"character": "a", "scene": {"zoom": 0}}
    message = {"type": "session.updated", "session": {"turn_detection": vad, "avatar": avatar}}

    found = wire.decode(json.dumps(message))

    assert isinstance(found, wire.SessionUpdated)
    assert sent(found) == message


PART = wire.OutputTextContentPart(text="a")
ONE_TEXT = wire.AssistantMessageItem(content=[PART])
TWO_TEXTS = wire.AssistantMessageItem(content=[PART, PART])
FUNCTION = wire.FunctionTool(name="look_up")

COMBINATIONS: dict[str, tuple[type[Settings], dict[str, Any], dict[str, Any]]] = {
    "color and image_url": (wire.Background, {"color": "#000000FF"}, {"image_url": "https://a/b"}),
    "auto_truncate needs interrupt_response": (wire.ServerVad, {"auto_truncate": True}, {"interrupt_response": False}),
    "channels is 2 with reference_source 'server'": (
        wire.AudioEchoCancellation,
        {"reference_source": "server"},
        {"channels": 2},
    ),
    "allowed with G.711: 8000": (
        wire.SessionConfig,
        {"input_audio_sampling_rate": 16000},
        {"input_audio_format": "g711_ulaw"},
    ),
    "output_audio_timestamp_types needs an Azure voice": (
        wire.SessionConfig,
        {"output_audio_timestamp_types": ["word"]},
        {"voice": wire.OpenAIVoice(name="alloy")},
    ),
    "animation needs an Azure voice": (
        wire.SessionConfig,
        {"animation": wire.Animation(outputs=["viseme_id"])},
        {"voice": wire.OpenAIVoice(name="alloy")},
    ),
    "two names of one setting": (
        wire.ResponseCreateParams,
        {"max_output_tokens": 5},
        {"max_response_output_tokens": 5},
    ),
}


@pytest.mark.parametrize(("said", "case"), COMBINATIONS.items(), ids=COMBINATIONS)
def test_an_impossible_combination_says_why(
    said: str, case: tuple[type[Settings], dict[str, Any], dict[str, Any]]
) -> None:
    cls, one, other = case
    cls(**one)
    if said != "channels is 2 with reference_source 'server'":
        cls(**other)

    assert said in refused(lambda: cls(**one, **other))


def test_the_clients_echo_reference_needs_two_channels() -> None:
    wire.AudioEchoCancellation(reference_source="client", channels=2)
    wire.AudioEchoCancellation(reference_source=wire.Unlisted("room"), channels=7)

    assert "channels is 1" in refused(lambda: wire.AudioEchoCancellation(reference_source="client"))


def test_a_photo_avatar_has_a_model_and_no_style_and_a_video_avatar_the_reverse() -> None:
    wire.PhotoAvatar(character="anika", model="vasa-1")
    wire.VideoAvatar(character="lisa", style="casual-sitting")

    assert "photo avatars have no styles" in refused(lambda: wire.PhotoAvatar(character="a", model="vasa-1", style="b"))
    assert "model is required" in refused(lambda: wire.PhotoAvatar(character="a"))
    assert "which is for photo avatars" in refused(lambda: wire.VideoAvatar(character="a", model="vasa-1"))


def test_modalities_include_text() -> None:
    wire.SessionConfig(modalities=["text"])

    assert "must include 'text'" in refused(lambda: wire.SessionConfig(modalities=["audio"]))


def test_a_greeting_to_be_spoken_is_one_text_part() -> None:
    wire.ResponseCreateParams(pre_generated_assistant_message=ONE_TEXT)

    assert "exactly one text part" in refused(
        lambda: wire.ResponseCreateParams(pre_generated_assistant_message=TWO_TEXTS)
    )


def test_a_function_has_a_name_of_its_own() -> None:
    wire.SessionConfig(tools=[FUNCTION, wire.FunctionTool(name="other")])

    assert "'look_up' twice" in refused(lambda: wire.SessionConfig(tools=[FUNCTION, FUNCTION]))
