"""Upgrade requests that fail because a test ordered it, seen by clients over real sockets."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidMessage, InvalidStatus

from voicelive import ClientOptions, HandshakeRetry, VoiceLiveClient
from voicelive.errors import (
    ConnectFailedError,
    ConnectTimeoutError,
    CredentialRejectedError,
    ServiceBusyError,
)
from voicelive.testing import Emulator

TARGET = "/voice-live/realtime?api-version=2026-07-15&model=gpt-realtime&api-key=s3cret"
ONE_TRY = ClientOptions(handshake_retry=HandshakeRetry(attempts=1))


def url(emulator: Emulator) -> str:
    return emulator.endpoint.replace("http", "ws", 1) + TARGET


async def refusal(emulator: Emulator) -> Any:
    with pytest.raises(InvalidStatus) as caught:
        await connect(url(emulator), proxy=None)
    return caught.value.response


@pytest.mark.parametrize("status", [401, 403, 404, 408, 429, 500, 503])
async def test_an_ordered_refusal_reaches_a_plain_client_once(status: int, dial: Any) -> None:
    async with Emulator() as emulator:
        emulator.refuse(status, retry_after_s=20)
        response = await refusal(emulator)
        await dial(emulator)

    assert response.status_code == status
    assert response.headers["Retry-After"] == "20"
    assert response.headers["Content-Type"] == "application/json"
    assert json.loads(response.body)["error"]["code"] == str(status)
    assert [upgrade.status for upgrade in emulator.upgrades] == [status, 101]
    assert len(emulator.sessions) == 1


async def test_a_text_of_the_test_is_sent_as_it_stands() -> None:
    async with Emulator() as emulator:
        emulator.refuse(503, body="<html>Zzz… the gateway sleeps</html>")
        response = await refusal(emulator)

    assert response.body.decode() == "<html>Zzz… the gateway sleeps</html>"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, CredentialRejectedError),
        (403, CredentialRejectedError),
        (404, ConnectFailedError),
        (302, ConnectFailedError),
        (408, ServiceBusyError),
        (429, ServiceBusyError),
        (503, ServiceBusyError),
    ],
)
async def test_the_client_tells_refusals_apart(status: int, error: type[ConnectFailedError]) -> None:
    async with Emulator() as emulator, VoiceLiveClient(emulator.endpoint, "key", options=ONE_TRY) as client:
        emulator.refuse(status)
        with pytest.raises(error) as caught:
            await client.connect("gpt-realtime").__aenter__()

    assert type(caught.value) is error
    assert caught.value.status == status


async def test_a_redirect_names_another_host_where_no_client_may_go() -> None:
    async with Emulator() as elsewhere, Emulator() as emulator:
        emulator.refuse(302, location=url(elsewhere))
        async with VoiceLiveClient(emulator.endpoint, "key", options=ONE_TRY) as client:
            with pytest.raises(ConnectFailedError, match=r"redirects to the host 127\.0\.0\.1"):
                await client.connect("gpt-realtime").__aenter__()

    assert [upgrade.status for upgrade in emulator.upgrades] == [302]
    assert elsewhere.upgrades == []


@pytest.mark.looptime
async def test_a_client_that_comes_again_when_asked_gets_in() -> None:
    async with Emulator() as emulator, VoiceLiveClient(emulator.endpoint, "key") as client:
        emulator.refuse(429, retry_after_s=5)
        emulator.refuse(503)
        async with client.connect("gpt-realtime"):
            pass

    first, second, third = emulator.upgrades
    assert [first.status, second.status, third.status] == [429, 503, 101]
    assert second.at_s - first.at_s >= 5


async def test_upgrades_are_noted_without_secrets_and_with_what_the_service_made_of_them(dial: Any) -> None:
    async with Emulator(api_key="right") as emulator:
        await refusal(emulator)

    [upgrade] = emulator.upgrades
    assert (upgrade.status, upgrade.path) == (401, "/voice-live/realtime")
    assert "s3cret" not in repr(upgrade)


@pytest.mark.looptime
async def test_a_delayed_handshake_is_answered_late() -> None:
    loop = asyncio.get_running_loop()
    async with Emulator() as emulator:
        emulator.delay_handshake(12)
        asked_s = loop.time()
        async with connect(url(emulator), proxy=None, open_timeout=None):
            let_in_s = loop.time()
        emulator.refuse(503)
        with pytest.raises(InvalidStatus):
            await connect(url(emulator), proxy=None, open_timeout=None)
        refused_s = loop.time()

    assert let_in_s - asked_s == pytest.approx(12, abs=0.5)
    assert refused_s - let_in_s == pytest.approx(12, abs=1.5)


@pytest.mark.looptime
async def test_an_unanswered_handshake_times_out_at_the_client() -> None:
    options = ClientOptions(connect_timeout_s=8)
    async with Emulator() as emulator, VoiceLiveClient(emulator.endpoint, "key", options=options) as client:
        emulator.leave_unanswered(times=None)
        with pytest.raises(ConnectTimeoutError):
            await client.connect("gpt-realtime").__aenter__()
        emulator.recover()
        async with client.connect("gpt-realtime"):
            pass

    assert [upgrade.status for upgrade in emulator.upgrades] == [None, 101]


async def test_a_client_that_gives_up_during_a_delay_was_never_let_in() -> None:
    async with Emulator() as emulator:
        emulator.delay_handshake(3600)
        with pytest.raises(TimeoutError):
            await connect(url(emulator), proxy=None, open_timeout=0.05)
        while emulator._lines:  # noqa: ASYNC110 - a set, nothing to await
            await asyncio.sleep(0)

    assert [upgrade.status for upgrade in emulator.upgrades] == [None]
    assert emulator.sessions == []


async def test_closing_drops_clients_whose_handshake_waits() -> None:
    async with Emulator() as emulator:
        emulator.leave_unanswered()
        waiting = asyncio.create_task(connect(url(emulator), proxy=None, open_timeout=None).__aenter__())
        host, port = urlsplit(emulator.endpoint).hostname, urlsplit(emulator.endpoint).port
        reader, writer = await asyncio.open_connection(host, port)  # says nothing at all
        while not emulator.upgrades:  # noqa: ASYNC110 - a list, nothing to await
            await asyncio.sleep(0)

    with pytest.raises(InvalidMessage):  # the server went away without an answer
        await waiting
    assert await reader.read() == b""
    writer.close()
