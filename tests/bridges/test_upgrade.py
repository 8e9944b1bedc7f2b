"""The request behind a WebSocket, whichever server it comes from."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from multidict import CIMultiDict
from websockets.datastructures import Headers

from voicelive.bridges.upgrade import Upgrade
from voicelive.errors import ConfigurationError


def test_of_starlette() -> None:
    headers = [(b"Host", b"voice.example.com"), (b"x-a", b" 1 "), (b"X-A", b"2")]
    scope = {"path": "/a b", "raw_path": b"/a%20b", "query_string": b"c=d", "headers": headers}

    upgrade = Upgrade.of(SimpleNamespace(scope=scope))

    assert upgrade == Upgrade("/a%20b?c=d", {"host": "voice.example.com", "x-a": "1, 2"})
    assert Upgrade.of(SimpleNamespace(scope={"path": "/a", "headers": []})) == Upgrade("/a")


def test_of_websockets() -> None:
    request = SimpleNamespace(path="/a?b=c", headers=Headers([("Host", "h"), ("X-A", "1"), ("x-a", "2")]))

    assert Upgrade.of(SimpleNamespace(request=request)) == Upgrade("/a?b=c", {"host": "h", "x-a": "1, 2"})


def test_of_a_request_of_aiohttp() -> None:
    request = SimpleNamespace(raw_path="/a%20b?c=d", path="/a b", headers=CIMultiDict({"Host": "h"}))

    assert Upgrade.of(request) == Upgrade("/a%20b?c=d", {"host": "h"})


def test_a_socket_that_does_not_tell_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"a object does not tell its request; pass upgrade="):
        Upgrade.of(object())


def test_headers_are_not_shown() -> None:
    assert "secret" not in repr(Upgrade("/", {"authorization": "secret"}))
