"""Responses in time: which runs, what it says next, when its events go out, and what ends it.

One response of the conversation runs at a time; out-of-band ones run beside it. The events themselves are made
in ``responses``, the words chosen by the script.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from voicelive import wire
from voicelive.testing.avatar.performer import Performer
from voicelive.testing.checks import Refusal
from voicelive.testing.history import outputs_by_call
from voicelive.testing.items import CallItem, Item, item_from_request
from voicelive.testing.replies import Reply
from voicelive.testing.responses import CancelReason, Response
from voicelive.testing.script import Heard, ScriptExhausted, Turn, allowed
from voicelive.testing.stage import Stage
from voicelive.testing.tokens import Meter
from voicelive.testing.wishes import Wishes

__all__ = ["Responder", "Run"]


@dataclass(slots=True, eq=False)
class Run:
    """One response that is being sent, or was; ``context`` is what the model reads for it."""

    response: Response
    context: Sequence[Item] = field(repr=False)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    interrupted: bool = False
    first_audio_at_s: float | None = None
    task: asyncio.Task[None] | None = None


class Responder:
    """Starts, paces and stops the responses of one session."""

    def __init__(self, stage: Stage, model: str, performer: Performer) -> None:
        self._stage, self._performer = stage, performer
        self._meter = Meter(model)
        self._runs: dict[str, Run] = {}
        self._planned: Turn | None = None
        self._owed: tuple[Turn, tuple[str, ...]] | None = None
        self.last_spoken: Run | None = None

    @property
    def active(self) -> Run | None:
        """The running response of the conversation."""
        return next((run for run in self._runs.values() if run.response.wishes.in_conversation), None)

    def plan(self, turn: Turn | None) -> None:
        """Fix what the next response says: a spoken turn was already taken from the script."""
        self._planned = turn

    def context(self, wishes: Wishes) -> list[Item]:
        """What the model reads; a text given verbatim is read by none.

        Raises:
            Refusal: An item given with the request is none.
        """
        if wishes.verbatim is not None:
            return []
        stage = self._stage
        given = [*(wishes.input_items or ()), *wishes.further_items]
        items = [
            item_from_request(request, request.get("id") or stage.ids.item(), stage.settings.input_format)
            for request in given
        ]
        return items if wishes.input_items is not None else [*stage.history, *items]

    def start(self, wishes: Wishes, context: Sequence[Item], heard: Heard, since_s: float) -> Run:
        """Begin a response to what was heard.

        Args:
            wishes: Its settings.
            context: What the model reads.
            heard: What a rule of the script may look at.
            since_s: When the user's turn ended, on the loop's clock; waits count from there.

        Raises:
            Refusal: Another response of the conversation runs.
        """
        active = self.active
        if active is not None and wishes.in_conversation:
            if not wishes.cancel_previous:
                raise Refusal(
                    "conversation_already_has_active_response",
                    f"Conversation already has an active response in progress: {active.response.id}. "
                    "Wait until the response is finished before creating a new one.",
                )
            self._stop(active, "client_cancelled")
        run = Run(self._new_response(wishes, context), context)
        self._runs[run.response.id] = run
        run.task = self._stage.spawn(self._perform(run, heard, since_s))
        return run

    def cancel(self, response_id: str | None) -> None:
        """Stop a response at the client's wish; without an id, the conversation's.

        Raises:
            Refusal: It does not run.
        """
        run = self.active if response_id is None else self._runs.get(response_id)
        if run is None:
            raise Refusal("response_cancel_not_active", "Cancellation failed: no active response found.")
        self._stop(run, "client_cancelled")

    def interrupt(self) -> asyncio.Task[None] | None:
        """The caller talks over the agent: the running response ends soon; the task is done when it has."""
        self._performer.hush()  # generated long ago, or being generated: none of it is to be heard any more
        run = self.active
        if run is None or run.interrupted:
            return None
        run.interrupted = True
        _cancel(run)
        run.task = self._stage.spawn(self._interrupt(run))
        return run.task

    async def interruption(self) -> None:
        """Wait for the end of a response that the caller has interrupted."""
        run = self.active
        if run is not None and run.interrupted and run.task is not None:
            await asyncio.wait([run.task])

    async def _perform(self, run: Run, heard: Heard, since_s: float) -> None:
        stage, response = self._stage, run.response
        await stage.until(since_s + stage.pace.response_created_s)
        self._begin(run)
        try:
            turn = self._next_turn(run, heard)
        except ScriptExhausted:
            self._emit(run, response.fail("script_exhausted", "The emulator's script has no turn left."))
            self._ended(run, Turn())
            return
        reply = await self._prepared(turn, response.wishes)
        for due_s, act in response.timeline(reply, stage.pace):
            await stage.outlet.room()
            await stage.until(since_s + due_s)
            self._emit(run, act())
            self._note_audio(run)
        self._ended(run, turn)

    async def _interrupt(self, run: Run) -> None:
        await self._stage.until(self._stage.now() + self._stage.pace.interrupt_s)
        self._finish_early(run, "turn_detected")

    async def _prepared(self, turn: Turn, wishes: Wishes) -> Reply:
        if wishes.audio_format is None or turn.reply is None:
            reply = Reply(turn.reply, audio_format=wishes.audio_format)
        else:
            reply = await self._stage.studio.speak(
                turn.reply,
                wishes.audio_format,
                times_words=wishes.times_words,
                shapes_mouth=wishes.shapes_mouth,
                shapes_face=wishes.shapes_face,
            )
        return replace(reply, calls=tuple(turn.calls)).within(wishes.max_tokens)

    def _next_turn(self, run: Run, heard: Heard) -> Turn:
        """What to say: a text given verbatim, the turn of a spoken question, the answer to outputs, or the next."""
        wishes = run.response.wishes
        if wishes.verbatim is not None:
            return Turn(wishes.verbatim)
        if wishes.in_conversation:
            turn = self._planned or self._after_calls(run.context) or self._stage.script.take(heard)
            self._planned = None
        else:  # a question beside the conversation answers nothing in it
            turn = self._stage.script.take(heard)
        return allowed(turn, tool_choice=wishes.tool_choice, tools=wishes.tool_names, parallel=wishes.parallel_calls)

    def _after_calls(self, context: Sequence[Item]) -> Turn | None:
        if self._owed is None:
            return None
        turn, call_ids = self._owed
        outputs = outputs_by_call(context)
        if not all(call_id in outputs for call_id in call_ids):
            return None
        self._owed = None
        return turn.after_calls([outputs[call_id] for call_id in call_ids])

    def _stop(self, run: Run, reason: CancelReason) -> None:
        _cancel(run)
        self._finish_early(run, reason)

    def _finish_early(self, run: Run, reason: CancelReason) -> None:
        if not run.begun.is_set():
            self._begin(run)
        self._emit(run, run.response.stop(reason))
        self._note_audio(run)
        self._ended(run, Turn())

    def _emit(self, run: Run, events: Sequence[wire.ServerEvent]) -> None:
        """Send what the response says; an avatar may say its audio instead."""
        self._stage.emit(*self._performer.divert(events, run.response.wishes.audio_format))

    def _begin(self, run: Run) -> None:
        self._stage.emit(*run.response.begin())
        run.begun.set()

    def _ended(self, run: Run, turn: Turn) -> None:
        del self._runs[run.response.id]
        call_ids = tuple(item.call_id for item in run.response.items if isinstance(item, CallItem))
        if turn.calls and call_ids:
            self._owed = turn, call_ids

    def _note_audio(self, run: Run) -> None:
        if run.first_audio_at_s is None and run.response.said_ms > 0:
            run.first_audio_at_s = self._stage.now()
            self.last_spoken = run

    def _new_response(self, wishes: Wishes, context: Sequence[Item]) -> Response:
        stage = self._stage
        prompt = "" if wishes.verbatim is not None else wishes.instructions + _as_text(wishes.tools)

        def usage(response: Response) -> wire.TokenUsage:
            return self._meter.usage(
                prompt=prompt,
                context=context,
                said=response.said,
                said_audio_ms=response.said_ms,
                called=response.called,
            )

        history = stage.history if wishes.in_conversation else None
        return Response(stage.ids, wishes, history, stage.conversation_id, usage)


def _cancel(run: Run) -> None:
    if run.task is not None:
        run.task.cancel()


def _as_text(tools: Sequence[object]) -> str:
    return json.dumps(tools) if tools else ""
