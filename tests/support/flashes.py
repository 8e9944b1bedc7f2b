"""When a file shows its flashes and sounds its beeps."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np


def flashes_and_beeps(path: Path) -> tuple[list[float], list[float]]:
    """Times in seconds, at which the picture turns white and the tone begins."""
    flashes, beeps, bright, loud = list[float](), list[float](), True, True  # one that is under way at 0 is none
    with av.open(str(path)) as file:
        for frame in file.decode(video=0, audio=0):
            assert isinstance(frame, (av.VideoFrame, av.AudioFrame))
            assert frame.time is not None
            if isinstance(frame, av.VideoFrame):
                was, bright = bright, float(frame.to_ndarray(format="gray").mean()) > 150
                if bright and not was:
                    flashes.append(frame.time)
            else:
                pieces = np.abs(frame.to_ndarray()).max(axis=0).reshape(-1, 128).max(axis=1) > 0.1
                for index, piece in enumerate(pieces):
                    was, loud = loud, bool(piece)
                    quiet_since = frame.time + index * 128 / frame.sample_rate
                    if loud and not was and (not beeps or quiet_since - beeps[-1] > 0.5):
                        beeps.append(quiet_since)
    return flashes, beeps
