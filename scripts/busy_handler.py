"""Let voicelive and azure-ai-voicelive receive 600 events while their handler is busy, and print what arrives.

    python scripts/busy_handler.py [--full] [--ping-s SECONDS]

Asked for a response, a server sends a long one, spread over the time for which the handler is busy, and pings as the
``websockets`` package does by default, only faster. After the first event the handler waits, without blocking the event
loop, for longer than the server waits for a pong. Each client has its default settings, except that voicelive may not
resume: a second connection would hide the loss of the first one. The exit status tells whether voicelive delivered
everything.
"""

import argparse
import asyncio
import contextlib
import sys
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from azure.ai.voicelive.aio import connect
from azure.ai.voicelive.models import ServerEventResponseAudioDelta
from azure.core.credentials import AzureKeyCredential
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from voicelive import ClientOptions, VoiceLiveClient, wire

EVENTS: Final = 600
DELTA_MS: Final = 100  # 4,800 bytes of pcm16 at 24 kHz, 6.4 kB as base64
PINGS_S: Final = 20.0  # the default of websockets, for the interval and for the timeout
BUSY_S: Final = 52.0
SCALED_PINGS_S: Final = 1.0

_MODEL: Final = "gpt-realtime"
_GRACE_S: Final = 10.0  # for the events that come once the handler is free again, and for the end of a lost connection


@dataclass(frozen=True)
class Pace:
    """When the server pings, how long it waits for a pong, and how long the handler is busy."""

    ping_s: float
    busy_s: float

    @classmethod
    def scaled(cls, ping_s: float) -> "Pace":
        """Busy for three times as long as the server waits."""
        return cls(ping_s, 3 * (ping_s + ping_s))


@dataclass
class Outcome:
    """What came of one client.

    Attributes:
        client: Its name.
        events: How many events its handler was given.
        end: How its loop ended.
        close: How the server saw the connection end.
    """

    client: str
    events: int = 0
    end: str = ""
    close: str = ""


async def with_voicelive(endpoint: str, busy_s: float, outcome: Outcome) -> None:
    """Handle all events with voicelive."""
    client = VoiceLiveClient(endpoint, "key", options=ClientOptions(resume=None))
    async with client, client.connect(_MODEL) as session:
        events = aiter(session)
        await anext(events)  # from now on the stream keeps audio, too
        await session.create_response(confirm=False)
        async for event in events:
            if isinstance(event, wire.ResponseAudioDelta):
                await _handle(outcome, busy_s)
                if outcome.events == EVENTS:
                    break


async def with_official(endpoint: str, busy_s: float, outcome: Outcome) -> None:
    """The same with azure-ai-voicelive."""
    async with connect(endpoint=endpoint, credential=AzureKeyCredential("key"), model=_MODEL) as connection:
        await connection.response.create()
        async for event in connection:
            if isinstance(event, ServerEventResponseAudioDelta):
                await _handle(outcome, busy_s)
                if outcome.events == EVENTS:
                    break


async def _handle(outcome: Outcome, busy_s: float) -> None:
    outcome.events += 1
    if outcome.events == 1:
        await asyncio.sleep(busy_s)


CLIENTS: Final[dict[str, Callable[[str, float, Outcome], Awaitable[None]]]] = {
    "voicelive": with_voicelive,
    "azure-ai-voicelive": with_official,
}


async def compare(pace: Pace) -> list[Outcome]:
    """Run both clients at the same time, each with a server of its own."""
    return list(await asyncio.gather(*(_run(name, pace) for name in CLIENTS)))


async def _run(name: str, pace: Pace) -> Outcome:
    outcome = Outcome(name)
    async with _server(pace, outcome) as endpoint:
        try:
            async with asyncio.timeout(pace.busy_s + _GRACE_S):
                await CLIENTS[name](endpoint, pace.busy_s, outcome)
            outcome.end = "all delivered" if outcome.events == EVENTS else "without an error"
        except TimeoutError:
            outcome.end = "nothing more came"
        except Exception as error:  # what it raises is what is to be shown
            outcome.end = f"raised {type(error).__name__}"
    return outcome


@contextlib.asynccontextmanager
async def _server(pace: Pace, outcome: Outcome) -> AsyncIterator[str]:
    over = asyncio.Event()

    async def play(line: ServerConnection) -> None:
        try:
            await line.send('{"type":"session.created","event_id":"event_0","session":{"id":"sess_1"}}')
            await line.recv()
            for number in range(1, EVENTS + 1):
                await line.send(_delta(number))
                await asyncio.sleep(pace.busy_s / EVENTS)
            await line.wait_closed()
        except ConnectionClosed:
            pass
        finally:
            outcome.close = f"{line.close_code} {line.close_reason}".rstrip()
            over.set()

    options: dict[str, Any] = {"ping_interval": pace.ping_s, "ping_timeout": pace.ping_s, "close_timeout": 1}
    async with serve(play, "127.0.0.1", 0, compression=None, **options) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with asyncio.timeout(_GRACE_S):
            await over.wait()


def _delta(number: int) -> str:
    audio = b64encode(number.to_bytes(2, "big") * (DELTA_MS * 24)).decode()
    place = '"response_id":"resp_1","item_id":"item_1","output_index":0,"content_index":0'
    return f'{{"type":"response.audio.delta","event_id":"event_{number}",{place},"delta":"{audio}"}}'


def table(outcomes: list[Outcome]) -> Table:
    """One row for each client."""
    shown = Table(box=SIMPLE_HEAD, show_edge=False)
    for title in ("client", "events", "how its loop ended", "what the server saw"):
        shown.add_column(title)
    for outcome in outcomes:
        shown.add_row(outcome.client, f"{outcome.events} of {EVENTS}", outcome.end, outcome.close)
    return shown


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(description="Receive 600 events while the handler is busy, with both clients.")
    parser.add_argument("--full", action="store_true", help="pings at the default of 20 s, a handler busy for 52 s")
    parser.add_argument("--ping-s", type=float, default=SCALED_PINGS_S, help="interval of the pings (default: 1)")
    wanted = parser.parse_args()
    pace = Pace(PINGS_S, BUSY_S) if wanted.full else Pace.scaled(wanted.ping_s)
    console = Console()
    console.print(
        f"{EVENTS} events; pings every {pace.ping_s:g} s, pong within {pace.ping_s:g} s; busy {pace.busy_s:g} s"
    )
    outcomes = asyncio.run(compare(pace))
    console.print(table(outcomes))
    return 0 if outcomes[0].events == EVENTS else 1


if __name__ == "__main__":
    sys.exit(main())
