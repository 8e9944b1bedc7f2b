"""What becomes of the voice where an avatar is set, with and without the libraries that show it."""

from __future__ import annotations

from typing import Any

import pytest

from voicelive import wire
from voicelive.testing import Emulator, Script, ToneVoice

LISA = {"character": "lisa", "style": "casual-sitting", "customized": False}


def kinds(events: list[dict[str, Any]]) -> set[str]:
    return {event["type"] for event in events}


@pytest.fixture
def without_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicelive.testing.avatar.performer._missing_libraries", lambda: ("aiortc", "av"))


async def test_without_a_link_the_voice_is_mute_and_all_else_goes_on(dial: Any) -> None:
    async with Emulator(Script("Hello."), voice=ToneVoice()) as emulator:
        peer = await dial(emulator)
        await peer.update(avatar=LISA)
        events = await peer.ask("Hi")
        await peer.send("output_audio_buffer.clear")
        await peer.one("output_audio_buffer.cleared")
        await peer.no_more()

    assert "response.audio.delta" not in kinds(events)
    assert {"response.audio_transcript.delta", "response.audio.done", "response.done"} < kinds(events)


async def test_the_audit_copies_the_voice_to_the_socket(dial: Any) -> None:
    async with Emulator(Script("Hello."), voice=ToneVoice()) as emulator:
        peer = await dial(emulator)
        await peer.update(avatar={**LISA, "output_audit_audio": True})
        events = await peer.ask("Hi")

    assert "response.audio.delta" in kinds(events)


async def test_a_session_without_an_avatar_takes_no_offer(dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        await peer.send("session.avatar.connect", client_sdp="x", event_id="e")
        error = (await peer.one("error"))["error"]

    assert (error["code"], error["event_id"]) == ("invalid_value", "e")


@pytest.mark.usefixtures("without_libraries")
async def test_without_the_libraries_the_voice_stays_on_the_socket_and_a_warning_says_what_to_install(
    dial: Any,
) -> None:
    async with Emulator(Script("Hello."), voice=ToneVoice()) as emulator:
        peer = await dial(emulator)
        await peer.update(avatar={**LISA, "output_protocol": "websocket"})
        warning = (await peer.one("warning"))["warning"]
        events = await peer.ask("Hi")
        linking = await dial(emulator)
        await linking.update(avatar=LISA)
        await linking.one("warning")
        await linking.send("session.avatar.connect", client_sdp="x")
        error = (await linking.one("error"))["error"]

    assert (warning["code"], warning["param"]) == ("emulator_not_played", "session.avatar")
    assert warning["message"].endswith("it needs aiortc, av; pip install 'voicelive[avatar]'.")
    assert error["code"] == "avatar_service_internal_error"
    assert "pip install 'voicelive[avatar]'" in error["message"]
    assert "response.audio.delta" in kinds(events)


@pytest.mark.usefixtures("without_libraries")
async def test_without_the_libraries_nothing_is_said_where_no_avatar_is_set(dial: Any) -> None:
    async with Emulator() as emulator:
        peer = await dial(emulator)
        await peer.update(instructions="Be brief.")
        await peer.no_more()

    assert not emulator.sessions[0].sent_of(wire.WarningEvent)


async def test_a_background_image_is_named_as_not_played(dial: Any) -> None:
    background = {"background": {"image_url": "https://example.com/b.jpg"}}
    async with Emulator() as emulator:
        peer = await dial(emulator)
        await peer.update(avatar={**LISA, "video": background})
        warning = (await peer.one("warning"))["warning"]

    assert warning["param"] == "session.avatar.video.background.image_url"
