"""What an HTTP answer that refuses the WebSocket upgrade means, and what to do about it.

Pure: status, headers and body in, error out. It knows no WebSocket library. Bodies are undocumented (an error
envelope, plain text or a gateway's page), so they are read as well as they can be and never relied on.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from voicelive.errors import ConnectFailedError, CredentialRejectedError, ServiceBusyError

__all__ = ["clean", "refusal", "retry_after_s"]

_MAX_TEXT = 500  # characters of foreign text that a message repeats
_MAX_ID = 100  # characters; request ids are UUIDs of 36
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_REQUEST_ID_HEADERS = ("apim-request-id", "x-ms-request-id", "x-request-id")

_CREDENTIAL_ADVICE = (
    "the service refused the credential; check that the key belongs to this resource, or that the identity "
    "has the roles Cognitive Services User and Foundry User on it"
)
_ADVICE = {
    400: "the service refused the request; check api_version, and that the model or agent exists",
    401: _CREDENTIAL_ADVICE,
    403: _CREDENTIAL_ADVICE + ", and that its network rules let this machine in",
    404: "there is no Voice Live at this address; check the endpoint's path, the resource's name, and that its "
    "region offers Voice Live",
    408: "the service took too long to answer the handshake; try again",
    429: "the resource is out of quota for new connections; wait, connect less often, or raise the quota",
}


def refusal(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    client_request_id: str | None = None,
    secrets: Collection[str] = (),
) -> ConnectFailedError:
    """The error for a refused upgrade.

    Args:
        status: HTTP status of the answer.
        headers: Headers of the answer, looked up by lower-case names.
        body: As much of the body as there is.
        client_request_id: Id that the request carried; used where the answer brings none.
        secrets: Texts of the request that must not come back, should the answer repeat them.
    """
    advice = _redirect_advice(headers.get("location", "")) if 300 <= status < 400 else _ADVICE.get(status)
    if advice is None and status >= 500:
        advice = "the service or a gateway before it is overloaded or failing; try again later"
    elif advice is None:
        advice = "this is not how Voice Live answers; check the endpoint, and any gateway or proxy on the way"
    said = clean(_service_text(body), secrets)
    message = f"{advice}; the service said: {said}" if said else advice
    given = next((headers[name] for name in _REQUEST_ID_HEADERS if headers.get(name)), client_request_id)
    request_id = clean(given, secrets)[:_MAX_ID] if given else None
    wait_s = retry_after_s(headers.get("retry-after"), now=datetime.now(UTC))
    return _class_for(status)(message, status, request_id, wait_s)


def retry_after_s(value: str | None, *, now: datetime) -> float | None:
    """Seconds that a ``Retry-After`` header asks to wait (RFC 9110 section 10.2.3); ``None`` for none or nonsense."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            until = parsedate_to_datetime(value)
        except ValueError:
            return None
        seconds = (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


def clean(text: str, secrets: Collection[str] = ()) -> str:
    """Foreign text, fit for a message: without ``secrets``, on one line, at most 500 characters."""
    for secret in sorted(secrets, key=len, reverse=True):  # one may be part of another
        text = text.replace(secret, "***")
    return _CONTROL.sub(" ", text).strip()[:_MAX_TEXT]


def _class_for(status: int) -> type[ConnectFailedError]:
    if status in (401, 403):
        return CredentialRejectedError
    return ServiceBusyError if status in (408, 429) or status >= 500 else ConnectFailedError


def _redirect_advice(location: str) -> str:
    try:
        host = urlsplit(location).hostname
    except ValueError:
        host = None
    target = f"the host {clean(host)}" if host else "another address"
    return (
        f"the endpoint redirects to {target}, which is refused: the credential would travel along; "
        "give the final address as endpoint if you trust it"
    )


def _service_text(body: bytes) -> str:
    text = body.decode(errors="replace").strip()
    if text.startswith("<"):
        return ""  # a gateway's HTML page explains nothing
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):  # plain text, or JSON nested beyond reason
        return text
    envelope = answer.get("error", answer) if isinstance(answer, dict) else answer
    if isinstance(envelope, dict):
        told = [envelope.get("code"), envelope.get("message")]
        return ": ".join(word for word in told if isinstance(word, str) and word)
    return envelope if isinstance(envelope, str) else ""
