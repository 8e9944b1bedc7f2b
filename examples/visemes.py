"""Ask the agent something, and draw its mouth: one picture for each viseme of the answer, in one strip.

Talks to the service when AZURE_VOICELIVE_ENDPOINT is set (with AZURE_VOICELIVE_API_KEY, or signed in with Azure),
otherwise to the emulator that comes with the package.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from voicelive import AzureStandardVoice, SessionConfig, VoiceLiveClient, wire
from voicelive.avatar.animation import AnimationTrack, TimedViseme
from voicelive.avatar.shapes import viseme
from voicelive.testing import Emulator

QUESTION = "What is the weather in Lisbon today?"
STRIP = Path("mouths.svg")

CONFIG = SessionConfig(
    instructions="Answer in one short sentence.",
    voice=AzureStandardVoice(name="en-US-AvaMultilingualNeural"),  # visemes need an Azure voice
    animation=wire.Animation(outputs=["viseme_id"]),
)

CELL, MOUTHS_IN_ROW = 90, 12


def mouth(shape: TimedViseme, number: int) -> str:
    """A mouth as wide as its lips are spread and as high as it is open, with its time and its viseme."""
    drawn = viseme(shape.viseme_id)
    row, column = divmod(number, MOUTHS_IN_ROW)
    x, y = column * CELL + CELL // 2, row * CELL + CELL // 2
    width, height = 30 - 18 * drawn.rounding, 2 + 22 * drawn.openness
    return (
        f'<g font-family="sans-serif" font-size="11" text-anchor="middle"><title>{drawn.mouth}</title>'
        f'<ellipse cx="{x}" cy="{y - 8}" rx="{width:.1f}" ry="{height:.1f}"'
        ' fill="#5b1a1a" stroke="#c4626a" stroke-width="5"/>'
        f'<text x="{x}" y="{y + 32}">{shape.offset_ms} ms: {shape.viseme_id}</text></g>'
    )


def strip(track: AnimationTrack) -> str:
    """All mouths as SVG, row by row."""
    rows = -(-len(track.visemes) // MOUTHS_IN_ROW)
    mouths = "\n".join(mouth(shape, number) for number, shape in enumerate(track.visemes))
    size = f'width="{MOUTHS_IN_ROW * CELL}" height="{rows * CELL}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n<rect {size} fill="white"/>\n{mouths}\n</svg>\n'


async def talk(client: VoiceLiveClient) -> None:
    async with client, client.connect("gpt-realtime", config=CONFIG) as session:
        track = AnimationTrack()
        await session.send_text(QUESTION)
        answer = await session.create_response()
        async for event in answer:
            track.add(event)
        print(f"caller: {QUESTION}\n agent: {answer.text}")
        if not track.visemes:
            print("No visemes came; the service gives them with Azure voices only.")
            return
        await asyncio.to_thread(STRIP.write_text, strip(track), encoding="utf-8")
        speech_s = session.output_format.duration_ms(len(answer.audio)) / 1000
        print(f"\n{len(track.visemes)} mouths for {speech_s:.1f} s of speech are in {STRIP}.")


async def main() -> None:
    if os.environ.get("AZURE_VOICELIVE_ENDPOINT"):
        await talk(VoiceLiveClient.from_env())
    else:
        print("AZURE_VOICELIVE_ENDPOINT is not set: talking to the emulator on this machine.\n")
        async with Emulator() as emulator:
            await talk(VoiceLiveClient(emulator.endpoint, "any-key"))


if __name__ == "__main__":
    asyncio.run(main())
