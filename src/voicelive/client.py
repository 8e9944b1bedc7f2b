"""VoiceLiveClient: endpoint + credential + options -> ``connect``. Holds no connection but those kept ready."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from voicelive.avatar.turns import LinkTurns
from voicelive.errors import (
    ConfigurationError,
    ConfirmationTimeoutError,
    ConnectFailedError,
    ConnectTimeoutError,
    SessionClosedError,
)
from voicelive.options import ClientOptions, HandshakeRetry, Resume
from voicelive.prewarm import Prewarmed
from voicelive.rtc_call import CALL_API_VERSION
from voicelive.settings_check import SettingsCheck
from voicelive.transport.address import Agent, Byom, ClassicAgent, Target, redacted
from voicelive.transport.auth import Credential, default_credential
from voicelive.transport.limiter import Limiter
from voicelive.wire.base import Tagged, Unknown
from voicelive.wire.session import SessionConfig
from voicelive.wire.tools import Tool

if TYPE_CHECKING:  # the session brings all event classes along; they load when a connection is made
    from voicelive.approvals import ApprovalHandler
    from voicelive.budget import Budget
    from voicelive.rtc_call import RtcCall
    from voicelive.session import Session
    from voicelive.tools.declaring import LocalTool
    from voicelive.tools.toolset import ToolSet
    from voicelive.transport.base import Transport

__all__ = ["VoiceLiveClient"]

_T = TypeVar("_T")

API_VERSION = "2026-07-15"  # newest dated version; the default of the official SDKs as well

_log = logging.getLogger("voicelive")

_READY_SHARE = 0.5  # of the connect timeout, for a ready connection to show that it still lives
_SESSION_S = 3600  # the longest a session lasts, counted from the handshake
_ECHO_REFERENCE = "client_ec_reference:true"  # the connection feature that a client's echo reference needs


class VoiceLiveClient:
    """Opens sessions with one Voice Live resource. Usable from several tasks of one event loop, for many sessions.

    Args:
        endpoint: URL of the resource or Foundry project, such as ``https://<name>.services.ai.azure.com``. Its own
            path prefix and query parameters are kept; ``/api/projects/...`` is cut off.
        credential: A key, an object with ``.key``, or a sync or async token credential.
        api_version: A dated version.
        options: Timeouts, bounds, retry, TLS, proxy.

    Raises:
        ConfigurationError: ``endpoint`` or ``credential`` is missing.
    """

    def __init__(
        self,
        endpoint: str,
        credential: Credential,
        *,
        api_version: str = API_VERSION,
        options: ClientOptions | None = None,
    ) -> None:
        if not endpoint:
            raise ConfigurationError("endpoint is empty; pass your resource's URL or set AZURE_VOICELIVE_ENDPOINT")
        if not credential:
            raise ConfigurationError("credential is empty; pass a key or a token credential")
        self._endpoint, self._credential = endpoint, credential
        self._api_version, self._options = api_version, options or ClientOptions()
        self._own_credential: Any = None
        self._settings_check = SettingsCheck(self._options)
        self._equipment: list[Callable[[Session], None]] = []
        per_minute = self._options.connections_per_minute
        self._limiter = None if per_minute is None else Limiter(per_minute)
        self._link_turns = LinkTurns(self._options.avatar_links_per_minute)
        self._prewarmed = Prewarmed(lambda target: self._handshake(target, self._options.connect_timeout_s))

    @classmethod
    def from_env(cls, *, api_version: str = API_VERSION, options: ClientOptions | None = None) -> Self:
        """From ``AZURE_VOICELIVE_ENDPOINT`` and ``AZURE_VOICELIVE_API_KEY``; without a key, ``DefaultAzureCredential``.

        Raises:
            ConfigurationError: The endpoint is not set.
        """
        endpoint = os.environ.get("AZURE_VOICELIVE_ENDPOINT", "")
        key = os.environ.get("AZURE_VOICELIVE_API_KEY")
        if not endpoint:
            raise ConfigurationError(
                "AZURE_VOICELIVE_ENDPOINT is not set; set it to https://<name>.services.ai.azure.com"
            )
        credential = key or default_credential()
        client = cls(endpoint, credential, api_version=api_version, options=options)
        client._own_credential = None if key else credential
        return client

    def connect(
        self,
        model: str | None = None,
        *,
        config: SessionConfig | None = None,
        agent: Agent | ClassicAgent | None = None,
        byom: Byom | None = None,
        tools: ToolSet | Sequence[LocalTool | Tool] = (),
        approve: ApprovalHandler | None = None,
        budget: Budget | None = None,
        resume: Resume | Literal["default"] | None = "default",
        timeout_s: float | None = None,
    ) -> AbstractAsyncContextManager[Session]:
        """A session as an async context manager, entered when it is usable.

        That is: ``session.created`` has come and, where settings or tools were given, ``session.updated`` too. Both
        still reach the iterator. Leaving the context closes the session.

        Args:
            model: Such as ``"gpt-realtime"``; with ``byom`` the deployment's name; left out with an agent.
            config: Settings to begin with.
            agent: A Foundry agent to talk with, instead of a model.
            byom: A model of one's own.
            tools: Tools beside ``config.tools``: functions made by ``@tool`` or ``tool_from_schema``, which the
                session runs and answers by itself, and plain definitions, which the application answers.
            resume: How the session goes on when its connection is lost; ``None``: it ends then. Default:
                ``ClientOptions.resume``.
            approve: Decides on MCP calls that ask for approval; without it they are denied.
            budget: What the call may cost, and what happens when it has.
            timeout_s: Bound on everything together, retries included; default ``ClientOptions.connect_timeout_s``.

        Raises:
            ConfigurationError: Something cannot work; nothing was sent.
            ConnectFailedError: No session was made; subclasses tell a refused credential, an overloaded service
                and a timeout apart.
            ServiceError: The service refused the settings.

        Warns:
            SettingsWarning: By the documentation, model and settings do not go together
                (``ClientOptions.check_settings``).
        """
        from voicelive.protocol.settings import join_tools, refuse_impossible

        definitions, local = _split_tools(tools)
        wanted = join_tools(config, definitions)
        if wanted is not None:
            refuse_impossible(wanted, model=model, agent=agent is not None)
        target = Target(model=model, agent=agent, byom=byom, features=_features(wanted))
        _refuse_unpriced(budget, target)
        self._settings_check.heed(target, wanted)
        limit_s = self._options.connect_timeout_s if timeout_s is None else timeout_s
        options = self._options if resume == "default" else replace(self._options, resume=resume)
        equip = partial(self._equip, target=target, local=local, approve=approve, budget=budget)
        return self._session(target, wanted, options, limit_s, equip)

    def answer_call(
        self,
        sdp_offer: str,
        model: str | None = None,
        *,
        config: SessionConfig | None = None,
        agent: Agent | ClassicAgent | None = None,
        byom: Byom | None = None,
        tools: ToolSet | Sequence[LocalTool | Tool] = (),
        approve: ApprovalHandler | None = None,
        budget: Budget | None = None,
        api_version: str = CALL_API_VERSION,
        timeout_s: float | None = None,
    ) -> AbstractAsyncContextManager[RtcCall]:
        """A WebRTC call of a page that talks with the service directly (preview), as an async context manager.

        Entered when the service has answered and the settings are in effect; give ``call.sdp_answer`` to the page
        then. Leaving the context closes the socket, and so the session. It is not resumed: a new socket would be
        a new call, which needs a new offer.

        Args:
            sdp_offer: SDP text of the page's peer connection, complete with audio and all its candidates.
            model: As for ``connect``, like ``agent``, ``byom``, ``tools``, ``approve`` and ``budget``.
            config: Settings to begin with; an avatar is not among them.
            api_version: A preview version that has calls; the client's own is not used.
            timeout_s: Bound on everything together; default ``ClientOptions.connect_timeout_s``.

        Raises:
            ConfigurationError: Something cannot work; nothing was sent.
            ConnectFailedError: No session was made, as for ``connect``.
            RtcCallRefusedError: The service does not take the call; ``retryable`` says whether it may later.
            ServiceError: The service refused the settings.
            ProtocolError: The service's answer holds no SDP.

        Warns:
            SettingsWarning: As ``connect`` does.
        """
        from voicelive.protocol.settings import join_tools, refuse_impossible
        from voicelive.rtc_call import checked_offer, opened, refuse_avatar

        offer = checked_offer(sdp_offer)
        definitions, local = _split_tools(tools)
        wanted = join_tools(config, definitions)
        refuse_avatar(wanted)
        if wanted is not None:
            refuse_impossible(wanted, model=model, agent=agent is not None)
        target = Target(model=model, agent=agent, byom=byom, features=_features(wanted), webrtc=True)
        _refuse_unpriced(budget, target)
        self._settings_check.heed(target, wanted)
        limit_s = self._options.connect_timeout_s if timeout_s is None else timeout_s
        equip = partial(self._equip, target=target, local=local, approve=approve, budget=budget)
        return opened(lambda: self._answer(offer, target, wanted, api_version, limit_s, equip))

    async def prewarm(
        self,
        count: int,
        model: str | None = None,
        *,
        agent: Agent | ClassicAgent | None = None,
        byom: Byom | None = None,
        config: SessionConfig | None = None,
        max_age_s: float = 600.0,
    ) -> None:
        """Keep ``count`` connections open for the next calls, which then need not wait for a handshake.

        ``connect`` to the same target takes one, and another is opened in the background. Returns when all are
        open, or when opening some of them failed: that is logged and tried again. A connection that ended or grew
        too old is replaced. Each counts as one of ``ClientOptions.connections_per_minute``, and is a session of the
        service from its handshake on. Call it again to change the number; ``close`` ends all.

        Args:
            count: How many wait at any time; 0 closes those of this target and keeps none.
            model: As for ``connect``, like ``agent`` and ``byom``: they are the target.
            config: What ``connect`` will be given; only needed where it has an echo reference from the client,
                which changes the target. Nothing of it is sent.
            max_age_s: Older ones are not used. The lifetime of a session counts from its handshake.

        Raises:
            ConfigurationError: Something cannot work.
            ConnectFailedError: Not one connection to the target could be made; none is kept.

        Cancelling ends the waiting, not the keeping.
        """
        if count < 0:
            raise ConfigurationError(f"count is {count!r}; it must be at least 0")
        if not 0 < max_age_s < _SESSION_S:
            raise ConfigurationError(f"max_age_s is {max_age_s!r}; allowed: more than 0, less than {_SESSION_S}")
        target = Target(model=model, agent=agent, byom=byom, features=_features(config))
        await self._prewarmed.keep(target, count, max_age_s)

    def on_connect(self, equip: Callable[[Session], None]) -> None:
        """Call this with every session that ``connect`` and ``answer_call`` make from now on, before its first event.

        It must not block. An exception ends the attempt to connect, and comes out of it.
        """
        self._equipment.append(equip)

    async def close(self) -> None:
        """Close the connections kept ready, and the credential that the client made itself, if any.

        Open sessions are not affected.
        """
        await self._prewarmed.close()
        credential, self._own_credential = self._own_credential, None
        if credential is not None:
            answer = credential.close()
            if inspect.isawaitable(answer):
                await answer

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"VoiceLiveClient({redacted(self._endpoint)!r}, api_version={self._api_version!r})"

    def _equip(
        self,
        session: Session,
        target: Target,
        local: ToolSet | None,
        approve: ApprovalHandler | None,
        budget: Budget | None,
    ) -> None:
        """Give a session what the application wants it to have, before its first event."""
        session.usage.asked_for(target.model, None if target.byom is None else target.byom.profile)
        if local is not None:
            session.use_tools(local)
        session.on_approval(approve)
        if budget is not None:
            session.use_budget(budget)
        for equip in self._equipment:
            equip(session)

    @asynccontextmanager
    async def _session(
        self,
        target: Target,
        config: SessionConfig | None,
        options: ClientOptions,
        limit_s: float,
        equip: Callable[[Session], None],
    ) -> AsyncIterator[Session]:
        session = await self._open(target, config, options, limit_s, equip)
        try:
            yield session
        finally:
            await session.close()

    async def _open(
        self,
        target: Target,
        config: SessionConfig | None,
        options: ClientOptions,
        limit_s: float,
        equip: Callable[[Session], None],
    ) -> Session:
        """A usable session, or nothing at all: no socket or task is left behind by a failure."""
        clock = asyncio.get_running_loop().time
        ends_at = clock() + limit_s
        ready = self._prewarmed.take(target)
        if ready is not None:
            try:
                return await self._prepared(ready, target, config, options, limit_s * _READY_SHARE, equip)
            except ConnectFailedError as failure:  # it broke while it waited, which a call need not suffer from
                _log.info("= a ready connection was of no use, opening another: %s", failure)
        transport = await self._handshake(target, ends_at - clock())
        return await self._prepared(transport, target, config, options, ends_at - clock(), equip)

    async def _answer(
        self,
        offer: str,
        target: Target,
        config: SessionConfig | None,
        api_version: str,
        limit_s: float,
        equip: Callable[[Session], None],
    ) -> RtcCall:
        """A call that was answered, or nothing at all."""
        from voicelive.rtc_call import answered
        from voicelive.session import Session

        clock = asyncio.get_running_loop().time
        ends_at = clock() + limit_s
        transport = await self._handshake(target, limit_s, api_version=api_version)
        session = Session(transport, self._options, config, sideband=True)
        await _equipped(session, equip)
        left_s = ends_at - clock()
        return await _ready(
            session, left_s, answered(session, offer, left_s), "rtc.call.sdp.created or session.created"
        )

    async def _prepared(
        self,
        transport: Transport,
        target: Target,
        config: SessionConfig | None,
        options: ClientOptions,
        limit_s: float,
        equip: Callable[[Session], None],
    ) -> Session:
        """A usable session over an open connection, which is closed after a failure."""
        from voicelive.continuity import Redial
        from voicelive.session import Session

        redial = Redial(lambda name: self._redial(target, name), isinstance(target.agent, Agent))
        session = Session(transport, options, config, redial, self._link_turns)
        await _equipped(session, equip)
        await _ready(session, limit_s, session.prepare(limit_s), "session.created")
        return session

    async def _redial(self, target: Target, conversation_id: str | None) -> Transport:
        """Another connection for a session, by one handshake: who asks for it has retries of his own."""
        if isinstance(target.agent, Agent) and conversation_id is not None:
            target = replace(target, agent=replace(target.agent, conversation_id=conversation_id))
        ready = self._prewarmed.take(target)
        once = replace(self._options, handshake_retry=HandshakeRetry(attempts=1))
        return ready or await self._handshake(target, self._options.connect_timeout_s, once)

    async def _handshake(
        self, target: Target, timeout_s: float, options: ClientOptions | None = None, *, api_version: str | None = None
    ) -> Transport:
        from voicelive.transport.handshake import dial

        return await dial(
            self._endpoint,
            target,
            self._credential,
            options or self._options,
            api_version=self._api_version if api_version is None else api_version,
            timeout_s=timeout_s,
            limiter=self._limiter,
        )


async def _equipped(session: Session, equip: Callable[[Session], None]) -> None:
    try:
        equip(session)
    except BaseException:  # it is the application's, in part
        await session.close()
        raise


async def _ready(session: Session, limit_s: float, preparing: Coroutine[Any, Any, _T], first_missing: str) -> _T:
    """What makes a session usable, within the time; after a failure the session is closed."""
    try:
        async with asyncio.timeout(limit_s):
            return await preparing
    except (TimeoutError, ConfirmationTimeoutError):
        await session.close()
        missing = "session.updated" if session.id else first_missing
        raise ConnectTimeoutError(
            f"the connection was open, but {missing} did not come within {limit_s:.3g} s; "
            "raise connect_timeout_s, or try again later"
        ) from None
    except SessionClosedError as error:
        await session.close()
        raise ConnectFailedError(
            f"the service ended the session before it was usable: {error}", request_id=session.id or None
        ) from error
    except BaseException:  # cancellation included: the socket must not outlive the call
        await session.close()
        raise


def _split_tools(tools: ToolSet | Sequence[LocalTool | Tool]) -> tuple[list[Tool], ToolSet | None]:
    """What the service is told, and what this process runs."""
    if not tools:
        return [], None
    from voicelive.tools.declaring import LocalTool
    from voicelive.tools.toolset import ToolSet

    if isinstance(tools, ToolSet):
        return list(tools.definitions), tools
    for one in tools:
        if not isinstance(one, LocalTool | Tagged | Unknown):
            raise ConfigurationError(f"tools holds a {type(one).__name__}; decorate functions with @voicelive.tool")
    local = ToolSet(*(one for one in tools if isinstance(one, LocalTool)))
    return [one.definition if isinstance(one, LocalTool) else one for one in tools], local if len(local) else None


def _refuse_unpriced(budget: Budget | None, target: Target) -> None:
    if budget is not None:
        budget.check(target.model, None if target.byom is None else target.byom.profile)


def _features(config: SessionConfig | None) -> tuple[str, ...]:
    cancellation = config.input_audio_echo_cancellation if config is not None else None
    return (_ECHO_REFERENCE,) if cancellation is not None and cancellation.reference_source == "client" else ()
