"""From an endpoint and a credential to a usable session, over real sockets of this machine."""

import asyncio
import gc
import logging
from base64 import b64encode
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

import pytest
from tests.support.server import Line, Server, only_created
from tests.support.streams import rest_of, settle, take

from voicelive.client import VoiceLiveClient
from voicelive.errors import (
    ConfigurationError,
    ConnectFailedError,
    ConnectionLostError,
    ConnectTimeoutError,
    CredentialRejectedError,
    ServiceError,
)
from voicelive.options import ClientOptions
from voicelive.protocol.connection import CloseInfo
from voicelive.session import Session
from voicelive.testing import Emulator
from voicelive.transport.address import Agent, Byom, ClassicAgent
from voicelive.wire.audio import AudioEchoCancellation
from voicelive.wire.server.response import ResponseAudioDelta, ResponseDone
from voicelive.wire.server.session import SessionCreated, SessionUpdated
from voicelive.wire.session import SessionConfig
from voicelive.wire.tools import FunctionTool
from voicelive.wire.turn_detection import AzureSemanticDetection, AzureSemanticVad

KEY = "k3y-of-the-resource"
NO_PINGS = ClientOptions(ping_interval_s=None)  # where time is made to pass at once
WEATHER, CLOCK = FunctionTool(name="weather"), FunctionTool(name="clock")


class Token:
    token = "t0ken"


class TokenCredential:
    """A sync or async credential of the application or of the client."""

    closed = 0

    def get_token(self, *scopes: str) -> Token:
        assert scopes == ("https://ai.azure.com/.default",)
        return Token()

    def close(self) -> None:
        self.closed += 1


class AsyncTokenCredential(TokenCredential):
    async def get_token(self, *scopes: str) -> Token:  # type: ignore[override]  # the other of the two shapes
        return super().get_token(*scopes)

    async def close(self) -> None:  # type: ignore[override]  # the other of the two shapes
        self.closed += 1


@pytest.fixture(autouse=True)
async def nothing_is_left_behind() -> AsyncIterator[None]:
    """No task, no complaint of the loop; a socket left open would be a ResourceWarning."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    yield
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left
    assert not complaints


def client_of(server: Server, options: ClientOptions | None = None) -> VoiceLiveClient:
    return VoiceLiveClient(server.endpoint, KEY, options=options)


async def created_and_updated(line: Line) -> None:
    await line.create()
    await line.accept_update()
    await line.stay()


async def mute(line: Line) -> None:
    await line.stay()


# -- where it connects, and as whom


async def test_the_address_names_version_and_model_and_the_headers_hold_the_key() -> None:
    async with Server() as server, client_of(server).connect("gpt-realtime"):
        pass

    assert server.path == "/voice-live/realtime?api-version=2026-07-15&model=gpt-realtime"
    assert server.requests[0].headers["api-key"] == KEY


async def test_the_endpoints_own_path_and_query_are_kept() -> None:
    async with Server() as server:
        client = VoiceLiveClient(f"{server.endpoint}/gateway?tenant=a%20b", KEY, api_version="2025-10-01")
        async with client.connect("gpt-4.1"):
            pass

    assert server.path == "/gateway/voice-live/realtime?api-version=2025-10-01&model=gpt-4.1&tenant=a%20b"


async def test_an_agent_is_named_in_the_address() -> None:
    agent = Agent("support", "shop", version="3")
    async with Server() as server, client_of(server).connect(agent=agent):
        pass

    assert server.path.endswith("&agent-name=support&agent-project-name=shop&agent-version=3")
    assert "model" not in server.path


async def test_a_model_of_ones_own_is_named_with_its_profile() -> None:
    byom = Byom("byom-azure-openai-realtime")
    async with Server() as server, client_of(server).connect("my-deployment", byom=byom):
        pass

    assert server.path.endswith("&model=my-deployment&profile=byom-azure-openai-realtime")


@pytest.mark.parametrize(
    ("cancellation", "named"),
    [
        (AudioEchoCancellation(reference_source="client", channels=2), True),
        (AudioEchoCancellation(reference_source="server"), False),
        (AudioEchoCancellation(), False),
        (None, False),
    ],
)
async def test_the_echo_reference_of_a_client_is_switched_on_in_the_address(
    cancellation: AudioEchoCancellation | None, named: bool
) -> None:
    config = SessionConfig(input_audio_echo_cancellation=cancellation)
    async with Server(created_and_updated) as server, client_of(server).connect("gpt-4.1", config=config):
        pass

    assert ("features=client_ec_reference%3Atrue" in server.path) is named


@pytest.mark.parametrize("kind", [TokenCredential, AsyncTokenCredential])
async def test_a_token_credential_is_asked_and_belongs_to_the_application(kind: type[TokenCredential]) -> None:
    credential = kind()
    async with (
        Server() as server,
        VoiceLiveClient(server.endpoint, credential) as client,
        client.connect("gpt-realtime"),
    ):
        pass

    assert server.requests[0].headers["Authorization"] == "Bearer t0ken"
    assert credential.closed == 0


async def test_an_object_that_holds_a_key_is_a_credential() -> None:
    class Holder:
        key = KEY

    async with Server() as server, VoiceLiveClient(server.endpoint, Holder()).connect("gpt-realtime"):
        pass

    assert server.requests[0].headers["api-key"] == KEY


async def test_further_headers_travel_along() -> None:
    options = ClientOptions(headers={"x-tenant": "blue"})
    async with Server() as server, client_of(server, options).connect("gpt-realtime"):
        pass

    assert server.requests[0].headers["x-tenant"] == "blue"


# -- from the environment


async def test_endpoint_and_key_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Server() as server:
        monkeypatch.setenv("AZURE_VOICELIVE_ENDPOINT", server.endpoint)
        monkeypatch.setenv("AZURE_VOICELIVE_API_KEY", "from-env")
        async with VoiceLiveClient.from_env(api_version="2025-10-01") as client, client.connect("gpt-realtime"):
            pass

    assert server.requests[0].headers["api-key"] == "from-env"
    assert "api-version=2025-10-01" in server.path


def test_a_missing_endpoint_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_VOICELIVE_ENDPOINT", raising=False)
    monkeypatch.setenv("AZURE_VOICELIVE_API_KEY", KEY)

    with pytest.raises(ConfigurationError, match="AZURE_VOICELIVE_ENDPOINT is not set"):
        VoiceLiveClient.from_env()


@pytest.mark.parametrize("kind", [TokenCredential, AsyncTokenCredential])
async def test_without_a_key_the_client_makes_a_credential_and_closes_it_once(
    monkeypatch: pytest.MonkeyPatch, kind: type[TokenCredential]
) -> None:
    credential = kind()
    monkeypatch.setattr("voicelive.client.default_credential", lambda: credential)
    monkeypatch.delenv("AZURE_VOICELIVE_API_KEY", raising=False)
    async with Server() as server:
        monkeypatch.setenv("AZURE_VOICELIVE_ENDPOINT", server.endpoint)
        async with VoiceLiveClient.from_env() as client, client.connect("gpt-realtime"):
            assert credential.closed == 0
        await client.close()

    assert server.requests[0].headers["Authorization"] == "Bearer t0ken"
    assert credential.closed == 1


# -- what is refused before anything is sent


@pytest.mark.parametrize(("endpoint", "key", "named"), [("", KEY, "endpoint"), ("https://x", "", "credential")])
def test_endpoint_and_credential_are_needed(endpoint: str, key: str, named: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{named} is empty"):
        VoiceLiveClient(endpoint, key)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"model": "m", "config": SessionConfig(tools=[CLOCK]), "tools": [CLOCK]}, "'clock' twice"),
        ({"model": "m", "tools": [CLOCK, CLOCK]}, "'clock' twice"),
        ({"agent": Agent("a", "p"), "config": SessionConfig(instructions="x")}, "config.instructions"),
        ({"agent": ClassicAgent("a", "p", "t"), "config": SessionConfig(temperature=1)}, "config.temperature"),
        (
            {
                "model": "gpt-realtime",
                "config": SessionConfig(
                    turn_detection=AzureSemanticVad(end_of_utterance_detection=AzureSemanticDetection())
                ),
            },
            "end_of_utterance_detection",
        ),
        ({}, "model and agent are both missing"),
        ({"model": "m", "agent": Agent("a", "p")}, "model and agent are both given"),
        ({"byom": Byom("byom-azure-openai-realtime")}, "byom needs model"),
    ],
)
async def test_what_cannot_work_is_refused_before_anything_is_sent(arguments: dict[str, Any], named: str) -> None:
    async with Server() as server:
        with pytest.raises(ConfigurationError, match=named):
            async with client_of(server).connect(**arguments):
                pytest.fail("it must not open")

    assert server.requests == []


# -- entering


async def test_the_context_is_entered_when_the_session_exists() -> None:
    begin = asyncio.Event()

    async def late(line: Line) -> None:
        await begin.wait()
        await line.create(model="gpt-realtime")
        await line.stay()

    async with Server(late) as server:
        context = client_of(server).connect("gpt-realtime")
        entering = asyncio.ensure_future(context.__aenter__())
        await server.until(lambda: server.lines)
        await settle()
        assert not entering.done()

        begin.set()
        session = await entering

        assert (session.id, session.config.model) == ("sess_1", "gpt-realtime")
        assert [type(event) for event in await take(session, 1)] == [SessionCreated]
        await context.__aexit__(None, None, None)
        assert server.lines[0].heard == [], "without settings nothing is updated"


async def test_every_session_is_shown_to_what_wants_to_equip_it_before_its_first_event() -> None:
    seen: list[tuple[str, object]] = []
    async with Emulator() as emulator, VoiceLiveClient(emulator.endpoint, "key") as client:
        client.on_connect(lambda session: seen.append((session.id, session)))
        async with client.connect("gpt-realtime") as one, client.connect("gpt-realtime") as other:
            pass

    assert seen == [("", one), ("", other)]


async def test_equipment_that_fails_leaves_no_session_behind() -> None:
    def fail(_: object) -> None:
        raise LookupError

    async with Emulator() as emulator, VoiceLiveClient(emulator.endpoint, "key") as client:
        client.on_connect(fail)
        with pytest.raises(LookupError):
            await client.connect("gpt-realtime").__aenter__()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_settings_and_tools_are_in_effect_when_the_context_is_entered() -> None:
    config = SessionConfig(instructions="Be brief.", tools=[WEATHER])
    async with (
        Server(created_and_updated) as server,
        client_of(server).connect("gpt-realtime", config=config, tools=[CLOCK]) as session,
    ):
        tools = session.config.tools
        assert [type(event) for event in await take(session, 2)] == [SessionCreated, SessionUpdated]

    assert server.lines[0].heard[0]["session"] == {
        "instructions": "Be brief.",
        "tools": [{"type": "function", "name": "weather"}, {"type": "function", "name": "clock"}],
    }
    assert tools == [WEATHER, CLOCK]
    assert session.requested == SessionConfig(instructions="Be brief.", tools=[WEATHER, CLOCK])


async def test_refused_settings_raise_out_of_the_context_and_close_the_socket() -> None:
    async def refuses(line: Line) -> None:
        await line.create()
        about = (await line.hear())["event_id"]
        error = {"type": "invalid_request_error", "code": "bad_value", "message": "no", "event_id": about}
        await line.say("error", error={**error, "param": "session.temperature"})
        await line.stay()

    async with Server(refuses) as server:
        with pytest.raises(ServiceError, match=r"at session\.temperature: bad_value") as caught:
            async with client_of(server).connect("gpt-realtime", config=SessionConfig(temperature=9)):
                pytest.fail("it must not open")
        await server.all_gone()
    assert caught.value.code == "bad_value"


async def test_leaving_the_context_closes_with_1000() -> None:
    async with Server() as server:
        async with client_of(server).connect("gpt-realtime") as session:
            before = session.close_info
        await server.all_gone()

    assert before is None
    assert session.close_info == CloseInfo(1000, "", "application", normal=True)
    assert server.lines[0].socket.close_code == 1000


async def test_leaving_by_an_exception_closes_as_well() -> None:
    async with Server() as server:
        context = client_of(server).connect("gpt-realtime")
        await context.__aenter__()
        assert not await context.__aexit__(ZeroDivisionError, ZeroDivisionError(), None)
        await server.all_gone()

    assert server.lines[0].socket.close_code == 1000


async def test_one_client_serves_many_sessions() -> None:
    async with Server() as server:
        client = client_of(server)

        async def once() -> str:
            async with client.connect("gpt-realtime") as session:
                return session.id

        assert await asyncio.gather(*(once() for _ in range(5))) == ["sess_1"] * 5
    assert len(server.requests) == 5


# -- entering fails


@pytest.mark.looptime
async def test_a_service_that_never_begins_is_a_connect_timeout() -> None:
    clock = asyncio.get_running_loop().time
    async with Server(mute) as server:
        began = clock()
        with pytest.raises(ConnectTimeoutError, match=r"session\.created did not come within 3 s"):
            async with client_of(server, NO_PINGS).connect("gpt-realtime", timeout_s=3):
                pytest.fail("it must not open")
        assert 3 <= clock() - began < 4.5
        await server.all_gone()


@pytest.mark.looptime
async def test_a_service_that_never_confirms_the_settings_is_a_connect_timeout() -> None:
    clock = asyncio.get_running_loop().time
    options = ClientOptions(ping_interval_s=None, connect_timeout_s=2)
    async with Server(only_created) as server:
        began = clock()
        with pytest.raises(ConnectTimeoutError, match=r"session\.updated did not come within 2 s"):
            async with client_of(server, options).connect("gpt-realtime", tools=[CLOCK]):
                pytest.fail("it must not open")
        assert 2 <= clock() - began < 3.5
        await server.all_gone()


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1011, "no capacity"), (1013, "try later")])
async def test_a_service_that_ends_the_session_before_it_began_failed_to_connect(code: int, reason: str) -> None:
    async def closes(line: Line) -> None:
        await line.socket.close(code, reason)

    async with Server(closes) as server:
        with pytest.raises(ConnectFailedError, match=f"before it was usable.*{code}.*{reason}"):
            async with client_of(server).connect("gpt-realtime"):
                pytest.fail("it must not open")


async def test_a_session_that_ends_during_its_first_update_is_named() -> None:
    async def closes(line: Line) -> None:
        await line.create()
        await line.hear()
        await line.socket.close(1011, "boom")

    async with Server(closes) as server:
        with pytest.raises(ConnectFailedError, match="boom") as caught:
            async with client_of(server).connect("gpt-realtime", tools=[CLOCK]):
                pytest.fail("it must not open")
    assert caught.value.request_id == "sess_1"


async def test_a_refused_key_says_so_and_repeats_no_secret() -> None:
    async with Server() as server:
        server.refuse_with = HTTPStatus.UNAUTHORIZED
        with pytest.raises(CredentialRejectedError) as caught:
            async with client_of(server).connect("gpt-realtime"):
                pytest.fail("it must not open")
    assert caught.value.status == 401
    assert KEY not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize("play", [mute, only_created])
async def test_a_cancelled_connect_leaves_no_socket_and_no_task(play: Any) -> None:
    async with Server(play) as server:
        context = client_of(server).connect("gpt-realtime", tools=[CLOCK])
        entering = asyncio.ensure_future(context.__aenter__())
        await server.until(lambda: server.lines and (play is mute or server.lines[0].heard))

        entering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await entering
        await server.all_gone()
    del context, entering
    gc.collect()


# -- secrets


def test_the_repr_names_the_endpoint_and_no_secret() -> None:
    client = VoiceLiveClient("https://me:pass@x.services.ai.azure.com/p?code=s3cret", KEY)

    shown = repr(client)

    assert "x.services.ai.azure.com" in shown
    assert "2026-07-15" in shown
    for secret in (KEY, "s3cret", "pass"):
        assert secret not in shown + str(client)


async def test_no_log_holds_the_key_or_what_was_said(caplog: pytest.LogCaptureFixture) -> None:
    async def talks(line: Line) -> None:
        await line.create()
        await line.say("response.text.delta", delta="private words")
        await line.stay()

    caplog.set_level(logging.DEBUG)
    async with (
        Server(talks, logger=logging.Logger("the service's own")) as server,
        client_of(server).connect("gpt-realtime") as session,
    ):
        await session.send_text("what I say")
        await take(session, 2)

    assert "sess_1" in caplog.text
    for secret in (KEY, "private words", "what I say"):
        assert secret not in caplog.text


# -- while it lasts


async def test_a_reset_connection_is_an_error_and_not_the_end_of_a_loop() -> None:
    async def drops(line: Line) -> None:
        await line.create()
        await line.hear()
        line.socket.transport.abort()

    async with Server(drops) as server, client_of(server).connect("gpt-realtime", resume=None) as session:
        await session.clear_audio()
        with pytest.raises(ConnectionLostError, match="sess_1"):
            await rest_of(session)


async def test_a_frame_over_the_limit_ends_the_session_by_name() -> None:
    async def shouts(line: Line) -> None:
        await line.create()
        await line.say("response.text.delta", delta="x" * 5000)
        await line.stay()

    options = ClientOptions(max_frame_bytes=4096)
    async with Server(shouts) as server, client_of(server, options).connect("gpt-realtime") as session:
        with pytest.raises(Exception, match="max_frame_bytes"):
            await rest_of(session)
        assert session.close_info is not None
        assert session.close_info.code == 1009


PING_S = 0.2  # both the interval and the time for the answer
BUSY_S = 3 * (PING_S + PING_S)


async def test_behind_a_busy_handler_pings_are_answered_and_not_one_event_is_lost() -> None:
    voice = b64encode(bytes(4700)).decode()  # with its envelope an event of about 6.4 kB

    async def floods(line: Line) -> None:
        await line.create()
        await line.hear()
        for number in range(600):
            await line.say("response.audio.delta", item_id="item_1", delta=voice, output_index=number)
        await line.say("response.done")
        await line.stay()

    options = ClientOptions(ping_interval_s=PING_S, ping_timeout_s=PING_S)
    async with Server(floods, ping_interval=PING_S, ping_timeout=PING_S) as server:
        async with client_of(server, options).connect("gpt-realtime") as session:
            heard = await _listen_with_a_busy_handler(session, server.lines[0])
            assert [event.output_index for event in heard] == list(range(600))
            assert all(len(event.delta) == 4700 for event in heard)
            assert session.close_info is None
            await session.clear_audio()
        await server.all_gone()


async def _listen_with_a_busy_handler(session: Session, line: Line) -> list[ResponseAudioDelta]:
    heard: list[ResponseAudioDelta] = []
    answered_s: list[float] = []
    done = asyncio.Event()
    sockets = (session._transport._connection, line.socket)  # type: ignore[attr-defined]  # only they know of pings

    @session.on(ResponseAudioDelta)
    async def busy(event: ResponseAudioDelta) -> None:
        if not heard:
            for socket in sockets:
                socket.latency = 0
            await asyncio.sleep(BUSY_S)
            answered_s.extend(socket.latency for socket in sockets)
        heard.append(event)

    @session.on(ResponseDone)
    def finished(event: ResponseDone) -> None:
        done.set()

    await session.clear_audio()
    await asyncio.wait_for(done.wait(), 10)
    assert min(answered_s) > 0, "pings of both sides were answered meanwhile"
    return heard
