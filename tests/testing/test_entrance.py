"""A port that refuses and accepts: at once, on one number, and without anything left behind."""

from __future__ import annotations

import asyncio
import errno
import gc
import socket
from collections.abc import Awaitable, Callable
from typing import Any

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
    entrance.open("127.0.0.1", 0)
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


async def test_the_last_word_counts(loop_complaints: list[dict[str, Any]]) -> None:
    entrance = await opened()
    for accepts in (False, False, True, True, False, True):
        (entrance.accept if accepts else entrance.refuse)()
    assert await greeting(entrance) == b"hello"
    for accepts in (False, True, False):
        (entrance.accept if accepts else entrance.refuse)()
    with pytest.raises(ConnectionRefusedError):
        await greeting(entrance)
    await entrance.close()
    gc.collect()
    assert not loop_complaints


async def test_a_port_that_refuses_is_still_taken() -> None:
    entrance = await opened()
    entrance.refuse()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(entrance.address)
    await entrance.close()


@pytest.mark.parametrize("end", [Entrance.close, Entrance.refuse])
@pytest.mark.parametrize("waiting", range(5))
async def test_a_connection_that_was_taken_is_served_and_another_is_reset(
    waiting: int, end: Callable[[Entrance], Awaitable[None] | None]
) -> None:
    entrance = await opened()
    with socket.create_connection(entrance.address, timeout=5) as client:
        await turns(waiting)
        await (end(entrance) or turns())
        try:
            assert client.recv(5) == b"hello"
        except ConnectionResetError:
            assert waiting < 2
    await entrance.close()
    await entrance.close()

    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("error", [BlockingIOError(), ConnectionAbortedError()])
async def test_a_client_that_changed_its_mind_is_nothing(error: OSError, monkeypatch: pytest.MonkeyPatch) -> None:
    entrance = await opened()
    once = iter([error])
    real = socket.socket.accept

    def accept(bound: socket.socket) -> Any:
        for each in once:
            raise each
        return real(bound)

    monkeypatch.setattr(socket.socket, "accept", accept)
    assert await greeting(entrance) == b"hello"
    await entrance.close()


async def test_without_descriptors_it_refuses_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def accept(bound: socket.socket) -> Any:
        raise OSError(errno.EMFILE, "Too many open files")

    entrance = await opened()
    monkeypatch.setattr(socket.socket, "accept", accept)
    with pytest.raises(ConnectionResetError):
        await greeting(entrance)
    with pytest.raises(ConnectionRefusedError):
        await greeting(entrance)
    await entrance.close()

    assert caplog.text.count("Too many open files") == 1


async def test_before_and_after_its_time_it_does_nothing() -> None:
    entrance = Entrance(Greeter)
    entrance.refuse()
    entrance.accept()
    entrance.open("127.0.0.1", 0)
    await entrance.close()
    entrance.accept()
    entrance.refuse()

    with pytest.raises(ConnectionRefusedError):
        await greeting(entrance)


async def test_it_listens_on_ipv6_too() -> None:
    entrance = Entrance(Greeter)
    try:
        entrance.open("::1", 0)
    except OSError:
        pytest.skip("no IPv6 on this machine")
    reader, writer = await asyncio.open_connection(*entrance.address)
    assert await reader.read() == b"hello"
    writer.close()
    await entrance.close()


async def test_what_is_sent_to_a_client_does_not_wait_for_acknowledgements() -> None:
    accepted: list[socket.socket] = []

    class Look(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            accepted.append(transport.get_extra_info("socket"))
            assert transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            transport.close()

    entrance = Entrance(Look)
    entrance.open("127.0.0.1", 0)
    assert await greeting(entrance) == b""
    assert accepted
    await entrance.close()
