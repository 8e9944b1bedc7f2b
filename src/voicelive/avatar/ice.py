"""Which STUN and TURN servers a link goes by. Pure; no text quotes a server, since names and passwords are in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from voicelive.errors import ConfigurationError

__all__ = ["Server", "checked", "understood"]

_URL: Final = re.compile(
    r"(?P<scheme>stuns?|turns?):(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:\?transport=(?:udp|tcp))?"
)
"""RFC 7064 and RFC 7065."""


@dataclass(frozen=True, slots=True)
class Server:
    """One server, with all its URLs."""

    urls: tuple[str, ...]
    username: str | None = field(default=None, repr=False)
    credential: str | None = field(default=None, repr=False)

    @property
    def relays(self) -> bool:
        """Whether it is a TURN server."""
        return self.urls[0].startswith("turn")


def checked(servers: Iterable[Mapping[str, Any]]) -> list[Server]:
    """The application's own servers.

    Raises:
        ConfigurationError: One has no URL, another kind of URL, or a TURN server comes without its name and password.
    """
    found = []
    for index, server in enumerate(servers):
        where = f"ice_servers[{index}]"
        urls = _urls(server)
        if not urls:
            raise ConfigurationError(f"{where}.urls is empty; give a URL, or a list of them")
        if not all(_scheme(url) for url in urls):
            raise ConfigurationError(
                f"{where}.urls holds something else than stun:, stuns:, turn: or turns: host[:port][?transport=udp|tcp]"
            )
        name, word = server.get("username"), server.get("credential")
        if any(url.startswith("turn") for url in urls) and not (isinstance(name, str) and isinstance(word, str)):
            raise ConfigurationError(f"{where} is a TURN server; it needs username and credential, both as text")
        found.append(Server(tuple(urls), name, word))
    return _relays_alone(found)


def understood(servers: Iterable[Mapping[str, Any]]) -> list[Server]:
    """What can be used of the service's servers: never raises over what this version does not know."""
    found = []
    for server in servers:
        urls = tuple(url for url in _urls(server) if _scheme(url))
        if urls:
            found.append(Server(urls, server.get("username"), server.get("credential")))
    return _relays_alone(found)


def _relays_alone(servers: list[Server]) -> list[Server]:
    """TURN servers first and alone where there are any: so the service's documentation wants it."""
    relays = [
        Server(urls, server.username, server.credential)
        for server in servers
        if (urls := tuple(url for url in server.urls if url.startswith("turn")))
    ]
    return relays or servers


def _urls(server: Mapping[str, Any]) -> list[str]:
    urls = server.get("urls")
    listed = [urls] if isinstance(urls, str) else urls if isinstance(urls, (list, tuple)) else []
    return [url if isinstance(url, str) else "" for url in listed]


def _scheme(url: str) -> str | None:
    found = _URL.fullmatch(url)
    return found["scheme"] if found else None
