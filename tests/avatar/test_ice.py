"""Servers of the service and of the application."""

from __future__ import annotations

from typing import Any

import pytest

from voicelive.avatar.ice import Server, checked, understood
from voicelive.errors import ConfigurationError

TURN = {"urls": ["turn:relay.example:3478"], "username": "n4me", "credential": "w0rd"}
STUN = {"urls": "stun:stun.example"}


def test_relays_stand_alone_where_there_are_any() -> None:
    mixed = {**TURN, "urls": ["stun:relay.example", "turns:relay.example:443?transport=tcp"]}

    assert understood([STUN, TURN, mixed]) == [
        Server(("turn:relay.example:3478",), "n4me", "w0rd"),
        Server(("turns:relay.example:443?transport=tcp",), "n4me", "w0rd"),
    ]
    assert checked([STUN]) == [Server(("stun:stun.example",))]
    assert [server.relays for server in checked([STUN, TURN])] == [True]


def test_what_the_service_invents_is_left_out() -> None:
    strange: list[dict[str, Any]] = [{"urls": ["quic:new.example"]}, {"urls": None}, {}, {"urls": [7]}]

    assert understood([*strange, STUN]) == [Server(("stun:stun.example",))]


@pytest.mark.parametrize(
    ("server", "problem"),
    [
        ({}, r"ice_servers\[1\].urls is empty"),
        ({"urls": []}, "urls is empty"),
        ({"urls": ["https://relay.example"]}, "stun:, stuns:, turn: or turns:"),
        ({"urls": [7]}, "stun:, stuns:, turn: or turns:"),
        ({"urls": "turn:s3cret@relay.example"}, "stun:, stuns:, turn: or turns:"),
        ({"urls": "turn:relay.example"}, "needs username and credential"),
        ({"urls": "turn:relay.example", "username": "n4me", "credential": None}, "needs username and credential"),
    ],
)
def test_own_servers_are_checked_and_never_quoted(server: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem) as refused:
        checked([STUN, server])

    assert "n4me" not in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_a_server_shows_no_credentials() -> None:
    [server] = checked([TURN])

    assert "n4me" not in repr(server)
    assert "w0rd" not in repr(server)
