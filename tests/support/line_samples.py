"""Messages of telephone providers, as recorded in tests/data/bridges."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

__all__ = ["samples"]

_DATA = Path(__file__).parents[1] / "data" / "bridges"


def samples(provider: str, direction: str, **wanted: str) -> list[Any]:
    """Messages in order: objects, and bytes for binary frames; ``wanted`` compares fields beside the message."""
    lines = [json.loads(line) for line in (_DATA / f"{provider}.jsonl").read_text(encoding="utf-8").splitlines()]
    lines = [line for line in lines if line["dir"] == direction]
    lines = [line for line in lines if all(line.get(name) == value for name, value in wanted.items())]
    return [line["msg"] if "msg" in line else b64decode(line["binary"]) for line in lines]
