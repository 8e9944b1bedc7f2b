"""A web page as a bridge sees it: raw messages over a real socket, and a loudspeaker that plays in real time."""

from __future__ import annotations

from typing import Any

from tests.support.callers import Caller, JsonObject

from voicelive.audio.formats import AudioFormat

__all__ = ["Page"]


class Page(Caller):
    """One page; it acknowledges every 20 ms that it has played."""

    def __init__(self, url: str, rate_hz: int = 24_000, parameters: dict[str, str] | None = None) -> None:
        super().__init__(url)
        self.format = AudioFormat("pcm16", rate_hz)
        self.acknowledged: dict[str, float] = {}
        """The last place of each item that the other side was told."""
        self._parameters = parameters or {}
        self._item, self._place_ms = "", 0.0

    async def start(self) -> None:
        start = {"version": 1, "rate_hz": self.format.rate_hz, "parameters": self._parameters}
        await self.say({"type": "start", **start})

    async def tell(self, kind: str, **content: Any) -> None:
        await self.say({"type": kind, **content})

    async def send_audio(self, audio: bytes) -> None:
        await self.socket.send(audio)

    async def hang_up(self) -> None:
        await self.tell("stop")
        await self.until(lambda: self.of("end"))
        await self.socket.close()

    def of(self, kind: str) -> list[JsonObject]:
        """All messages of a type that came."""
        return [message for message in self.said if message["type"] == kind]

    def finals(self, who: str) -> list[JsonObject]:
        return [message for message in self.of("transcript") if message["who"] == who and message["final"]]

    async def _take(self, message: JsonObject) -> None:
        match message["type"]:
            case "audio":
                assert set(message) == {"type", "item_id", "start_ms"}
                self._item, self._place_ms = message["item_id"], message["start_ms"]
            case "flush":
                assert set(message) == {"type"}
                await self._silence()
                self._item = ""

    def _audio(self, audio: bytes) -> None:
        assert self._item, "voice needs a head first"
        super()._audio(audio)
        self._place_ms += self.format.duration_ms(len(audio))
        self._waiting.append(f"{self._place_ms} {self._item}")

    async def _played(self, mark: str) -> None:
        place, _, item_id = mark.partition(" ")
        self.acknowledged[item_id] = float(place)
        await self.tell("played", item_id=item_id, ms=float(place))
