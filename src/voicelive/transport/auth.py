"""A credential becomes request headers: an API key, or a fresh Entra ID token for every handshake.

Credentials are recognised by their shape, so no Azure package is needed to use one. Decides also where a
credential may travel. Holds no token: whoever gave the credential caches and renews, and the service looks
at it during the handshake only.
"""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Awaitable
from typing import Protocol, TypeAlias, TypeGuard, runtime_checkable
from urllib.parse import parse_qsl, urlsplit

from voicelive.errors import ConfigurationError, CredentialRejectedError
from voicelive.options import ClientOptions
from voicelive.transport.address import is_loopback

__all__ = [
    "AccessToken",
    "AsyncTokenCredential",
    "Credential",
    "KeyCredential",
    "TokenCredential",
    "auth_headers",
    "default_credential",
    "refuse_insecure",
    "refuse_key_for_agent",
]

_HEADER_SAFE = re.compile(r"[\x21-\x7e]+")


class AccessToken(Protocol):
    """What a token credential returns; ``azure.core.credentials.AccessToken`` fits."""

    @property
    def token(self) -> str:
        """The bearer token."""
        ...


@runtime_checkable
class KeyCredential(Protocol):
    """Holds an API key that may be replaced over time; ``AzureKeyCredential`` fits."""

    @property
    def key(self) -> str:
        """The API key in force."""
        ...


@runtime_checkable
class TokenCredential(Protocol):
    """Gives Entra ID tokens by a blocking call; the credentials of ``azure.identity`` fit.

    The call runs in a worker thread. Cancelling the connect abandons it there: a thread cannot be stopped.
    """

    def get_token(self, *scopes: str) -> AccessToken:
        """A token for ``scopes``, valid now."""
        ...


@runtime_checkable
class AsyncTokenCredential(Protocol):
    """Gives Entra ID tokens on the event loop; the credentials of ``azure.identity.aio`` fit."""

    def get_token(self, *scopes: str) -> Awaitable[AccessToken]:
        """A token for ``scopes``, valid now."""
        ...


Credential: TypeAlias = str | KeyCredential | TokenCredential | AsyncTokenCredential


async def auth_headers(credential: Credential, *, scope: str) -> dict[str, str]:
    """The request headers that present ``credential``: ``api-key`` or ``Authorization``.

    Args:
        credential: A key, an object with ``.key``, or a token credential. One with both gives its token.
        scope: Asked of token credentials; unused for keys.

    Raises:
        ConfigurationError: Not a credential, or a key that is empty or cannot be a header value.
        CredentialRejectedError: The token credential failed, or gave no usable token.
    """
    if _gives_tokens(credential):
        return {"Authorization": f"Bearer {await _token(credential, scope)}"}
    key = credential.key if isinstance(credential, KeyCredential) else credential
    if not isinstance(key, str):
        raise ConfigurationError(
            f"credential is of type {type(credential).__name__}; "
            "allowed: a key, an object with .key, an object with get_token()"
        )
    if not _HEADER_SAFE.fullmatch(key):
        raise ConfigurationError("credential is a key that is empty or holds white space or characters outside ASCII")
    return {"api-key": key}


def default_credential() -> TokenCredential:
    """A ``DefaultAzureCredential``: environment, managed identity, developer tools. The caller closes it.

    The blocking variant, since the asynchronous one needs aiohttp, which azure-identity does not bring along.
    """
    from azure.identity import DefaultAzureCredential  # slow to import, and keys need none of it

    return DefaultAzureCredential()


def refuse_insecure(url: str, options: ClientOptions) -> None:
    """Raise unless a credential may travel to ``url``: over TLS, to this machine, or where it is allowed on purpose.

    Raises:
        ConfigurationError: Plain ``ws://`` to another machine without ``options.allow_insecure``.
    """
    parts = urlsplit(url)
    if parts.scheme == "wss" or is_loopback(parts.hostname or "") or options.allow_insecure:
        return
    raise ConfigurationError(
        f"endpoint {parts.hostname} is reached without TLS, and the credential would be readable on the way; "
        "use https://, or set ClientOptions.allow_insecure=True in a network you trust"
    )


def refuse_key_for_agent(url: str, credential: Credential) -> None:
    """Raise where a key is to open an agent: the service takes Entra ID tokens only there.

    Emulators, that is loopback and plain ``ws://`` addresses, may take a key.

    Raises:
        ConfigurationError: ``credential`` is a key, and ``url`` names an agent.
    """
    parts = urlsplit(url)
    names = {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    is_key = not _gives_tokens(credential)
    emulated = parts.scheme == "ws" or is_loopback(parts.hostname or "")
    if is_key and not emulated and names & {"agent-name", "agent-id"}:
        raise ConfigurationError(
            "credential is a key, and agents take Entra ID tokens only; "
            "pass a token credential, such as azure.identity.DefaultAzureCredential()"
        )


def _gives_tokens(credential: Credential) -> TypeGuard[TokenCredential | AsyncTokenCredential]:
    return callable(getattr(credential, "get_token", None))


async def _token(credential: TokenCredential | AsyncTokenCredential, scope: str) -> str:
    try:
        if inspect.iscoroutinefunction(credential.get_token):
            answer = await credential.get_token(scope)
        else:
            answer = await asyncio.to_thread(credential.get_token, scope)
            if inspect.isawaitable(answer):  # an asynchronous credential behind a plain wrapper
                answer = await answer
    except Exception as exc:  # foreign code: whatever it raises means that there is no token
        raise CredentialRejectedError(
            f"the credential {type(credential).__name__} gave no token ({type(exc).__name__}); "
            "sign in again, or check the identity and its access to the resource"
        ) from exc
    token = getattr(answer, "token", None)
    if not isinstance(token, str) or not _HEADER_SAFE.fullmatch(token):
        raise CredentialRejectedError(
            f"the credential {type(credential).__name__} gave no usable token; get_token() must return "
            "an object whose .token is a non-empty string without white space"
        )
    return token
