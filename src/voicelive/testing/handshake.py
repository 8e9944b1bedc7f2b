"""Who is let in: the upgrade request, judged without a socket.

What a refusal looks like on the wire (status, JSON envelope, headers) is decided here too; sending it is not.
Sources: the API reference for the parameters, published client samples for the envelopes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from voicelive.testing.settings import JsonObject

__all__ = ["Admission", "RejectedUpgrade", "admit"]

_PATH = "/voice-live/realtime"
_CALLS_PATH = f"{_PATH}/calls"
_CALLS_VERSIONS = frozenset({"2026-01-01-preview", "2026-06-01-preview"})  # of the guide, and of the published schema
_SECRET_HEADERS = frozenset({"api-key", "authorization", "cookie", "proxy-authorization"})
_SECRET_PARAMETERS = frozenset({"api-key", "authorization", "agent-access-token"})
_AGENT_MODEL = "gpt-4.1"  # what an agent runs on is its own affair; the session resource names something


@dataclass(frozen=True, slots=True)
class Admission:
    """An accepted upgrade request; credentials are left out, only their kind is kept.

    Attributes:
        path: Path of the URL.
        query: Query parameters, secrets excepted; of a repeated one the last.
        headers: Request headers with lower-case names, secrets excepted.
        credential: How the client identified itself.
        model: The model to play.
        agent: The agent as the session resource reports it, its conversation excepted; ``None`` in model mode.
        webrtc: The socket is to signal a WebRTC call.
    """

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)
    credential: Literal["api-key", "bearer"]
    model: str
    agent: JsonObject | None = None
    webrtc: bool = False


class RejectedUpgrade(Exception):  # noqa: N818 - what the service does, not a fault of this package
    """The upgrade is refused with an HTTP status; ``body`` is the JSON text of the error envelope."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, code, message)
        self.status, self.code, self.message = status, code, message

    @property
    def body(self) -> str:
        """The error envelope."""
        return json.dumps({"error": {"code": self.code, "message": self.message}})


def admit(target: str, headers: Mapping[str, str], *, api_key: str | None) -> Admission:
    """Judge an upgrade request.

    Args:
        target: Path and query of the request line.
        headers: Request headers with lower-case names.
        api_key: The only key accepted; ``None``: any credential is.

    Raises:
        RejectedUpgrade: Wrong path, a path that the version does not have (404, as third parties saw it for WebRTC
            calls of a dated version in 2026), missing parameters, or no valid credential.
    """
    url = urlsplit(target)
    query = dict(parse_qsl(url.query, keep_blank_values=True))
    webrtc = url.path.endswith(_CALLS_PATH)
    if not (webrtc or url.path.endswith(_PATH)):
        raise _not_found()
    credential = _credential(query, headers, api_key)
    if not query.get("api-version"):
        raise RejectedUpgrade(400, "MissingApiVersionParameter", "The api-version query parameter is required.")
    if webrtc and query["api-version"] not in _CALLS_VERSIONS:
        raise _not_found()
    model, agent = _target(query)
    return Admission(
        path=url.path,
        query={name: value for name, value in query.items() if name.lower() not in _SECRET_PARAMETERS},
        headers={name: value for name, value in headers.items() if name not in _SECRET_HEADERS},
        credential=credential,
        model=model,
        agent=agent,
        webrtc=webrtc,
    )


def _not_found() -> RejectedUpgrade:
    return RejectedUpgrade(404, "404", "Resource not found.")


def _credential(
    query: Mapping[str, str], headers: Mapping[str, str], api_key: str | None
) -> Literal["api-key", "bearer"]:
    key = headers.get("api-key") or query.get("api-key")
    token = headers.get("authorization") or query.get("Authorization") or ""
    if key and api_key in (None, key):
        return "api-key"
    if not key and token.startswith("Bearer ") and len(token) > len("Bearer "):
        return "bearer"
    raise RejectedUpgrade(401, "401", "Access denied due to invalid subscription key or wrong API endpoint.")


def _target(query: Mapping[str, str]) -> tuple[str, JsonObject | None]:
    name, agent_id = query.get("agent-name"), query.get("agent-id")
    if name or agent_id:
        if name and not query.get("agent-project-name"):
            raise RejectedUpgrade(400, "MissingParameter", "An agent needs the agent-project-name query parameter.")
        agent = {"type": "agent", "name": name or agent_id, "agent_id": agent_id or name}
        return query.get("model") or _AGENT_MODEL, agent
    if not query.get("model"):
        raise RejectedUpgrade(400, "MissingParameter", "The model query parameter is required.")
    return query["model"], None
