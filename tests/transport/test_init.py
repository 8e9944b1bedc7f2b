"""What the package offers, and what importing it does not load."""

from __future__ import annotations

import subprocess
import sys

import voicelive.transport
from voicelive.transport import MemoryTransport, Transport, memory_pair


def test_everything_offered_is_there_sorted_and_documented() -> None:
    names = voicelive.transport.__all__

    assert list(names) == sorted(names)
    for name in names:
        assert getattr(voicelive.transport, name).__doc__


def test_importing_loads_no_websocket_library_and_no_azure_package() -> None:
    code = (
        "import sys, voicelive.transport, voicelive.transport.handshake, voicelive.transport.outbox\n"
        "print(sorted({'websockets', 'tenacity', 'azure', 'httpx'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=50)

    assert done.stdout.strip() == "[]"


def test_both_transports_satisfy_the_contract() -> None:
    from voicelive.transport.websocket import WebSocketTransport

    ends: tuple[Transport, Transport] = memory_pair()
    kinds: tuple[type[Transport], type[Transport]] = (MemoryTransport, WebSocketTransport)

    assert len(ends) == len(kinds)
