"""Where to connect and to what: endpoint and target become one URL.

Pure text work, no I/O. It decides the path, the query and their encoding, so that no value can smuggle in a
parameter. It knows no credentials, except the one that must travel in the query: a classic agent's token.
Parameter names follow the service's documentation and its official clients.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Final, NoReturn
from urllib.parse import SplitResult, quote, unquote_plus, urlsplit

from voicelive.errors import ConfigurationError

__all__ = [
    "BYOM_PROFILES",
    "LOGGED_VALUES",
    "Agent",
    "Byom",
    "ClassicAgent",
    "Target",
    "build_url",
    "is_loopback",
    "redacted",
]

BYOM_PROFILES: Final = ("byom-azure-openai-realtime", "byom-azure-openai-chat-completion")

_SERVICE_PATH = "/voice-live/realtime"
_CALLS = "/calls"  # signalling of WebRTC calls; a preview
_SCHEMES = {"https": "wss", "wss": "wss", "http": "ws", "ws": "ws"}
LOGGED_VALUES: Final = frozenset({"api-version", "model", "profile"})  # all others may hold ids or secrets

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PROJECT_PATH = re.compile(r"/api/projects(/.*)?$")
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_NOT_IN_URL = re.compile(r"[\x00-\x20\x7f-\xa0\ud800-\udfff\\]")  # white space and backslash read differently elsewhere

# Characters that may stay as they are where the caller has already encoded a text (RFC 3986 section 3.3 and 3.4).
_KEPT_IN_PATH = "/%:@!$&'()*+,;=~-._"
_KEPT_IN_QUERY = _KEPT_IN_PATH + "?"


@dataclass(frozen=True, slots=True)
class Agent:
    """A Foundry agent to talk with, instead of a model. Needs a token credential.

    Attributes:
        name: Name of the agent.
        project: Name of its Foundry project.
        version: Version of the agent; ``None``: the one in force.
        conversation_id: An earlier conversation of the agent to continue.
        identity_client_id: Client id of the managed identity the agent acts under.
        foundry_resource_override: Name of the Foundry resource that holds the project, where it is another one.
    """

    name: str
    project: str
    _: KW_ONLY
    version: str | None = None
    conversation_id: str | None = None
    identity_client_id: str | None = None
    foundry_resource_override: str | None = None

    def __post_init__(self) -> None:
        _check_text("agent.name", self.name)
        _check_text("agent.project", self.project)
        for name in ("version", "conversation_id", "identity_client_id", "foundry_resource_override"):
            if getattr(self, name) is not None:
                _check_text(f"agent.{name}", getattr(self, name))

    def query(self) -> dict[str, str]:
        """The query parameters that name this agent, unencoded."""
        named = {
            "agent-name": self.name,
            "agent-project-name": self.project,
            "agent-version": self.version,
            "conversation-id": self.conversation_id,
            "agent-authentication-identity-client-id": self.identity_client_id,
            "foundry-resource-override": self.foundry_resource_override,
        }
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True)
class ClassicAgent:
    """An agent of the earlier agent service. Needs a token credential.

    Attributes:
        id: Id of the agent.
        project: Name of its project.
        access_token: A second Entra token, for the agent service. It travels in the query of the URL. For its sake a
            ``ClassicAgent`` cannot be pickled.
    """

    id: str
    project: str
    access_token: str = field(repr=False)

    def __post_init__(self) -> None:
        _check_text("agent.id", self.id)
        _check_text("agent.project", self.project)
        _check_text("agent.access_token", self.access_token, secret=True)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a ClassicAgent holds an access token and is not pickled; make it where it is used")

    def query(self) -> dict[str, str]:
        """The query parameters that name this agent, unencoded; one of them is a secret."""
        return {"agent-id": self.id, "agent-project-name": self.project, "agent-access-token": self.access_token}


@dataclass(frozen=True, slots=True)
class Byom:
    """Bring your own model: a deployment of yours in the same Foundry resource, named as ``model``.

    Attributes:
        profile: How the deployment is spoken to, one of ``BYOM_PROFILES``.
    """

    profile: str

    def __post_init__(self) -> None:
        if self.profile not in BYOM_PROFILES:
            raise ConfigurationError(f"byom.profile is {self.profile!r}; allowed: {', '.join(BYOM_PROFILES)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What to talk with: a model, a model of one's own, or an agent.

    Attributes:
        model: Name of the model, with ``byom`` of the deployment.
        agent: The agent that answers instead of a model.
        byom: How to reach a deployment of one's own.
        features: Preview switches such as ``client_ec_reference:true``.
        webrtc: Whether the connection signals a WebRTC call, whose audio goes another way.
    """

    model: str | None = None
    agent: Agent | ClassicAgent | None = None
    byom: Byom | None = None
    features: Sequence[str] = ()
    webrtc: bool = False

    def __post_init__(self) -> None:
        if self.model is not None:
            _check_text("model", self.model)
        if not isinstance(self.agent, Agent | ClassicAgent | None):
            raise ConfigurationError(f"agent is a {type(self.agent).__name__}; allowed: Agent, ClassicAgent")
        if not isinstance(self.byom, Byom | None):
            raise ConfigurationError(f"byom is a {type(self.byom).__name__}; allowed: Byom")
        if isinstance(self.features, str):
            raise ConfigurationError("features is a string; write a list, such as ['client_ec_reference:true']")
        for feature in self.features:
            _check_text("features", feature)

    def query(self) -> dict[str, str]:
        """The query parameters of this target, unencoded."""
        named = {} if self.model is None else {"model": self.model}
        named |= {} if self.byom is None else {"profile": self.byom.profile}
        named |= {} if self.agent is None else self.agent.query()
        return named | ({"features": ",".join(self.features)} if self.features else {})


def build_url(endpoint: str, api_version: str, target: Target, extra_query: Mapping[str, str] | None = None) -> str:
    """The WebSocket URL of a session.

    Args:
        endpoint: ``https``, ``http``, ``wss`` or ``ws`` URL of the resource, or its bare host (``https`` is meant).
            A path prefix and query parameters of its own are kept, ``/api/projects/...`` is cut off.
        api_version: Version of the API, such as ``2026-07-15``.
        target: What to talk with. May be empty where the endpoint's own query names a model or an agent.
        extra_query: Further parameters, unencoded. They replace those of the endpoint, never ours.

    Raises:
        ConfigurationError: An unusable endpoint, no target, two targets, or a value with control characters.
            The text repeats no query value: it may be a secret.
    """
    _check_text("api_version", api_version)
    parts = _split(endpoint)
    named = {"api-version": api_version} | target.query()
    for name, value in (extra_query or {}).items():
        _check_text("extra_query", name)
        _check_text(f"extra_query[{name!r}]", value, secret=True)
        if name.lower() in named:
            raise ConfigurationError(f"extra_query names {name}, which the client sets itself; leave it out")
        named[name] = value
    own_names = {name.lower() for name in named}  # compared without case, as the service's gateway does
    kept = [(name, raw) for name, raw in _raw_query(parts.query) if name.lower() not in own_names]
    _check_target(own_names | {name.lower() for name, _ in kept})
    fields = [f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in named.items()]
    fields += [quote(raw, safe=_KEPT_IN_QUERY) for _, raw in kept]
    path = _service_path(parts.path, webrtc=target.webrtc)
    return f"{_SCHEMES[parts.scheme]}://{_host_and_port(parts)}{path}?{'&'.join(fields)}"


def redacted(url: str) -> str:
    """The URL for a log: values of ``api-version``, ``model`` and ``profile`` readable, ``***`` for all others."""
    head, mark, query = url.partition("?")
    head = re.sub(r"//[^/@]*@", "//***@", head)
    shown = [
        raw if name.lower() in LOGGED_VALUES else f"{raw.partition('=')[0]}=***"
        for name, raw in _raw_query(query.partition("#")[0])
    ]
    return head + mark + "&".join(shown)


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine: ``localhost``, 127.0.0.0/8 or ``::1``; names are not resolved."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(endpoint: str) -> SplitResult:
    if not isinstance(endpoint, str) or not endpoint:
        raise ConfigurationError("endpoint is empty; give your resource's URL: https://<name>.services.ai.azure.com")
    if _NOT_IN_URL.search(endpoint):
        raise ConfigurationError("endpoint holds white space, a backslash or a control character; remove it")
    try:
        parts = urlsplit(endpoint if _SCHEME.match(endpoint) else f"https://{endpoint}")
        host, _ = parts.hostname, parts.port
    except ValueError:  # its text may repeat the endpoint
        raise ConfigurationError("endpoint is not a URL; check host, brackets and port") from None
    if parts.scheme not in _SCHEMES:
        raise ConfigurationError(f"endpoint has the scheme {parts.scheme!r}; allowed: {', '.join(_SCHEMES)}")
    if "@" in parts.netloc:
        raise ConfigurationError("endpoint holds user information; pass the key or token as credential instead")
    if "#" in endpoint:
        raise ConfigurationError("endpoint holds a fragment ('#'), which never reaches a server; remove it")
    if not host or not _HOST.fullmatch(host):
        raise ConfigurationError("endpoint has no usable host; write it in ASCII, such as <name>.services.ai.azure.com")
    return parts


def _host_and_port(parts: SplitResult) -> str:
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return host if parts.port is None else f"{host}:{parts.port}"


def _service_path(path: str, *, webrtc: bool) -> str:
    path = _PROJECT_PATH.sub("", path).rstrip("/")
    path = quote(path, safe=_KEPT_IN_PATH)
    path = path if path.endswith(_SERVICE_PATH) else path + _SERVICE_PATH
    return path + _CALLS if webrtc else path


def _raw_query(query: str) -> list[tuple[str, str]]:
    """Pairs of decoded name and the whole untouched ``name=value``."""
    return [(unquote_plus(raw.partition("=")[0]), raw) for raw in query.split("&") if raw]


def _check_target(names: set[str]) -> None:
    agent = bool(names & {"agent-name", "agent-id"})
    if agent and "model" in names:
        raise ConfigurationError("model and agent are both given; an agent brings its own model, leave one out")
    if agent and "profile" in names:
        raise ConfigurationError("byom and agent are both given; an agent brings its own model, leave one out")
    if "profile" in names and "model" not in names:
        raise ConfigurationError("byom needs model: the name of your deployment")
    if not agent and "model" not in names:
        raise ConfigurationError("model and agent are both missing; name a model, such as 'gpt-realtime', or an agent")


def _check_text(name: str, value: object, *, secret: bool = False) -> None:
    shown = "unusable" if secret else repr(value)
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"{name} is {shown}; it must be a non-empty string")
    if _UNPRINTABLE.search(value):
        raise ConfigurationError(f"{name} is {shown}; it must not hold control characters")
