"""MP4 files with picture and sound in step."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from tests.support.avatar_peer import FPS, RATE_HZ, SIZE, picture, sound
from tests.support.flashes import flashes_and_beeps

from voicelive.avatar.frames import AudioFrame, Frame, VideoFrame
from voicelive.avatar.mp4_writer import Mp4Writer


def pictures(duration_s: float, *, first_s: float = 0.0) -> list[VideoFrame]:
    """By the flashing clock, whose time is the timestamp."""
    times = [first_s + index / FPS for index in range(round(duration_s * FPS))]
    return [VideoFrame(at_s, picture(at_s)) for at_s in times]


def sounds(duration_s: float, *, first_s: float = 0.0) -> list[AudioFrame]:
    starts = [first_s + index * 0.02 for index in range(round(duration_s * 50))]
    return [AudioFrame(at_s, sound(round(at_s * RATE_HZ), RATE_HZ // 50)) for at_s in starts]


def written(path: Path, frames: Sequence[Frame]) -> Mp4Writer:
    writer = Mp4Writer(path)
    for frame in sorted(frames, key=lambda it: it.timestamp_s):
        writer.put(frame)
    writer.close()
    return writer


def off_ms(path: Path) -> list[float]:
    flashes, beeps = flashes_and_beeps(path)
    assert len(flashes) >= 2
    return [1000 * min(abs(flash - beep) for beep in beeps) for flash in flashes]


@pytest.mark.parametrize(("first_picture_s", "first_sound_s"), [(0, 0), (0.3, 0), (0, 0.3), (7.2, 7.0)])
def test_picture_and_sound_are_in_step_whichever_begins(
    tmp_path: Path, first_picture_s: float, first_sound_s: float
) -> None:
    path = tmp_path / "talk.mp4"

    writer = written(path, [*pictures(3, first_s=first_picture_s), *sounds(3, first_s=first_sound_s)])

    assert max(sorted(off_ms(path))[:-1]) < 40  # the last flash may come when the sound has ended
    assert writer.duration_s == pytest.approx(3 + abs(first_picture_s - first_sound_s), abs=0.05)


def test_holes_of_the_sound_become_silence_and_overlaps_are_cut(tmp_path: Path) -> None:
    path = tmp_path / "talk.mp4"
    talk = [it for it in sounds(4) if not 1.3 <= it.timestamp_s < 2.7]  # a hole longer than a piece of silence
    again = AudioFrame(3.5, sound(round(3.5 * RATE_HZ), RATE_HZ))  # a second that came already, for its half

    writer = written(path, [*pictures(4), *talk, again])

    flashes, beeps = flashes_and_beeps(path)
    assert len(flashes) == 3  # at 1, 2 and 3
    assert [round(beep) for beep in beeps if beep > 0.5] == [1, 3, 4]
    assert beeps[-2] == pytest.approx(flashes[-1], abs=0.04)
    assert writer.duration_s == pytest.approx(4.5, abs=0.05)


def test_the_size_is_that_of_the_first_picture_made_even(tmp_path: Path) -> None:
    path = tmp_path / "talk.mp4"
    odd, other = np.zeros((181, 321, 3), np.uint8), np.zeros((90, 160, 3), np.uint8)
    frames = [VideoFrame(at_s, av.VideoFrame.from_ndarray(it, "rgb24")) for at_s, it in ((0, odd), (0.1, other))]

    written(path, [*frames, VideoFrame(0.1, frames[1].raw)])

    with av.open(str(path)) as file:
        assert (file.streams.video[0].width, file.streams.video[0].height) == (320, 180)
        assert file.streams.video[0].frames == 2  # of two for one instant, one


def test_a_frame_that_others_hold_stays_as_it_was(tmp_path: Path) -> None:
    raw = picture(0.0).reformat(format="yuv420p")
    raw.pts = 77

    written(tmp_path / "talk.mp4", [VideoFrame(1.0, raw)])

    assert raw.pts == 77


def test_sound_without_a_picture_is_kept_under_black(tmp_path: Path) -> None:
    path = tmp_path / "talk.mp4"

    written(path, [*sounds(1.5), *[AudioFrame(it.timestamp_s + 20, it.raw) for it in sounds(0.5)]])

    with av.open(str(path)) as file:
        assert file.streams.video[0].frames == 1
        assert file.streams.audio[0].duration is not None
    _, beeps = flashes_and_beeps(path)
    assert [round(beep) for beep in beeps if beep > 0.5] == [1, 20]


def test_sound_alone_is_written_when_it_ends_early(tmp_path: Path) -> None:
    path = tmp_path / "talk.mp4"

    writer = written(path, sounds(1.5))

    assert writer.duration_s == pytest.approx(1.5, abs=0.02)
    assert flashes_and_beeps(path)[1]


def test_nothing_makes_an_empty_file(tmp_path: Path) -> None:
    written(tmp_path / "talk.mp4", [])

    assert (tmp_path / "talk.mp4").read_bytes() == b""


def test_pictures_alone_make_a_file(tmp_path: Path) -> None:
    written(tmp_path / "talk.mp4", pictures(0.4))

    with av.open(str(tmp_path / "talk.mp4")) as file:
        assert file.streams.video[0].frames == 10
        assert (file.streams.video[0].width, file.streams.video[0].height) == SIZE


def test_a_path_that_cannot_be_written_fails_where_it_was_given(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Mp4Writer(tmp_path / "nowhere" / "talk.mp4")


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    writer: Any = Mp4Writer(tmp_path / "talk.mp4")
    real = writer._file

    class Full:
        def write(self, data: bytes) -> int:
            raise OSError(errno.ENOSPC, "no space left on device")

        def seek(self, *where: int) -> int:
            return int(real.seek(*where))

        def tell(self) -> int:
            return int(real.tell())

        def close(self) -> None:
            real.close()

    writer._disk._file = Full()

    def write() -> None:
        try:
            for frame in pictures(4):
                writer.put(frame)
        finally:
            writer.close()

    with pytest.raises(OSError, match="no space left"):
        write()
    assert real.closed
