"""Conversations of agents: continued by name, apart from each other, and not kept for ever."""

from __future__ import annotations

import time
from typing import Any

import pytest

from voicelive import Agent, SessionConfig, VoiceLiveClient, wire
from voicelive.testing import Emulator, Heard, Pace, Script, Turn
from voicelive.testing.handshake import admit
from voicelive.testing.history import History
from voicelive.testing.ids import Ids
from voicelive.testing.items import CallItem, MessageItem
from voicelive.testing.threads import Threads

AGENT = "api-version=2026-07-15&agent-name=helper&agent-project-name=p"
TARGET = "/voice-live/realtime?" + AGENT


def thread(threads: Threads, number: int, query: str = "") -> tuple[str | None, History]:
    return threads.of(admit(TARGET + query, {"api-key": "k"}, api_key=None), Ids(number))


class Token:
    """A credential for agents."""

    token, expires_on = "t0ken", int(time.time()) + 3600


class Credential:
    def get_token(self, *scopes: str, **options: Any) -> Token:
        return Token()


def test_a_new_conversation_gets_a_name_of_its_own() -> None:
    threads = Threads()
    (first, items), (second, others) = thread(threads, 1), thread(threads, 2)

    assert first is not None
    assert first != second
    assert items is not others


def test_a_conversation_is_continued_by_its_name() -> None:
    threads = Threads()
    name, items = thread(threads, 1)
    assert thread(threads, 2, f"&conversation-id={name}") == (name, items)


def test_a_session_gives_out_no_id_of_the_conversation_that_it_continues() -> None:
    threads = Threads()
    name, items = thread(threads, 1)
    items.add(CallItem("item_s2_0001", "f", "call_s2_0002"))
    ids = Ids(2)
    threads.of(admit(f"{TARGET}&conversation-id={name}", {"api-key": "k"}, api_key=None), ids)

    assert (ids.item(), ids.call()) == ("item_s2_0002", "call_s2_0003")


def test_a_name_from_elsewhere_begins_an_empty_conversation() -> None:
    threads = Threads()
    name, items = thread(threads, 1, "&conversation-id=conv_abc")
    assert (name, len(items)) == ("conv_abc", 0)
    assert thread(threads, 2, "&conversation-id=conv_abc")[1] is items


def test_without_an_agent_there_is_no_thread() -> None:
    target = "/voice-live/realtime?api-version=1&model=m&conversation-id=conv_abc"
    threads = Threads()
    name, items = threads.of(admit(target, {"api-key": "k"}, api_key=None), Ids(1))

    assert name is None
    assert thread(threads, 2, "&conversation-id=conv_abc")[1] is not items


def test_the_conversations_used_last_are_kept() -> None:
    threads = Threads()
    _, used_again = thread(threads, 1, "&conversation-id=a")
    _, forgotten = thread(threads, 2, "&conversation-id=b")
    thread(threads, 3, "&conversation-id=a")
    for number in range(99):
        thread(threads, number + 4)

    assert thread(threads, 200, "&conversation-id=a")[1] is used_again
    assert thread(threads, 201, "&conversation-id=b")[1] is not forgotten


async def test_an_agent_remembers_the_conversation_of_a_session_that_broke_off(dial: Any) -> None:
    heard: list[str] = []

    def note(said: Heard) -> Turn:
        heard.append(said.text)
        return Turn("As I said.")

    async with Emulator(Script("We open at nine.", then=note)) as emulator:
        peer = await dial(emulator, query=AGENT)
        thread_id = peer.events[0]["session"]["agent"]["thread_id"]
        await peer.update(modalities=["text"])
        await peer.ask("When do you open?")
        emulator.sessions[0].abort()
        again = await dial(emulator, query=f"{AGENT}&conversation-id={thread_id}")
        begun_with = emulator.sessions[1].conversation
        await again.send("response.create")
        await again.until("response.done")
        other = await dial(emulator, query=AGENT)

    assert again.events[0]["session"]["agent"] == {
        "type": "agent",
        "name": "helper",
        "agent_id": "helper",
        "thread_id": thread_id,
    }
    assert [item.type for item in begun_with] == ["message", "message"]
    assert heard == ["When do you open?"]
    assert other.events[0]["session"]["agent"]["thread_id"] != thread_id
    assert emulator.sessions[2].conversation == []


@pytest.mark.looptime
async def test_what_a_broken_session_left_unsaid_stays_incomplete(dial: Any) -> None:
    async with Emulator(Script("We open at nine."), pace=Pace(text_delta_s=1)) as emulator:
        peer = await dial(emulator, query=f"{AGENT}&conversation-id=a")
        await peer.update(modalities=["text"])
        await peer.send("response.create")
        await peer.one("response.text.delta")
        emulator.sessions[0].abort()
        await peer.socket.wait_closed()
        await dial(emulator, query=f"{AGENT}&conversation-id=a")
        [item] = emulator.sessions[1].conversation

    assert isinstance(item, wire.ResponseMessageItem)
    assert item.status == "incomplete"


async def test_the_client_continues_a_conversation_of_an_agent() -> None:
    config = SessionConfig(modalities=["text"])
    script = Script("Hello!", "Again!")
    async with Emulator(script) as emulator, VoiceLiveClient(emulator.endpoint, Credential()) as client:
        async with client.connect(agent=Agent("helper", "p"), config=config) as session:
            await session.ask("Hi")
            [created] = emulator.sessions[0].sent_of(wire.SessionCreated)
            assert created.session.agent is not None
        agent = Agent("helper", "p", conversation_id=created.session.agent.thread_id)
        async with client.connect(agent=agent, config=config) as session:
            await session.ask("Me again")
        items = emulator.sessions[1].history

    said = [item.words for item in items if isinstance(item, MessageItem)]
    assert said == ["Hi", "Hello!", "Me again", "Again!"]
