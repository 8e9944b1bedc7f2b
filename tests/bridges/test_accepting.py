"""What comes before a call: who is let in, and that the stream tells what it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from tests.support.callers import AcsCaller, AudioHookCaller, TwilioCaller, answered

from voicelive.bridges import AcsToken, Call, acs, audiohook, twilio
from voicelive.errors import CallRefusedError, ConfigurationError

pytestmark = [pytest.mark.looptime, pytest.mark.timeout(10)]


class Door:
    """A server that accepts a call and does nothing with it."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: list[Call[Any]] = []
        self.refusals: list[CallRefusedError] = []
        self.leave = asyncio.Event()


@asynccontextmanager
async def door(accept: Any) -> AsyncIterator[Door]:
    place = Door()

    async def answer(socket: Any) -> None:
        accepting: AbstractAsyncContextManager[Call[Any]] = accept(socket)
        try:
            async with accepting as call:
                place.calls.append(call)
                await place.leave.wait()
        except CallRefusedError as refusal:
            place.refusals.append(refusal)

    async with answered(answer) as place.url:
        yield place
        place.leave.set()


async def test_a_stream_that_never_starts_is_refused_after_a_bound() -> None:
    async with (
        door(lambda socket: twilio.accept(socket, start_timeout_s=4)) as place,
        TwilioCaller(place.url) as caller,
    ):
        await caller.say({"event": "connected"})
        await caller.send_audio(b"")
        await caller.socket.wait_closed()

    (refusal,) = place.refusals
    assert str(refusal) == "no start message within 4 s (no_start)"
    assert caller.socket.close_code == 1002
    assert asyncio.get_running_loop().time() == pytest.approx(4, abs=1)


async def test_a_socket_that_ends_before_its_start_is_refused_at_once() -> None:
    async with door(twilio.accept) as place, TwilioCaller(place.url) as caller:
        await caller.socket.close()
        while not place.refusals:  # noqa: ASYNC110 - of another task
            await asyncio.sleep(0.01)

    assert place.refusals[0].reason == "no_start"


async def test_a_stream_that_cannot_be_served_is_refused() -> None:
    async with door(acs.accept) as place, AcsCaller(place.url, 8000) as caller:
        await caller.start()
        await caller.socket.wait_closed()

    (refusal,) = place.refusals
    assert (refusal.reason, caller.socket.close_code) == ("unsupported", 1003)
    assert "8000 Hz" in refusal.message


async def test_the_start_message_is_there_before_any_session() -> None:
    async with door(twilio.accept) as place, TwilioCaller(place.url, {"tenant": "demo"}) as caller:
        await caller.start()
        while not place.calls:  # noqa: ASYNC110 - of another task
            await asyncio.sleep(0.01)
        (call,) = place.calls

        assert call.start.parameters == {"tenant": "demo"}
        assert call.start.call_sid == TwilioCaller.CALL
        place.leave.set()
        await caller.socket.wait_closed()

    assert (caller.socket.close_code, call.end.how if call.end else None) == (1000, "hung_up")


async def test_a_probe_of_audiohook_is_answered_without_a_session() -> None:
    async with door(audiohook.accept) as place, AudioHookCaller(place.url, conversation=AudioHookCaller.NULL) as caller:
        await caller.start()
        await caller.event("ping")
        await caller.until(lambda: caller.pongs)
        await caller.hang_up()
        (call,) = place.calls
        assert call.start.is_probe
        place.leave.set()

    assert call.end is not None
    assert call.end.how == "caller"


def reads(caller: str) -> Any:
    def validate(token: str) -> str:
        if token != caller:
            raise LookupError("no such token")
        return token

    return AcsToken(validate)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer bad"}])
async def test_a_request_that_proves_nothing_is_refused(headers: dict[str, str]) -> None:
    async with (
        door(lambda socket: acs.accept(socket, authenticate=reads("good"))) as place,
        AcsCaller(place.url, headers=headers) as caller,
    ):
        await caller.socket.wait_closed()

    (refusal,) = place.refusals
    assert (refusal.reason, caller.socket.close_code) == ("unauthorized", 1008)


async def test_a_request_that_proves_where_it_comes_from_is_let_in() -> None:
    async with (
        door(lambda socket: acs.accept(socket, authenticate=reads("good"))) as place,
        AcsCaller(place.url, headers={"Authorization": "Bearer good"}) as caller,
    ):
        await caller.start()
        while not place.calls:  # noqa: ASYNC110 - of another task
            await asyncio.sleep(0.01)

    assert not place.refusals


class Own:
    """A socket of somebody's own, which knows no request and breaks."""

    def __init__(self) -> None:
        self.closed: list[int] = []

    async def receive(self) -> str | bytes | None:
        raise LookupError("a mistake of the adapter")

    async def send_text(self, text: str, /) -> None:
        raise LookupError("a mistake of the adapter")

    async def send_bytes(self, data: bytes, /) -> None:
        raise LookupError("a mistake of the adapter")

    async def close(self, code: int, reason: str, /) -> None:
        self.closed.append(code)


async def test_a_socket_without_a_request_cannot_be_authenticated() -> None:
    with pytest.raises(ConfigurationError, match="pass upgrade="):
        async with twilio.accept(Own(), authenticate=lambda _: True):
            pass


async def test_a_socket_that_breaks_is_a_lost_line(caplog: pytest.LogCaptureFixture) -> None:
    own = Own()

    with pytest.raises(CallRefusedError, match="before its start"):
        async with twilio.accept(own):
            pass

    assert own.closed == [1002]
    assert "could not read its socket: LookupError" in caplog.text


async def test_an_exception_of_the_application_ends_the_call_with_an_error() -> None:
    async def answer(socket: Any) -> None:
        async with audiohook.accept(socket):
            raise LookupError("a bug of the application")

    callers = []

    async def call() -> None:
        async with answered(answer) as url, AudioHookCaller(url) as caller:
            callers.append(caller)
            await caller.start()
            await caller.socket.wait_closed()

    with pytest.raises(LookupError, match="a bug"):
        await call()

    assert callers[0].said[1]["parameters"] == {"reason": "error", "info": "LookupError"}
