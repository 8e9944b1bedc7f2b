"""The command line: one line when it listens, a clean end when it is told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from voicelive.testing.__main__ import main

ENVIRONMENT = {**os.environ, "PYTHONWARNINGS": "error"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_serves_until_it_is_told_to_stop(number: signal.Signals, tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text('["Hello from a file."]', encoding="utf-8")
    command = [sys.executable, "-m", "voicelive.testing", "--pace", "instant", "--script", str(script)]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=ENVIRONMENT
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    assert line.startswith("listening on http://127.0.0.1:")
    url = line.split()[-1].replace("http", "ws", 1) + "/voice-live/realtime?api-version=1&model=m"
    async with connect(url, additional_headers={"api-key": "any"}, proxy=None) as client:
        await client.recv()
        await client.send('{"type": "response.create", "response": {"modalities": ["text"]}}')
        while '"response.text.done"' not in (frame := str(await client.recv())):
            pass
        process.send_signal(number)
        await client.wait_closed()
    _, errors = await process.communicate()

    assert "Hello from a file." in frame
    assert (process.returncode, errors) == (0, b"")


async def test_it_ends_as_cleanly_where_event_loops_take_no_signal_handlers() -> None:
    program = """
import asyncio, signal, sys
from voicelive.testing.__main__ import main

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job starts with it ignored

def refuse(*arguments):
    raise NotImplementedError

asyncio.SelectorEventLoop.add_signal_handler = refuse
sys.exit(main([]))
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=ENVIRONMENT
    )
    assert process.stdout is not None
    await process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, errors = await process.communicate()

    assert (process.returncode, errors) == (0, b"")


def test_a_bad_script_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "script.json"
    script.write_text('[{"replay": "x"}]', encoding="utf-8")

    assert main(["--script", str(script)]) == 2
    assert "turn 1 has the unknown field 'replay'" in capsys.readouterr().err


def test_a_port_in_use_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 1
    assert f"cannot listen on port {port}" in capsys.readouterr().err
