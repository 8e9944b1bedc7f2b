"""Faults of the transport over real sockets: what they do, in which direction, and what they leave behind."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from typing import Any, Literal

import pytest
import trustme
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.sockets import dial, echo, passes, served, turns, until, unused_port

from voicelive import ClientOptions, HandshakeRetry, SessionConfig, VoiceLiveClient, wire
from voicelive.errors import ConnectFailedError, ConnectionLostError
from voicelive.testing import Emulator, FaultProxy, ProxiedConnection, Script

TEXT_ONLY = SessionConfig(modalities=["text"])
ONE_TRY = ClientOptions(handshake_retry=HandshakeRetry(attempts=1))
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
WAYS: list[Literal["up", "down"]] = ["up", "down"]


class Wire:
    """A client and a server, joined by a proxy; each end is a reader and a writer."""

    def __init__(self, proxy: FaultProxy, ends: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]) -> None:
        self.proxy = proxy
        (self.client_in, self.client_out), (self.server_in, self.server_out) = ends

    @property
    def connection(self) -> ProxiedConnection:
        return self.proxy.connections[-1]

    def along(self, way: str) -> tuple[asyncio.StreamWriter, asyncio.StreamReader]:
        """Where to write and where to read, for one direction."""
        return (self.client_out, self.server_in) if way == "up" else (self.server_out, self.client_in)

    def against(self, way: str) -> tuple[asyncio.StreamWriter, asyncio.StreamReader]:
        return self.along("down" if way == "up" else "up")


@pytest.fixture
async def line(loop_complaints: list[dict[str, Any]]) -> AsyncIterator[Wire]:
    """One client joined to one server; afterwards nothing may be left."""
    accepted: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.put_nowait((reader, writer))

    async with served(accept) as address, FaultProxy(address, seed=7) as proxy:
        client = await dial(proxy.endpoint)
        joined = Wire(proxy, [client, await accepted.get()])
        yield joined
    for writer in (joined.client_out, joined.server_out):
        writer.transport.abort()
    await turns()
    assert not asyncio.all_tasks() - {asyncio.current_task()}, "the proxy must end its tasks"
    assert not joined.connection.open
    assert not loop_complaints


async def test_a_plain_proxy_passes_bytes_and_counts_them(line: Wire) -> None:
    assert await passes(line.along("up"), b"12345")
    assert await passes(line.along("down"), b"123")

    assert (line.connection.up_bytes, line.connection.down_bytes) == (5, 3)
    assert line.connection.open


@pytest.mark.parametrize("way", WAYS)
async def test_half_a_close_passes_and_the_other_half_goes_on(line: Wire, way: str) -> None:
    writer, reader = line.along(way)
    writer.write(b"last words")
    writer.write_eof()

    assert await reader.read() == b"last words"
    assert await passes(line.against(way))
    back, heard = line.against(way)
    back.close()
    assert await heard.read() == b""
    await until(lambda: not line.connection.open)


@pytest.mark.parametrize("way", WAYS)
async def test_a_reset_of_one_peer_reaches_the_other(line: Wire, way: str) -> None:
    writer, reader = line.along(way)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    writer.transport.abort()

    with pytest.raises(ConnectionResetError):
        await reader.read()
    await until(lambda: not line.connection.open)


@pytest.mark.looptime
@pytest.mark.parametrize("way", WAYS)
async def test_latency_delays_one_direction_only(line: Wire, way: Literal["up", "down"]) -> None:
    clock = asyncio.get_running_loop()
    line.proxy.shape(way, latency_s=10)

    started_s = clock.time()
    assert await passes(line.against(way))
    assert clock.time() - started_s < 1
    started_s = clock.time()
    assert await passes(line.along(way))
    assert 10 <= clock.time() - started_s < 11


@pytest.mark.looptime
async def test_latency_is_no_limit_of_the_rate(line: Wire) -> None:
    clock = asyncio.get_running_loop()
    line.proxy.shape("up", latency_s=10)
    started_s = clock.time()
    for _ in range(20):
        line.client_out.write(bytes(1000))
        await asyncio.sleep(0.1)
    await line.server_in.readexactly(20_000)

    assert clock.time() - started_s < 13


@pytest.mark.looptime
@pytest.mark.parametrize("way", WAYS)
async def test_a_limited_rate_is_kept(line: Wire, way: Literal["up", "down"]) -> None:
    clock = asyncio.get_running_loop()
    line.proxy.shape(way, rate_bytes_per_s=1000)
    started_s = clock.time()

    assert await passes(line.against(way), bytes(5000))
    assert clock.time() - started_s < 1
    assert await passes(line.along(way), bytes(5000))
    assert 4.9 < clock.time() - started_s < 6


@pytest.mark.looptime
async def test_jitter_is_repeatable_with_a_seed() -> None:
    async def arrivals(seed: int) -> list[float]:
        clock = asyncio.get_running_loop()
        async with served(echo) as address, FaultProxy(address, seed=seed) as proxy:
            proxy.shape("up", jitter_s=5)
            reader, writer = await dial(proxy.endpoint)
            moments = []
            for _ in range(5):
                started_s = clock.time()
                writer.write(b"x")
                await reader.readexactly(1)
                moments.append(round(clock.time() - started_s, 1))
            writer.close()
            return moments

    first, second, other = [await arrivals(seed) for seed in (1, 1, 2)]

    assert first == pytest.approx(second, abs=0.3)
    assert first != pytest.approx(other, abs=0.3)
    assert max(first) <= 5.2


async def test_slices_arrive_one_by_one(line: Wire) -> None:
    line.proxy.shape("up", slice_bytes=2)
    line.client_out.write(b"abcdef")

    assert [await line.server_in.read(100) for _ in range(3)] == [b"ab", b"cd", b"ef"]
    assert await passes(line.along("down"), b"whole")


@pytest.mark.looptime
@pytest.mark.parametrize("way", WAYS)
async def test_a_black_hole_delivers_nothing_until_it_is_healed(line: Wire, way: Literal["up", "down"]) -> None:
    writer, reader = line.along(way)
    line.proxy.black_hole(way)
    writer.write(b"lost?")
    writer.write_eof()
    reading = asyncio.create_task(reader.read())
    await asyncio.sleep(3600)

    assert not reading.done()
    assert await passes(line.against(way))
    line.proxy.heal()
    assert await reading == b"lost?"


@pytest.mark.looptime
async def test_a_black_hole_swallows_the_end_of_both_peers(line: Wire) -> None:
    line.proxy.black_hole()
    line.client_out.transport.abort()
    reading = asyncio.create_task(line.server_in.read())
    await asyncio.sleep(3600)

    assert not reading.done()
    assert line.connection.open
    line.proxy.reset()
    with pytest.raises(ConnectionResetError):
        await reading


async def test_a_black_hole_slows_the_sender_down(line: Wire) -> None:
    line.proxy.black_hole("up")
    line.client_out.write(bytes(16 * 1024 * 1024))
    draining = asyncio.create_task(line.client_out.drain())
    await turns(500)

    assert not draining.done()
    line.proxy.heal()
    await line.server_in.readexactly(16 * 1024 * 1024)
    await draining


@pytest.mark.parametrize("shape", [{}, {"latency_s": 0.001}, {"rate_bytes_per_s": 1e12}])
async def test_a_slow_reader_slows_the_writer_down(line: Wire, shape: dict[str, float]) -> None:
    line.proxy.shape("down", **shape)  # type: ignore[arg-type]  # mypy gives all keywords the type of one
    line.client_in._transport.pause_reading()  # type: ignore[attr-defined]  # the reader's own, of asyncio
    line.server_out.write(bytes(32 * 1024 * 1024))
    draining = asyncio.create_task(line.server_out.drain())
    await turns(500)

    assert not draining.done()
    assert line.connection.down_bytes < 1024 * 1024
    line.client_in._transport.resume_reading()  # type: ignore[attr-defined]  # as above
    await line.client_in.readexactly(32 * 1024 * 1024)
    await draining


async def test_a_server_can_go_on_writing_to_a_client_that_is_gone(line: Wire) -> None:
    line.proxy.black_hole("up")
    line.client_out.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    line.client_out.transport.abort()
    for _ in range(5):
        line.server_out.write(bytes(1024 * 1024))
        await line.server_out.drain()

    assert line.connection.open
    line.proxy.heal()
    with pytest.raises(ConnectionResetError):
        await line.server_in.read()


async def test_healing_delivers_at_once_what_is_on_its_way(line: Wire) -> None:
    line.proxy.shape(latency_s=3600, rate_bytes_per_s=1, slice_bytes=1)
    line.client_out.write(b"slow")
    await turns()
    line.proxy.heal()

    assert await line.server_in.readexactly(4) == b"slow"
    assert await passes(line.along("up"))


async def test_a_reset_reaches_both_sides(line: Wire) -> None:
    line.proxy.reset()
    line.proxy.reset()

    for reader in (line.client_in, line.server_in):
        with pytest.raises(ConnectionResetError):
            await reader.read()
    assert not line.connection.open


@pytest.mark.parametrize("way", WAYS)
async def test_a_fin_ends_one_direction_only(line: Wire, way: Literal["up", "down"]) -> None:
    writer, reader = line.along(way)
    assert await passes((writer, reader))
    line.proxy.fin(way)

    assert await reader.read() == b""
    assert await passes(line.against(way))
    writer.write(bytes(1024 * 1024))
    await writer.drain()  # dropped, not held back
    assert line.connection.open


async def test_a_fin_of_both_directions_closes_each_side_when_it_has_ended(line: Wire) -> None:
    line.proxy.fin()

    for reader, writer in ((line.client_in, line.client_out), (line.server_in, line.server_out)):
        assert await reader.read() == b""
        writer.write(b"too late")
        writer.close()
        await writer.wait_closed()
    await until(lambda: not line.connection.open)


async def test_a_fin_acts_in_a_black_hole_too(line: Wire) -> None:
    line.proxy.black_hole()
    line.proxy.fin("down")

    assert await line.client_in.read() == b""


async def test_a_fin_to_a_peer_that_has_reset_is_no_error(line: Wire) -> None:
    line.proxy.black_hole()  # so that the reset is not seen
    line.client_out.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    line.client_out.transport.abort()
    await turns()
    line.proxy.fin("down")
    await turns()
    line.proxy.heal()

    with pytest.raises(ConnectionResetError):
        await line.server_in.read()


@pytest.mark.parametrize("way", WAYS)
async def test_a_cut_by_fin_comes_after_so_many_bytes(line: Wire, way: Literal["up", "down"]) -> None:
    assert await passes(line.along(way))
    line.proxy.cut_after(6, way, how="fin")
    writer, reader = line.along(way)
    writer.write(b"1234")
    assert await reader.readexactly(4) == b"1234"
    writer.write(b"56789")

    assert await reader.read() == b"56"
    assert await passes(line.against(way), b"more than six")


@pytest.mark.parametrize("way", WAYS)
async def test_a_cut_by_reset_ends_both_sides(line: Wire, way: Literal["up", "down"]) -> None:
    line.proxy.cut_after(6, way)
    assert await passes(line.against(way), b"more than six")
    writer, reader = line.along(way)
    writer.write(b"123456789")

    assert await reader.readexactly(6) == b"123456"
    for end in (reader, line.against(way)[1]):
        with pytest.raises(ConnectionResetError):
            await end.read()


async def test_a_cut_after_nothing_drops_the_next_byte(line: Wire) -> None:
    line.proxy.cut_after(0, "up", how="fin")
    await turns()
    assert not line.server_in.at_eof()
    line.client_out.write(b"x")

    assert await line.server_in.read() == b""


async def test_a_healed_cut_does_not_happen(line: Wire) -> None:
    line.proxy.cut_after(2, "both")
    line.proxy.heal()

    assert await passes(line.along("up"))
    assert await passes(line.along("down"))


async def test_faults_act_on_later_connections_too() -> None:
    async with served(echo) as address, FaultProxy(address) as proxy:
        proxy.cut_after(3, "down", how="fin")
        for _ in range(2):
            reader, writer = await dial(proxy.endpoint)
            writer.write(b"hello")
            assert await reader.read() == b"hel"
            writer.close()


async def test_refused_connections_are_accepted_again_on_the_same_port() -> None:
    async with served(echo) as address, FaultProxy(address) as proxy:
        reader, writer = await dial(proxy.endpoint)
        assert await passes((writer, reader))
        endpoint = proxy.endpoint
        for again in (proxy.accept, proxy.heal):
            proxy.refuse()
            with pytest.raises(ConnectionRefusedError):
                await dial(proxy.endpoint)
            assert await passes((writer, reader))
            again()
            other_in, other_out = await dial(proxy.endpoint)
            assert await passes((other_out, other_in))
            other_out.close()
        assert proxy.endpoint == endpoint
        writer.close()


async def test_changing_ones_mind_at_once_is_fine() -> None:
    async with served(echo) as address, FaultProxy(address) as proxy:
        for _ in range(3):
            proxy.refuse()
            proxy.refuse()
            proxy.accept()
            proxy.accept()
        reader, writer = await dial(proxy.endpoint)
        assert await passes((writer, reader))
        writer.close()
        proxy.refuse()
        proxy.accept()
        proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            await dial(proxy.endpoint)


async def test_a_client_whose_server_refuses_is_reset() -> None:
    async with FaultProxy(f"127.0.0.1:{unused_port()}") as proxy:
        reader, writer = await dial(proxy.endpoint)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()

        assert [connection.open for connection in proxy.connections] == [False]


@pytest.mark.parametrize("waiting", range(6))
async def test_a_proxy_can_be_closed_while_connections_are_made(
    waiting: int, loop_complaints: list[dict[str, Any]]
) -> None:
    async with served(echo) as address:
        proxy = FaultProxy(address)
        await proxy.start()
        _, writer = await dial(proxy.endpoint)
        await turns(waiting)
        proxy.reset()
        await proxy.close()
        await proxy.close()
        assert "_reach_target" not in str(asyncio.all_tasks())
        assert not any(connection.open for connection in proxy.connections)
        writer.transport.abort()
        await turns()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert not loop_complaints


@pytest.mark.parametrize("order", [FaultProxy.reset, lambda proxy: None])
async def test_a_server_that_does_not_answer_holds_nothing_up(order: Callable[[FaultProxy], None]) -> None:
    with socket.socket() as full, socket.socket() as one, socket.socket() as two:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for waiting in (one, two):
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        async with FaultProxy(f"127.0.0.1:{full.getsockname()[1]}") as proxy:
            reader, writer = await dial(proxy.endpoint)
            await until(lambda: proxy.connections)
            await turns()
            assert proxy.connections[0].open
            order(proxy)
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()


@pytest.mark.parametrize("waiting", range(5))
async def test_no_connection_comes_after_the_close(waiting: int) -> None:
    async with served(echo) as address:
        proxy = FaultProxy(address)
        await proxy.start()
        with socket.create_connection(("127.0.0.1", int(proxy.endpoint.partition(":")[2])), timeout=5):
            await turns(waiting)
            await proxy.close()
            await turns()

    assert not any(connection.open for connection in proxy.connections)


async def test_five_hundred_connections_pass_side_by_side() -> None:
    async def converse(proxy: FaultProxy, number: int) -> bool:
        reader, writer = await dial(proxy.endpoint)
        try:
            return all([await passes((writer, reader), b"%d" % number) for _ in range(5)])
        finally:
            writer.close()
            await writer.wait_closed()

    async with served(echo) as address, FaultProxy(address) as proxy:
        assert all(await asyncio.gather(*(converse(proxy, number) for number in range(500))))
        await until(lambda: not any(connection.open for connection in proxy.connections))
        assert len(proxy.connections) == 500


@pytest.mark.parametrize(
    ("target", "prefix", "rest"),
    [
        ("http://127.0.0.1:9/voice?x=1", "http://", "/voice?x=1"),
        ("https://example.com", "https://", ""),
        ("ws://[::1]:9/a", "ws://", "/a"),
        ("wss://example.com/a/b", "wss://", "/a/b"),
        ("127.0.0.1:9", "", ""),
    ],
)
async def test_the_endpoint_is_the_target_at_the_address_of_the_proxy(target: str, prefix: str, rest: str) -> None:
    async with FaultProxy(target) as proxy:
        assert proxy.endpoint.startswith(f"{prefix}127.0.0.1:")
        assert proxy.endpoint.endswith(rest)
        assert proxy.endpoint.removeprefix(f"{prefix}127.0.0.1:").removesuffix(rest).isdigit()


@pytest.mark.parametrize("target", ["", "127.0.0.1", "ftp://h:1", "http://", "h:x", "h:0", "http://h:99999", "//h:1"])
def test_a_target_that_is_no_address_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match=r"target is .*host:port"):
        FaultProxy(target)


def test_a_wrong_direction_is_named_without_connections_too() -> None:
    with pytest.raises(ValueError, match="direction is 'x'"):
        FaultProxy("127.0.0.1:9").fin("x")  # type: ignore[arg-type]  # that is the point


def test_the_endpoint_is_known_once_started() -> None:
    with pytest.raises(RuntimeError, match="not started"):
        _ = FaultProxy("127.0.0.1:9").endpoint


async def test_a_port_that_is_taken_is_an_error_of_the_start() -> None:
    async with served(echo) as address:
        with pytest.raises(OSError, match="in use"):
            await FaultProxy(address, port=int(address.partition(":")[2])).start()


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (lambda proxy: proxy.shape("sideways"), r"direction is 'sideways'; allowed: 'up', 'down', 'both'"),
        (lambda proxy: proxy.black_hole("x"), "direction is 'x'"),
        (lambda proxy: proxy.fin("x"), "direction is 'x'"),
        (lambda proxy: proxy.shape(latency_s=-1), "latency_s is -1"),
        (lambda proxy: proxy.shape(jitter_s=float("nan")), "jitter_s is nan"),
        (lambda proxy: proxy.shape(rate_bytes_per_s=0), "rate_bytes_per_s is 0"),
        (lambda proxy: proxy.shape(slice_bytes=0), "slice_bytes is 0"),
        (lambda proxy: proxy.cut_after(-1, "up"), "n_bytes is -1"),
        (lambda proxy: proxy.cut_after(1, "up", how="axe"), "how is 'axe'; allowed: 'reset', 'fin'"),
    ],
)
async def test_what_is_not_allowed_is_named(line: Wire, order: Callable[[FaultProxy], None], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        order(line.proxy)

    assert await passes(line.along("up"))


@given(
    chunks=st.lists(st.binary(min_size=1, max_size=200), max_size=8),
    slice_bytes=st.none() | st.integers(1, 50),
    latency_s=st.floats(0, 0.002),
    jitter_s=st.floats(0, 0.002),
    rate_bytes_per_s=st.none() | st.floats(1e6, 1e9),
    seed=st.integers(),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_any_shape_keeps_bytes_complete_and_in_order(chunks: list[bytes], seed: int, **shape: Any) -> None:
    async def there_and_back() -> bytes:
        async with served(echo) as address, FaultProxy(address, seed=seed) as proxy:
            proxy.shape(**shape)
            reader, writer = await dial(proxy.endpoint)
            for chunk in chunks:
                writer.write(chunk)
                await asyncio.sleep(0)
            writer.write_eof()
            received = await reader.read()
            writer.close()
            return received

    assert asyncio.run(there_and_back()) == b"".join(chunks)


async def test_a_conversation_passes_in_slices_of_one_byte() -> None:
    async with (
        Emulator(Script("Byte by byte.")) as emulator,
        FaultProxy(emulator.endpoint) as proxy,
        VoiceLiveClient(proxy.endpoint, "any-key") as client,
    ):
        proxy.shape(slice_bytes=1)
        async with client.connect("gpt-realtime", config=TEXT_ONLY) as session:
            assert (await session.ask("How?")).text == "Byte by byte."

    assert [emulated.close_code for emulated in emulator.sessions] == [1000]


@pytest.mark.parametrize("order", [FaultProxy.reset, FaultProxy.fin, lambda proxy: proxy.fin("down")])
async def test_a_broken_connection_is_seen_as_lost(order: Callable[[FaultProxy], None]) -> None:
    async with (
        Emulator() as emulator,
        FaultProxy(emulator.endpoint) as proxy,
        VoiceLiveClient(proxy.endpoint, "any-key") as client,
        client.connect("gpt-realtime", config=TEXT_ONLY, resume=None) as session,
    ):
        order(proxy)
        with pytest.raises(ConnectionLostError, match="without a close frame"):
            await session.wait_for(wire.ResponseDone, timeout_s=10)


async def test_refused_and_broken_handshakes_are_failed_connects() -> None:
    async with (
        Emulator() as emulator,
        FaultProxy(emulator.endpoint) as proxy,
        VoiceLiveClient(proxy.endpoint, "any-key", options=ONE_TRY) as client,
    ):
        for order in (proxy.refuse, lambda: proxy.cut_after(20, "down")):
            order()
            with pytest.raises(ConnectFailedError):
                async with client.connect("gpt-realtime"):
                    pass
            proxy.heal()
        async with client.connect("gpt-realtime"):
            pass


async def test_tls_passes_until_it_is_broken() -> None:
    authority = trustme.CA()
    certificate = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(certificate)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    options = ClientOptions(ssl=trusting, handshake_retry=HandshakeRetry(attempts=1))
    async with (
        Emulator(ssl=certificate) as emulator,
        FaultProxy(emulator.endpoint) as proxy,
        VoiceLiveClient(proxy.endpoint, "any-key", options=options) as client,
        client.connect("gpt-realtime", config=TEXT_ONLY) as session,
    ):
        proxy.break_tls()
        with pytest.raises(ConnectFailedError) as caught:
            async with client.connect("gpt-realtime"):
                pass
        assert isinstance(caught.value.__cause__, ssl.SSLError)
        assert (await session.ask("Still there?")).text
