"""Frozen settings of the client: timeouts, bounds, retry. What a session says to the service is ``SessionConfig``."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from voicelive.errors import ConfigurationError

if TYPE_CHECKING:  # whoever gives a list has loaded it
    from voicelive.catalogue import PriceList

__all__ = ["ClientOptions", "HandshakeRetry", "Resume"]

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class HandshakeRetry:
    """When a refused or failed handshake is tried again: on 408, 429, 5xx and network errors only.

    Attributes:
        attempts: Tries in all, the first one included; 1 turns retrying off.
        first_wait_s: Upper bound of the first random wait; it doubles with every try.
        max_wait_s: No wait is longer, except that a ``Retry-After`` of the service is always honoured
            (the total connect timeout still holds).
    """

    attempts: int = 3
    first_wait_s: float = 0.5
    max_wait_s: float = 5.0

    def __post_init__(self) -> None:
        _at_least("handshake_retry.attempts", self.attempts, 1)
        _at_least("handshake_retry.first_wait_s", self.first_wait_s, 0)
        _at_least("handshake_retry.max_wait_s", self.max_wait_s, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """How a session goes on when its connection is lost, or when its lifetime nears its end.

    The service cannot resume a session, so a new one takes its place: same settings and tools, and the conversation
    told again. After a close with 1003 or 1007 to 1010, and a handshake refused with 400, 401, 403 or 404, nothing is
    tried.

    Attributes:
        attempts: Tries for one loss, at least 1.
        within_s: Bound on all of them together. A ``Retry-After`` beyond it ends the session at once.
        first_wait_s: Upper bound of the random wait before the second try; it doubles with every try. The first try is
            made at once.
        max_wait_s: No wait is longer, except that a ``Retry-After`` is honoured.
        renew_before_s: From this long before ``expires_at`` on, the session is renewed as soon as nobody speaks and
            nothing is under way. One that finds no such moment ends at its time, and is resumed then.
        max_age_s: Renew when a session is this old, whatever its ``expires_at``; ``None``: only before that.
        audio_ms: How much of an unfinished turn of the caller is kept, to be said again; 0: none.
    """

    attempts: int = 5
    within_s: float = 30.0
    first_wait_s: float = 0.5
    max_wait_s: float = 5.0
    renew_before_s: float = 120.0
    max_age_s: float | None = None
    audio_ms: int = 10_000

    def __post_init__(self) -> None:
        _at_least("resume.attempts", self.attempts, 1)
        _positive("resume.within_s", self.within_s)
        for name in ("first_wait_s", "max_wait_s", "renew_before_s", "audio_ms"):
            _at_least(f"resume.{name}", getattr(self, name), 0)
        if self.max_age_s is not None:
            _positive("resume.max_age_s", self.max_age_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """How the client connects and what it holds in memory.

    Attributes:
        connect_timeout_s: Bound on ``connect`` in total: token, retries, handshake, first settings.
        close_timeout_s: Bound on ``close``, also against a mute peer.
        ping_interval_s: A ping goes out this often; ``None`` turns pings off.
        ping_timeout_s: A connection whose pong takes longer is lost.
        connections_per_minute: No more handshakes of one client begin in any 60 s, retries and prewarming included;
            further ones wait their turn within the connect timeout. ``None``: no limit. 30 is the documented quota of
            an S0 resource (Microsoft Learn, "Speech service quotas and limits"). All processes of a resource share
            that quota: give each its part.
        avatar_links_per_minute: No more links of avatars are asked for in any 60 s by one client; a further one raises
            ``AvatarBusyError`` at once. ``None``: no limit but the service's own, whose word is kept. It documents 2
            (the same page).
        confirm_timeout_s: How long a verb waits for the service's confirmation.
        max_frame_bytes: A larger incoming frame ends the session with code 1009.
        inbox_bytes: Bound of each consumer's unread events, in bytes received.
        outbox_bytes: Bound of what waits to be written, in bytes.
        max_tool_rounds: Consecutive responses that may call tools before the model must answer in words.
        min_barge_in_ms: Speech over the agent counts as a barge-in only when it lasts this long.
        handler_errors: ``"report"``: an exception in a handler becomes a ``HandlerFailed`` event
            and an ERROR log; ``"end"``: it also ends the session.
        token_scope: Scope asked of token credentials.
        resume: How a session goes on when its connection is lost; ``None``: it ends then.
        audio_overflow: What ``send_audio`` does while the line takes less than it is given: ``"wait"``, or
            ``"drop_oldest"``: never wait, keep the newest ``outbox_bytes``, count the rest and tell of it by
            ``InputAudioDropped``.
        headers: Further request headers of the handshake.
        ssl: Context for TLS, such as ``ssl.create_default_context(cafile=...)``; ``None``: the system's certificates,
            TLS 1.2 or newer. One that does not verify the server, or allows older versions, needs ``allow_insecure``.
        proxy: URL of an HTTP or SOCKS proxy, ``True``: from the environment (never for loopback), ``None``: none.
        check_settings: What ``connect`` does about settings that do not go with the model, by the tables of
            ``voicelive.catalogue``: ``"warn"``: a ``SettingsWarning``, once for each model and problem; ``"refuse"``:
            a ``ConfigurationError``; ``"off"``. Models that the tables do not know pass, and so do your own.
        region: The resource's region, such as ``swedencentral``, so that ``check_settings`` also looks at what it
            offers. The endpoint does not tell it.
        prices: What ``session.usage`` bills by, such as what ``RetailPrices.fetch`` gives; ``None``: the list that
            comes with the package, in US dollars.
        allow_insecure: Permit credentials over plain ``ws://`` to another machine, and a weak ``ssl`` context.
    """

    connect_timeout_s: float = 15.0
    close_timeout_s: float = 1.0
    ping_interval_s: float | None = 10.0
    ping_timeout_s: float | None = 4.0
    connections_per_minute: int | None = 30
    avatar_links_per_minute: int | None = None
    confirm_timeout_s: float = 15.0
    max_frame_bytes: int = 16 * MIB
    inbox_bytes: int = 64 * MIB
    outbox_bytes: int = 4 * MIB
    handshake_retry: HandshakeRetry = field(default_factory=HandshakeRetry)
    max_tool_rounds: int = 8
    min_barge_in_ms: int = 0
    handler_errors: Literal["report", "end"] = "report"
    token_scope: str = "https://ai.azure.com/.default"  # noqa: S105 - a scope is no secret
    resume: Resume | None = field(default_factory=Resume)
    audio_overflow: Literal["wait", "drop_oldest"] = "wait"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    ssl: ssl.SSLContext | None = field(default=None, repr=False)
    proxy: str | Literal[True] | None = field(default=True, repr=False)
    check_settings: Literal["warn", "refuse", "off"] = "warn"
    region: str | None = None
    prices: PriceList | None = None
    allow_insecure: bool = False

    def __post_init__(self) -> None:
        for name in ("connect_timeout_s", "close_timeout_s", "confirm_timeout_s"):
            _positive(name, getattr(self, name))
        for name in ("ping_interval_s", "ping_timeout_s"):
            if getattr(self, name) is not None:
                _positive(name, getattr(self, name))
        for name in ("max_frame_bytes", "inbox_bytes", "outbox_bytes"):
            _at_least(name, getattr(self, name), 1024)
        for name in ("connections_per_minute", "avatar_links_per_minute"):
            if getattr(self, name) is not None:
                _at_least(name, getattr(self, name), 1)
        _at_least("max_tool_rounds", self.max_tool_rounds, 1)
        _at_least("min_barge_in_ms", self.min_barge_in_ms, 0)
        if self.audio_overflow not in ("wait", "drop_oldest"):
            raise ConfigurationError(f"audio_overflow is {self.audio_overflow!r}; allowed: 'wait', 'drop_oldest'")
        if self.handler_errors not in ("report", "end"):
            raise ConfigurationError(f"handler_errors is {self.handler_errors!r}; allowed: 'report', 'end'")
        if self.check_settings not in ("warn", "refuse", "off"):
            raise ConfigurationError(f"check_settings is {self.check_settings!r}; allowed: 'warn', 'refuse', 'off'")
        if self.region is not None and not (isinstance(self.region, str) and self.region.strip()):
            raise ConfigurationError(f"region is {self.region!r}; name the resource's, such as 'swedencentral'")
        if self.prices is not None:
            _require_prices(self.prices)
        if self.ssl is not None and not self.allow_insecure:
            _refuse_weak(self.ssl)


def _require_prices(prices: object) -> None:
    from voicelive.catalogue.price_list import PriceList

    if not isinstance(prices, PriceList):
        raise ConfigurationError(f"prices is a {type(prices).__name__}; it must be a PriceList")


def _positive(name: str, value: float) -> None:
    if not value > 0:
        raise ConfigurationError(f"{name} is {value!r}; it must be greater than 0")


def _at_least(name: str, value: float, least: float) -> None:
    if not value >= least:
        raise ConfigurationError(f"{name} is {value!r}; it must be at least {least}")


def _refuse_weak(context: ssl.SSLContext) -> None:
    if context.verify_mode is not ssl.CERT_REQUIRED or not context.check_hostname:
        raise ConfigurationError(
            "ssl is a context that does not verify the server's certificate and name; give one made by "
            "ssl.create_default_context(cafile=...), or set allow_insecure=True in a network you trust"
        )
    least = context.minimum_version
    if least < ssl.TLSVersion.TLSv1_2 and least is not ssl.TLSVersion.MAXIMUM_SUPPORTED:
        raise ConfigurationError(
            f"ssl is a context with minimum_version {least.name}; it must be at least TLSv1_2, "
            "or set allow_insecure=True in a network you trust"
        )
