"""Whatever the service and the application do, in whatever order: the promises that a session keeps.

A service of its own plays here, with a line in each direction, so that both sides act on what they know so far. It
may answer by itself, refuse, call functions (in parallel, twice), cancel, and send what is late. Its connection may
break, with everything that is on the line; a new one has been told what was said. At the end it is fair: it handles
all that was sent and ends what it began; then nothing may be left waiting.
"""

from __future__ import annotations

import base64
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.support.histories import event

from voicelive.events import ToolTrouble
from voicelive.protocol.calls import AnswerCall, CancelCall, RunCall
from voicelive.protocol.core import SessionProtocol
from voicelive.protocol.effects import Effect, Send, Tell
from voicelive.protocol.responses import NO_ANSWER, Ask, Began, Kind, Rejected, tagged
from voicelive.wire.client_events import ConversationItemCreate, ConversationItemTruncate
from voicelive.wire.items import FunctionCallOutputItem
from voicelive.wire.responses import ResponseCreateParams
from voicelive.wire.server_events import ServerEvent

BYTES_PER_MS = 48  # the default format: 16 bit at 24 kHz
MOST_EFFECTS = 100
MOST_STEPS = 400
PARAMS = {
    "plain": None,
    "params": ResponseCreateParams(temperature=0.7),
    "untaggable": ResponseCreateParams(metadata={str(number): "" for number in range(16)}),
    "beside": ResponseCreateParams(conversation="none"),
    "replacing": ResponseCreateParams(cancel_previous=True),
    "say": ResponseCreateParams(temperature=0.8),
}
indexes = st.integers(min_value=0, max_value=999)


@dataclass
class Served:
    """A response as the service knows it."""

    id: str
    beside: bool
    number: int
    items: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    announced: dict[str, tuple[str, int]] = field(default_factory=dict)
    done: bool = False


class Service:
    """The other side: what it has handled, and what it sends."""

    def __init__(self, *, echoes: bool, answers: bool, interrupts: bool) -> None:
        self.echoes, self.answers, self.interrupts = echoes, answers, interrupts
        self.inbox: deque[tuple[str, Any]] = deque()
        self.line: deque[ServerEvent] = deque()
        self.responses: dict[str, Served] = {}
        self.active: Served | None = None
        self.outputs: dict[str, int] = {}
        self.speaking = False
        self.count = 0

    def send(self, kind: str, **fields: Any) -> None:
        self.line.append(event(kind, **fields))

    def number(self) -> int:
        self.count += 1
        return self.count

    def begin(self, *, beside: bool = False, metadata: dict[str, str] | None = None) -> None:
        response = Served(f"r{self.number()}", beside, self.count)
        self.responses[response.id] = response
        told: dict[str, Any] = {"id": response.id, "conversation_id": None if beside else "conv"}
        if self.echoes:
            told["metadata"] = metadata
        if not beside:
            self.active = response
        self.send("response.created", response=told)

    def end(self, response: Served, status: str = "completed", *, audio_done: bool = True) -> None:
        for item_id in response.items if audio_done else ():
            self.send("response.audio.done", response_id=response.id, item_id=item_id, content_index=0)
        response.done = True
        if self.active is response:
            self.active = None
        self.send("response.done", response={"id": response.id, "status": status})

    def speak(self, response: Served, ms: int, *, new_item: bool, odd: bool = False) -> None:
        if new_item or not response.items:
            response.items.append(f"item{self.number()}")
        place = {"response_id": response.id, "item_id": response.items[-1], "content_index": 0}
        audio = base64.b64encode(bytes(ms * BYTES_PER_MS + odd)).decode()
        self.send("response.audio.delta", **place, delta=audio)

    def call(self, response: Served, *, whole: bool, by_arguments: bool) -> None:
        number = self.number()
        call_id, item_id = f"call{number}", f"item{number}"
        item = {"id": item_id, "type": "function_call", "name": "f", "call_id": call_id, "arguments": ""}
        place = {"response_id": response.id, "output_index": 0}
        self.send("response.output_item.added", **place, item={**item, "status": "in_progress"})
        if not whole:
            self.send("response.output_item.done", **place, item={**item, "status": "incomplete"})
            return
        response.calls.append(call_id)
        if by_arguments:
            kind = "response.function_call_arguments.done"
            self.send(kind, **place, item_id=item_id, call_id=call_id, arguments="{}")
        self.send("response.output_item.done", **place, item={**item, "status": "completed"})

    def handle(self, *, whim: bool) -> None:
        """Take the oldest request; ``whim``: refuse where that is possible."""
        kind, content = self.inbox.popleft()
        if kind == "create":
            self._create(content, whim)
        elif kind == "output":
            self.outputs[content] = self.number()
            item = {"id": f"o{self.count}", "type": "function_call_output", "call_id": content, "output": "{}"}
            self.send("conversation.item.created", item=item)
        elif kind == "truncate":
            if whim:
                self.refuse(content.event_id, "truncation_failed")
            else:
                end_ms = content.audio_end_ms
                self.send("conversation.item.truncated", item_id=content.item_id, content_index=0, audio_end_ms=end_ms)
        elif self.active is None:
            self.refuse(None, "response_cancel_not_active")
        elif content in ("", self.active.id):
            self.end(self.active, "cancelled")

    def _create(self, ask: Ask, whim: bool) -> None:
        wish = ask.wish
        if whim:
            self.refuse(wish.id, "invalid_value")
        elif wish.beside:
            self.begin(beside=True, metadata=tagged(wish).metadata)
        elif self.active is not None and not wish.replaces:
            self.refuse(wish.id, "conversation_already_has_active_response")
        else:
            if self.active is not None:
                self.end(self.active, "cancelled")
            self.begin(metadata=tagged(wish).metadata)

    def refuse(self, event_id: str | None, code: str) -> None:
        self.send("error", error={"type": "invalid_request_error", "code": code, "message": "", "event_id": event_id})

    def hear(self, late_ms: int) -> None:
        self.speaking = True
        self.send("input_audio_buffer.speech_started", item_id=f"user{self.number()}", audio_start_ms=0)
        if self.active is not None and self.interrupts:
            if late_ms:
                self.speak(self.active, late_ms, new_item=False)
            self.end(self.active, "cancelled", audio_done=bool(late_ms % 2))

    def commit(self, *, answered: bool) -> None:
        self.speaking = False
        self.send("input_audio_buffer.speech_stopped", item_id="user", audio_end_ms=900)
        self.send("input_audio_buffer.committed", item_id="user")
        if answered and self.answers and self.active is None:
            self.begin()

    @property
    def running(self) -> list[Served]:
        return [response for response in self.responses.values() if not response.done]


class SessionMachine(RuleBasedStateMachine):
    """Drives a protocol; its checks are where its effects are taken."""

    @initialize(
        echoes=st.booleans(),
        answers=st.booleans(),
        interrupts=st.booleans(),
        auto_truncate=st.booleans(),
        min_ms=st.sampled_from([0, 300]),
        attended=st.booleans(),
    )
    def open(
        self, echoes: bool, answers: bool, interrupts: bool, auto_truncate: bool, min_ms: int, attended: bool
    ) -> None:
        self.service = Service(echoes=echoes, answers=answers, interrupts=interrupts)
        self.protocol = SessionProtocol(max_tool_rounds=2, min_barge_in_ms=min_ms)
        self.now = 0.0
        self.auto_truncate = auto_truncate
        self.attended = attended
        if attended:
            self.protocol.playback.attend()
        self.past: list[Served] = []
        """Responses of connections that broke."""
        self.in_gap = False
        self.wishes: dict[str, bool] = {}
        """Id -> whether it ended."""
        self.outstanding: str | None = None
        self.active_told: set[str] = set()
        self.outputs: Counter[str] = Counter()
        self.running: list[str] = []
        self.spent: set[str] = set()
        """Calls that need no follow-up: silent, by hand, or beyond the limit of rounds."""
        self.by_hand: set[str] = set()
        self.truncated: set[str] = set()
        self.came_ms: Counter[str] = Counter()
        self.first_at: dict[str, float] = {}
        self.acknowledged: dict[str, float] = {}
        self.follow_up_refused = False
        self.fair = False
        turn_detection = {
            "type": "server_vad",
            "create_response": answers,
            "interrupt_response": interrupts,
            "auto_truncate": auto_truncate,
        }
        self.service.send("session.created", session={"id": "sess", "turn_detection": turn_detection})
        self._deliver()

    # -- the service

    @precondition(lambda self: self.service.inbox)
    @rule(whim=st.sampled_from([False, False, False, True]))
    def service_handles(self, whim: bool) -> None:
        self.service.handle(whim=whim)

    @precondition(lambda self: self.service.line)
    @rule(count=st.integers(min_value=1, max_value=6))
    def line_delivers(self, count: int) -> None:
        for _ in range(min(count, len(self.service.line))):
            self._deliver()

    @rule(late_ms=st.sampled_from([0, 20, 41]))
    def caller_speaks(self, late_ms: int) -> None:
        self.service.hear(late_ms)

    @precondition(lambda self: self.service.speaking)
    @rule(answered=st.booleans())
    def caller_stops(self, answered: bool) -> None:
        self.service.commit(answered=answered)

    @precondition(lambda self: self.service.answers and self.service.active is None)
    @rule()
    def service_answers_by_itself(self) -> None:
        self.service.begin()

    @precondition(lambda self: self.service.running)
    @rule(which=indexes, ms=st.integers(min_value=1, max_value=900), new_item=st.booleans(), odd=st.booleans())
    def agent_speaks(self, which: int, ms: int, new_item: bool, odd: bool) -> None:
        self.service.speak(pick(self.service.running, which), ms, new_item=new_item, odd=odd)

    @precondition(lambda self: self.service.active is not None)
    @rule(calls=st.integers(min_value=1, max_value=3), whole=st.booleans(), by_arguments=st.booleans())
    def agent_calls(self, calls: int, whole: bool, by_arguments: bool) -> None:
        assert self.service.active is not None
        for _ in range(calls):
            self.service.call(self.service.active, whole=whole or calls > 1, by_arguments=by_arguments)

    @precondition(lambda self: self.service.running)
    @rule(which=indexes, status=st.sampled_from(["completed", "failed", "incomplete"]), audio_done=st.booleans())
    def response_ends(self, which: int, status: str, audio_done: bool) -> None:
        self.service.end(pick(self.service.running, which), status, audio_done=audio_done)

    @precondition(lambda self: any(response.items for response in self.service.responses.values()))
    @rule(which=indexes, new_item=st.booleans())
    def delta_is_late(self, which: int, new_item: bool) -> None:
        speakers = [response for response in self.service.responses.values() if response.items]
        self.service.speak(pick(speakers, which), 20, new_item=new_item)

    @precondition(lambda self: any(response.calls for response in self.service.responses.values()))
    @rule(which=indexes)
    def call_is_told_again(self, which: int) -> None:
        callers = [response for response in self.service.responses.values() if response.calls]
        response = pick(callers, which)
        call_id = response.calls[-1]
        place = {"response_id": response.id, "item_id": "item", "call_id": call_id, "name": "f"}
        self.service.send("response.function_call_arguments.done", **place, arguments="{}")

    @rule(which=indexes)
    def transcript_comes(self, which: int) -> None:
        kind = "conversation.item.input_audio_transcription.completed"
        self.service.send(kind, item_id=f"user{which % 20}", content_index=0, transcript="words")

    @rule()
    def audio_is_cleared(self) -> None:
        self.service.send("input_audio_buffer.cleared")

    @precondition(lambda self: self.came_ms)
    @rule(which=indexes)
    def service_truncates_by_itself(self, which: int) -> None:
        item_id = pick(list(self.came_ms), which)
        self.service.send("conversation.item.truncated", item_id=item_id, content_index=0, audio_end_ms=0)

    @rule(
        sort=st.sampled_from([None, *sorted(PARAMS)]), answers=st.booleans(), seconds=st.sampled_from([0.0, 1.0, 40.0])
    )
    def connection_breaks(self, sort: str | None, answers: bool, seconds: float) -> None:
        """The application goes on in the gap; results reach the new service, other requests went with the old one."""
        self._lose()
        if sort is not None:
            self.wish(sort, None)
        if answers and self.running:
            self.answer(0, False)
        self.time_passes(seconds)
        self.in_gap = False
        self._take(self.protocol.connected(self.now))

    def _lose(self) -> None:
        service = self.service
        service.line.clear()
        service.inbox = deque(request for request in service.inbox if request[0] == "output")
        for response in service.responses.values():
            response.done = True
            response.calls = [call_id for call_id in response.calls if call_id in self.running]
        self.past += service.responses.values()
        service.responses, service.active, service.speaking = {}, None, False
        self.active_told.clear()
        self.in_gap = True
        _, effects = self.protocol.connection_lost(self.now, remembered=False)
        self._take(effects)

    # -- the application

    @rule(sort=st.sampled_from(sorted(PARAMS)), additional=st.sampled_from([None, "briefly"]))
    def wish(self, sort: str, additional: str | None) -> None:
        kind = Kind.SAY if sort == "say" else Kind.ANSWER
        wish_id, effects = self.protocol.wish(self.now, PARAMS[sort], additional, kind)
        self.wishes[wish_id] = False
        if sort == "beside" and not self.in_gap:
            assert [effect.wish.id for effect in effects if isinstance(effect, Ask)] == [wish_id], "it never waits"
        self._take(effects)

    @precondition(lambda self: self.wishes)
    @rule(which=indexes)
    def withdraw(self, which: int) -> None:
        wish_id = pick(list(self.wishes), which)
        if self.protocol.gate.withdraw(wish_id):
            # without its tag, an automatic response passes for ours until the service refuses what it raced with
            assert not (self.wishes[wish_id] and self.service.echoes), "what began cannot be taken back"
            self.wishes[wish_id] = True
        elif not self.wishes[wish_id]:
            self.wishes[wish_id] = True  # on its way: it may begin or not

    @precondition(lambda self: self.running)
    @rule(which=indexes, silent=st.sampled_from([False, False, True]))
    def answer(self, which: int, silent: bool) -> None:
        call_id = pick(self.running, which)
        if silent and not self.outputs[call_id]:
            self.spent.add(call_id)
        self._take(self.protocol.answer(call_id, "{}", self.now, silent=silent))

    @rule()
    def answer_nobody(self) -> None:
        effects = self.protocol.answer("nobody", "{}", self.now)
        assert Tell(ToolTrouble("nobody", "unknown_call")) in effects
        self._take(effects)

    @precondition(lambda self: self.running)
    @rule(which=indexes)
    def answer_by_hand(self, which: int) -> None:
        call_id = pick(self.running, which)
        if not self.outputs[call_id]:
            self.outputs[call_id] += 1
            self.spent.add(call_id)
            self.service.inbox.append(("output", call_id))
            item = FunctionCallOutputItem(call_id=call_id, output="{}")
            self._take(self.protocol.sent(ConversationItemCreate(item=item), self.now))

    @precondition(lambda self: self.running)
    @rule(which=indexes)
    def disown(self, which: int) -> None:
        call_id = pick(self.running, which)
        if not self.outputs[call_id]:
            self.by_hand.add(call_id)
            self._take(self.protocol.disown(call_id, self.now))

    @rule()
    def interrupt(self) -> None:
        active_id = self.protocol.gate.active_id
        self._take(self.protocol.flush(self.now))
        if active_id is not None:
            self.service.inbox.append(("cancel", active_id))

    @precondition(lambda self: self.came_ms)
    @rule(which=indexes)
    def truncate_by_hand(self, which: int) -> None:
        item_id = pick(list(self.came_ms), which)
        self.truncated.add(item_id)
        truncation = ConversationItemTruncate(item_id=item_id, content_index=0, audio_end_ms=0)
        self._take(self.protocol.sent(truncation, self.now))

    @precondition(lambda self: self.attended and self.came_ms)
    @rule(which=indexes, ms=st.sampled_from([0.0, 0.5, 7.5, 40.0, 100.0, 333.3, 5000.0]))
    def sink_has_played(self, which: int, ms: float) -> None:
        item_id = pick(list(self.came_ms), which)
        self.acknowledged[item_id] = max(self.acknowledged.get(item_id, 0), ms)
        self.protocol.playback.acknowledge(item_id, ms)
        self._tick()

    @precondition(lambda self: self.attended)
    @rule(partly=st.booleans())
    def sink_takes(self, partly: bool) -> None:
        frame = self.protocol.playback.take(20, partly=partly)
        if frame is not None:
            assert 0 < frame.duration_ms <= 20
            assert frame.start_ms + frame.duration_ms <= self.came_ms[frame.item_id] + 0.1

    @rule(seconds=st.sampled_from([0.0, 0.02, 0.3, 1.0, 5.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self._tick()

    # -- what must hold

    @invariant()
    def no_item_is_heard_beyond_what_came_or_was_acknowledged(self) -> None:
        for item_id, came_ms in self.came_ms.items():
            heard = self.protocol.playback.heard(item_id, self.now)
            if heard is not None:
                assert 0 <= heard.heard_ms <= heard.total_ms <= came_ms
                assert heard.exact == self.attended
                assert not self.attended or heard.heard_ms <= self.acknowledged.get(item_id, 0)

    def teardown(self) -> None:
        if hasattr(self, "service"):
            self._be_fair()

    def _be_fair(self) -> None:
        self.fair = True
        for _ in range(MOST_STEPS):
            if not self._fair_step():
                break
        else:
            raise AssertionError("a fair service does not bring it to rest")
        left = [wish_id for wish_id, ended in self.wishes.items() if not ended]
        assert not left, f"wishes that never ended: {left}"
        assert self.protocol.gate.idle
        assert not self.protocol.calls.owed
        self._check_calls()

    def _fair_step(self) -> bool:
        service = self.service
        unanswered = [call for call in self.running if not self.outputs[call] and call not in self.by_hand]
        if service.line:
            self._deliver()
        elif service.inbox:
            service.handle(whim=False)
        elif service.speaking:
            service.commit(answered=True)
        elif service.running:
            service.end(service.running[0])
        elif unanswered:
            silent = len(unanswered) % 2 == 0
            if silent:
                self.spent.add(unanswered[0])
            self._take(self.protocol.answer(unanswered[0], "{}", self.now, silent=silent))
        elif self.protocol.gate.due_at() is not None:
            due_at = self.protocol.due_at(self.now)
            assert due_at is not None
            self.now = max(self.now, due_at)
            self._tick()
        else:
            return False
        return True

    def _check_calls(self) -> None:
        responses = [*self.past, *self.service.responses.values()]
        conversation = [response.number for response in responses if not response.beside]
        for response in responses:
            calls = [call_id for call_id in response.calls if call_id not in self.by_hand]
            assert all(self.outputs[call_id] == 1 for call_id in calls), "each call gets one output"
            speaks = calls == response.calls and any(call_id not in self.spent for call_id in calls)
            if speaks and not self.follow_up_refused:
                last = max(self.service.outputs[call_id] for call_id in calls)
                assert any(number > last for number in conversation), "results are spoken about"

    # -- the line

    def _deliver(self) -> None:
        given: Any = self.service.line.popleft()
        kind = given.type
        if kind == "response.created" and not self.service.responses[given.response.id].beside:
            self.active_told.add(given.response.id)
        elif kind == "response.done":
            self.active_told.discard(given.response.id)
        elif kind == "conversation.item.truncated":
            self.truncated.add(given.item_id)
        elif kind == "response.audio.delta":
            self.first_at.setdefault(given.item_id, self.now)
            self.came_ms[given.item_id] += len(given.delta) // BYTES_PER_MS
        self._take(self.protocol.receive(given, self.now))

    def _tick(self) -> None:
        self._take(self.protocol.tick(self.now))

    def _take(self, effects: Iterable[Effect]) -> None:
        effects = tuple(effects)
        assert len(effects) < MOST_EFFECTS
        for effect in effects:
            match effect:
                case Ask():
                    self._asked(effect)
                case Began(wishes=wishes):
                    self._ended(wishes, refused=False)
                case Rejected(wishes=wishes, error=error):
                    assert not self.fair or error != NO_ANSWER, "a fair service answers"
                    self._ended(wishes, refused=True)
                case RunCall(call=call):
                    assert call.call_id not in self.running, "a call runs once"
                    self.running.append(call.call_id)
                    self.protocol.running(call.call_id, "cancel" if len(self.running) % 3 == 0 else "finish")
                case CancelCall(call_id=call_id):
                    self.spent.add(call_id)
                case AnswerCall(call_id=call_id):
                    self.outputs[call_id] += 1
                    assert self.outputs[call_id] == 1, "a call is answered once"
                    assert call_id not in self.by_hand
                    self.service.inbox.append(("output", call_id))
                case Send(event=ConversationItemTruncate() as truncation):
                    self._truncates(truncation)
                case Tell(event=ToolTrouble(trouble="too_many_rounds") as trouble):
                    self.spent.add(trouble.call_id)

    def _asked(self, ask: Ask) -> None:
        assert not self.in_gap, "nothing is asked for without a connection"
        if not ask.wish.beside:
            assert not self.active_told or ask.wish.replaces, "one response at a time"
        self.service.inbox.append(("create", ask))

    def _ended(self, wishes: tuple[str, ...], *, refused: bool) -> None:
        for wish_id in wishes:
            if wish_id in self.wishes:
                self.wishes[wish_id] = True
            elif refused:
                self.follow_up_refused = True

    def _truncates(self, truncation: ConversationItemTruncate) -> None:
        item_id, end_ms = truncation.item_id, truncation.audio_end_ms
        assert not self.auto_truncate, "the service does it"
        assert item_id not in self.truncated, "once"
        self.truncated.add(item_id)
        assert end_ms <= self.came_ms[item_id]
        if self.attended:
            assert end_ms <= self.acknowledged.get(item_id, 0)
        else:
            assert end_ms <= (self.now - self.first_at[item_id]) * 1000 + 0.001
        self.service.inbox.append(("truncate", truncation))


def pick(choices: list[Any], which: int) -> Any:
    return choices[which % len(choices)]


TestSessionMachine = SessionMachine.TestCase
TestSessionMachine.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
