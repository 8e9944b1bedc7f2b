"""One caller: a conversation after the other, each with an account that is compared with the service's log."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from random import Random
from typing import Final

from soak.account import Account, ServerLog, disagreements
from soak.agent import SPEECH, look_up, question, tool_question

from voicelive import ClientOptions, Resume, ServerVad, Session, SessionConfig, VoiceLiveClient, VoiceLiveError, wire
from voicelive.errors import ConnectFailedError, SessionClosedError
from voicelive.events import SessionInterrupted, SessionResumed
from voicelive.testing import EmulatedSession

__all__ = ["TAG", "Caller", "Tally"]

TAG: Final = "x-soak-conversation"
"""Header that names the conversation to the service."""

_ASK_S: Final = 60.0  # resuming may take 30 s, and the answer is to come after it
_TURNS: Final = (2, 5)  # half a minute, so that as many begin as end long before memory is looked at
_PAUSE_S: Final = (0.5, 15.0)  # 200 callers ask some 20 questions a second
_APART_S: Final = 0.05  # they do not all call at once
_SPOKEN: Final = 0.25  # of the conversations; the others are in writing, which costs the machine less
_LAST_WORDS_S: Final = 8.0  # until the service has noticed an end without a close frame

_RESUME: Final = Resume(attempts=40, within_s=30, first_wait_s=0.2, max_wait_s=2, max_age_s=30)

_SPOKEN_CONFIG: Final = SessionConfig(
    modalities=["text", "audio"],
    turn_detection=ServerVad(silence_duration_ms=300),
    input_audio_transcription=wire.AudioInputTranscriptionOptions(model="whisper-1"),
)
_TEXT_CONFIG: Final = SessionConfig(modalities=["text"])


@dataclass
class Tally:
    """All conversations together."""

    conversations: int = 0
    interruptions: int = 0
    resumed: int = 0
    renewed: int = 0
    failed: int = 0
    not_connected: int = 0
    sent_ms: float = 0.0
    resent_ms: float = 0.0
    unconfirmed_ms: float = 0.0
    turns: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    breaches: list[str] = field(default_factory=list)

    def add(self, account: Account) -> None:
        """A conversation has ended."""
        planned = sum(report.planned for report in account.reports)
        self.conversations += 1
        self.interruptions += account.interruptions
        self.renewed += planned
        self.resumed += len(account.reports) - planned
        self.failed += account.failed
        self.sent_ms += account.audio_sent_ms
        self.resent_ms += sum(report.resent_audio_ms for report in account.reports)
        self.unconfirmed_ms += sum(report.unconfirmed_audio_ms for report in account.reports)
        self.turns += account.turns
        self.failures += account.failures
        self.breaches += account.breaches


class Caller:
    """Talks until told to stop. ``harvest`` gives, and forgets, the service's sessions of a conversation."""

    def __init__(
        self, number: int, endpoint: str, random: Random, tally: Tally, harvest: Callable[[str], list[EmulatedSession]]
    ) -> None:
        self._number, self._endpoint, self._random = number, endpoint, random
        self._tally, self._harvest = tally, harvest
        self._conversations = 0

    async def talk(self, stop: asyncio.Event) -> None:
        """Hold conversations; the last one is brought to its end."""
        await asyncio.sleep(self._number * _APART_S)
        while not stop.is_set():
            self._conversations += 1
            account = Account(f"{self._number}.{self._conversations}")
            spoken = self._random.random() < _SPOKEN
            try:
                async with self._connection(account.name, spoken) as session:
                    await _Conversation(session, account, self._random, spoken).hold(stop)
                await self._settle(account)
            except ConnectFailedError as error:
                self._tally.not_connected += 1
                self._tally.failures[type(error).__name__] += 1
                self._harvest(account.name)
                await asyncio.sleep(self._random.uniform(0.2, 1))

    def _connection(self, name: str, spoken: bool) -> AbstractAsyncContextManager[Session]:
        options = ClientOptions(
            connections_per_minute=None,
            connect_timeout_s=8,
            ping_interval_s=4,
            ping_timeout_s=4,
            confirm_timeout_s=15,
            resume=_RESUME,
            headers={TAG: name},
        )
        client = VoiceLiveClient(self._endpoint, "key", options=options)
        return client.connect("gpt-realtime", config=_SPOKEN_CONFIG if spoken else _TEXT_CONFIG, tools=[look_up])

    async def _settle(self, account: Account) -> None:
        sessions = self._harvest(account.name)
        last = next((session for session in sessions if session.id == account.sessions[-1]), None)
        if last is not None:
            await _ended(last)
        assert account.end is not None, "it was closed"
        account.complete = last is not None and last.close_code == account.end.code == 1000
        for disagreement in disagreements(account, [_log_of(session) for session in sessions]):
            account.breach(disagreement)
        self._tally.add(account)


async def _ended(session: EmulatedSession) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LAST_WORDS_S):
            while session.close_code is None:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.05)


def _log_of(session: EmulatedSession) -> ServerLog:
    items = frozenset(item.id or "" for item in session.conversation)
    return ServerLog(session.id, tuple(session.received), items)


class _Conversation:
    """One conversation over one session."""

    def __init__(self, session: Session, account: Account, random: Random, spoken: bool) -> None:
        self._session, self._account, self._random = session, account, random
        self._ways = [self._write, self._write, self._use_tool]
        if spoken:
            self._ways = [self._write, self._use_tool, self._speak, self._speak, self._barge_in]
        account.sessions.append(session.id)

    async def hold(self, stop: asyncio.Event) -> None:
        """A few turns with pauses, and the end."""
        session, account = self._session, self._account
        with session.subscribe(SessionInterrupted, SessionResumed) as news:

            async def watch() -> None:
                async for event in news:
                    account.hear(event)

            watching = asyncio.create_task(watch())
            for number in range(self._random.randint(*_TURNS)):
                if stop.is_set() or session.close_info is not None:
                    break
                await self._turn(f"{account.name}.{number}")
                await asyncio.sleep(self._random.uniform(*_PAUSE_S))
            await session.close()
            try:
                await watching
            except SessionClosedError as error:
                account.failures[f"end: {type(error).__name__} {error.code}{_cause(error)}"] += 1
        account.end = session.close_info
        account.ledger, account.audio_sent_ms = session.ledger, session.audio_sent_ms

    async def _turn(self, tag: str) -> None:
        account, way = self._account, self._random.choice(self._ways)
        before = len(account.reports)
        try:
            outcome = await way(tag)
        except TimeoutError:
            costs = account.costs_since(before)
            outcome = f"timed out after a loss: {', '.join(sorted(costs))}"
            if not costs:
                reports = account.reports[before:]
                account.breach(f"turn {tag} ({way.__name__}) was not answered, and nothing says why: {reports}")
        except VoiceLiveError as error:
            outcome = "raised"
            account.failures[_kind(error)] += 1
            if not account.interruptions and not isinstance(error, SessionClosedError):
                account.breach(f"turn {tag} ({way.__name__}) raised without an interruption: {error}")
        except Exception as error:  # nothing else is documented
            outcome = "raised"
            account.breach(f"turn {tag} ({way.__name__}) raised {error!r}")
        account.turns[outcome] += 1

    async def _write(self, tag: str) -> str:
        return await self._ask(question(tag), tag)

    async def _use_tool(self, tag: str) -> str:
        return await self._ask(tool_question(tag), tag)

    async def _ask(self, text: str, tag: str) -> str:
        before = len(self._account.reports)
        reply = await self._session.ask(text, timeout_s=_ASK_S)
        self._account.items.update(reply.turn.caller_item_ids)
        cut = reply.status == "interrupted" and (self._account.costs_since(before) or self._session.close_info)
        if tag not in reply.text and not cut and reply.status != "failed":
            self._account.breach(f"turn {tag} was answered with {reply.text!r}; {reply.turn}; {self._account.reports}")
        return reply.status

    async def _speak(self, tag: str) -> str:
        reply = await self._session.ask(SPEECH, timeout_s=_ASK_S)
        self._account.items.update(reply.turn.caller_item_ids)
        if reply.status == "finished" and not reply.text:
            self._account.breach(f"turn {tag} was answered with nothing")
        return reply.status

    async def _barge_in(self, tag: str) -> str:
        """Ask for something, and talk or write over the answer while it plays."""
        async with asyncio.timeout(_ASK_S):
            await self._session.send_text(question(tag))
            await self._session.create_response(timeout_s=_ASK_S)
            await asyncio.sleep(self._random.uniform(0, 0.4))
            if self._random.random() < 0.5:
                await self._session.interrupt()
        return await self._speak(tag)


def _kind(error: VoiceLiveError) -> str:
    code = getattr(error, "code", None)
    return type(error).__name__ if code is None else f"{type(error).__name__} {code}"


def _cause(error: SessionClosedError) -> str:
    """Why it was not resumed, without addresses and figures."""
    _, found, cause = error.reason.partition("not resumed: ")
    return f", {cause.split(':')[0]:.60}" if found else ""
