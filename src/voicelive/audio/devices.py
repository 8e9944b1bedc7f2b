"""Microphone and loudspeaker of this machine, by ``sounddevice`` (extra ``mic``), which needs the PortAudio library.

PortAudio calls back on a thread of its own. What passes between that thread and the event loop is here; no sample
value is looked at.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any, Final

from voicelive.audio.formats import AudioFormat
from voicelive.audio.playback import PlaybackFrame
from voicelive.errors import ConfigurationError

__all__ = ["Microphone", "Speaker"]

_MOST_WAITING_MS: Final = 2000  # an event loop that is later than this has other troubles than lost audio


class Microphone:
    """What the caller says, as a source for ``session.converse`` or ``session.send_audio``.

    Args:
        device: Number or part of the name of an input device; ``None``: the system's default.
        backend: Stands in for the ``sounddevice`` module.

    Attributes:
        overflows: How often audio was lost, because the event loop or the machine was too late.
    """

    live: Final = True
    """It has a pace of its own."""

    def __init__(self, device: int | str | None = None, *, backend: Any = None) -> None:
        self._device, self._backend = device, backend
        self.overflows = 0

    async def frames(self, audio_format: AudioFormat, /, *, frame_ms: int = 20) -> AsyncIterator[bytes]:
        """Frames as they are spoken, until the iterator is closed.

        Raises:
            ConfigurationError: No ``sounddevice`` or no PortAudio, a format that is not 16-bit PCM, or a device that
                does not exist or does not offer the format.
        """
        _refuse_codecs(audio_format)
        loop, waiting, news = asyncio.get_running_loop(), deque[bytes](), asyncio.Event()
        most = max(1, _MOST_WAITING_MS // frame_ms)

        def arrived(frame: bytes, lost: bool) -> None:
            if len(waiting) >= most:
                waiting.popleft()
                lost = True
            self.overflows += lost
            waiting.append(frame)
            news.set()

        def callback(data: Any, _frames: int, _time: Any, status: Any) -> None:  # on PortAudio's thread
            loop.call_soon_threadsafe(arrived, bytes(data), bool(status))

        with _stream("RawInputStream", self._backend, self._device, audio_format, frame_ms, callback):
            while True:
                while waiting:
                    yield waiting.popleft()
                news.clear()
                await news.wait()


class Speaker:
    """The agent's voice on a loudspeaker, as a sink for ``session.converse`` and ``session.playback.play_to``.

    ``async with Speaker(session.output_format) as speaker`` opens the device. A frame counts as heard when the device
    has taken its last sample.

    Args:
        audio_format: The session's ``output_format``.
        device: Number or part of the name of an output device; ``None``: the system's default.
        backend: Stands in for the ``sounddevice`` module.

    Attributes:
        underruns: How often the device found too little to play in the middle of a reply.

    Raises:
        ConfigurationError: From ``async with``: as for ``Microphone.frames``.
    """

    def __init__(self, audio_format: AudioFormat, device: int | str | None = None, *, backend: Any = None) -> None:
        self._format, self._device, self._backend = audio_format, device, backend
        self.underruns = 0
        self._lock = threading.Lock()
        self._waiting: deque[tuple[bytes, asyncio.Future[None]]] = deque()
        self._offset = 0
        self._playing = False
        self._stream: Any = None

    async def __aenter__(self) -> Speaker:
        _refuse_codecs(self._format)
        self._loop = asyncio.get_running_loop()
        self._stream = _stream("RawOutputStream", self._backend, self._device, self._format, 20, self._callback)
        self._stream.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.flush()
        self._stream.stop()
        self._stream.close()

    async def write(self, frame: PlaybackFrame) -> None:
        """Play a frame; returns when the device has taken all of it, or when it was flushed."""
        taken: asyncio.Future[None] = self._loop.create_future()
        with self._lock:
            self._waiting.append((bytes(frame), taken))
        await taken

    def flush(self) -> None:
        """Fall silent with the device's next block."""
        with self._lock:
            dropped, self._waiting, self._offset = list(self._waiting), deque(), 0
            self._playing = False
        for _, taken in dropped:
            _settle(taken)

    def _callback(self, out: Any, _frames: int, _time: Any, _status: Any) -> None:  # on PortAudio's thread
        room, place = len(out), 0
        with self._lock:
            while self._waiting and place < room:
                audio, taken = self._waiting[0]
                piece = audio[self._offset : self._offset + room - place]
                out[place : place + len(piece)] = piece
                place += len(piece)
                self._offset += len(piece)
                if self._offset == len(audio):
                    self._waiting.popleft()
                    self._offset = 0
                    self._loop.call_soon_threadsafe(_settle, taken)
            if place < room:
                out[place:room] = self._format.silence_of(room - place)
                self.underruns += self._playing and place > 0
            self._playing = place > 0


def _settle(taken: asyncio.Future[None]) -> None:
    if not taken.done():
        taken.set_result(None)


def _refuse_codecs(audio_format: AudioFormat) -> None:
    if audio_format.encoding != "pcm16":
        raise ConfigurationError(
            f"the session's audio format is {audio_format.encoding!r}, and devices take 'pcm16'; "
            "leave input_audio_format and output_audio_format out"
        )


def _stream(kind: str, backend: Any, device: int | str | None, form: AudioFormat, block_ms: int, callback: Any) -> Any:
    sounddevice = _backend() if backend is None else backend
    try:
        return getattr(sounddevice, kind)(
            samplerate=form.rate_hz,
            blocksize=form.byte_count(block_ms) // form.bytes_per_frame,
            device=device,
            channels=form.channels,
            dtype="int16",
            callback=callback,
        )
    except (ValueError, sounddevice.PortAudioError) as error:
        name = "(default)" if device is None else repr(device)
        raise ConfigurationError(
            f"the audio device {name} cannot be opened at {form.rate_hz} Hz with {form.channels} channel(s): {error}; "
            "python -m sounddevice lists the devices"
        ) from error


def _backend() -> Any:
    try:
        return import_module("sounddevice")
    except ModuleNotFoundError:
        raise ConfigurationError("sounddevice is not installed; pip install 'voicelive[mic]'") from None
    except OSError as error:
        raise ConfigurationError(
            f"sounddevice finds no PortAudio ({error}); install it: apt-get install libportaudio2 on Debian and "
            "Ubuntu, brew install portaudio on macOS"
        ) from error
