"""The other end of the wire: a process of its own, so that its time counts for nobody.

It plays only what a measurement needs. A connection's query says which messages to prepare
(``delta_ms``, ``count``, ``seed``). ``GO`` starts them, as fast as the socket takes them; ``input_audio_buffer.clear``
and ``.commit`` get one small answer each. Handshake, pings and closing are the ``websockets`` package's.
"""

import asyncio
import json
import struct
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qs, urlsplit

from benchmarks.traffic import messages, session_created
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

GO: Final = "benchmark.go"
"""Type of the event that starts the prepared messages."""

_BATCH_BYTES: Final = 256 * 1024  # what asyncio reads from a socket at once

_ANSWERS: Final = {
    b'"input_audio_buffer.clear"': b'{"event_id":"event_1","type":"input_audio_buffer.cleared"}',
    b'"input_audio_buffer.commit"': b'{"event_id":"event_2","type":"input_audio_buffer.committed","item_id":"item_1"}',
}
"""What an incoming text holds, and what is said to it."""

_LONGEST_QUESTION_BYTES: Final = 256  # frames with audio are longer, and are not searched


class Connection(asyncio.Protocol):
    """One client. No task between socket and answer, so that round trips consist of the client's work for the most."""

    def __init__(self) -> None:
        self._protocol = ServerProtocol()
        self._prepared: Iterator[bytes] = iter(())
        self._poured_out = True
        self._may_write = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport), "made by create_server"
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._accept(event)
            elif isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                self._hear(bytes(event.data))
        for answer in self._protocol.data_to_send():
            if answer:
                self._transport.write(answer)
            else:
                self._transport.close()

    def pause_writing(self) -> None:
        self._may_write = False

    def resume_writing(self) -> None:
        self._may_write = True
        self._pour()

    def _accept(self, request: Request) -> None:
        query = parse_qs(urlsplit(request.path).query)
        if "count" in query:
            self._prepared = iter(list(_batches(*(int(query[name][0]) for name in ("delta_ms", "count", "seed")))))
        self._protocol.send_response(self._protocol.accept(request))
        self._protocol.send_text(session_created())

    def _hear(self, text: bytes) -> None:
        if len(text) > _LONGEST_QUESTION_BYTES:
            return
        if GO.encode() in text:
            self._poured_out = False
            self._pour()
        for question, answer in _ANSWERS.items():
            if question in text:
                self._protocol.send_text(answer)

    def _pour(self) -> None:
        while self._may_write and not self._poured_out:
            batch = next(self._prepared, None)
            if batch is None:
                self._poured_out = True
            else:
                self._transport.write(batch)


def _batches(delta_ms: int, count: int, seed: int) -> Iterator[bytes]:
    """All frames, joined to pieces that are worth a write; joined early, so that pouring takes no time."""
    pieces: list[bytes] = []
    size_bytes = 0
    for message in messages(delta_ms, count, seed):
        length = sum(map(len, message))
        pieces += (_header(length), *message)
        size_bytes += length
        if size_bytes >= _BATCH_BYTES:
            yield b"".join(pieces)
            pieces, size_bytes = [], 0
    yield b"".join(pieces)


def _header(length: int) -> bytes:
    """RFC 6455 section 5.2: a whole text message, unmasked."""
    if length < 126:
        return struct.pack("!BB", 0x81, length)
    return struct.pack("!BBH", 0x81, 126, length) if length < 1 << 16 else struct.pack("!BBQ", 0x81, 127, length)


async def main() -> None:
    """Serve until the parent ends this process; the first line of output tells the port."""
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
