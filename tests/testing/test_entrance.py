"""A port that refuses and accepts: at once, on one number, and without anything left behind."""

from __future__ import annotations

import asyncio
import socket

import pytest
from tests.support.sockets import dial, turns

from voicelive.testing.entrance import Entrance


class Greeter(asyncio.Protocol):
    """Says hello and hangs up."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        transport.write(b"hello")
        transport.close()


async def greeting(entrance: Entrance) -> bytes:
    host, port = entrance.address
    reader, writer = await dial(f"{host}:{port}")
    try:
        return await reader.read()
    finally:
        writer.close()


async def opened() -> Entrance:
    entrance = Entrance(Greeter)
    await entrance.open("127.0.0.1", 0)
    return entrance


async def test_it_refuses_and_accepts_on_one_port() -> None:
    entrance = await opened()
    address = entrance.address
    for _ in range(2):
        assert await greeting(entrance) == b"hello"
        entrance.refuse()
        with pytest.raises(ConnectionRefusedError):
            await greeting(entrance)
        entrance.accept()
    assert entrance.address == address
    await entrance.close()


async def test_the_last_word_counts() -> None:
    entrance = await opened()
    for accepts in (False, False, True, True, False, True):
        (entrance.accept if accepts else entrance.refuse)()
    assert await greeting(entrance) == b"hello"
    for accepts in (False, True, False):
        (entrance.accept if accepts else entrance.refuse)()
    with pytest.raises(ConnectionRefusedError):
        await greeting(entrance)
    await entrance.close()


async def test_a_port_that_refuses_is_still_taken() -> None:
    entrance = await opened()
    entrance.refuse()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(entrance.address)
    await entrance.close()


@pytest.mark.parametrize("waiting", [0, 1, 2])
async def test_closing_ends_what_an_accept_has_started(waiting: int) -> None:
    entrance = await opened()
    entrance.refuse()
    entrance.accept()
    await turns(waiting)
    await entrance.close()
    await entrance.close()

    assert asyncio.all_tasks() == {asyncio.current_task()}
    with pytest.raises(ConnectionRefusedError):
        await greeting(entrance)


async def test_before_and_after_its_time_it_does_nothing() -> None:
    entrance = Entrance(Greeter)
    entrance.refuse()
    entrance.accept()
    await entrance.open("127.0.0.1", 0)
    await entrance.close()
    entrance.accept()
    entrance.refuse()

    with pytest.raises(ConnectionRefusedError):
        await greeting(entrance)


async def test_it_listens_on_ipv6_too() -> None:
    entrance = Entrance(Greeter)
    try:
        await entrance.open("::1", 0)
    except OSError:
        pytest.skip("no IPv6 on this machine")
    reader, writer = await asyncio.open_connection(*entrance.address)
    assert await reader.read() == b"hello"
    writer.close()
    await entrance.close()
