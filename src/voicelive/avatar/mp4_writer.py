"""Pictures and sound into one MP4 file, in step by their timestamps. Blocks: for a thread.

The sound is written without gaps, since players take no notice of them: a hole becomes silence, an overlap is cut. The
picture has a variable rate, each at its time. Its size is that of the first one; others are scaled to it.
"""

from __future__ import annotations

import os
from fractions import Fraction
from io import FileIO
from typing import Any, Final

import av
import numpy as np
from av.audio.stream import AudioStream
from av.video.frame import PictureType
from av.video.stream import VideoStream
from numpy.typing import NDArray

from voicelive.avatar.frames import AudioFrame, Frame, VideoFrame

__all__ = ["Mp4Writer"]

_TICKS: Final = 90_000
"""Per second, of the picture."""

_SLACK_S: Final = 0.02
"""Sound that is early or late by less is laid end to end."""

_WITHOUT_PICTURE_S: Final = 10.0
"""So much sound waits for the first picture, whose size the file's header holds."""

_BLACK: Final = (1280, 720)


class _Disk:
    """A file that takes everything and keeps what went wrong: FFmpeg crashes the process where writing fails."""

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self._failure: OSError | None = None

    def write(self, data: bytes) -> int:
        if self._failure is None:
            try:
                unwritten = memoryview(data)
                while unwritten:
                    unwritten = unwritten[self._file.write(unwritten) or 0 :]
            except OSError as error:
                self._failure = error
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure


class Mp4Writer:
    """One file. Opened at once, so that a path that cannot be written to fails where it was given."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file: FileIO = open(path, "wb", buffering=0)  # noqa: SIM115 - closed by close()
        self._disk = _Disk(self._file)
        self._container: Any = None
        self._video: VideoStream | None = None
        self._audio: AudioStream | None = None
        self._early: list[AudioFrame] = []
        self._start_s = 0.0
        self._last_tick = -1
        self._rate_hz, self._layout, self._samples = 48_000, "stereo", 0

    @property
    def duration_s(self) -> float:
        """Of what was written."""
        return max(self._samples / self._rate_hz, (self._last_tick + 1) / _TICKS)

    def put(self, frame: Frame) -> None:
        """The next one; of each kind in their order.

        Raises:
            OSError: The disk is full, or gone.
            av.FFmpegError: The frame cannot be encoded.
        """
        if isinstance(frame, VideoFrame):
            self._begin(frame.raw.width, frame.raw.height, frame.timestamp_s)
            self._put_picture(frame)
        elif self._container is not None:
            self._put_sound(frame)
        else:
            self._early.append(frame)
            if frame.timestamp_s - self._early[0].timestamp_s >= _WITHOUT_PICTURE_S:
                self._begin_black()
        self._disk.raise_failure()

    def close(self) -> None:
        """Write what was held back and the index, without which nothing can play; also after a failure."""
        try:
            if self._container is None and self._early:
                self._begin_black()
            if self._container is not None:
                self._finish()
            self._disk.raise_failure()
        finally:
            self._file.close()

    def _begin(self, width: int, height: int, timestamp_s: float) -> None:
        if self._container is not None:
            return
        self._container = av.open(self._disk, "w", format="mp4")
        video: VideoStream = self._container.add_stream("libx264", rate=25, options={"preset": "veryfast", "crf": "23"})
        video.width, video.height = width - width % 2, height - height % 2  # 4:2:0 has even sizes only
        video.pix_fmt = "yuv420p"
        video.time_base = video.codec_context.time_base = Fraction(1, _TICKS)
        video.codec_context.max_b_frames = 0
        self._video = video
        if self._early:
            self._rate_hz, self._layout = self._early[0].rate_hz, self._early[0].raw.layout.name
        self._audio = self._container.add_stream("aac", rate=self._rate_hz, layout=self._layout)
        self._start_s = min([timestamp_s, *(frame.timestamp_s for frame in self._early)])
        early, self._early = self._early, []
        for frame in early:
            self._put_sound(frame)

    def _begin_black(self) -> None:
        black = av.VideoFrame.from_ndarray(np.zeros((_BLACK[1], _BLACK[0], 3), np.uint8), format="rgb24")
        self.put(VideoFrame(self._early[0].timestamp_s, black))

    def _put_picture(self, frame: VideoFrame) -> None:
        assert self._video is not None
        tick = round((frame.timestamp_s - self._start_s) * _TICKS)
        if tick <= self._last_tick:
            return  # of two pictures for one instant nobody sees the second
        # A frame of its own: the one that was handed out is shared, and a time would be written into it.
        picture = frame.raw.reformat(self._video.width, self._video.height, "yuv420p")
        if picture is frame.raw:
            picture = av.VideoFrame.from_ndarray(picture.to_ndarray(), format="yuv420p")
        picture.pts, picture.time_base, picture.pict_type = tick, self._video.time_base, PictureType.NONE
        self._last_tick = tick
        self._container.mux(self._video.encode(picture))

    def _put_sound(self, frame: AudioFrame) -> None:
        samples = frame.to_ndarray()
        ahead = round((frame.timestamp_s - self._start_s) * self._rate_hz) - self._samples
        if abs(ahead) > _SLACK_S * self._rate_hz:
            self._put_silence(ahead, samples.shape[1])
            samples = samples[max(-ahead, 0) :]
        self._encode_samples(samples)

    def _put_silence(self, missing: int, channels: int) -> None:
        while missing > 0:
            piece = min(missing, self._rate_hz)
            self._encode_samples(np.zeros((piece, channels), np.int16))
            missing -= piece

    def _encode_samples(self, samples: NDArray[np.int16]) -> None:
        assert self._audio is not None
        if not len(samples):
            return
        sound = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout=self._layout)
        sound.sample_rate, sound.time_base = self._rate_hz, Fraction(1, self._rate_hz)
        sound.pts = self._samples
        self._samples += len(samples)
        self._container.mux(self._audio.encode(sound))

    def _finish(self) -> None:
        try:
            for stream in (self._video, self._audio):
                if stream is not None and (stream is self._video or self._samples):
                    self._container.mux(stream.encode(None))
        finally:
            self._container.close()
