"""What one response is to be: the session's settings, overridden by those of ``response.create``.

Only reads; nothing here knows what will be said, or whether a response runs already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from voicelive.audio.formats import AudioFormat
from voicelive.testing.settings import JsonObject, Settings

__all__ = ["Wishes"]


@dataclass(frozen=True, slots=True)
class Wishes:
    """Effective settings of one response.

    Attributes:
        reported: What the response resource repeats of them.
        audio_format: Form of the spoken reply; ``None``: text only.
        times_words: Word timestamps are sent with the audio.
        shapes_mouth: Visemes are.
        shapes_face: Blendshapes are.
        max_tokens: Cap of the output, ``None`` for none.
        instructions: Instructions in effect, additions included.
        tools: Declarations of tools in effect.
        tool_choice: As on the wire.
        parallel_calls: Several functions may be called in one response.
        in_conversation: The output enters the history; else the response is out of band.
        cancel_previous: Asked for explicitly: replace a running response.
        verbatim: A text to say as it stands, without asking the script.
        input_items: Items to read instead of the history, as on the wire; ``None``: the history.
        further_items: Items to read beside it.
    """

    reported: JsonObject
    audio_format: AudioFormat | None
    times_words: bool
    shapes_mouth: bool
    shapes_face: bool
    max_tokens: int | None
    instructions: str = field(repr=False)
    tools: Sequence[JsonObject]
    tool_choice: object
    parallel_calls: bool
    in_conversation: bool = True
    cancel_previous: bool = False
    verbatim: str | None = field(default=None, repr=False)
    input_items: Sequence[JsonObject] | None = field(default=None, repr=False)
    further_items: Sequence[JsonObject] = field(default=(), repr=False)

    @property
    def tool_names(self) -> tuple[str, ...]:
        """Functions that may be called; none where the tool choice forbids calls."""
        if self.tool_choice == "none":
            return ()
        return tuple(tool["name"] for tool in self.tools if tool.get("type") == "function")

    @classmethod
    def of(cls, settings: Settings, request: Mapping[str, Any] | None = None) -> Wishes:
        """The wishes of a ``response.create`` that its table has passed; ``None``: an automatic response."""
        request = request or {}
        own: Mapping[str, Any] = request.get("response") or {}

        def chosen(key: str, fallback: object = None) -> Any:
            value = own.get(key)
            return value if value is not None else settings.get(key) if fallback is None else fallback

        max_tokens = chosen(
            "max_output_tokens", own.get("max_response_output_tokens") or settings["max_response_output_tokens"]
        )
        voice = chosen("voice")
        timed = isinstance(voice, dict) and voice["type"].startswith("azure")  # no other voice can, by the reference
        animated = (chosen("animation") or {}).get("outputs") or () if timed else ()
        modalities = chosen("modalities")
        output_format = chosen("output_audio_format")
        in_conversation = own.get("conversation") != "none" and own.get("commit") is not False
        message = own.get("pre_generated_assistant_message")
        return cls(
            reported={
                "modalities": modalities,
                "voice": {"name": voice, "type": "openai"} if isinstance(voice, str) else voice,
                "output_audio_format": output_format,
                "temperature": chosen("temperature"),
                "max_output_tokens": max_tokens,
                "metadata": own.get("metadata"),
            },
            audio_format=AudioFormat.of_output(output_format) if "audio" in modalities else None,
            times_words=timed and bool(settings["output_audio_timestamp_types"]),
            shapes_mouth="viseme_id" in animated,
            shapes_face="blendshapes" in animated,
            max_tokens=None if max_tokens == "inf" else max_tokens,
            instructions=" ".join(filter(None, (chosen("instructions"), request.get("additional_instructions")))),
            tools=chosen("tools"),
            tool_choice=chosen("tool_choice"),
            parallel_calls=settings.get("parallel_tool_calls") is not False,
            in_conversation=in_conversation,
            cancel_previous=own.get("cancel_previous") is True,
            verbatim=" ".join(part["text"] for part in message["content"]) if message else None,
            input_items=own.get("input_items"),
            further_items=own.get("append_input_items") or (),
        )
