"""A TURN server on this machine: coturn, for links that pass through a relay."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from voicelive import wire

__all__ = ["relay"]

_STARTS_IN_S = 10


@asynccontextmanager
async def relay(directory: Path) -> AsyncIterator[wire.IceServer]:
    """A relay on the loopback interface, as an ICE server."""
    program = shutil.which("turnserver")
    assert program, "needs coturn: apt-get install coturn"
    port = _free_port()
    log = directory / "turn.log"
    arguments = ["-n", "--no-cli", "--no-tls", "--no-dtls", "--simple-log", f"--log-file={log}", "--fingerprint"]
    arguments += [
        "--listening-ip=127.0.0.1",
        "--relay-ip=127.0.0.1",
        "--allow-loopback-peers",
        f"--listening-port={port}",
    ]
    arguments += ["--lt-cred-mech", "--realm=voicelive", "--user=caller:secret", f"--pidfile={directory / 'turn.pid'}"]
    nowhere = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(program, *arguments, stdout=nowhere, stderr=nowhere, cwd=directory)
    try:
        async with asyncio.timeout(_STARTS_IN_S):
            while not await _answers(port):
                assert process.returncode is None, f"coturn ended with {process.returncode}; its words are in {log}"
                await asyncio.sleep(0.05)
        yield wire.IceServer(urls=[f"turn:127.0.0.1:{port}"], username="caller", credential="secret")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def _free_port() -> int:
    with closing(socket.socket()) as place:
        place.bind(("127.0.0.1", 0))
        port: int = place.getsockname()[1]
        return port
