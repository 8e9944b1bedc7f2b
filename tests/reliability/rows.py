"""The fault matrix: every fault in every phase in which it makes sense, and what the application sees of it."""

from __future__ import annotations

from typing import Final

from tests.reliability.connecting import closings, handshakes, handshakes_again
from tests.reliability.phases import TALKING
from tests.reliability.row import Row
from tests.reliability.talking import talking

__all__ = ["ROWS"]

ROWS: Final[tuple[Row, ...]] = (
    *handshakes(),
    *(row for phase in TALKING for row in talking(phase)),
    *handshakes_again(),
    *closings(),
)
