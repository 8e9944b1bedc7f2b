"""Have an avatar speak a text, and write what is seen and heard into an MP4 file, without a browser.

    pip install 'voicelive[testing,avatar]'
    python examples/avatar_to_mp4.py "Good morning, and welcome." welcome.mp4

Without AZURE_VOICELIVE_ENDPOINT the emulator shows a drawn face. With --socket the video comes over the session's own
socket, for networks in which UDP is closed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from voicelive import SessionConfig, VideoAvatar, VoiceLiveClient, wire
from voicelive.session import Session
from voicelive.testing import AvatarPicture, Emulator, Pace, Script

TEXT: Final = "Good morning! This picture and this voice were made by a program, and this file was too."
CHARACTER, STYLE = "lisa", "casual-sitting"
SPEAKS_WITHIN_S: Final = 30
GOES_ON_S: Final = 0.5  # so that the file does not end with the last sound


@asynccontextmanager
async def some_client() -> AsyncIterator[VoiceLiveClient]:
    """Of the service in the environment, or of an emulator."""
    async with AsyncExitStack() as stack:
        if os.environ.get("AZURE_VOICELIVE_ENDPOINT"):
            yield await stack.enter_async_context(VoiceLiveClient.from_env())
            return
        print("AZURE_VOICELIVE_ENDPOINT is not set: the emulator answers.")
        emulator = Emulator(Script(), pace=Pace.measured(), avatar_picture=AvatarPicture(scale=1 / 3))
        await stack.enter_async_context(emulator)
        yield await stack.enter_async_context(VoiceLiveClient(emulator.endpoint, "any-key"))


async def speak(session: Session, text: str) -> None:
    """Have a text said, and wait until the avatar has spoken and is idle again."""
    async with asyncio.timeout(SPEAKS_WITHIN_S):
        speaking = asyncio.create_task(session.wait_for(wire.SessionAvatarSwitchToSpeaking))
        idle = asyncio.create_task(session.wait_for(wire.SessionAvatarSwitchToIdle))
        await session.say(text)
        await speaking
    await idle
    await asyncio.sleep(GOES_ON_S)


async def main(text: str, path: Path, over_the_socket: bool) -> None:
    config = SessionConfig(
        voice=wire.AzureStandardVoice(name="en-US-AvaMultilingualNeural"),
        avatar=VideoAvatar(
            character=CHARACTER, style=STYLE, output_protocol="websocket" if over_the_socket else "webrtc"
        ),
    )
    async with some_client() as client, client.connect("gpt-4.1", config=config) as session:
        if over_the_socket:
            async with session.avatar.video() as video, video.record(path):
                await speak(session, text)
        else:
            async with session.avatar.receive() as media, media.record(path):
                await speak(session, text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Have an avatar speak a text into an MP4 file.")
    parser.add_argument("text", nargs="?", default=TEXT)
    parser.add_argument("path", nargs="?", type=Path, default=Path("avatar.mp4"))
    parser.add_argument("--socket", action="store_true", help="take the video over the session's socket")
    options = parser.parse_args()
    asyncio.run(main(options.text, options.path, options.socket))
    print(f"{options.path}: {options.path.stat().st_size / 1000:.0f} kB")
