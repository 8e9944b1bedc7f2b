"""Whether a request comes from the provider: hooks for ``accept(authenticate=...)``.

Comparisons take the same time wherever texts differ. No secret is part of a repr, a log line or an error.
"""

from __future__ import annotations

import hashlib
import hmac
import inspect
import re
import secrets as randomness
import time
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from voicelive.bridges.upgrade import Upgrade
from voicelive.errors import ConfigurationError

__all__ = ["AcsToken", "AudioHookSignature", "TwilioSignature", "is_from_twilio", "twilio_signature"]


def twilio_signature(auth_token: str, url: str, parameters: Mapping[str, str] | None = None) -> str:
    """What Twilio writes into ``X-Twilio-Signature``.

    Source: https://www.twilio.com/docs/usage/security. HMAC-SHA1 over the URL and the sorted POST fields.

    Args:
        auth_token: Of the account.
        url: As Twilio was told it: query and all; ``wss://...`` for a media stream.
        parameters: The fields of a POST; none for a media stream.
    """
    fields = "".join(name + value for name, value in sorted((parameters or {}).items()))
    digest = hmac.new(auth_token.encode(), (url + fields).encode(), hashlib.sha1).digest()
    return b64encode(digest).decode("ascii")


def is_from_twilio(
    auth_token: str, signature: str | None, url: str, parameters: Mapping[str, str] | None = None
) -> bool:
    """Whether a request is signed by Twilio; also for webhooks. Arguments as for ``twilio_signature``.

    Twilio is not consistent about the default port and a slash at the end, so the URL counts with and without both.
    """
    found = (signature or "").encode("utf-8", "replace")
    expected = [twilio_signature(auth_token, spelling, parameters).encode() for spelling in _spellings(url)]
    return any([hmac.compare_digest(found, each) for each in expected])  # noqa: C419 - all of them, at any time


def _spellings(url: str) -> set[str]:
    parts = urlsplit(url)
    host = parts.netloc.removesuffix(":443")
    path = parts.path.removesuffix("/")
    with_port = parts.netloc if parts.port not in (None, 443) else f"{host}:443"
    return {
        urlunsplit((parts.scheme, netloc, spelt, parts.query, parts.fragment))
        for netloc in {host, with_port}
        for spelt in {path, f"{path}/"}
    } | {url}


class TwilioSignature:
    """Lets in what Twilio has signed.

    Args:
        auth_token: Of the account.
        url: The stream's URL as the TwiML has it, with ``wss://``. Not what your server sees behind a proxy.
    """

    def __init__(self, auth_token: str, url: str) -> None:
        if not url.startswith("wss://"):
            raise ConfigurationError(f"url is {url!r:.80}; it must begin with wss://, as it does in the TwiML")
        self._auth_token, self._url = auth_token, url

    def __call__(self, upgrade: Upgrade) -> bool:
        return is_from_twilio(self._auth_token, upgrade.headers.get("x-twilio-signature"), self._url)


class AcsToken:
    """Lets in whoever brings a token that ``validate`` accepts.

    Azure Communication Services sign a JWT for each connection: RS256, issuer
    ``https://acscallautomation.communication.azure.com``, audience the resource id of your resource, keys at
    ``https://acscallautomation.communication.azure.com/calling/keys``. This package validates none; use PyJWT
    (``PyJWKClient`` and ``jwt.decode``), as docs/telephony.md shows.

    Args:
        validate: Gets the token; raises, or returns something false, to refuse it. Sync or async.
    """

    def __init__(self, validate: Callable[[str], Any | Awaitable[Any]]) -> None:
        self._validate = validate

    async def __call__(self, upgrade: Upgrade) -> bool:
        scheme, _, token = upgrade.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return False
        found = self._validate(token.strip())
        return bool(await found if inspect.isawaitable(found) else found)


_COVERED: Final = (
    "@request-target",
    "@authority",
    "audiohook-organization-id",
    "audiohook-session-id",
    "audiohook-correlation-id",
    "x-api-key",
)
_INPUT: Final = re.compile(r'([a-z*][a-z0-9_.*-]*)=(\(((?:"[^"\\]*" ?)*)\)((?:;[a-z]+=(?:"[^"\\]*"|\d{1,12}))*))')
_PARAMETER: Final = re.compile(r';([a-z]+)=(?:"([^"\\]*)"|(\d{1,12}))')
_ALLOWED: Final = frozenset({"keyid", "nonce", "alg", "created", "expires"})
_MOST_AGE_S: Final = 10
_MOST_SKEW_S: Final = 3
_LEAST_NONCE: Final = 22  # characters, 128 bits
_MOST_HEADER: Final = 4096


class AudioHookSignature:
    """Lets in what Genesys has signed, once.

    HTTP message signatures in the draft form that AudioHook uses (draft-ietf-httpbis-message-signatures-05), with the
    checks of Genesys' reference implementation. A request without a signature is refused.

    Args:
        secrets: API key to client secret, in base64 as the integration's settings have it.
        clock: Seconds since 1970.

    Raises:
        ConfigurationError: A secret is no base64.
    """

    def __init__(self, secrets: Mapping[str, str], clock: Callable[[], float] = time.time) -> None:
        try:
            self._secrets = {key: b64decode(secret, validate=True) for key, secret in secrets.items()}
        except Error:
            raise ConfigurationError("a client secret is no base64; copy it from the integration's settings") from None
        self._clock = clock
        self._seen: dict[str, float] = {}

    def __call__(self, upgrade: Upgrade) -> bool:
        signed = _Signed.of(upgrade.headers.get("signature-input", ""), upgrade.headers.get("signature", ""))
        if signed is None:
            return False
        key = upgrade.headers.get("x-api-key", "")
        secret = self._secrets.get(key) or randomness.token_bytes(32)  # an unknown key takes as long as a wrong one
        expected = hmac.new(secret, _base(signed, upgrade).encode(), hashlib.sha256).digest()
        genuine = hmac.compare_digest(expected, signed.signature)
        return genuine and key in self._secrets and signed.parameters["keyid"] == key and self._is_new(signed)

    def _is_new(self, signed: _Signed) -> bool:
        now = self._clock()
        created, expires = float(signed.parameters["created"]), float(signed.parameters.get("expires", "inf"))
        if not now - _MOST_AGE_S <= created <= now + _MOST_SKEW_S or expires < now:
            return False
        self._seen = {nonce: at_s for nonce, at_s in self._seen.items() if at_s >= now - 2 * _MOST_AGE_S}
        nonce = signed.parameters["nonce"]
        is_new = nonce not in self._seen
        self._seen[nonce] = now
        return is_new


@dataclass(frozen=True, slots=True)
class _Signed:
    """What a signature covers, and the signature."""

    components: tuple[str, ...]
    parameters: Mapping[str, str]
    as_sent: str
    signature: bytes

    @classmethod
    def of(cls, signature_input: str, signature: str) -> _Signed | None:
        """``None`` where it is not well formed, covers too little, or has parameters that nobody knows."""
        found = _INPUT.fullmatch(signature_input[:_MOST_HEADER])
        if found is None:
            return None
        label, as_sent, components, parameters = found.groups()
        named = {name: text or number for name, text, number in _PARAMETER.findall(parameters)}
        covered = tuple(component.strip('"') for component in components.split())
        complete = set(_COVERED) <= set(covered) and {"keyid", "created"} <= set(named) <= _ALLOWED
        strong = len(named.get("nonce", "")) >= _LEAST_NONCE and named.get("alg", "hmac-sha256") == "hmac-sha256"
        bare = signature.removeprefix(f"{label}=:").removesuffix(":")
        if not (complete and strong and named["created"].isdigit() and signature == f"{label}=:{bare}:"):
            return None
        return _signed(cls, covered, named, as_sent, bare)


def _signed(
    cls: type[_Signed], covered: tuple[str, ...], named: Mapping[str, str], as_sent: str, signature: str
) -> _Signed | None:
    try:
        return cls(covered, named, as_sent, b64decode(signature, validate=True))
    except (Error, ValueError):
        return None


def _base(signed: _Signed, upgrade: Upgrade) -> str:
    """What was signed: a line for each component, in the order in which they are named."""
    special = {"@request-target": upgrade.target, "@authority": upgrade.headers.get("host", "")}
    lines = [f'"{name}": {special.get(name, upgrade.headers.get(name, ""))}' for name in signed.components]
    return "\n".join([*lines, f'"@signature-params": {signed.as_sent}'])
