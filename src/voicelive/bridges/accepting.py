"""From a WebSocket to a call: who is let in, and what has to come first."""

from __future__ import annotations

import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from typing import Final, TypeAlias, TypeVar

from voicelive.bridges.call import Call, Companion
from voicelive.bridges.limits import CallLimit
from voicelive.bridges.line import Line
from voicelive.bridges.socket import adapt
from voicelive.bridges.trunk import Trunk
from voicelive.bridges.upgrade import Upgrade
from voicelive.errors import CallRefusedError

__all__ = ["START_TIMEOUT_S", "Authenticate", "accepted"]

log = logging.getLogger("voicelive")

_S = TypeVar("_S")

Authenticate: TypeAlias = Callable[[Upgrade], bool | Awaitable[bool]]
"""Says whether a request comes from the provider; must not take long."""

START_TIMEOUT_S: Final = 10.0

# RFC 6455, 7.4.1; 1013 is registered for servers that are too busy
_CLOSE_CODES: Final = {
    "unauthorized": 1008,
    "too_many_calls": 1013,
    "draining": 1013,
    "no_start": 1002,
    "unsupported": 1003,
}
_INTERNAL_ERROR: Final = 1011


@asynccontextmanager
async def accepted(
    line: Line[_S],
    websocket: object,
    *,
    authenticate: Authenticate | None,
    upgrade: Upgrade | None,
    limit: CallLimit | None,
    start_timeout_s: float,
    companions: Sequence[Companion] = (),
) -> AsyncIterator[Call[_S]]:
    """A call over this socket, once its start message has come; leaving the block ends the call."""
    socket = adapt(websocket)
    with ExitStack() as stack:
        try:
            if authenticate is not None:
                await _admit(authenticate, upgrade or Upgrade.of(websocket))
            place = stack.enter_context((limit or CallLimit()).place())
        except CallRefusedError as refusal:
            await socket.close(_CLOSE_CODES[refusal.reason], refusal.message)
            raise
        trunk = Trunk(socket, line)
        place.ends_by(trunk.finish)
        async with _wound_up(trunk):
            await trunk.started(start_timeout_s)
            yield Call(trunk, companions)


@asynccontextmanager
async def _wound_up(trunk: Trunk[_S]) -> AsyncIterator[None]:
    try:
        yield
    except BaseException as error:
        code = _CLOSE_CODES[error.reason] if isinstance(error, CallRefusedError) else _INTERNAL_ERROR
        await trunk.wind_up("hung_up", type(error).__name__, code)
        raise
    await trunk.wind_up("hung_up")


async def _admit(authenticate: Authenticate, upgrade: Upgrade) -> None:
    try:
        verdict = authenticate(upgrade)
        admitted = await verdict if inspect.isawaitable(verdict) else verdict
    except Exception as error:  # validators of tokens say no by raising
        log.warning("= a call was refused: %s", type(error).__name__)
        raise CallRefusedError("the request does not prove where it comes from", "unauthorized") from error
    if not admitted:
        raise CallRefusedError("the request does not prove where it comes from", "unauthorized")
