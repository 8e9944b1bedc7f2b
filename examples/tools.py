"""Five tools at once: one is quick, one slow, and three fail. All are answered, and the agent speaks once about them.

Talks to the service when AZURE_VOICELIVE_ENDPOINT is set, otherwise to the emulator, where a script plays the model.
"""

import asyncio
import logging
import os
import time
from typing import Annotated

from pydantic import Field

from voicelive import ToolError, ToolSet, VoiceLiveClient, tool
from voicelive.events import AgentTranscript, ToolCallFinished, ToolCallStarted, TurnFinished
from voicelive.testing import Call, Emulator, Pace, Script, Turn

QUESTION = "Look up everything about the red bicycle at once: hours, stock, price, delivery to Lisbon, and reserve two."
CALLS = [
    Call("opening_hours"),
    Call("count_stock", {"product": "red bicycle"}),
    Call("look_up_price", {"product": "red bicycle"}),
    Call("reserve", {"product": "red bicycle", "pieces": "two"}),
    Call("estimate_delivery", {"city": "Lisbon"}),
]
PRODUCTS = {"red bicycle"}
REPLY = "We are open until six, and three red bicycles are here. I could not find out the rest."


@tool
async def opening_hours() -> dict[str, str]:
    """When the shop is open today."""
    await asyncio.sleep(0.2)
    return {"opens": "09:00", "closes": "18:00"}


@tool
def count_stock(product: str) -> int:
    """How many pieces are in stock."""
    time.sleep(2)  # a function that blocks is run in a thread
    return 3


@tool
def look_up_price(product: str) -> float:
    """The price in euros."""
    raise ConnectionError("db-7.internal refused user 'shop'")  # the model learns that it failed, and nothing of this


@tool
async def reserve(product: str, pieces: Annotated[int, Field(ge=1, le=10)]) -> str:
    """Put pieces of a product aside until tomorrow."""
    if product not in PRODUCTS:  # the model wrote the arguments, and a caller may have talked it into any
        raise ToolError("There is no such product.")
    return f"{pieces} x {product} reserved"


@tool(timeout_s=1)
async def estimate_delivery(city: str) -> str:
    """On which day the carrier delivers."""
    await asyncio.sleep(60)
    return "never reached"


async def talk(client: VoiceLiveClient) -> None:
    tools = ToolSet(opening_hours, count_stock, look_up_price, reserve, estimate_delivery)
    async with client, client.connect("gpt-realtime", tools=tools) as session:
        print(f"caller: {QUESTION}\n")
        await session.send_text(QUESTION)
        await session.create_response()
        async for event in session:
            match event:
                case ToolCallStarted():
                    print(f"  {event.name}: started")
                case ToolCallFinished(failure=failure):
                    what = failure.kind if failure else "answered"
                    print(f"  {event.name}: {what} after {event.duration_s:.1f} s: {event.output}")
                case AgentTranscript():
                    print(f"\n agent: {event.text}\n")
                case TurnFinished(turn=turn):
                    answered = sum(call.output is not None for call in turn.tool_calls)
                    follow_ups = len(turn.response_ids) - 1
                    print(f"{len(turn.tool_calls)} calls, {answered} answered, {follow_ups} follow-up response.")
                    break


async def main() -> None:
    if os.environ.get("AZURE_VOICELIVE_ENDPOINT"):
        await talk(VoiceLiveClient.from_env())
    else:
        async with Emulator(Script(Turn(calls=CALLS, reply_after_calls=REPLY)), pace=Pace.measured()) as emulator:
            await talk(VoiceLiveClient(emulator.endpoint, "any-key"))


if __name__ == "__main__":
    logging.getLogger("voicelive").setLevel(logging.ERROR)  # failed calls are also logged, as warnings
    asyncio.run(main())
