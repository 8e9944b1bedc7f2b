"""How a stream of bytes is cut into deltas: anywhere, as the service does, whatever is in them. Pure."""

from __future__ import annotations

from random import Random

__all__ = ["Cutter"]

_MOST_BYTES = 18_630  # 24,841 characters of base64, the longest delta that was seen


class Cutter:
    """Cuts one stream; the same seed cuts at the same places."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - no secret, a test that can be repeated
        self._held = b""

    def cut(self, data: bytes) -> list[bytes]:
        """Pieces that are due: all that was held back, and part of what is new; the rest goes with the next call."""
        if not data:
            return []
        data, least = self._held + data, max(1, len(self._held))
        end = self._random.randint(least, len(data))
        self._held = data[end:]
        return self._pieces(data[:end])

    def flush(self) -> list[bytes]:
        """What was held back."""
        held, self._held = self._held, b""
        return self._pieces(held)

    def _pieces(self, data: bytes) -> list[bytes]:
        pieces: list[bytes] = []
        while len(data) > _MOST_BYTES:
            size = self._random.randint(1, _MOST_BYTES)
            pieces.append(data[:size])
            data = data[size:]
        return [*pieces, data] if data else pieces
