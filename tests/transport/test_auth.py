"""Credentials become headers, and go only where they may."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Awaitable
from dataclasses import dataclass

import pytest
from azure.core.credentials import AzureKeyCredential

from voicelive.errors import ConfigurationError, CredentialRejectedError
from voicelive.options import ClientOptions
from voicelive.transport.address import Agent, ClassicAgent, Target, build_url
from voicelive.transport.auth import (
    AsyncTokenCredential,
    KeyCredential,
    TokenCredential,
    auth_headers,
    default_credential,
    refuse_insecure,
    refuse_key_for_agent,
)

SCOPE = "https://ai.azure.com/.default"


@dataclass
class Token:
    token: str


class BlockingCredential:
    def __init__(self, token: str = "tok") -> None:
        self.token = token
        self.scopes: tuple[str, ...] = ()
        self.thread: threading.Thread | None = None

    def get_token(self, *scopes: str) -> Token:
        self.scopes, self.thread = scopes, threading.current_thread()
        return Token(self.token)


class AsyncCredential:
    async def get_token(self, *scopes: str) -> Token:
        await asyncio.sleep(0)
        return Token("async-" + scopes[0][:5])


class WrappedAsyncCredential:
    """Asynchronous, though nothing about ``get_token`` says so before it is called."""

    def get_token(self, *scopes: str) -> Awaitable[Token]:
        return AsyncCredential().get_token(*scopes)


async def test_a_key_goes_into_its_header() -> None:
    assert await auth_headers("k3y", scope=SCOPE) == {"api-key": "k3y"}


async def test_a_key_credential_is_read_at_each_use() -> None:
    credential = AzureKeyCredential("old")
    credential.update("new")

    assert await auth_headers(credential, scope=SCOPE) == {"api-key": "new"}


async def test_a_blocking_credential_is_asked_in_another_thread() -> None:
    credential = BlockingCredential()

    assert await auth_headers(credential, scope=SCOPE) == {"Authorization": "Bearer tok"}
    assert credential.scopes == (SCOPE,)
    assert credential.thread is not threading.current_thread()


@pytest.mark.parametrize("credential", [AsyncCredential(), WrappedAsyncCredential()])
async def test_an_asynchronous_credential_is_awaited(credential: AsyncTokenCredential) -> None:
    assert await auth_headers(credential, scope=SCOPE) == {"Authorization": "Bearer async-https"}


async def test_a_credential_with_key_and_token_gives_its_token() -> None:
    class Both(BlockingCredential):
        key = "k3y"

    assert await auth_headers(Both(), scope=SCOPE) == {"Authorization": "Bearer tok"}


@pytest.mark.parametrize("key", ["", " ", "s3cret\r\nX-Evil: 1", "s3cret\n", "s3cret ", "s3crét", "s3\x00cret"])
async def test_a_key_that_cannot_be_a_header_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(ConfigurationError, match="credential is a key that is empty or holds") as caught:
        await auth_headers(key, scope=SCOPE)

    assert "s3" not in str(caught.value)


async def test_something_else_is_refused_with_what_is_allowed() -> None:
    with pytest.raises(ConfigurationError, match=r"credential is of type int; allowed: a key, an object with \.key"):
        await auth_headers(5, scope=SCOPE)  # type: ignore[arg-type] # what a caller without type checks may pass


async def test_a_key_that_is_no_string_is_refused() -> None:
    class Odd:
        key = None

    with pytest.raises(ConfigurationError, match="of type Odd"):
        await auth_headers(Odd(), scope=SCOPE)  # type: ignore[arg-type] # as above


async def test_a_failing_credential_is_a_rejected_one() -> None:
    class Failing:
        def get_token(self, *scopes: str) -> Token:
            raise OSError("no metadata service")

    with pytest.raises(CredentialRejectedError, match=r"Failing gave no token \(OSError\); sign in again") as caught:
        await auth_headers(Failing(), scope=SCOPE)

    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.status is None


@pytest.mark.parametrize("token", ["", "s3cret\r\nX: 1", "s3 cret", None, b"s3cret"])
async def test_an_unusable_token_is_refused_and_not_repeated(token: str) -> None:
    with pytest.raises(CredentialRejectedError, match="BlockingCredential gave no usable token") as caught:
        await auth_headers(BlockingCredential(token), scope=SCOPE)

    assert "s3" not in str(caught.value)


async def test_no_token_at_all_is_refused() -> None:
    class Empty:
        def get_token(self, *scopes: str) -> None:
            return None

    with pytest.raises(CredentialRejectedError, match="Empty gave no usable token"):
        await auth_headers(Empty(), scope=SCOPE)  # type: ignore[arg-type] # as above


async def test_cancelling_is_not_taken_for_a_failed_credential() -> None:
    class Never:
        async def get_token(self, *scopes: str) -> Token:
            await asyncio.Event().wait()
            raise AssertionError

    asking = asyncio.create_task(auth_headers(Never(), scope=SCOPE))
    await asyncio.sleep(0)
    asking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asking


def test_the_shapes_tell_credentials_apart() -> None:
    assert isinstance(AzureKeyCredential("k"), KeyCredential)
    assert isinstance(BlockingCredential(), TokenCredential)
    assert not isinstance("key", KeyCredential | TokenCredential)


def test_the_default_credential_needs_no_package_beyond_the_dependencies() -> None:
    code = (
        "import sys; sys.modules['aiohttp'] = None\n"
        "from voicelive.transport.auth import default_credential\n"
        "assert 'azure' not in sys.modules\n"
        "default_credential().close()"
    )

    subprocess.run([sys.executable, "-c", code], check=True, timeout=50)


def test_the_default_credential_is_a_token_credential() -> None:
    credential = default_credential()

    assert isinstance(credential, TokenCredential)
    credential.close()  # type: ignore[attr-defined] # the shape asks for get_token only


@pytest.mark.parametrize("url", ["wss://host/x", "ws://127.0.0.1:1/x", "ws://[::1]/x", "ws://localhost/x"])
def test_credentials_go_over_tls_or_to_this_machine(url: str) -> None:
    refuse_insecure(url, ClientOptions())


def test_credentials_do_not_go_to_another_machine_in_the_open() -> None:
    with pytest.raises(ConfigurationError, match=r"endpoint host .* ClientOptions.allow_insecure=True") as caught:
        refuse_insecure("ws://host/x?agent-access-token=s3cret", ClientOptions())

    assert "s3cret" not in str(caught.value)


def test_credentials_go_in_the_open_where_that_is_allowed() -> None:
    refuse_insecure("ws://host/x", ClientOptions(allow_insecure=True))


AGENTS: list[Agent | ClassicAgent] = [Agent("a", "p"), ClassicAgent("a", "p", "t")]


@pytest.mark.parametrize("agent", AGENTS)
@pytest.mark.parametrize("credential", ["k3y", AzureKeyCredential("k3y")])
def test_a_key_opens_no_agent(agent: Agent | ClassicAgent, credential: str | KeyCredential) -> None:
    url = build_url("https://host", "v1", Target(agent=agent))

    with pytest.raises(ConfigurationError, match=r"credential is a key, .* pass a token credential") as caught:
        refuse_key_for_agent(url, credential)

    assert "k3y" not in str(caught.value)


@pytest.mark.parametrize("endpoint", ["http://host", "https://127.0.0.1:1", "http://localhost"])
def test_a_key_opens_an_agent_of_an_emulator(endpoint: str) -> None:
    refuse_key_for_agent(build_url(endpoint, "v1", Target(agent=AGENTS[0])), "k3y")


def test_tokens_open_agents_and_keys_open_models() -> None:
    refuse_key_for_agent(build_url("https://host", "v1", Target(agent=AGENTS[0])), BlockingCredential())
    refuse_key_for_agent(build_url("https://host", "v1", Target(model="agent-name")), "k3y")
