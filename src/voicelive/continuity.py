"""How a session goes on over another connection: after a loss, and ahead of the end of its lifetime.

Decides when to try, when to change over, and what the loss report says. What was under way and what is said again is
the protocol's to know; telling it to the new session is ``rehearsal``'s. Owns no task: the session runs what is here.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from voicelive.engine import Engine
from voicelive.errors import ConnectTimeoutError, RequestLostError, ServiceBusyError, VoiceLiveError
from voicelive.events import LossReport, SessionInterrupted, SessionResumed
from voicelive.options import HandshakeRetry, Resume
from voicelive.protocol.effects import Broken
from voicelive.protocol.ledger import Confirmed
from voicelive.protocol.replay import LeftOut
from voicelive.rehearsal import Part, rehearse
from voicelive.sending import Sender
from voicelive.transport.base import Transport, TransportClosed
from voicelive.transport.handshake import connect_with_retry
from voicelive.transport.outbox import Outbox
from voicelive.wire.codec import encode, encode_audio
from voicelive.wire.server.session import SessionUpdated

__all__ = ["Continuity", "Redial"]

log = logging.getLogger("voicelive")

_T = TypeVar("_T")

FINAL: Final = frozenset({1000, 1003, 1007, 1008, 1009, 1010})
"""Close codes after which another connection would fare no better (RFC 6455 section 7.4.1), and the normal one."""

_LAST_PART: Final = 0.1  # of a lifetime so short that ``renew_before_s`` would be most of it
_NEVER: Final = 2**40  # seconds since 1970; JSON knows integers that are too long for a float
_RENEWALS: Final = 10  # moments of rest that are tried before a session is left to its end


@dataclass(frozen=True, slots=True)
class Redial:
    """How to reach the service once more.

    Attributes:
        dial: Opens one connection, without retries; it is given the conversation to continue, where there is one.
        keeps_conversation: Whether the service itself remembers the conversation when it is named, as agents do.
    """

    dial: Callable[[str | None], Awaitable[Transport]]
    keeps_conversation: bool


@dataclass(frozen=True, slots=True)
class _Link:
    """A connection whose session knows everything."""

    transport: Transport
    frames: list[str | bytes]
    left_out: tuple[LeftOut, ...]


class Continuity:
    """Keeps one session going. ``change_over`` hands the session its new transport and returns the old one."""

    def __init__(
        self,
        policy: Resume,
        redial: Redial,
        engine: Engine,
        sender: Sender,
        outbox: Outbox,
        change_over: Callable[[Transport], Transport],
        rehearsal_s: float,
    ) -> None:
        self._policy, self._redial = policy, redial
        self._engine, self._protocol = engine, engine.protocol
        self._sender, self._outbox = sender, outbox
        self._change_over, self._rehearsal_s = change_over, rehearsal_s
        self._clock = asyncio.get_running_loop().time
        self._began_at = self._clock()
        self._tries: list[float] = []

    def goes_on_after(self, end: TransportClosed) -> bool:
        """Whether another connection is worth a try."""
        return end.by_peer and end.code not in FINAL

    # -- after a loss

    async def resume(self, end: TransportClosed) -> None:
        """Bring the session over to another connection.

        Raises:
            VoiceLiveError: It cannot be done; the last failure.

        Cancelling closes what was opened.
        """
        began, audio = self._clock(), self._protocol.caller_audio
        dropped_before, previous_id = audio.dropped_bytes, self._protocol.connection.session_id
        log.warning("= session %s lost its connection, code %s; connecting again", previous_id, end.code)
        broken = self._interrupted(end)
        attempts = 0

        async def open_once() -> _Link:
            nonlocal attempts
            attempts += 1
            self._tries.append(self._clock())
            try:
                link = await self._open(broken)
            except ConnectTimeoutError as slow:  # of one try; the bound on all of them is ``within_s``
                raise ServiceBusyError(slow.message, slow.status, slow.request_id, slow.retry_after_s) from slow
            await self._closing_on_failure(link.transport, self._say_audio(link.transport, broken))
            return link

        retry = HandshakeRetry(self._tries_left(began), self._policy.first_wait_s, self._policy.max_wait_s)
        try:
            async with asyncio.timeout(self._policy.within_s):
                link = await connect_with_retry(open_once, retry, ends_at=began + self._policy.within_s)
        except TimeoutError:
            raise ConnectTimeoutError(f"no new connection within {self._policy.within_s:g} s") from None
        report = LossReport(
            planned=False,
            gap_s=round(self._clock() - began, 3),
            attempts=attempts,
            previous_session_id=previous_id,
            unsent_audio_ms=audio.ms(audio.dropped_bytes - dropped_before),
        )
        self._take_over(link, broken, report)

    def _tries_left(self, now: float) -> int:
        """A connection that breaks again and again must not be opened for ever: tries for earlier losses count."""
        self._tries = [at for at in self._tries if at > now - self._policy.within_s]
        left = self._policy.attempts - len(self._tries)
        if left <= 0:
            raise ServiceBusyError(f"{len(self._tries)} connections were lost within {self._policy.within_s:g} s")
        return left

    def _interrupted(self, end: TransportClosed) -> Broken:
        self._outbox.hold()
        self._sender.new_connection()
        now = self._clock()
        broken, effects = self._protocol.connection_lost(now, remembered=self._conversation_id is not None)
        self._engine.tell(SessionInterrupted(self._protocol.connection.session_id, end.code, end.reason))
        self._engine.perform(effects)
        self._engine.connection_lost()
        lost = {event.event_id: event.type for event in broken.unanswered.lost}
        self._sender.lose(lost, lambda event_id: RequestLostError(lost[event_id]))
        return broken

    # -- ahead of the end

    def renew_in_s(self) -> float | None:
        """When the session is to be renewed, from now; asked as it begins. ``None``: never.

        A lifetime that is over already tells that two clocks disagree, and nothing else.
        """
        dues = []
        expires_at = self._protocol.connection.settings.expires_at
        left_s = 0.0 if expires_at is None else min(max(expires_at, 0), _NEVER) - time.time()
        if left_s > 0:
            dues.append(left_s - min(self._policy.renew_before_s, left_s * _LAST_PART))
        if self._policy.max_age_s is not None:
            dues.append(self._began_at + self._policy.max_age_s - self._clock())
        return max(0.0, min(dues)) if dues else None

    async def renew(self) -> Transport | None:
        """Change over to a new connection at a moment of rest; the old one, to be closed.

        ``None``: no such moment was found, or the service could not be reached; the session lasts until its end.
        """
        for _ in range(_RENEWALS):
            await self._engine.at_rest()
            try:
                old = await self._renew_once()
            except VoiceLiveError as failure:
                session_id, what = self._protocol.connection.session_id, type(failure).__name__  # its text may quote
                log.warning("= session %s could not be renewed yet: %s", session_id, what)
                await asyncio.sleep(self._policy.max_wait_s)
                continue
            if old is not None:
                return old
        return None

    async def _renew_once(self) -> Transport | None:
        told = self._protocol.plan()
        link = await self._open(None)
        self._outbox.hold()
        try:
            await self._closing_on_failure(link.transport, self._say_audio(link.transport, None))
            still = self._protocol.at_rest(self._clock()) and self._outbox.idle and self._protocol.plan() == told
        except BaseException:
            self._outbox.resume_same()
            raise
        if not still:  # somebody spoke meanwhile: another moment will come
            self._outbox.resume_same()
            await link.transport.close()
            return None
        previous_id = self._protocol.connection.session_id
        self._sender.new_connection()
        broken, effects = self._protocol.connection_lost(self._clock(), remembered=self._conversation_id is not None)
        self._engine.perform(effects)
        return self._take_over(link, broken, LossReport(True, 0.0, 1, previous_id))

    # -- both

    async def _open(self, broken: Broken | None) -> _Link:
        conversation_id = self._conversation_id
        transport = await self._redial.dial(conversation_id)
        items, left_out = self._protocol.plan() if conversation_id is None else ([], [])
        events = broken.unanswered.again if broken is not None else []
        part = Part(self._protocol.requested, items, events)
        frames, refused = await self._closing_on_failure(transport, self._rehearse(transport, part))
        return _Link(transport, frames, (*left_out, *refused))

    async def _rehearse(self, transport: Transport, part: Part) -> tuple[list[str | bytes], list[LeftOut]]:
        try:
            async with asyncio.timeout(self._rehearsal_s):
                return await rehearse(transport, part)
        except TimeoutError:
            raise ServiceBusyError(f"the new session was not ready within {self._rehearsal_s:g} s") from None

    async def _say_audio(self, transport: Transport, broken: Broken | None) -> None:
        """Say the newest audio of the caller again: a turn may be in it that nobody has answered."""
        try:
            for chunk in self._protocol.caller_audio.recent():
                await transport.send(encode_audio(chunk))
            for commit in broken.unanswered.commits if broken is not None else ():
                await transport.send(encode(commit))
        except TransportClosed as end:
            raise ServiceBusyError(f"the new connection was lost before it was used, code {end.code}") from None

    def _take_over(self, link: _Link, broken: Broken, report: LossReport) -> Transport:
        now, audio, unanswered = self._clock(), self._protocol.caller_audio, broken.unanswered
        unused_bytes = audio.unused_bytes
        resent_bytes = audio.new_connection()
        for event in (*unanswered.again, *unanswered.commits):
            self._protocol.ledger.written(event.event_id or "", now)
        old = self._change_over(link.transport)
        self._began_at = now
        self._engine.other_session()
        for frame in link.frames:
            self._engine.take(frame)
        for update in unanswered.updates:
            self._protocol.ledger.settle(update.event_id or "", "confirmed")
            settings = SessionUpdated(session=self._protocol.connection.settings)
            self._sender.settle(Confirmed(update.event_id or "", settings))
        report = replace(
            report,
            unconfirmed_audio_ms=audio.ms(max(0, unused_bytes - resent_bytes)),  # whole chunks are said again
            resent_audio_ms=audio.ms(resent_bytes),
            response=broken.response,
            owed_calls=broken.owed_calls,
            lost_events=tuple(unanswered.lost),
            left_out=link.left_out,
        )
        session_id = self._protocol.connection.session_id
        log.warning("= session %s goes on as %s", report.previous_session_id, session_id)
        self._engine.tell(SessionResumed(session_id, report))
        self._engine.perform(self._protocol.connected(now))
        self._outbox.resume(link.transport)
        return old

    @property
    def _conversation_id(self) -> str | None:
        """The conversation that the service itself remembers."""
        agent = self._protocol.connection.settings.agent
        return agent.thread_id if self._redial.keeps_conversation and agent is not None else None

    async def _closing_on_failure(self, transport: Transport, work: Awaitable[_T]) -> _T:
        try:
            return await work
        except BaseException:
            await transport.close()
            raise
