"""One connection of a proxy, acted on alone."""

from __future__ import annotations

import asyncio
import socket

import pytest
from tests.support.sockets import dial, echo, passes, served, turns

from voicelive.testing import FaultProxy, ProxiedConnection
from voicelive.testing.controls import Faults, Way

NO_FAULTS: dict[Way, Faults] = {"up": Faults(), "down": Faults()}


async def test_one_connection_can_be_broken_alone() -> None:
    async with served(echo) as address, FaultProxy(address) as proxy:
        ends = [await dial(proxy.endpoint) for _ in range(2)]
        for reader, writer in ends:
            assert await passes((writer, reader))
        first, second = proxy.connections
        first.reset()
        second.shape(slice_bytes=1)

        with pytest.raises(ConnectionResetError):
            await ends[0][0].read()
        assert await passes((ends[1][1], ends[1][0]))
        assert (first.open, second.open) == (False, True)
        second.fin("down")
        assert await ends[1][0].read() == b""
        ends[1][1].close()
        ends[0][1].close()


async def test_what_is_ordered_for_one_connection_leaves_later_ones_alone() -> None:
    async with served(echo) as address, FaultProxy(address) as proxy:
        reader, writer = await dial(proxy.endpoint)
        assert await passes((writer, reader))
        proxy.connections[0].black_hole()
        later_in, later_out = await dial(proxy.endpoint)

        assert await passes((later_out, later_in))
        assert (proxy.connections[0].up_bytes, proxy.connections[1].up_bytes) == (4, 4)
        proxy.connections[0].heal()
        assert await passes((writer, reader))
        for each in (writer, later_out):
            each.close()


async def test_a_connection_can_end_before_it_has_begun() -> None:
    async with served(echo) as address:
        host, _, port = address.partition(":")
        connection = ProxiedConnection((host, int(port)), NO_FAULTS, None)
        connection.reset()
        ended = asyncio.create_task(connection.close())
        await turns()
        assert not ended.done()
        ours, theirs = socket.socketpair()
        with theirs:
            await asyncio.get_running_loop().create_connection(connection.admit, sock=ours)
            await ended
            assert theirs.recv(1) == b""
    assert not connection.open
