"""What an application constructs is checked before the wire, unless it is put there on purpose."""

import copy
import json
import math
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from tests.wire import schema

from voicelive import wire
from voicelive.errors import ConfigurationError
from voicelive.wire.base import Settings, Wire


def sent(event: Wire) -> Any:
    return json.loads(wire.encode(event))


def update(**settings: Any) -> Any:
    """What goes on the wire for these settings."""
    return sent(wire.SessionUpdate(session=wire.SessionConfig(**settings)))["session"]


def construct(cls: type[Wire], /, **fields: Any) -> Any:
    """A call with arguments that a type checker would refuse."""
    return cls(**fields)


def refused(make: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as error:
        make()
    return str(error.value)


# --- refusals name the field, the value and what is allowed -----------------------------------------------------------

REFUSALS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "unknown key": ({"modality": ["text"]}, ("unknown key 'modality'", "modalities", "extra={...}")),
    "unknown word": ({"modalities": ["tekst"]}, ("modalities.0: 'tekst'", "text, audio", "Unlisted(")),
    "word in place of a list": ({"modalities": "text"}, ("modalities: str", "list")),
    "text in place of a number": ({"temperature": "hot"}, ("temperature: str", "number")),
    "not a number": ({"temperature": math.nan}, ("temperature: float", "finite")),
    "number or word": ({"max_response_output_tokens": "none"}, ("'none'", "inf, an integer")),
    "number in place of text": ({"instructions": 5}, ("instructions: int", "string")),
    "key inside": (
        {"turn_detection": {"type": "server_vad", "x": 1}},
        ("turn_detection: unknown key 'x'", "threshold"),
    ),
    "kind inside": ({"turn_detection": {"type": "vad"}}, ("unknown type 'vad'", "server_vad", "UnknownTurnDetection(")),
    "no kind inside": ({"turn_detection": {"threshold": 0.5}}, ("turn_detection: type is required",)),
    "kind deep inside": (
        {"turn_detection": {"type": "server_vad", "end_of_utterance_detection": {"model": "mine"}}},
        ("turn_detection.end_of_utterance_detection: unknown model 'mine'", "semantic_detection_v1"),
    ),
    "key deep inside": (
        {"avatar": {"character": "lisa", "video": {"crop": {"top_left": [0, 0], "bottom_right": [9, 9], "z": 1}}}},
        ("avatar.video.crop: unknown key 'z'", "top_left"),
    ),
    "missing inside": ({"voice": {"type": "azure-standard"}}, ("voice.name: is required",)),
    "voice of no kind": ({"voice": 5}, ("voice: 5", "alloy", "any text")),
    "tool inside a list": ({"tools": [{"type": "web"}]}, ("tools.0: unknown type 'web'", "function", "mcp")),
    "avatar of no kind": ({"avatar": {"character": "lisa", "styl": 1}}, ("avatar: unknown key 'styl'", "style")),
    "mode word": ({"tool_choice": "automatic"}, ("tool_choice: 'automatic'", "auto, none, required")),
    "forced tool": ({"tool_choice": {"type": "function"}}, ("tool_choice.name: is required",)),
    "extra": ({"extra": 5}, ("extra is a int", "mapping")),
}


@pytest.mark.parametrize(("settings", "said"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_names_field_value_and_what_is_allowed(settings: dict[str, Any], said: tuple[str, ...]) -> None:
    message = refused(lambda: wire.SessionConfig(**settings))

    assert message.startswith("SessionConfig: ")
    for words in said:
        assert words in message


def test_all_problems_are_named_at_once() -> None:
    message = refused(lambda: construct(wire.SessionConfig, temperature="hot", modalities=["tekst"]))

    assert "temperature" in message
    assert "modalities.0" in message


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"type": "message", "content": []}, "item: role is required"),
        ({"type": "message", "role": "usr", "content": []}, "'usr' found using 'role'"),
        ({"type": "massage"}, "item: unknown type 'massage'; known: function_call"),
        ({"type": "function_call_output", "call_id": "a"}, "item.output: is required"),
    ],
)
def test_a_refused_item_says_what_is_wrong(item: dict[str, Any], said: str) -> None:
    assert said in refused(lambda: construct(wire.ConversationItemCreate, item=item))


def test_a_client_event_is_checked_like_settings() -> None:
    assert "audio_end_ms: float" in refused(
        lambda: construct(wire.ConversationItemTruncate, item_id="a", content_index=0, audio_end_ms=5.5)
    )
    assert "item_id: is required" in refused(lambda: construct(wire.ConversationItemDelete))
    assert "unknown key 'self'" in refused(lambda: construct(wire.ResponseCancel, self=1))


# --- on purpose -------------------------------------------------------------------------------------------------------


def test_extra_keys_go_on_the_wire_at_any_depth() -> None:
    vad = wire.ServerVad(threshold=0.5, extra={"brand_new": {"a": None}})

    assert update(turn_detection=vad, extra={"newer": [1]}) == {
        "turn_detection": {"type": "server_vad", "threshold": 0.5, "brand_new": {"a": None}},
        "newer": [1],
    }


def test_an_extra_key_may_have_any_name() -> None:
    assert update(extra={"extra": 1, "self": 2, "cls": 3}) == {"extra": 1, "self": 2, "cls": 3}


def test_an_unlisted_value_goes_on_the_wire() -> None:
    reduction = wire.AudioNoiseReduction(type=wire.Unlisted("brand_new"))

    assert update(input_audio_noise_reduction=reduction, modalities=["text", wire.Unlisted("smell")]) == {
        "input_audio_noise_reduction": {"type": "brand_new"},
        "modalities": ["text", "smell"],
    }


def test_an_unknown_kind_goes_on_the_wire() -> None:
    tool = wire.UnknownTool(type="web_search", extra={"depth": 2})
    eou = wire.UnknownEouDetection(model="mine", extra={"timeout_ms": 5})
    vad = wire.ServerVad(end_of_utterance_detection=eou)

    assert tool.kind == "web_search"
    assert eou.kind == "mine"
    assert eou.extra == {"timeout_ms": 5}
    assert update(tools=[tool], turn_detection=vad) == {
        "tools": [{"type": "web_search", "depth": 2}],
        "turn_detection": {"type": "server_vad", "end_of_utterance_detection": {"model": "mine", "timeout_ms": 5}},
    }


@pytest.mark.parametrize("wrong", [{"type": "function", "name": 5}, {"name": "a"}, {"type": None}, {"type": ["x"]}])
def test_an_unknown_kind_is_not_a_way_around_the_known_ones(wrong: dict[str, Any]) -> None:
    assert "foundry_agent, function, mcp" in refused(lambda: wire.UnknownTool(**wrong))


def test_open_text_takes_any_word() -> None:
    assert update(
        model="a-model-of-tomorrow",
        voice=wire.OpenAIVoice(name="new"),
        input_audio_transcription=wire.AudioInputTranscriptionOptions(model="new"),
    ) == {
        "model": "a-model-of-tomorrow",
        "voice": {"type": "openai", "name": "new"},
        "input_audio_transcription": {"model": "new"},
    }


# --- null, absent, defaults -------------------------------------------------------------------------------------------


def test_an_explicit_none_is_null_and_an_unset_field_is_absent() -> None:
    assert update(turn_detection=None) == {"turn_detection": None}
    assert update() == {}
    assert update(instructions="", tools=[]) == {"instructions": "", "tools": []}


CONSTRUCTED = [
    pytest.param(cls, model["fields"], id=cls.__name__)
    for name, model in schema.OBJECTS.items()
    for cls in schema.classes(name)
    if issubclass(cls, Settings)
    and "variants" not in model
    and cls not in (wire.VideoCrop, wire.PhotoAvatar, wire.VideoAvatar, wire.Background, wire.IceServer)
]
"""Settings whose required fields take the schema's samples; the others are in ``test_avatar``."""


@pytest.mark.parametrize(("cls", "fields"), CONSTRUCTED)
def test_a_constant_is_always_sent(cls: type[Settings], fields: list[schema.Json]) -> None:
    tags = {key: tag for key in ("type", "role", "model") if key in cls.model_fields and (tag := schema.tag(cls, key))}
    given = {key: value for key, value in schema.needed(fields, cls).items() if key not in tags}

    made = cls(**given)

    assert json.loads(made.model_dump_json(exclude_unset=True)) == given | tags


def test_customized_is_sent_for_avatars() -> None:
    assert update(avatar=wire.VideoAvatar(character="lisa", style="casual-sitting")) == {
        "avatar": {"type": "video-avatar", "character": "lisa", "style": "casual-sitting", "customized": False}
    }
    assert update(avatar=wire.PhotoAvatar(character="ann", model="vasa-1", customized=True))["avatar"]["customized"]


def test_an_avatar_without_type_is_a_video_avatar() -> None:
    given = construct(wire.SessionConfig, avatar={"character": "lisa", "style": "casual-sitting"}).avatar
    received = wire.decode('{"type":"session.updated","session":{"avatar":{"character":"lisa"}}}')

    assert isinstance(given, wire.VideoAvatar)
    assert isinstance(received, wire.SessionUpdated)
    assert isinstance(received.session.avatar, wire.VideoAvatar)
    assert sent(received)["session"]["avatar"] == {"character": "lisa"}


def test_a_received_object_with_new_keys_can_be_sent_again() -> None:
    vad = {"type": "server_vad", "threshold": 0.5, "brand_new": {"a": [1]}, "extra": 7}
    voice = {"type": "azure-standard", "name": "en-US-AvaNeural", "mood": "sunny"}
    received = wire.decode(json.dumps({"type": "session.updated", "session": {"turn_detection": vad, "voice": voice}}))
    assert isinstance(received, wire.SessionUpdated)

    again = update(turn_detection=received.session.turn_detection, voice=received.session.voice)

    assert again == {"turn_detection": vad, "voice": voice}


def test_settings_are_frozen() -> None:
    config = wire.SessionConfig(model="a")

    with pytest.raises(ValueError, match="frozen"):
        config.model = "b"


# --- secrets ----------------------------------------------------------------------------------------------------------

MARKER = "XYZZY-5ecret"
TELLING: dict[str, Callable[[], object]] = {
    "authorization": lambda: construct(wire.MCPServer, server_label=5, server_url=MARKER, authorization=[MARKER]),
    "headers": lambda: construct(wire.MCPServer, server_label="a", server_url="b", headers={"key": [MARKER]}),
    "instructions": lambda: construct(wire.SessionConfig, instructions=[MARKER], temperature=MARKER),
    "text": lambda: construct(wire.UserMessageItem, content=[{"type": "input_text", "text": [MARKER]}]),
    "other key": lambda: construct(wire.UserMessageItem, content=[{"type": "input_text", "txt": MARKER}]),
    "unknown part": lambda: construct(wire.UserMessageItem, content=[{"type": "words", "text": MARKER}]),
    "audio": lambda: construct(wire.InputAudioBufferAppend, audio=[MARKER]),
    "audio text": lambda: construct(wire.InputAudioBufferAppend, audio=f"{MARKER}!"),
    "arguments": lambda: construct(wire.FunctionCallItem, name="a", call_id="b", arguments={"a": MARKER}),
    "output": lambda: construct(wire.FunctionCallOutputItem, call_id="b", output={"a": MARKER}),
    "sdp": lambda: construct(wire.SessionAvatarConnect, client_sdp=[MARKER]),
    "metadata": lambda: wire.SessionConfig(metadata={"a": MARKER * 50}),
    "extra": lambda: construct(wire.SessionConfig, extra=MARKER),
    "credential": lambda: construct(wire.IceServer, urls=5, credential=[MARKER]),
    "not JSON": lambda: wire.encode(construct(wire.ResponseCreate, response={"invoke_input": {MARKER: object()}})),
}


@pytest.mark.parametrize("make", TELLING.values(), ids=TELLING)
def test_a_refusal_shows_no_secret_and_no_speech(make: Callable[[], object]) -> None:
    with pytest.raises(ConfigurationError) as error:
        make()

    last = traceback.format_exception_only(error.value)
    assert MARKER not in "".join([str(error.value), repr(error.value), *last])
    assert error.value.__suppress_context__ or error.value.__context__ is None


# --- copies -----------------------------------------------------------------------------------------------------------

COPIED: list[Wire] = [
    wire.SessionConfig(
        turn_detection=wire.ServerVad(threshold=0.5, extra={"new": 1}),
        modalities=["text", wire.Unlisted("smell")],
        tools=[wire.UnknownTool(type="web")],
        avatar=wire.VideoAvatar(character="lisa", style="casual-sitting"),
        extra={"newer": [1]},
    ),
    wire.InputAudioBufferAppend(audio=schema.SPEECH),
    wire.decode('{"type":"response.audio.delta","delta":"++//","brand_new":1,"item_id":null}'),
    wire.decode('{"type":"nobody.knows","kind":1,"a":{"b":2}}'),
    wire.decode('{"type":"session.updated","session":{"turn_detection":{"type":"server_vad","extra":1}}}'),
]


@pytest.mark.parametrize("original", COPIED, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(
    "clone",
    [lambda x: pickle.loads(pickle.dumps(x)), copy.copy, copy.deepcopy, lambda x: x.model_copy()],
    ids=["pickle", "copy", "deepcopy", "model_copy"],
)
def test_a_copy_is_equal_and_says_the_same(original: Wire, clone: Callable[[Wire], Wire]) -> None:
    other = clone(original)

    assert type(other) is type(original)
    assert other == original
    assert other.model_dump_json(by_alias=True, exclude_unset=True) == original.model_dump_json(
        by_alias=True, exclude_unset=True
    )


def test_a_changed_copy_sends_the_change() -> None:
    config = wire.SessionConfig(instructions="a", turn_detection=wire.ServerVad())

    changed = config.model_copy(update={"turn_detection": None})

    assert sent(wire.SessionUpdate(session=changed))["session"] == {"instructions": "a", "turn_detection": None}


def test_a_modelled_key_cannot_hide_in_extra() -> None:
    with pytest.raises(ConfigurationError, match="extra holds 'threshold', which is a setting of its own"):
        wire.ServerVad(extra={"threshold": 0.9})
