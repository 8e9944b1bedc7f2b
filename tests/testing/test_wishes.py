"""What a response is to be: the session's settings, overridden by its own."""

from __future__ import annotations

from typing import Any

import pytest

from voicelive.audio.formats import AudioFormat
from voicelive.testing.settings import Settings
from voicelive.testing.wishes import Wishes


def wishes(request: dict[str, Any] | None = None, **settings: Any) -> Wishes:
    session = Settings(session_id="s", model="gpt-realtime", expires_at=1)
    session.apply(settings)
    return Wishes.of(session, request)


def test_without_wishes_the_session_decides() -> None:
    plain = wishes(max_response_output_tokens=9, output_audio_format="g711_ulaw")
    assert plain.audio_format == AudioFormat("g711_ulaw", 8_000)
    assert plain.max_tokens == 9
    assert plain.in_conversation
    assert not plain.cancel_previous
    assert plain.reported["voice"] == {"name": "alloy", "type": "openai"}
    assert plain.reported["max_output_tokens"] == 9


def test_a_response_overrides_the_session() -> None:
    own = wishes(
        {
            "response": {
                "modalities": ["text"],
                "voice": "marin",
                "instructions": "One word.",
                "tools": [],
                "max_output_tokens": "inf",
                "metadata": {"a": "b"},
                "temperature": 0.9,
            },
            "additional_instructions": "In Greek.",
        },
        max_response_output_tokens=9,
        tools=[{"type": "function", "name": "f"}],
    )
    assert own.audio_format is None
    assert own.instructions == "One word. In Greek."
    assert own.tool_names == ()
    assert own.max_tokens is None
    assert own.reported["voice"] == {"name": "marin", "type": "openai"}
    assert (own.reported["metadata"], own.reported["temperature"]) == ({"a": "b"}, 0.9)


def test_the_cap_has_two_names() -> None:
    assert wishes({"response": {"max_response_output_tokens": 5}}, max_response_output_tokens=9).max_tokens == 5


@pytest.mark.parametrize("response", [{"conversation": "none"}, {"commit": False}])
def test_a_response_can_stay_out_of_the_conversation(response: dict[str, Any]) -> None:
    assert not wishes({"response": response}).in_conversation


@pytest.mark.parametrize(("value", "replaces"), [(True, True), (False, False), (None, False)])
def test_only_an_explicit_wish_replaces_a_running_response(value: bool | None, replaces: bool) -> None:
    assert wishes({"response": {"cancel_previous": value}}).cancel_previous is replaces


def test_where_calls_are_forbidden_no_tool_is_offered() -> None:
    tools = [{"type": "function", "name": "f"}, {"type": "mcp", "server_label": "m", "server_url": "https://m"}]
    assert wishes(tools=tools).tool_names == ("f",)
    assert wishes({"response": {"tool_choice": "none"}}, tools=tools).tool_names == ()


AVA = {"type": "azure-standard", "name": "en-US-AvaMultilingualNeural"}
MOUTH = {"outputs": ["viseme_id"]}
FACE = {"outputs": ["blendshapes"]}
BOTH = {"outputs": ["blendshapes", "viseme_id"]}


@pytest.mark.parametrize(
    ("response", "settings", "timed"),
    [
        ({}, {"voice": AVA}, True),
        ({}, {}, False),
        ({"voice": AVA}, {}, True),
        ({"voice": "marin"}, {"voice": AVA}, False),
    ],
)
def test_words_are_timed_and_mouths_shaped_for_the_azure_voice_in_effect(
    response: dict[str, Any], settings: dict[str, Any], timed: bool
) -> None:
    asked = wishes({"response": response}, output_audio_timestamp_types=["word"], animation=BOTH, **settings)
    assert (asked.times_words, asked.shapes_mouth, asked.shapes_face) == (timed, timed, timed)


@pytest.mark.parametrize(
    ("animation", "mouth", "face"), [(MOUTH, True, False), (FACE, False, True), (BOTH, True, True), ({}, False, False)]
)
def test_session_and_response_choose_what_moves(animation: dict[str, Any], mouth: bool, face: bool) -> None:
    for asked in (wishes(voice=AVA, animation=animation), wishes({"response": {"animation": animation}}, voice=AVA)):
        assert (asked.times_words, asked.shapes_mouth, asked.shapes_face) == (False, mouth, face)
