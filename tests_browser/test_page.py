"""The page of examples/browser in a real browser: `make browser`. It takes half a minute of real time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from examples.browser.server import serving
from tests_browser.chromium import Tab, opened

from voicelive import VoiceLiveClient, wire
from voicelive.audio import AudioFormat, WavFile, save_wav
from voicelive.testing import Call, Emulator, Pace, Script, Turn

ROOT = Path(__file__).parents[1]
AUDIO = ROOT / "examples" / "audio"
PCM = AudioFormat("pcm16", 24_000)
FORECAST = "It is sunny in Lisbon, with 21 degrees, a light wind from the sea, and no rain before Friday evening."
PICTURE = ROOT / "docs" / "browser.png"

SPY = """
const send = WebSocket.prototype.send;
window.acknowledged = [];
WebSocket.prototype.send = function (data) {
  const message = typeof data === "string" ? JSON.parse(data) : null;
  if (message?.type === "played") window.acknowledged.push(message);
  return send.call(this, data);
};
"""


def microphone(path: Path) -> Path:
    """A question, and five seconds later, while it is answered, a word over the answer."""
    question, stop = (WavFile(AUDIO / name).read(PCM) for name in ("question.wav", "stop.wav"))
    said = PCM.silence(1000) + question + PCM.silence(5000) + stop + PCM.silence(20_000)
    save_wav(path, said, PCM.rate_hz)
    return path


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    weather = Turn(
        transcript="What is the weather in Lisbon today?",
        calls=[Call("get_weather", {"city": "Lisbon"})],
        reply_after_calls=FORECAST,
    )
    stopped = Turn("Of course, I stop.", transcript="Stop, please.")
    async with Emulator(Script(weather, stopped, "You typed something."), pace=Pace.measured()) as emulator:
        yield emulator


@pytest.fixture
async def page(emulator: Emulator, tmp_path: Path) -> AsyncIterator[Tab]:
    async with (
        VoiceLiveClient(emulator.endpoint, "any-key") as client,
        serving(client, 0) as server,
        opened(microphone(tmp_path / "microphone.wav"), tmp_path / "profile") as tab,
    ):
        port = server.servers[0].sockets[0].getsockname()[1]
        await tab.command("Page.enable")
        await tab.command("Page.addScriptToEvaluateOnNewDocument", source=SPY)
        await tab.command("Page.navigate", url=f"http://127.0.0.1:{port}/")
        await tab.until("document.readyState === 'complete'")
        yield tab
        server.should_exit = True


def line(who: str, place: int = -1) -> str:
    """What the page shows as the last words of one of them."""
    return f"[...document.querySelectorAll('li[data-who={who}]')].at({place})?.textContent ?? ''"


async def test_a_page_talks_with_the_agent_and_cuts_it_off(page: Tab, emulator: Emulator) -> None:
    await page.evaluate("document.getElementById('call').click()")
    await page.until(f"({line('caller')}).includes('Lisbon today')")
    await page.until("document.querySelector('li s') !== null", timeout_s=30)
    heard = await page.evaluate("document.querySelector('li s').previousSibling.textContent")
    await page.until(f"({line('agent')}) === 'Of course, I stop.'")
    (service,) = emulator.sessions
    (cut,) = service.received_of(wire.ConversationItemTruncate)
    await page.until(f"window.acknowledged.at(-1).item_id !== '{cut.item_id}'")  # the next reply is heard
    acknowledged = await page.evaluate("window.acknowledged")
    check_cut(cut, [message["ms"] for message in acknowledged if message["item_id"] == cut.item_id])
    assert heard
    assert FORECAST.startswith(heard)
    assert heard != FORECAST

    await page.evaluate(
        "document.getElementById('text').value = 'Good bye.', document.getElementById('typing').requestSubmit()"
    )
    await page.until(f"({line('agent')}) === 'You typed something.'")
    PICTURE.write_bytes(await page.picture())
    await page.evaluate("document.getElementById('call').click()")
    await page.until("document.getElementById('state').textContent === 'ended: caller'")
    await page.until("document.getElementById('call').textContent === 'Call'")


def check_cut(cut: wire.ConversationItemTruncate, acknowledged_ms: list[float]) -> None:
    """The service was told a place that the loudspeaker had reached; what it still played meanwhile is short."""
    assert acknowledged_ms == sorted(acknowledged_ms)
    assert cut.audio_end_ms in [int(ms) for ms in acknowledged_ms]
    assert cut.audio_end_ms > 500
    assert acknowledged_ms[-1] - cut.audio_end_ms < 300
