"""The HTTP request that opened a WebSocket, as far as it says who asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from voicelive.errors import ConfigurationError

__all__ = ["Upgrade"]


@dataclass(frozen=True, slots=True)
class Upgrade:
    """Path and headers of an upgrade request.

    Attributes:
        target: Path and query, as they were sent.
        headers: Names in lower case; values of a header that comes twice are joined with a comma.
    """

    target: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, source: Any) -> Upgrade:
        """The request behind a WebSocket of Starlette, FastAPI or ``websockets``, or of an aiohttp ``Request``.

        Raises:
            ConfigurationError: It is none of these, such as aiohttp's ``WebSocketResponse``, which does not tell.
        """
        scope = getattr(source, "scope", None)
        if isinstance(scope, Mapping):  # ASGI
            query = bytes(scope.get("query_string") or b"").decode("latin-1")
            path = bytes(scope.get("raw_path") or str(scope["path"]).encode()).decode("latin-1")
            pairs = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
            return cls(f"{path}?{query}" if query else path, _joined(pairs))
        request = getattr(source, "request", source)
        headers, target = getattr(request, "headers", None), getattr(request, "path", None)
        target = getattr(request, "raw_path", target)  # aiohttp: its path is decoded, and without the query
        if headers is None or not isinstance(target, str):
            raise ConfigurationError(
                f"a {type(source).__name__} does not tell its request; pass upgrade=Upgrade.of(request)"
            )
        pairs = headers.raw_items() if hasattr(headers, "raw_items") else headers.items()
        return cls(target, _joined(pairs))


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        key = name.lower()
        found[key] = f"{found[key]}, {value.strip()}" if key in found else value.strip()
    return found
