"""The saved pages of the Retail Prices API, and an HTTP server on this machine that plays the API by a script."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

__all__ = ["NOW", "PAGES", "Answer", "PriceServer", "body", "row", "sample", "usd_rows"]

PAGES: Final = Path(__file__).parents[1] / "data" / "retail_api"
NOW: Final = datetime(2026, 11, 22, 6, tzinfo=UTC)


def sample(name: str) -> dict[str, Any]:
    """A saved page as the service would send it, or what the file holds where it is no page."""
    raw: dict[str, Any] = json.loads((PAGES / f"{name}.json").read_text(encoding="utf-8"))
    del raw["_provenance"]
    return raw


def usd_rows() -> list[dict[str, Any]]:
    """The 43 rows in dollars."""
    pages = (sample(f"synthetic_voice_live_usd_page{number}") for number in (1, 2))
    return [item for page in pages for item in page["Items"]]


def row(**facts: Any) -> dict[str, Any]:
    """One row; the text input tokens of Pro, where nothing else is said."""
    return {**sample("synthetic_voice_live_usd_page1")["Items"][0], **facts}


def body(*rows: object, link: object = None, currency: str = "USD") -> str:
    """A page of these rows."""
    return json.dumps(
        {"BillingCurrency": currency, "Items": list(rows), "NextPageLink": link, "Count": len(rows)}, ensure_ascii=False
    )


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the server does with one request.

    Attributes:
        waits_s: Before it says anything.
        drips_s: Between the bytes of the body.
        breaks_off: It promises more than it sends.
    """

    body: str | bytes = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    waits_s: float = 0
    drips_s: float = 0
    breaks_off: bool = False


class PriceServer:
    """``async with PriceServer([Answer(...), ...]) as server``: one answer for each request, the last one for ever."""

    def __init__(self, answers: Sequence[Answer | str]) -> None:
        self._answers = [Answer(body=answer) if isinstance(answer, str) else answer for answer in answers]
        self.targets: list[str] = []
        self.asked_at: list[float] = []
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def base_url(self) -> str:
        return f"{self.origin}/api/retail/prices"

    def say(self, *answers: Answer | str) -> None:
        """Go on with these answers."""
        self._answers = [Answer(body=answer) if isinstance(answer, str) else answer for answer in answers]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.origin = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):  # a client may go at any time
                while True:
                    head = await reader.readuntil(b"\r\n\r\n")
                    self.targets.append(head.split(b" ", 2)[1].decode("ascii"))
                    self.asked_at.append(asyncio.get_running_loop().time())
                    answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
                    await self._say(answer, writer)
                    if answer.breaks_off:
                        return
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _say(self, answer: Answer, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(answer.waits_s)
        content = answer.body.encode() if isinstance(answer.body, str) else answer.body
        promised = len(content) + (100 if answer.breaks_off else 0)
        lines = [f"HTTP/1.1 {answer.status} x", f"Content-Length: {promised}"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        for piece in [content[i : i + 1] for i in range(len(content))] if answer.drips_s else [content]:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(answer.drips_s)
