"""Telephone providers as a bridge sees them: raw messages over a real socket, and a caller who hears in real time.

Nothing of the SDK is used but arithmetic of formats. Real time is that of the event loop's clock.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, ClassVar, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from voicelive.audio.formats import AudioFormat

__all__ = ["AcsCaller", "AudioHookCaller", "Caller", "TwilioCaller", "answered"]

JsonObject = dict[str, Any]

ULAW = AudioFormat("g711_ulaw", 8000)


@asynccontextmanager
async def answered(answer: Callable[[ServerConnection], Awaitable[None]], **options: Any) -> AsyncIterator[str]:
    """The URL of a server that answers calls; exceptions of ``answer`` are raised at the end."""
    failures: list[BaseException] = []

    async def handle(socket: ServerConnection) -> None:
        try:
            await answer(socket)
        except Exception as error:
            failures.append(error)

    settings = {"ping_interval": None, "open_timeout": None, "close_timeout": 1, "compression": None, **options}
    async with serve(handle, "127.0.0.1", 0, **settings) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/call"
        server.close()
        await server.wait_closed()
    if failures:
        raise failures[0]


class Caller:
    """One call. ``said`` holds all text messages that came; ``heard`` the audio that was really played."""

    format = ULAW

    def __init__(self, url: str, headers: dict[str, str] | None = None) -> None:
        self._url, self._headers = url, headers
        self.said: list[JsonObject] = []
        self.got = b""
        """All audio that came, played or not."""
        self.heard = b""
        self.silenced_at: list[int] = []
        """Bytes of the present reply that were heard each time the other side called it back."""
        self.most_waiting_ms = 0.0
        """The most that ever waited to be heard."""
        self._waiting: list[bytes | str] = []
        self._news = asyncio.Event()
        self._reply_began = 0

    async def __aenter__(self) -> Self:
        self.socket: ClientConnection = await connect(
            self._url, compression=None, ping_interval=None, proxy=None, additional_headers=self._headers
        )
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._play())]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.socket.close()

    async def say(self, message: JsonObject) -> None:
        await self.socket.send(json.dumps(message))

    async def start(self) -> None:
        """Tell what the stream is."""
        raise NotImplementedError

    async def send_audio(self, audio: bytes) -> None:
        """One piece of the caller's voice."""
        raise NotImplementedError

    async def speak(self, audio: bytes, silence_ms: int = 700) -> None:
        """Talk in real time, 20 ms a piece, and then be silent."""
        audio += self.format.silence(silence_ms)
        step = self.format.byte_count(20)
        for place in range(0, len(audio), step):
            await self.send_audio(audio[place : place + step])
            await asyncio.sleep(0.02)

    async def until(self, happened: Callable[[], object]) -> None:
        """Wait in small steps of the clock for something that the other side will do."""
        while not happened():  # noqa: ASYNC110 - what is waited for has many causes
            await asyncio.sleep(0.02)

    async def listen_to_the_end(self) -> None:
        """Be silent until a reply has come and was heard."""
        begun = len(self.heard)
        self._reply_began = len(self.got)
        while len(self.heard) == begun or self._waiting:
            await self.send_audio(self.format.silence(20))
            await asyncio.sleep(0.02)

    async def listen(self, ms: int) -> None:
        """Be silent until so much of a reply was heard."""
        wanted = len(self.heard) + self.format.byte_count(ms)
        while len(self.heard) < wanted:
            await self.send_audio(self.format.silence(20))
            await asyncio.sleep(0.02)

    async def hang_up(self) -> None:
        """Say that the call has ended, and close."""
        await self.socket.close()

    # -- what comes

    async def _listen(self) -> None:
        with suppress(ConnectionClosed):
            async for data in self.socket:
                if isinstance(data, bytes):
                    self._audio(data)
                else:
                    message = json.loads(data)
                    self.said.append(message)
                    await self._take(message)

    async def _take(self, message: JsonObject) -> None:
        raise NotImplementedError

    def _audio(self, audio: bytes) -> None:
        self.got += audio
        self._waiting.append(audio)
        waiting_bytes = sum(len(piece) for piece in self._waiting if isinstance(piece, bytes))
        self.most_waiting_ms = max(self.most_waiting_ms, self.format.duration_ms(waiting_bytes))
        self._news.set()

    async def _silence(self) -> list[str]:
        """Drop what was not heard; the marks among it."""
        marks = [piece for piece in self._waiting if isinstance(piece, str)]
        self._waiting.clear()
        self.silenced_at.append(len(self.heard))
        return marks

    async def _play(self) -> None:
        while True:
            while not self._waiting:
                self._news.clear()
                await self._news.wait()
            piece = self._waiting[0]
            if isinstance(piece, str):
                self._waiting.pop(0)
                await self._played(piece)
                continue
            step = self.format.byte_count(20)
            now, rest = piece[:step], piece[step:]
            await asyncio.sleep(self.format.duration_ms(len(now)) / 1000)
            if self._waiting and self._waiting[0] is piece:
                self._waiting[0:1] = [rest] if rest else []
                self.heard += now

    async def _played(self, mark: str) -> None:
        """Everything before this mark was heard."""


class TwilioCaller(Caller):
    """Twilio Media Streams."""

    STREAM, CALL, ACCOUNT = f"MZ{'1' * 32}", f"CA{'2' * 32}", f"AC{'3' * 32}"

    def __init__(
        self, url: str, parameters: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(url, headers)
        self._parameters = parameters or {}
        self._sequence = self._chunk = 0
        self.timestamp_ms = 97.0
        self.marks: list[str] = []
        """Marks that were sent back because the audio before them was heard."""

    async def event(self, kind: str, content: JsonObject) -> None:
        self._sequence += 1
        message = {"event": kind, "sequenceNumber": str(self._sequence), kind: content, "streamSid": self.STREAM}
        await self.say(message)

    async def start(self) -> None:
        await self.say({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        sids = {"accountSid": self.ACCOUNT, "streamSid": self.STREAM, "callSid": self.CALL}
        media = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
        start = {**sids, "tracks": ["inbound"], "mediaFormat": media, "customParameters": self._parameters}
        await self.event("start", start)

    async def send_audio(self, audio: bytes) -> None:
        self._chunk += 1
        payload = b64encode(audio).decode()
        place = {"chunk": str(self._chunk), "timestamp": str(round(self.timestamp_ms))}
        self.timestamp_ms += self.format.duration_ms(len(audio))
        await self.event("media", {"track": "inbound", **place, "payload": payload})

    async def press(self, digit: str) -> None:
        await self.event("dtmf", {"track": "inbound_track", "digit": digit})

    async def hang_up(self) -> None:
        await self.event("stop", {"accountSid": self.ACCOUNT, "callSid": self.CALL})
        await self.socket.close()

    async def _take(self, message: JsonObject) -> None:
        assert message["streamSid"] == self.STREAM
        match message["event"]:
            case "media":
                assert set(message) == {"event", "streamSid", "media"}
                assert set(message["media"]) == {"payload"}
                self._audio(b64decode(message["media"]["payload"]))
            case "mark":
                assert set(message) == {"event", "streamSid", "mark"}
                self._waiting.append(message["mark"]["name"])
                self._news.set()
            case "clear":
                assert set(message) == {"event", "streamSid"}
                for mark in await self._silence():
                    await self.event("mark", {"name": mark})  # Twilio sends them all back
            case other:
                raise AssertionError(f"Twilio knows no {other}")

    async def _played(self, mark: str) -> None:
        self.marks.append(mark)
        await self.event("mark", {"name": mark})


class AcsCaller(Caller):
    """Azure Communication Services."""

    def __init__(self, url: str, rate_hz: int = 24_000, headers: dict[str, str] | None = None) -> None:
        super().__init__(url, headers)
        self.format = AudioFormat("pcm16", rate_hz)

    async def start(self) -> None:
        metadata = {
            "subscriptionId": "5f0c2a7e-3d91-4b6a-8e1f-c7d2b4a90e36",
            "encoding": "PCM",
            "sampleRate": self.format.rate_hz,
            "channels": 1,
            "length": self.format.byte_count(20),
        }
        await self.say({"kind": "AudioMetadata", "audioMetadata": metadata})

    async def send_audio(self, audio: bytes) -> None:
        silent = not any(audio)
        data = "" if silent else b64encode(audio).decode()
        content = {"timestamp": "2026-11-22T09:15:31.204Z", "participantRawID": None, "data": data, "silent": silent}
        await self.say({"kind": "AudioData", "audioData": content})

    async def press(self, digit: str) -> None:
        await self.say({"kind": "DtmfData", "dtmfData": {"data": digit}})

    async def _take(self, message: JsonObject) -> None:
        assert set(message) == {"Kind", "AudioData", "StopAudio"}
        if message["Kind"] == "AudioData":
            assert message["StopAudio"] is None
            self._audio(b64decode(message["AudioData"]["Data"]))
        else:
            assert (message["Kind"], message["StopAudio"]) == ("StopAudio", {})
            await self._silence()


class AudioHookCaller(Caller):
    """Genesys AudioHook, an Audio Connector."""

    ID = "7b0a5e1c-52d4-4c7e-8c1b-0f6d2a9e4b31"
    CONVERSATION = "d41f8a06-9b3c-4e57-a2c8-6e0b75f1d932"
    NULL = "00000000-0000-0000-0000-000000000000"
    MONO: ClassVar[JsonObject] = {"type": "audio", "format": "PCMU", "channels": ["external"], "rate": 8000}

    def __init__(
        self,
        url: str,
        *,
        media: list[JsonObject] | None = None,
        variables: dict[str, str] | None = None,
        conversation: str = CONVERSATION,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(url, headers)
        self._media, self._variables = [self.MONO] if media is None else media, variables or {}
        self._conversation = conversation
        self._seq = self._serverseq = 0
        self._frames_at: list[float] = []
        self.opened = asyncio.Event()
        self._sounding = False
        self.pongs: list[int] = []

    @property
    def frames_at(self) -> list[float]:
        """When audio came."""
        return self._frames_at

    async def event(self, kind: str, **parameters: Any) -> int:
        self._seq += 1
        head = {"version": "2", "type": kind, "seq": self._seq, "serverseq": self._serverseq, "id": self.ID}
        await self.say({**head, "position": "PT0S", "parameters": parameters})
        return self._seq

    async def start(self) -> None:
        participant = {"id": "p", "ani": "tel:+15550100001", "aniName": "Jordan Example", "dnis": "tel:+15550100002"}
        await self.event(
            "open",
            organizationId="3f0d3b6c-7f4e-4b0c-9a55-2d1f6a7b8c90",
            conversationId=self._conversation,
            participant=participant,
            media=self._media,
            language="en-US",
            inputVariables=self._variables,
        )
        await self.opened.wait()

    async def send_audio(self, audio: bytes) -> None:
        await self.socket.send(audio)

    async def press(self, digit: str) -> None:
        await self.event("dtmf", digit=digit)

    async def hang_up(self) -> None:
        await self.event("close", reason="end")
        await self.until(lambda: self.said and self.said[-1]["type"] == "closed")
        await self.socket.close()

    async def _take(self, message: JsonObject) -> None:
        assert message["version"] == "2"
        assert message["id"] == self.ID
        assert message["seq"] == self._serverseq + 1, "a jump is fatal"
        assert message["clientseq"] <= self._seq
        self._serverseq = message["seq"]
        match message["type"]:
            case "opened":
                assert message["parameters"]["media"] in ([], *([offer] for offer in self._media))
                self.opened.set()
            case "pong":
                self.pongs.append(message["clientseq"])
            case "event":
                assert message["parameters"]["entities"] == [{"type": "barge_in", "data": {}}]
                await self._silence()
            case "disconnect":
                await self.event("close", reason="disconnect")
            case "closed":
                await self.socket.close()
            case other:
                assert other == "updated", f"AudioHook knows no {other}"

    def _audio(self, audio: bytes) -> None:
        assert self.opened.is_set()
        self._frames_at.append(asyncio.get_running_loop().time())
        super()._audio(audio)

    async def _play(self) -> None:
        self._tasks.append(asyncio.create_task(self._report()))
        await super()._play()

    async def _report(self) -> None:
        """Tell when playback starts and when the queue is empty."""
        while True:
            sounding = bool(self._waiting)
            if sounding != self._sounding:
                self._sounding = sounding
                await self.event("playback_started" if sounding else "playback_completed")
            await asyncio.sleep(0.01)
