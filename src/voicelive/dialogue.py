"""What an application can say in a dialogue: verbs of several steps, over turns, tools and playback."""

from __future__ import annotations

import asyncio
import math
from abc import abstractmethod
from collections.abc import AsyncIterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from voicelive.approvals import ApprovalHandler
from voicelive.audio.formats import AudioFormat
from voicelive.audio.sources import AudioSource
from voicelive.conversation import Conversation, LeftOut
from voicelive.duplex import caller_frames, in_company, silence_until
from voicelive.engine import Engine
from voicelive.errors import ConfigurationError, ConfirmationTimeoutError, SessionClosedError
from voicelive.events import TurnFinished
from voicelive.options import ClientOptions
from voicelive.playback import Playback, PlaybackSink
from voicelive.protocol.avatar import delivery
from voicelive.protocol.responses import Kind
from voicelive.protocol.snapshots import ToolCall, Turn, TurnStatus
from voicelive.response import ResponseHandle
from voicelive.taps import Subscription
from voicelive.verbs import Verbs
from voicelive.wire.items import AssistantMessageItem, UserMessageItem
from voicelive.wire.parts import InputTextContentPart, MessageContentPart, OutputTextContentPart
from voicelive.wire.responses import ResponseCreateParams, TokenUsage
from voicelive.wire.server.conversation import InputAudioBufferCommitted
from voicelive.wire.server.response import ResponseAudioDelta
from voicelive.wire.server.session import SessionAvatarConnecting
from voicelive.wire.session import SessionConfig, SessionResource

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc has it from Python 3.12 on

    from voicelive.tools.toolset import ToolSet

__all__ = ["Dialogue", "Reply"]

ASK_TIMEOUT_S: Final = 60.0  # an answer through several tool rounds takes seconds, not minutes
_CLOSING_SILENCE_MS: Final = 1500  # what turn detection is given after a question, beyond its own silence
_CHUNK_MS: Final = 100
_DEFAULT_SILENCE_MS: Final = 500  # of every kind of turn detection, by the service's documentation


@dataclass(frozen=True, slots=True)
class Reply:
    """The whole answer to ``Session.ask``, through all rounds of tools.

    Attributes:
        text: What the agent says, all of it.
        audio: Its voice, in the session's output format.
        tool_calls: The calls it made, with their results.
        usage: The tokens of each response.
        status: How the turn ended.
        turn: The turn, with latencies and ids.
    """

    text: str = field(repr=False)
    audio: bytes = field(repr=False)
    tool_calls: tuple[ToolCall, ...]
    usage: tuple[TokenUsage, ...]
    status: TurnStatus
    turn: Turn


class Dialogue(Verbs):
    """The verbs of ``Session`` that take more than one event."""

    _engine: Engine
    _options: ClientOptions

    @property
    @abstractmethod
    def input_format(self) -> AudioFormat:
        """What ``send_audio`` takes."""

    @abstractmethod
    def _refuse_when_closed(self) -> None:
        """Raise when the session has ended."""

    @property
    @abstractmethod
    def _ended_normally(self) -> bool:
        """Whether the session has ended as somebody wanted it."""

    @property
    def playback(self) -> Playback:
        """The agent's voice on its way to the caller's ear."""
        return self._engine.playback

    @property
    def conversation(self) -> Conversation:
        """What was said, as items and as turns; a live view."""
        return self._engine.conversation

    def use_tools(self, toolset: ToolSet) -> None:
        """Run calls of these tools from now on; ``change`` also tells the service. Calls in flight are not disturbed.

        Calls of other functions that the service was told of are the application's to answer; unknown names are
        answered with an error.
        """
        self._engine.use_tools(toolset)

    def on_approval(self, handler: ApprovalHandler | None) -> None:
        """Who decides on MCP calls that ask for approval from now on; ``None``: they are denied."""
        self._engine.use_approvals(handler)

    async def say(self, text: str, *, interruptible: bool = True, timeout_s: float | None = None) -> ResponseHandle:
        """Have the agent say a text word for word; it becomes part of the conversation.

        Waits its turn behind a running response, but not behind tool results. Returns as it begins.

        Args:
            text: What to say.
            interruptible: ``False``: the caller's speech does not cut it here. The service still hears the caller.

        Raises:
            ConfigurationError: The voice is an OpenAI voice, whose model speaks for itself and takes no ready text.
            ServiceError: The service refused.
        """
        params = self.verbatim(text)
        return await self._respond(params, kind=Kind.SAY, interruptible=interruptible, timeout_s=timeout_s)

    async def greet(
        self, text: str | None = None, *, instructions: str | None = None, timeout_s: float | None = None
    ) -> ResponseHandle | None:
        """Have the agent speak first: a text word for word, or by instructions.

        Returns as it begins; ``None`` when the caller was first, who then has the word.

        Raises:
            ConfigurationError: Both or neither are given, or ``text`` with an OpenAI voice.
            ServiceError: The service refused.
            TimeoutError: An avatar is set, and its link did not stand in time.
        """
        if (text is None) == (instructions is None):
            raise ConfigurationError("give either text, to be said word for word, or instructions")
        params = self.verbatim(text) if text is not None else None
        await self._avatar_is_there(timeout_s)
        protocol = self._engine.protocol
        answered = any(turn.caller_item_ids and turn.response_ids for turn in protocol.history.turns())
        if protocol.gate.reserved or answered:  # restored turns have no responses
            return None
        return await self._respond(params, instructions, timeout_s=timeout_s)

    async def _avatar_is_there(self, timeout_s: float | None) -> None:
        """An avatar over WebRTC hears nothing of what was said before its link stands."""
        if delivery(self.config) == "webrtc" and not self._engine.protocol.avatar.linked:
            limit_s = self._options.confirm_timeout_s if timeout_s is None else timeout_s
            async with asyncio.timeout(limit_s):
                with self._engine.streams.add("greet", (SessionAvatarConnecting,)) as stream:
                    await anext(stream)

    async def interrupt(self) -> None:
        """Cut the agent off, as a barge-in does: playback falls silent, the running response is cancelled, and the
        service learns what was heard, and running tools what their ``on_barge_in`` says. Returns when written; does
        nothing while the agent neither speaks nor works.

        Of a WebRTC call the service is told to drop what it has not played yet, whatever is known here. Where no
        response was told of so far, it is also told to cancel one; where none runs, an ``error`` event with the code
        ``response_cancel_not_active`` says so."""
        self._refuse_when_closed()
        protocol = self._engine.protocol
        running = protocol.gate.active_id
        speaks = self.playback.playing or protocol.avatar.speaking or protocol.plays_elsewhere
        if running is None and not speaks and not protocol.calls.owed:
            return
        self._engine.perform(protocol.flush(asyncio.get_running_loop().time()))
        if running is not None or protocol.gate.blind:
            await self.cancel_response(running or None)

    async def wait_quiet(self, *, timeout_s: float | None = None) -> None:
        """Wait until nothing is said any more and all of it was heard, or the session is over.

        Raises:
            TimeoutError: It took longer than ``timeout_s``.
        """
        async with asyncio.timeout(timeout_s):
            await self._engine.quiet()

    def prompt_on_silence(
        self, after_s: float | None, *, say: str | None = None, instructions: str | None = None, times: int = 2
    ) -> None:
        """Have the agent prompt a caller who stays silent; ``after_s=None`` stops it.

        Silence counts from the moment in which the agent was heard to the end. Each prompt is told by ``NoInput``;
        the caller's voice starts the count anew.

        Args:
            after_s: How long the caller may be silent.
            say: A text, word for word.
            instructions: How to prompt, in the model's own words; without either, the model answers by itself.
            times: Prompts in a row.

        Raises:
            ConfigurationError: A value makes no sense, or ``say`` with an OpenAI voice.
        """
        if after_s is not None and not 0 < after_s < math.inf:
            raise ConfigurationError(f"after_s is {after_s!r}; it must be a finite number greater than 0, or None")
        if times < 1:
            raise ConfigurationError(f"times is {times!r}; it must be at least 1")
        if say is not None and instructions is not None:
            raise ConfigurationError("give either say, to be said word for word, or instructions")
        self._refuse_when_closed()
        params = self.verbatim(say) if say is not None else None
        self._engine.protocol.prompt_on_silence(after_s, times, params, instructions)
        self._engine.moved()

    async def compact(
        self, *, keep_last: int | None = None, max_tokens: int | None = None, older_than_s: float | None = None
    ) -> tuple[str, ...]:
        """Delete old turns from the service's memory; see ``Conversation.compact`` for what goes. Gives their items.

        Raises:
            ConfigurationError: No limit is given, or one makes no sense.
            ServiceError: The service refused one; those before it are gone.
        """
        plan = self.conversation.compact(
            keep_last=keep_last, max_tokens=max_tokens, older_than_s=older_than_s, now=asyncio.get_running_loop().time()
        )
        for item_id in plan:
            await self.delete_item(item_id)
        return tuple(plan)

    async def restore(self, conversation: Conversation) -> tuple[LeftOut, ...]:
        """Give the service the history of another session, in order, without asking for a response.

        Gives what could not be restored, by name. Returns when written.
        """
        items, left_out = conversation.to_items()
        for item in items:
            await self.add_item(item)
        return tuple(left_out)

    async def change(
        self, config: SessionConfig, *, tools: ToolSet | None = None, timeout_s: float | None = None
    ) -> SessionResource:
        """Another phase of the call: settings, and with ``tools`` the tools, in one step that holds as a whole.

        The tools replace all tools. Where the service refuses, everything stays as it was, the tools too.
        Returns the settings in effect.

        Raises:
            ConfigurationError: ``config.tools`` is set beside ``tools``.
            ServiceError: The service refused.
            ConfirmationTimeoutError: No answer in time.
        """
        if tools is not None:
            if config.tools is not None:
                raise ConfigurationError("tools are given twice, in config.tools and in tools; give one of them")
            config = config.model_copy(update={"tools": tools.definitions})
        settings = await self.update(config, timeout_s=timeout_s)
        if tools is not None:
            self.use_tools(tools)
        assert settings is not None, "update was confirmed"
        return settings

    async def ask(self, question: str | Buffer, *, timeout_s: float = ASK_TIMEOUT_S) -> Reply:
        """Ask by text or by audio, and wait for the whole answer, through all rounds of tools.

        Args:
            question: A text, or audio in the session's input format, sent as fast as the line takes it. With turn
                detection, silence follows until the turn is closed; without, the audio is committed.
            timeout_s: Bound on everything together.

        Raises:
            TimeoutError: The answer was not complete in time.
            ServiceError: The service refused.
            SessionClosedError: The session ended before.
        """
        self._refuse_when_closed()
        audio: dict[str, list[bytes]] = {}
        async with asyncio.timeout(timeout_s):
            with self._engine.streams.add("ask", (TurnFinished, ResponseAudioDelta)) as stream:
                if isinstance(question, str):
                    item_id: str | None = await self._ask_text(question, timeout_s)
                else:
                    item_id = await self._ask_audio(question, timeout_s)
                async for event in stream:
                    if isinstance(event, ResponseAudioDelta):
                        audio.setdefault(event.response_id, []).append(event.delta)
                    elif isinstance(event, TurnFinished) and item_id in event.turn.caller_item_ids:
                        if self._engine.over and event.turn.status == "interrupted":
                            break  # by the end of the session
                        return _reply(event.turn, audio)
        raise self._engine.protocol.connection.closed_error()

    async def converse(
        self, source: AudioSource | AsyncIterable[bytes], sink: PlaybackSink | None = None, *, end_after_s: float = 60.0
    ) -> None:
        """Hold a whole call: the caller's audio goes in from ``source``, the agent's voice out to ``sink``, barge-in
        included.

        Returns when the source has ended and the answer to it was heard, or when the session ends normally. After the
        source, silence follows, so that turn detection can close the last turn; without turn detection, the audio is
        committed and answered.

        Args:
            source: Anything with ``frames(format)``, such as ``WavSource`` or ``Microphone``; or an async iterable of
                bytes in the session's input format, which sets its own pace.
            sink: Where the voice is played; ``None``: nowhere, and what is heard is estimated.
            end_after_s: How long the last answer may take to come and to be heard.

        Raises:
            ConfigurationError: ``source`` is neither.
            LocalProtocolError: Somebody else takes the agent's voice already.
            TimeoutError: The last answer took longer than ``end_after_s``.
            SessionClosedError: The session did not end normally.
            Exception: What the source or the sink raises.

        Cancelling it leaves the session usable; the sink is flushed no more.
        """
        self._refuse_when_closed()
        frames = caller_frames(source, self.input_format)
        speaking = self._speak_to_the_end(frames, end_after_s)
        if sink is None:
            await speaking
        else:
            await in_company(speaking, self.playback.play_to(sink))

    async def _speak_to_the_end(self, frames: AsyncIterable[bytes], end_after_s: float) -> None:
        try:
            async for frame in frames:
                await self.send_audio(frame)
            async with asyncio.timeout(end_after_s):
                await self._close_last_turn()
        except SessionClosedError:
            if not self._ended_normally:
                raise

    async def _close_last_turn(self) -> None:
        turn_detection = self.config.turn_detection
        if turn_detection is None:
            await self.commit_audio()
            await self.create_response()
            await self._engine.at_rest()
            return
        await self.flush_audio()
        wait_ms = getattr(turn_detection, "silence_duration_ms", None) or _DEFAULT_SILENCE_MS
        await silence_until(
            self._engine.is_at_rest, self.send_audio, self.input_format, at_least_ms=wait_ms + _CLOSING_SILENCE_MS
        )

    async def _ask_text(self, text: str, timeout_s: float) -> str:
        content: list[MessageContentPart] = [InputTextContentPart(text=text)]
        item_id = await self.add_item(UserMessageItem(content=content), confirm=True, timeout_s=timeout_s)
        await self.create_response(timeout_s=timeout_s)
        return item_id

    async def _ask_audio(self, audio: Buffer, timeout_s: float) -> str | None:
        """Send a question by voice; its item's id."""
        turn_detection = self.config.turn_detection
        if turn_detection is None:
            await self.send_audio(audio)
            item_id = await self.commit_audio(timeout_s=timeout_s)
            await self.create_response(timeout_s=timeout_s)
            return item_id
        wait_ms = getattr(turn_detection, "silence_duration_ms", None) or _DEFAULT_SILENCE_MS
        silence = self.input_format.silence(_CHUNK_MS)
        stream: Subscription[InputAudioBufferCommitted] = self._engine.streams.add("ask", (InputAudioBufferCommitted,))
        with stream as committed:
            await self.send_audio(audio)
            for _ in range((wait_ms + _CLOSING_SILENCE_MS) // _CHUNK_MS):
                await self.send_audio(silence)
            async for event in committed:
                if getattr(turn_detection, "create_response", None) is False:
                    await self.create_response(timeout_s=timeout_s)
                return event.item_id
        raise self._engine.protocol.connection.closed_error()

    async def _respond(
        self,
        params: ResponseCreateParams | None,
        additional_instructions: str | None = None,
        *,
        kind: Kind = Kind.ANSWER,
        interruptible: bool = True,
        confirm: bool = True,
        timeout_s: float | None = None,
    ) -> ResponseHandle:
        self._refuse_when_closed()
        wish_id, handle = self._engine.want(params, additional_instructions, kind=kind, interruptible=interruptible)
        if not confirm:
            return handle
        limit_s = self._options.confirm_timeout_s if timeout_s is None else timeout_s
        try:
            async with asyncio.timeout(limit_s):
                await handle.began()
        except TimeoutError:
            self._engine.give_up(wish_id)
            raise ConfirmationTimeoutError("response.create", limit_s) from None
        except asyncio.CancelledError:
            self._engine.give_up(wish_id)
            raise
        return handle

    def verbatim(self, text: str) -> ResponseCreateParams:
        """Settings of a response that says a text word for word; raises as ``say`` does."""
        voice = self.config.voice
        if isinstance(voice, str) or (voice is not None and voice.type == "openai"):
            name = voice if isinstance(voice, str) else getattr(voice, "name", "")
            raise ConfigurationError(
                f"a text cannot be said word for word with the OpenAI voice {str(name)!r}; "
                "choose an Azure voice, or give instructions"
            )
        message = AssistantMessageItem(content=[OutputTextContentPart(text=text)])
        return ResponseCreateParams(pre_generated_assistant_message=message)


def _reply(turn: Turn, audio: dict[str, list[bytes]]) -> Reply:
    voice = b"".join(piece for response_id in turn.response_ids for piece in audio.get(response_id, ()))
    return Reply(turn.agent_text, voice, turn.tool_calls, turn.usage, turn.status, turn)
