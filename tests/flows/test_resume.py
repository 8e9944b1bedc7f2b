"""A session outlives its connections: what was said stays said, what was under way goes on, what is gone is named."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.flows.scene import QUIET, speak, wav
from tests.support.streams import settle

from voicelive import events, wire
from voicelive.client import VoiceLiveClient
from voicelive.errors import ConnectionLostError, RequestLostError, SessionClosedError
from voicelive.events import LossReport, SessionInterrupted, SessionResumed
from voicelive.options import ClientOptions, Resume
from voicelive.session import Session
from voicelive.testing import Call, EmulatedSession, Emulator, Heard, Pace, Script, ToneVoice, Turn
from voicelive.tools import tool
from voicelive.tools.declaring import LocalTool
from voicelive.transport.address import Agent
from voicelive.wire.client_events import ConversationItemCreate, ResponseCreate, SessionUpdate
from voicelive.wire.items import FunctionCallOutputItem
from voicelive.wire.session import SessionConfig
from voicelive.wire.turn_detection import ServerVad

pytestmark = pytest.mark.looptime

TEXT = SessionConfig(modalities=["text"], instructions="Be brief.")
SPOKEN = SessionConfig(
    turn_detection=ServerVad(silence_duration_ms=500),
    input_audio_transcription=wire.AudioInputTranscriptionOptions(model="whisper-1"),
)
BY_HAND = SessionConfig(turn_detection=None, input_audio_transcription=SPOKEN.input_audio_transcription)


def echo(heard: Heard) -> Turn:
    """Answers by what was said, never by position."""
    if heard.outputs:
        return Turn(f"The tool says {' and '.join(heard.outputs)}.")
    if "weather" in heard.text:
        return Turn(calls=[Call("look_up", {"q": "weather"})])
    if heard.spoken:
        size = len(heard.audio)
        return Turn(f"I heard {size} bytes.", transcript=f"speech of {size} bytes")
    return Turn(f"You said {heard.text!r}, and I say that this is a longer answer to it.")


class Play:
    """A session, the emulator behind it, and what the session reported."""

    def __init__(self, emulator: Emulator, session: Session) -> None:
        self.emulator, self.session = emulator, session
        self.resumed = session.subscribe(SessionResumed)
        self.told = session.subscribe(SessionInterrupted, SessionResumed)

    @property
    def service(self) -> EmulatedSession:
        """The newest session of the service."""
        return self.emulator.sessions[-1]

    async def report(self) -> LossReport:
        return (await anext(self.resumed)).report


@asynccontextmanager
async def playing(
    *,
    config: SessionConfig = TEXT,
    tools: tuple[LocalTool, ...] = (),
    options: ClientOptions = QUIET,
    resume: Resume | None = Resume(),  # noqa: B008 - frozen
    session_s: float = 3600,
) -> AsyncIterator[Play]:
    emulator = Emulator(
        Script(then=echo), pace=Pace.measured(), voice=ToneVoice(), ping_interval_s=None, session_s=session_s
    )
    async with (
        asyncio.timeout(10_000),
        emulator,
        VoiceLiveClient(emulator.endpoint, "key", options=options) as client,
        client.connect("gpt-realtime", config=config, tools=tools, resume=resume) as session,
    ):
        yield Play(emulator, session)


def texts(service: EmulatedSession) -> list[str | None]:
    """The words of the messages that the service knows."""
    items = [item for item in service.conversation if isinstance(item, wire.ResponseMessageItem)]
    return [getattr(item.content[0], "text", None) or getattr(item.content[0], "transcript", None) for item in items]


# -- idle


async def test_an_idle_session_goes_on_with_its_settings_and_its_conversation() -> None:
    async with playing() as play:
        await play.session.ask("one")
        await play.session.update(SessionConfig(temperature=0.6))
        before = texts(play.service)
        play.service.abort()

        report = await play.report()
        reply = await play.session.ask("two")

        assert reply.text.startswith("You said 'two'")
        (update,) = play.service.received_of(SessionUpdate)
        assert (update.session.instructions, update.session.temperature) == ("Be brief.", 0.6)
        assert texts(play.service)[:2] == before
        assert [item.text for item in play.session.conversation.items] == texts(play.service)
        assert play.session.id == play.service.id
        assert (report.previous_session_id, report.attempts) == (play.emulator.sessions[0].id, 1)
        assert (report.response, report.lost_events, report.left_out, report.owed_calls) == (None, (), (), ())
        assert len(play.session.conversation.turns) == 2


async def test_the_application_is_told_in_order_and_its_streams_live_on() -> None:
    async with playing() as play:
        created = play.session.subscribe(wire.SessionCreated)
        called: list[str] = []

        @play.session.on(SessionInterrupted, SessionResumed, wire.ResponseTextDone)
        def note(event: SessionInterrupted | SessionResumed | wire.ResponseTextDone) -> None:
            called.append(event.type)

        play.service.close(1011, "a fault")
        first = await anext(play.told)
        second = await anext(play.told)
        await play.session.ask("hello")

        assert isinstance(first, SessionInterrupted)
        assert (first.code, first.reason, first.session_id) == (1011, "a fault", play.emulator.sessions[0].id)
        assert isinstance(second, SessionResumed)
        assert second.session_id == (await anext(created)).session.id
        assert called == ["voicelive.session_interrupted", "voicelive.session_resumed", "response.text.done"]


@pytest.mark.parametrize("code", [1003, 1007, 1008, 1009, 1010])
async def test_after_a_final_code_nothing_is_tried(code: int) -> None:
    async with playing() as play:
        play.service.close(code, "no")

        with pytest.raises(ConnectionLostError) as caught:
            await play.session.ask("hello")

        assert caught.value.code == code
        assert len(play.emulator.upgrades) == 1


async def test_without_the_policy_a_loss_is_the_end() -> None:
    async with playing(resume=None) as play:
        play.service.abort()

        with pytest.raises(ConnectionLostError):
            await play.session.ask("hello")


async def test_a_question_whose_answer_broke_off_for_good_raises() -> None:
    async with playing(resume=None) as play:
        asking = asyncio.create_task(play.session.ask("tell me"))
        await play.session.wait_for(wire.ResponseTextDelta)
        play.service.abort()

        with pytest.raises(ConnectionLostError):
            await asking
        assert play.session.conversation.turns[-1].status == "interrupted"


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_a_handshake_refused_for_good_ends_the_session(status: int) -> None:
    async with playing() as play:
        play.emulator.refuse(status)
        play.service.abort()

        with pytest.raises(ConnectionLostError, match=f"not resumed: .*HTTP {status}"):
            async for _ in play.session:
                pass

        assert [upgrade.status for upgrade in play.emulator.upgrades] == [101, status]


async def test_passing_refusals_are_tried_again_and_a_wait_that_was_asked_for_is_kept() -> None:
    async with playing() as play:
        loop = asyncio.get_running_loop()
        play.emulator.refuse(503)
        play.emulator.refuse(429, retry_after_s=7)
        began = loop.time()
        play.service.abort()

        report = await play.report()

        assert report.attempts == 3
        assert 7 <= loop.time() - began < 10
        assert report.gap_s == pytest.approx(loop.time() - began, abs=0.1)


async def test_after_five_tries_the_end_is_told_with_the_last_failure() -> None:
    async with playing() as play:
        play.emulator.refuse(503, times=None)
        play.service.abort()

        with pytest.raises(ConnectionLostError, match=r"not resumed: .*HTTP 503"):
            await play.session.wait_for(SessionResumed)

        assert [upgrade.status for upgrade in play.emulator.upgrades] == [101] + [503] * 5


async def test_a_connection_that_breaks_again_and_again_is_given_up() -> None:
    async with playing() as play:
        for _ in range(5):
            play.service.abort()
            await play.report()
        play.service.abort()

        with pytest.raises(ConnectionLostError, match="5 connections were lost within 30 s"):
            await play.session.wait_for(SessionResumed)


async def test_settings_that_the_service_refuses_now_end_the_session() -> None:
    async with playing() as play:
        play.emulator.tamper = refuse_settings
        play.service.abort()

        with pytest.raises(ConnectionLostError, match="not resumed: the service refused the request"):
            await play.session.wait_for(SessionResumed)


def refuse_settings(event: wire.ServerEvent) -> list[wire.ServerEvent]:
    if not isinstance(event, wire.SessionUpdated):
        return [event]
    details = wire.ServerEventErrorDetails(
        type="invalid_request_error", code="no", event_id="voicelive_resume_settings"
    )
    return [wire.ErrorEvent(error=details)]


# -- what was under way


async def test_a_reply_that_broke_off_is_asked_again_and_its_handle_goes_on() -> None:
    async with playing() as play:
        await play.session.send_text("tell me")
        handle = await play.session.create_response()
        first_id = handle.id
        await play.session.wait_for(wire.ResponseTextDelta)
        play.service.abort()

        response = await handle

        report = await play.report()
        assert report.response is not None
        assert (report.response.response_id, report.response.asked_again) == (first_id, True)
        assert response.id != first_id
        assert handle.text == "You said 'tell me', and I say that this is a longer answer to it."
        undisturbed = [item for item in play.session.conversation.items if item.id not in report.response.item_ids]
        assert [item.text for item in undisturbed] == ["tell me", handle.text]


async def test_a_wish_that_waits_is_fulfilled_after_the_gap() -> None:
    async with playing() as play:
        play.service.abort()
        await anext(play.told)
        await play.session.send_text("hello")
        handle = await play.session.create_response()

        assert (await handle).status == "completed"
        assert len(play.service.received_of(ResponseCreate)) == 1


async def test_one_that_was_cancelled_is_not_asked_again() -> None:
    async with playing() as play:
        await play.session.send_text("tell me")
        handle = await play.session.create_response()
        await play.session.wait_for(wire.ResponseTextDelta)
        play.service.silence()
        await handle.cancel()
        play.service.abort()

        report = await play.report()
        await asyncio.sleep(60)

        assert report.response is not None
        assert not report.response.asked_again
        assert play.service.received_of(ResponseCreate) == []


async def test_a_running_tool_answers_the_new_session_and_the_model_speaks_of_it() -> None:
    release = asyncio.Event()

    @tool
    async def look_up(q: str) -> str:
        """Wait."""
        await release.wait()
        return f"{q} is fine"

    async with playing(tools=(look_up,)) as play:
        asking = asyncio.create_task(play.session.ask("the weather"))
        await play.session.wait_for(events.ToolCallStarted)
        play.service.abort()
        report = await play.report()
        release.set()

        reply = await asking

        assert reply.text == "The tool says weather is fine."
        (call,) = reply.tool_calls
        assert report.owed_calls == (call.call_id,)
        creates = [event.item for event in play.service.received_of(ConversationItemCreate)]
        assert [item.output for item in creates if isinstance(item, FunctionCallOutputItem)] == ["weather is fine"]


async def test_a_tool_that_answers_in_the_gap_is_heard_after_it() -> None:
    @tool
    async def look_up(q: str) -> str:
        """Answer soon."""
        await asyncio.sleep(0.5)
        return f"{q} is fine"

    async with playing(tools=(look_up,)) as play:
        play.emulator.refuse(503, times=2)
        asking = asyncio.create_task(play.session.ask("the weather"))
        await play.session.wait_for(events.ToolCallStarted)
        play.service.abort()

        reply = await asking

        assert reply.text == "The tool says weather is fine."
        assert len(reply.tool_calls) == 1
        assert reply.status == "finished"


async def test_an_item_that_was_not_confirmed_is_created_once() -> None:
    async with playing() as play:
        play.service.silence()
        adding = asyncio.create_task(play.session.add_item(message("remember me"), confirm=True))
        await asyncio.sleep(0.01)
        play.service.abort()

        item_id = await adding

        assert [item.id for item in play.session.conversation.items] == [item_id]
        assert texts(play.service) == ["remember me"]


def message(text: str) -> wire.UserMessageItem:
    return wire.UserMessageItem(content=[wire.InputTextContentPart(text=text)])


async def test_requests_that_make_sense_are_made_again_and_others_raise() -> None:
    async with playing(options=ClientOptions(ping_interval_s=None)) as play:
        item_id = await play.session.add_item(message("first"), confirm=True)
        play.service.silence()
        retrieving = asyncio.create_task(play.session.retrieve_item(item_id))
        updating = asyncio.create_task(play.session.update(SessionConfig(temperature=0.7)))
        raw = wire.UnknownClientEvent(type="brand.new", extra={"event_id": "mine"})
        await play.session.send(raw)
        committing = asyncio.create_task(
            play.session._request(wire.SessionAvatarConnect(client_sdp="x"), wire.SessionAvatarConnecting, None)
        )
        await asyncio.sleep(0.01)
        play.service.abort()

        assert (await retrieving).id == item_id
        settings = await updating
        assert settings is not None
        assert settings.temperature == 0.7
        with pytest.raises(RequestLostError, match=r"session\.avatar\.connect"):
            await committing
        report = await play.report()
        assert {lost.type for lost in report.lost_events} == {"session.avatar.connect", "brand.new"}
        statuses = {entry.event_id: entry.status for entry in play.session.ledger}
        assert statuses["mine"] == "lost"


# -- the caller's audio


@pytest.mark.parametrize("at_ms", [200, 1000, 2000, 2400])
async def test_a_spoken_question_is_heard_whole_wherever_the_connection_breaks(at_ms: int) -> None:
    question = wav("question.wav")
    async with playing(config=SPOKEN) as play:
        whole = await question_and_answer(play, question)

    async with playing(config=SPOKEN) as play:
        asking = asyncio.create_task(question_and_answer(play, question))
        await asyncio.sleep(at_ms / 1000)
        play.service.abort()

        assert await asking == whole

        report = await play.report()
        assert report.unsent_audio_ms == 0
        assert report.unconfirmed_audio_ms == 0
        assert report.resent_audio_ms > 0


async def test_a_spoken_reply_that_broke_off_is_given_again() -> None:
    async with playing(config=SPOKEN) as play:
        asking = asyncio.create_task(question_and_answer(play, wav("question.wav")))
        await play.session.wait_for(wire.ResponseAudioDelta)
        play.service.abort()

        said, answer = await asking

        report = await play.report()
        assert report.response is not None
        assert report.response.asked_again
        assert said == "speech of 138240 bytes"
        assert answer.endswith("You said 'speech of 138240 bytes', and I say that this is a longer answer to it.")


async def question_and_answer(play: Play, question: bytes) -> tuple[str | None, str]:
    with play.session.subscribe(events.TurnFinished) as finished:
        await speak(play.session, question, silence_ms=1500)
        turn = (await anext(finished)).turn
    return turn.caller_text, turn.agent_text


async def test_a_commit_without_an_answer_is_made_again_behind_its_audio() -> None:
    question = wav("question.wav")
    async with playing(config=BY_HAND) as play:
        await play.session.send_audio(question)
        play.service.silence()
        committing = asyncio.create_task(play.session.commit_audio())
        await asyncio.sleep(0.01)
        play.service.abort()

        item_id = await committing

        assert item_id is not None
        (committed,) = play.service.sent_of(wire.InputAudioBufferCommitted)
        assert committed.item_id == item_id


async def test_audio_of_the_gap_waits_and_is_sent_in_order() -> None:
    async with playing(config=BY_HAND) as play:
        play.emulator.refuse(503, times=2)
        chunks = [bytes([number]) * 960 for number in range(20)]
        for number, chunk in enumerate(chunks):
            if number == 10:
                play.service.abort()
                await anext(play.told)
            await play.session.send_audio(chunk)

        await play.session.commit_audio()
        appended = play.service.received_of(wire.InputAudioBufferAppend)
        assert b"".join(event.audio for event in appended) == b"".join(chunks)
        assert play.session.audio_sent_ms == 400


async def test_what_is_too_much_to_keep_is_reported_as_unconfirmed() -> None:
    async with playing(config=BY_HAND, resume=Resume(audio_ms=1000)) as play:
        for _ in range(20):
            await play.session.send_audio(bytes(48 * 100))
        play.service.abort()

        report = await play.report()

        assert (report.resent_audio_ms, report.unconfirmed_audio_ms) == (1000, 1000)


# -- closing meanwhile


async def test_closing_in_the_gap_returns_within_its_bound_and_tries_no_more() -> None:
    async with playing() as play:
        loop = asyncio.get_running_loop()
        play.emulator.leave_unanswered(times=None)
        play.service.abort()
        await anext(play.told)
        waiting = asyncio.create_task(play.session.send_text("never"))
        await settle()
        began = loop.time()

        await play.session.close()

        assert loop.time() - began <= 2
        with pytest.raises(SessionClosedError):
            await waiting
        assert play.session.close_info is not None


async def test_cancelling_a_verb_that_waits_for_a_connection_sends_nothing() -> None:
    async with playing() as play:
        play.emulator.refuse(503, times=1)
        play.service.abort()
        await anext(play.told)
        waiting = asyncio.create_task(play.session.send_text("never"))
        await settle()
        waiting.cancel()

        await play.report()
        await play.session.ask("hello")

        assert "never" not in texts(play.service)
        assert all(entry.status == "confirmed" for entry in play.session.ledger)


# -- renewal


async def test_a_session_is_renewed_at_rest_before_it_expires_and_the_old_one_is_closed() -> None:
    async with playing(session_s=600) as play:
        await play.session.ask("one")
        old = play.service

        report = await play.report()
        reply = await play.session.ask("two")

        assert (report.planned, report.gap_s) == (True, 0)
        assert reply.text.startswith("You said 'two'")
        assert texts(play.service)[0] == "one"
        await settle()
        assert old.close_code == 1000
        assert len(play.emulator.sessions) == 2


async def test_a_renewal_waits_until_nobody_speaks() -> None:
    release = asyncio.Event()

    @tool(timeout_s=5000)
    async def look_up(q: str) -> str:
        """Wait long."""
        await release.wait()
        return "done"

    async with playing(session_s=600, tools=(look_up,)) as play:
        asking = asyncio.create_task(play.session.ask("the weather", timeout_s=2000))
        await asyncio.sleep(550)
        assert len(play.emulator.sessions) == 1

        release.set()
        await asking
        report = await play.report()

        assert report.planned
        assert report.response is None


async def test_a_session_without_a_moment_of_rest_expires_and_goes_on_all_the_same() -> None:
    release = asyncio.Event()

    @tool(timeout_s=5000)
    async def look_up(q: str) -> str:
        """Wait longer."""
        await release.wait()
        return "done"

    async with playing(session_s=600, tools=(look_up,)) as play:
        asking = asyncio.create_task(play.session.ask("the weather", timeout_s=2000))
        first = await anext(play.told)
        report = await play.report()
        release.set()

        assert isinstance(first, SessionInterrupted)
        assert first.code == 1001
        assert not report.planned
        assert (await asking).text == "The tool says done."


async def test_a_session_is_renewed_at_the_age_that_was_asked_for() -> None:
    async with playing(resume=Resume(max_age_s=100)) as play:
        loop = asyncio.get_running_loop()
        began = loop.time()

        for _ in range(3):
            assert (await play.report()).planned

        assert 300 <= loop.time() - began < 302


async def test_a_renewal_that_somebody_speaks_into_waits_for_the_next_moment() -> None:
    async with playing(resume=Resume(max_age_s=100)) as play:
        play.emulator.delay_handshake(1)
        await asyncio.sleep(100.5)
        reply = await play.session.ask("meanwhile")

        report = await play.report()

        assert reply.text.startswith("You said 'meanwhile'")
        assert report.planned
        assert len(play.emulator.sessions) == 3, "one of them was let go"
        assert play.emulator.sessions[1].close_code == 1000


async def test_a_service_that_cannot_be_reached_is_tried_again_while_the_session_lasts() -> None:
    async with playing(resume=Resume(max_age_s=100)) as play:
        play.emulator.refuse(503, times=2)

        report = await play.report()

        assert report.planned
        assert [upgrade.status for upgrade in play.emulator.upgrades] == [101, 503, 503, 101]


async def test_closing_ends_a_renewal_under_way() -> None:
    async with playing(resume=Resume(max_age_s=100)) as play:
        play.emulator.delay_handshake(50)
        await asyncio.sleep(110)

        await play.session.close()

        assert len(play.emulator.sessions) == 1


async def test_a_loss_during_a_renewal_is_a_loss_like_any_other() -> None:
    async with playing(resume=Resume(max_age_s=100)) as play:
        play.emulator.delay_handshake(5)
        await asyncio.sleep(102)
        play.service.abort()

        report = await play.report()

        assert not report.planned
        assert (await play.session.ask("hello")).text.startswith("You said 'hello'")


# -- what the service does to a new connection


async def test_a_new_connection_that_breaks_before_it_is_used_is_tried_again() -> None:
    async with playing() as play:
        await play.session.ask("one")
        play.emulator.tamper = Breaking(play.emulator, times=2)
        play.service.abort()

        report = await play.report()

        assert report.attempts == 3
        assert texts(play.service)[0] == "one"


class Breaking:
    """Drops the first connections as soon as an item is told to them."""

    def __init__(self, emulator: Emulator, times: int) -> None:
        self.emulator, self.times = emulator, times
        self.broken: set[str] = set()

    def __call__(self, event: wire.ServerEvent) -> list[wire.ServerEvent]:
        newest = self.emulator.sessions[-1]
        if isinstance(event, wire.ConversationItemCreated) and len(self.broken | {newest.id}) <= self.times:
            self.broken.add(newest.id)
            newest.abort()
        return [event]

    def __deepcopy__(self, memo: object) -> Breaking:
        return self


async def test_a_new_session_that_never_begins_is_given_up_and_tried_again() -> None:
    async with playing(options=ClientOptions(ping_interval_s=None, confirm_timeout_s=3)) as play:
        play.emulator.open_silently(times=1)
        play.service.abort()

        assert (await play.report()).attempts == 2


async def test_all_tries_together_have_a_bound() -> None:
    async with playing(resume=Resume(within_s=10)) as play:
        loop = asyncio.get_running_loop()
        play.emulator.leave_unanswered(times=None)
        began = loop.time()
        play.service.abort()

        with pytest.raises(ConnectionLostError, match="no new connection within 10 s"):
            await play.session.wait_for(SessionResumed)

        assert loop.time() - began == pytest.approx(10, abs=0.5)


async def test_an_agent_remembers_its_conversation_and_is_told_nothing_again() -> None:
    emulator = Emulator(Script(then=echo), pace=Pace.measured(), voice=ToneVoice(), ping_interval_s=None)
    async with (
        asyncio.timeout(100),
        emulator,
        VoiceLiveClient(emulator.endpoint, "key", options=QUIET) as client,
        client.connect(agent=Agent("helper", "project"), config=SessionConfig(modalities=["text"])) as session,
    ):
        play = Play(emulator, session)
        await session.ask("one")
        before = texts(play.service)
        play.service.abort()

        await play.report()
        await session.ask("two")

        agent = emulator.sessions[0].sent_of(wire.SessionCreated)[0].session.agent
        assert agent is not None
        assert play.service.query["conversation-id"] == agent.thread_id
        assert len(play.service.received_of(ConversationItemCreate)) == 1
        assert texts(play.service)[:2] == before


async def test_a_connection_kept_ready_takes_the_place_of_a_lost_one() -> None:
    async with playing() as play:
        client = VoiceLiveClient(play.emulator.endpoint, "key", options=QUIET)
        await client.prewarm(1, "gpt-realtime")
        async with client.connect("gpt-realtime") as session:
            opened = len(play.emulator.sessions)
            with session.subscribe(SessionResumed) as resumed:
                play.emulator.sessions[1].abort()
                report = (await anext(resumed)).report
        await client.close()

        assert report.gap_s == 0
        assert opened >= 2


# -- many drops


async def test_twenty_turns_survive_five_drops_with_the_same_conversation() -> None:
    @tool
    async def look_up(q: str) -> str:
        """Answer soon."""
        await asyncio.sleep(0.2)
        return f"{q} is fine"

    questions = [f"question {n}" if n % 5 else f"the weather of day {n}" for n in range(20)]

    async def conversation(drops: frozenset[int], seed: int) -> tuple[list[str | None], list[LossReport]]:
        chance = random.Random(seed)
        config = SessionConfig(modalities=["text"])
        async with playing(config=config, tools=(look_up,), resume=Resume(within_s=1)) as play:
            reports: list[LossReport] = []

            @play.session.on(SessionResumed)
            def note(event: SessionResumed) -> None:
                reports.append(event.report)

            for number, question in enumerate(questions):
                asking = asyncio.create_task(play.session.ask(question))
                if number in drops:
                    await asyncio.sleep(chance.uniform(0, 2))
                    play.service.abort()
                await asking
            named = {item_id for report in reports if report.response for item_id in report.response.item_ids}
            named |= {left.item_id for report in reports for left in report.left_out}
            items = [item for item in play.session.conversation.items if item.id not in named]
            assert texts(play.service) == [
                item.text for item in play.session.conversation.items if item.kind == "message"
            ]
            assert len(named) <= len(drops), "a report that named everything would prove nothing"
            assert len(reports) == len(drops)
            return [item.text or item.output or (item.call.name if item.call else None) for item in items], reports

    undisturbed, _ = await conversation(frozenset(), 0)
    for seed in range(4):
        disturbed, _ = await conversation(frozenset(random.Random(seed).sample(range(20), 5)), seed)
        assert disturbed == undisturbed
