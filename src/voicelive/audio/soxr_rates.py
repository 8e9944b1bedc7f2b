"""Sample rate conversion of a whole signal by soxr (extra ``files``)."""

from __future__ import annotations

import numpy as np
import soxr

__all__ = ["resample_by_soxr"]


def resample_by_soxr(pcm: bytes, source_rate_hz: int, target_rate_hz: int) -> bytes:
    """16-bit mono samples at another rate, as many as the duration needs, rounded up; rounded, without dither."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    if not samples.size:
        return b""
    converted = soxr.resample(samples, source_rate_hz, target_rate_hz, quality="HQ")
    wanted = -(-samples.size * target_rate_hz // source_rate_hz)
    fitted = np.zeros(wanted)
    fitted[: converted.size] = converted[:wanted]  # soxr rounds the length to the nearest
    return np.rint(fitted).clip(-32_768, 32_767).astype("<i2").tobytes()
