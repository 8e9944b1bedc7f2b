"""Microphone and loudspeaker, over a PortAudio that a test plays from a thread of its own."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from voicelive.audio.devices import Microphone, Speaker
from voicelive.audio.formats import AudioFormat
from voicelive.audio.playback import PlaybackFrame
from voicelive.errors import ConfigurationError

PCM = AudioFormat.of_output(None)
MS = 48


class FakePortAudio:
    """As much of ``sounddevice`` as devices use."""

    class PortAudioError(Exception):
        pass

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.opened: dict[str, Any] = {}
        self.log: list[str] = []

    def RawInputStream(self, **settings: Any) -> FakePortAudio:  # noqa: N802 - the name is sounddevice's
        return self._open(settings)

    def RawOutputStream(self, **settings: Any) -> FakePortAudio:  # noqa: N802
        return self._open(settings)

    def _open(self, settings: dict[str, Any]) -> FakePortAudio:
        if self.failure is not None:
            raise self.failure
        self.opened = settings
        return self

    def call(self, *arguments: Any) -> None:
        """Call back on a thread, as PortAudio does."""
        callback: Callable[..., None] = self.opened["callback"]
        thread = threading.Thread(target=callback, args=arguments)
        thread.start()
        thread.join()

    def spoken(self, data: bytes, *, lost: bool = False) -> None:
        self.call(data, len(data) // 2, None, lost)

    def played(self, size: int) -> bytes:
        out = bytearray(b"\x01" * size)
        self.call(out, size // 2, None, None)
        return bytes(out)

    def start(self) -> None:
        self.log.append("start")

    def stop(self) -> None:
        self.log.append("stop")

    def close(self) -> None:
        self.log.append("close")

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_: object) -> None:
        self.log += ["stop", "close"]


def frame(data: bytes) -> PlaybackFrame:
    return PlaybackFrame.of(data, "item", 0, 0)


async def test_a_microphone_gives_what_is_spoken_and_ends_with_its_iterator() -> None:
    backend = FakePortAudio()
    frames = Microphone("usb", backend=backend).frames(PCM, frame_ms=20)
    first = asyncio.ensure_future(anext(frames))
    await asyncio.sleep(0)
    backend.spoken(b"one!" * 240)
    backend.spoken(b"two!" * 240)

    assert await first == b"one!" * 240
    assert await anext(frames) == b"two!" * 240
    await frames.aclose()  # type: ignore[attr-defined]  # an async generator
    assert backend.log == ["start", "stop", "close"]
    settings = {name: backend.opened[name] for name in ("samplerate", "blocksize", "device", "channels", "dtype")}
    assert settings == {"samplerate": 24_000, "blocksize": 480, "device": "usb", "channels": 1, "dtype": "int16"}


async def test_audio_that_nobody_takes_in_time_is_dropped_and_counted() -> None:
    backend = FakePortAudio()
    microphone = Microphone(backend=backend)
    frames = microphone.frames(PCM, frame_ms=1000)
    first = asyncio.ensure_future(anext(frames))
    await asyncio.sleep(0)
    for number in range(4):
        backend.spoken(bytes([number]))

    assert await first == b"\x02"
    assert await anext(frames) == b"\x03"
    assert microphone.overflows == 2
    backend.spoken(b"\x04", lost=True)
    assert await anext(frames) == b"\x04"
    assert microphone.overflows == 3, "the device has lost some itself"
    await frames.aclose()  # type: ignore[attr-defined]


async def test_a_speaker_plays_in_order_and_a_frame_is_heard_when_it_was_taken() -> None:
    backend = FakePortAudio()
    async with Speaker(PCM, backend=backend) as speaker:
        writing = [asyncio.ensure_future(speaker.write(frame(bytes([n]) * 4))) for n in (7, 8)]
        await asyncio.sleep(0)

        assert backend.played(6) == b"\x07" * 4 + b"\x08" * 2
        await writing[0]
        assert not writing[1].done()
        assert backend.played(6) == b"\x08" * 2 + b"\x00" * 4
        await writing[1]
        assert backend.played(2) == b"\x00" * 2
        assert speaker.underruns == 1
    assert backend.log == ["start", "stop", "close"]


async def test_silence_between_replies_is_no_underrun() -> None:
    backend = FakePortAudio()
    async with Speaker(PCM, backend=backend) as speaker:
        backend.played(4)
        backend.played(4)

        assert speaker.underruns == 0


async def test_a_flush_silences_at_once_and_lets_writers_go() -> None:
    backend = FakePortAudio()
    async with Speaker(PCM, backend=backend) as speaker:
        writing = asyncio.ensure_future(speaker.write(frame(b"\x07" * 400)))
        await asyncio.sleep(0)
        backend.played(4)

        speaker.flush()

        await writing
        assert backend.played(4) == bytes(4)


@pytest.mark.parametrize("failure", [ValueError("No such device"), FakePortAudio.PortAudioError("Invalid rate")])
async def test_a_device_that_cannot_be_opened_is_named(failure: Exception) -> None:
    backend = FakePortAudio(failure)

    with pytest.raises(ConfigurationError, match=r"device 'usb' cannot be opened at 24000 Hz .*python -m sounddevice"):
        await anext(Microphone("usb", backend=backend).frames(PCM))
    with pytest.raises(ConfigurationError, match=r"device \(default\) cannot"):
        await Speaker(PCM, backend=backend).__aenter__()


async def test_without_the_extra_or_the_library_the_error_names_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'voicelive\[mic\]'"):
        await anext(Microphone().frames(PCM))

    def no_library(name: str) -> None:
        raise OSError("PortAudio library not found")

    monkeypatch.setattr("voicelive.audio.devices.import_module", no_library)
    with pytest.raises(ConfigurationError, match="libportaudio2"):
        await anext(Microphone().frames(PCM))


async def test_codecs_of_telephones_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="devices take 'pcm16'"):
        await anext(Microphone(backend=FakePortAudio()).frames(AudioFormat.of_output("g711_ulaw")))
