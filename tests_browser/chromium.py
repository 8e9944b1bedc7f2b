"""A headless Chromium with a fake microphone, driven by the DevTools protocol over one WebSocket."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

__all__ = ["Tab", "opened"]

_STARTS_IN_S = 30


class Tab:
    """One page."""

    def __init__(self, line: ClientConnection, session_id: str = "") -> None:
        self._line, self._session_id = line, session_id
        self._ids = itertools.count(1)

    async def command(self, method: str, **params: Any) -> dict[str, Any]:
        """Have the browser do something; one after the other."""
        number = next(self._ids)
        session = {"sessionId": self._session_id} if self._session_id else {}
        await self._line.send(json.dumps({"id": number, "method": method, "params": params, **session}))
        while True:
            answer = json.loads(await self._line.recv())
            if answer.get("id") == number:
                assert "error" not in answer, answer
                found: dict[str, Any] = answer["result"]
                return found

    async def evaluate(self, script: str) -> Any:
        """The value of an expression, evaluated as in the handler of a click."""
        answer = await self.command(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, userGesture=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def until(self, script: str, timeout_s: float = 30) -> None:
        """Wait until an expression holds."""
        async with asyncio.timeout(timeout_s):
            while not await self.evaluate(script):  # noqa: ASYNC110 - the page tells in no other way
                await asyncio.sleep(0.05)

    async def picture(self) -> bytes:
        """The page as PNG."""
        return b64decode((await self.command("Page.captureScreenshot", format="png"))["data"])


@asynccontextmanager
async def opened(microphone: Path | None, profile: Path, *switches: str) -> AsyncIterator[Tab]:
    """A tab whose microphone says what is in a file, once; ``None``: pages are given no microphone.

    ``switches`` are further ones of Chromium's command line.
    """
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "needs Chromium: apt-get install chromium, or set CHROMIUM to its path"
    arguments = [
        "--headless=new",
        "--no-sandbox",  # for containers; only pages of this machine are opened
        "--no-first-run",
        "--disable-gpu",
        "--window-size=720,620",
        "--remote-debugging-port=0",
        f"--user-data-dir={profile}",
        *switches,
        "about:blank",
    ]
    if microphone is not None:
        arguments += ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
        arguments += [f"--use-file-for-fake-audio-capture={microphone}%noloop"]
    nowhere = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(program, *arguments, stdout=nowhere, stderr=nowhere)
    try:
        async with connect(await _address(profile), proxy=None, max_size=None) as line:
            browser = Tab(line)
            target = await browser.command("Target.createTarget", url="about:blank")
            attached = await browser.command("Target.attachToTarget", targetId=target["targetId"], flatten=True)
            yield Tab(line, attached["sessionId"])
            await browser.command("Browser.close")
    finally:
        if process.returncode is None:
            with_grace = asyncio.create_task(process.wait())
            _, late = await asyncio.wait({with_grace}, timeout=5)
            if late:
                process.kill()
                await with_grace


async def _address(profile: Path) -> str:
    """Where the browser listens; it writes it into its profile."""
    told = profile / "DevToolsActivePort"
    async with asyncio.timeout(_STARTS_IN_S):
        while not told.exists() or len(told.read_text().split()) < 2:  # noqa: ASYNC110 - it tells in no other way
            await asyncio.sleep(0.05)
    port, path = told.read_text().split()
    return f"ws://127.0.0.1:{port}{path}"
