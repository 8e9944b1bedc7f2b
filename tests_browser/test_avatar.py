"""The page of examples/avatar in a real browser, with the emulator's drawn face: part of `make browser`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from examples.avatar.server import serving
from tests_browser.chromium import Tab, opened
from tests_browser.turn import relay

from voicelive import VoiceLiveClient, wire
from voicelive.audio import AudioFormat, WavFile, save_wav
from voicelive.testing import AvatarPicture, EmulatedSession, Emulator, Pace, Script, Turn

ROOT = Path(__file__).parents[1]
QUESTION = ROOT / "examples" / "audio" / "question.wav"
PICTURE = ROOT / "docs" / "avatar.png"
PCM = AudioFormat("pcm16", 24_000)
FORECAST = "It is sunny in Lisbon, with 21 degrees, a light wind from the sea, and no rain before Friday evening."

SHOWN_ADDRESSES = "--disable-features=WebRtcHideLocalIpsWithMdns"
LOOPBACK = "--allow-loopback-in-peer-connection"

# A browser that was given the microphone shows its addresses: so this one is drawn, not asked for.
NO_MICROPHONE = """
navigator.mediaDevices.getUserMedia = async () => new AudioContext().createMediaStreamDestination().stream;
"""
SPY = """
const connect = RTCPeerConnection.prototype.setLocalDescription;
RTCPeerConnection.prototype.setLocalDescription = async function (...given) {
  await connect.apply(this, given);
  window.peer = this;
};
"""
LUMA = """(() => {
  const video = document.getElementById("video");
  const canvas = Object.assign(document.createElement("canvas"), { width: 160, height: 90 });
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 160, 90);
  return [...context.getImageData(0, 0, 160, 90).data].filter((_, place) => place % 4 === 1);
})()"""
STATS = """avatarLink.stats().then(({ video, audio }) =>
  ({ pictures: video?.framesDecoded ?? 0, energy: audio?.totalAudioEnergy ?? 0 }))"""
SPEAKING = "document.getElementById('speaking').textContent"


@asynccontextmanager
async def page(
    tmp_path: Path,
    *switches: str,
    scripts: Sequence[str] = (),
    query: str = "",
    servers: Sequence[wire.IceServer] = (),
    heard: bool = True,
) -> AsyncIterator[tuple[Tab, Emulator]]:
    """The page before the call, and the emulator behind it."""
    microphone = tmp_path / "microphone.wav" if heard else None
    silent_s = 8  # while it is greeted
    said = PCM.silence(1000 * silent_s) + WavFile(QUESTION).read(PCM) + PCM.silence(20_000)
    if microphone is not None:
        save_wav(microphone, said, PCM.rate_hz)
    weather = Turn(FORECAST, transcript="What is the weather in Lisbon today?")
    emulator = Emulator(
        Script(weather),
        pace=Pace.measured(),
        avatar_picture=AvatarPicture(scale=1 / 3),
        ice_servers=[server.model_dump(mode="json") for server in servers],
    )
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(emulator)
        client = VoiceLiveClient(emulator.endpoint, "any-key")
        server = await stack.enter_async_context(serving(client, 0))
        tab = await stack.enter_async_context(opened(microphone, tmp_path / "profile", LOOPBACK, *switches))
        port = server.servers[0].sockets[0].getsockname()[1]
        await tab.command("Page.enable")
        for script in (SPY, *scripts):
            await tab.command("Page.addScriptToEvaluateOnNewDocument", source=script)
        await tab.command("Page.navigate", url=f"http://127.0.0.1:{port}/{query}")
        await tab.until("document.readyState === 'complete'")
        yield tab, emulator
        server.should_exit = True


async def linked(tab: Tab) -> list[str]:
    """Call, and wait for the picture; the kinds of candidates that the page has offered, and their addresses."""
    await tab.evaluate("document.getElementById('call').click()")
    await tab.until("document.getElementById('state').textContent === 'picture: connected'")
    await tab.until(f"{STATS}.then(({{ pictures }}) => pictures > 10)")
    sdp = await tab.evaluate("peer.localDescription.sdp")
    return [line.split()[4] + " " + line.split()[7] for line in sdp.splitlines() if line.startswith("a=candidate:")]


async def moves(tab: Tab) -> None:
    """The picture is not black, and changes."""
    before: list[int] = await tab.evaluate(LUMA)
    assert max(before) > 200
    assert len(set(before)) > 10, "a face, not a plain colour"
    await tab.until(f"{LUMA}.some((luma, place) => Math.abs(luma - {before}[place]) > 40)")


async def energy(tab: Tab) -> float:
    found: dict[str, Any] = await tab.evaluate(STATS)
    return float(found["energy"])


async def test_a_page_shows_the_agent_hears_it_and_cuts_it_off(tmp_path: Path) -> None:
    async with page(tmp_path, SHOWN_ADDRESSES) as (tab, emulator):
        candidates = await linked(tab)
        assert not [each for each in candidates if ".local" in each]
        await tab.until(f"{SPEAKING} === 'speaking'")
        await moves(tab)
        PICTURE.write_bytes(await tab.picture())
        await tab.until(f"{SPEAKING} === 'idle'")
        greeted = await energy(tab)
        assert greeted > 1e-3, "louder than silence"

        await tab.until("[...document.querySelectorAll('li[data-who=caller]')].at(-1)?.textContent.includes('Lisbon')")
        await tab.until(f"{SPEAKING} === 'speaking'")
        await tab.until(f"{STATS}.then(({{ energy }}) => energy > {greeted} + 0.02)")
        await tab.evaluate("document.getElementById('interrupt').click()")
        await tab.until(f"{SPEAKING} === 'idle'", timeout_s=2)
        await tab.evaluate("new Promise((wait) => setTimeout(wait, 500))")  # what was on its way
        cut = await energy(tab)
        await tab.evaluate("new Promise((wait) => setTimeout(wait, 1000))")
        assert await energy(tab) - cut < 1e-4, "sound has stopped"
        (service,) = emulator.sessions
        check_cut(service)
        await tab.evaluate("document.getElementById('call').click()")
        await tab.until("document.getElementById('state').textContent === 'ended: caller'")


def check_cut(service: EmulatedSession) -> None:
    assert service.received_of(wire.OutputAudioBufferClear)
    assert not service.sent_of(wire.ResponseAudioDelta), "the voice comes with the picture"


async def test_addresses_that_the_browser_hides_are_found(tmp_path: Path) -> None:
    async with page(tmp_path, scripts=[NO_MICROPHONE], heard=False) as (tab, _):
        candidates = await linked(tab)
        assert candidates
        assert all(".local" in each for each in candidates), candidates
        await tab.until(f"{SPEAKING} === 'speaking'")
        await moves(tab)


async def test_a_relay_carries_picture_and_voice(tmp_path: Path) -> None:
    async with relay(tmp_path) as server, page(tmp_path, query="?relay", servers=[server]) as (tab, _):
        candidates = await linked(tab)
        assert candidates
        assert all(each.endswith("relay") for each in candidates)
        await tab.until(f"{SPEAKING} === 'speaking'")
        await moves(tab)
        await tab.until(f"{SPEAKING} === 'idle'")
        assert await energy(tab) > 1e-3
