"""Endpoint and target become one URL, and no value becomes a parameter."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.errors import ConfigurationError
from voicelive.transport.address import Agent, Byom, ClassicAgent, Target, build_url, is_loopback, redacted

MODEL = Target(model="gpt-realtime")
HOST = "res.services.ai.azure.com"


def url_of(endpoint: str, target: Target = MODEL, **extra: str) -> str:
    return build_url(endpoint, "2026-07-15", target, extra)


def path_of(endpoint: str) -> str:
    return urlsplit(url_of(endpoint)).path


def query_of(url: str) -> dict[str, str]:
    pairs = parse_qsl(urlsplit(url).query, strict_parsing=True, keep_blank_values=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        (f"https://{HOST}", f"wss://{HOST}/voice-live/realtime"),
        (f"https://{HOST}/", f"wss://{HOST}/voice-live/realtime"),
        (f"wss://{HOST}", f"wss://{HOST}/voice-live/realtime"),
        (f"HTTPS://{HOST.upper()}", f"wss://{HOST}/voice-live/realtime"),
        ("http://127.0.0.1:8080", "ws://127.0.0.1:8080/voice-live/realtime"),
        ("ws://[::1]:8080/", "ws://[::1]:8080/voice-live/realtime"),
        (HOST, f"wss://{HOST}/voice-live/realtime"),
        ("localhost:8443", "wss://localhost:8443/voice-live/realtime"),
        (f"{HOST}/gateway", f"wss://{HOST}/gateway/voice-live/realtime"),
    ],
)
def test_an_endpoint_becomes_the_address_of_the_service(endpoint: str, expected: str) -> None:
    assert url_of(endpoint) == f"{expected}?api-version=2026-07-15&model=gpt-realtime"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/gateway/", "/gateway/voice-live/realtime"),
        ("/voice-live/realtime", "/voice-live/realtime"),
        ("/a/voice-live/realtime/", "/a/voice-live/realtime"),
        ("/api/projects/p", "/voice-live/realtime"),
        ("/api/projects/p/more/of/it", "/voice-live/realtime"),
        ("/api/projects/", "/voice-live/realtime"),
        ("/gateway/api/projects/p", "/gateway/voice-live/realtime"),
        ("/api/projectsx/p", "/api/projectsx/p/voice-live/realtime"),
        ("/a%20b/ü", "/a%20b/%C3%BC/voice-live/realtime"),
    ],
)
def test_a_prefix_is_kept_and_a_project_path_is_cut_off(path: str, expected: str) -> None:
    assert path_of(f"https://{HOST}{path}") == expected


def test_the_endpoints_own_parameters_are_kept_as_written_unless_the_client_sets_them() -> None:
    url = url_of(f"https://{HOST}/?sig=a%2Bb+c&Model=old&API-VERSION=1&flag&empty=")

    assert url.endswith("?api-version=2026-07-15&model=gpt-realtime&sig=a%2Bb+c&flag&empty=")


def test_extra_parameters_replace_the_endpoints() -> None:
    query = query_of(build_url(f"https://{HOST}?route=a", "v1", MODEL, {"route": "b"}))

    assert query == {"api-version": "v1", "model": "gpt-realtime", "route": "b"}


@pytest.mark.parametrize("name", ["model", "API-Version"])
def test_extra_parameters_may_not_replace_the_clients(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"extra_query names {name}"):
        build_url(HOST, "v1", MODEL, {name: "x"})


def test_a_foundry_agent_fills_its_parameters() -> None:
    agent = Agent(
        "desk",
        "proj",
        version="3",
        conversation_id="conv_1",
        identity_client_id="id-1",
        foundry_resource_override="other",
    )

    assert query_of(url_of(HOST, Target(agent=agent))) == {
        "api-version": "2026-07-15",
        "agent-name": "desk",
        "agent-project-name": "proj",
        "agent-version": "3",
        "conversation-id": "conv_1",
        "agent-authentication-identity-client-id": "id-1",
        "foundry-resource-override": "other",
    }


def test_a_foundry_agent_sends_no_parameter_that_is_not_set() -> None:
    assert Agent("desk", "proj").query() == {"agent-name": "desk", "agent-project-name": "proj"}


def test_a_classic_agent_fills_its_parameters_and_hides_its_token() -> None:
    agent = ClassicAgent("asst_1", "proj", "eyJ.secret")

    assert query_of(url_of(HOST, Target(agent=agent))) == {
        "api-version": "2026-07-15",
        "agent-id": "asst_1",
        "agent-project-name": "proj",
        "agent-access-token": "eyJ.secret",
    }
    assert "secret" not in repr(Target(agent=agent))


def test_a_model_of_ones_own_needs_its_deployment() -> None:
    byom = Byom("byom-azure-openai-realtime")

    assert query_of(url_of(HOST, Target(model="mine", byom=byom)))["profile"] == "byom-azure-openai-realtime"
    with pytest.raises(ConfigurationError, match="byom needs model"):
        url_of(HOST, Target(byom=byom))


def test_an_unknown_byom_profile_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"'byom-x'; allowed: byom-azure-openai-realtime, byom-azure-openai-c"):
        Byom("byom-x")


def test_features_travel_in_one_parameter() -> None:
    url = url_of(HOST, Target(model="m", features=["client_ec_reference:true", "b"]))

    assert query_of(url)["features"] == "client_ec_reference:true,b"


def test_features_in_one_string_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="write a list"):
        Target(model="m", features="client_ec_reference:true")


@pytest.mark.parametrize(
    ("endpoint", "target", "message"),
    [
        (HOST, Target(), "both missing"),
        (HOST, Target(model="m", agent=Agent("a", "p")), "model and agent are both given"),
        (f"{HOST}?agent-name=a", Target(model="m"), "model and agent are both given"),
        (f"{HOST}?Model=m", Target(agent=ClassicAgent("a", "p", "t")), "model and agent are both given"),
        (HOST, Target(agent=Agent("a", "p"), byom=Byom("byom-azure-openai-realtime")), "byom and agent are both"),
    ],
)
def test_exactly_one_of_model_and_agent_is_needed(endpoint: str, target: Target, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        url_of(endpoint, target)


@pytest.mark.parametrize("query", ["model=m", "agent-name=a&agent-project-name=p", "agent-id=a"])
def test_the_endpoints_own_query_may_name_the_target(query: str) -> None:
    assert url_of(f"{HOST}?{query}", Target()).endswith(query)


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ("", "endpoint is empty"),
        ("ftp://host", "scheme 'ftp'; allowed: https, wss, http, ws"),
        ("https://user:hunter2@host", "user information"),
        ("https://host/#part", "fragment"),
        ("https://host#", "fragment"),
        ("https://", "no usable host"),
        ("https:///path", "no usable host"),
        ("https://hörer.example", "no usable host"),
        ("https://ho|st", "no usable host"),
        ("https://host:99999", "not a URL"),
        ("https://host:port", "not a URL"),
        ("mailto:someone", "not a URL"),
        ("https://[::1", "not a URL"),
        ("https://good.example\\@evil.example", "backslash"),
        (" https://host", "white space"),
        ("https://host\n", "white space"),
    ],
)
def test_an_unusable_endpoint_is_refused_by_name(endpoint: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match="endpoint") as caught:
        url_of(f"{endpoint}")

    assert message in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "endpoint", ["https://u@host?api-key=hunter2", "https://host:1x?api-key=hunter2", "x://h?k=hunter2"]
)
def test_no_error_repeats_a_query_value_of_the_endpoint(endpoint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        url_of(endpoint)

    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("bad", ["", "  ", "a\r\nb", "a\x00b", "a\x7f", "\x85", "\ud800"])
def test_no_value_may_be_empty_or_hold_control_characters(bad: str) -> None:
    for make in (
        lambda: Target(model=bad),
        lambda: Target(model="m", features=[bad]),
        lambda: Agent(bad, "p"),
        lambda: Agent("a", bad),
        lambda: Agent("a", "p", conversation_id=bad),
        lambda: ClassicAgent(bad, "p", "t"),
        lambda: build_url(HOST, bad, MODEL),
        lambda: build_url(HOST, "v1", MODEL, {bad: "x"}),
    ):
        with pytest.raises(ConfigurationError):
            make()


@pytest.mark.parametrize(
    "make",
    [lambda bad: ClassicAgent("a", "p", bad), lambda bad: build_url(HOST, "v1", MODEL, {"code": bad})],
)
def test_a_refused_value_that_may_be_secret_is_not_repeated(make) -> None:  # type: ignore[no-untyped-def] # two lambdas
    with pytest.raises(ConfigurationError) as caught:
        make("hunter2\n")

    assert "hunter2" not in str(caught.value)


def test_targets_of_a_wrong_type_are_named() -> None:
    with pytest.raises(ConfigurationError, match="agent is a str"):
        Target(agent="desk")  # type: ignore[arg-type] # what a caller without type checks may write
    with pytest.raises(ConfigurationError, match="byom is a str"):
        Target(model="m", byom="byom-azure-openai-realtime")  # type: ignore[arg-type] # as above


texts = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(lambda text: text.strip())


@given(model=texts, version=texts, extra=st.dictionaries(texts, texts, max_size=3))
def test_any_value_comes_back_whole_from_the_query(model: str, version: str, extra: dict[str, str]) -> None:
    extra = {name: value for name, value in extra.items() if name.lower() not in ("model", "api-version", "agent-id")}

    url = build_url("https://host", version, Target(model=model), extra)

    assert url.isascii()
    assert query_of(url) == {"api-version": version, "model": model} | extra


@given(st.text(alphabet=st.characters(exclude_characters="#@"), max_size=30))
def test_any_endpoint_either_is_refused_or_keeps_its_host(tail: str) -> None:
    try:
        url = url_of(f"https://{HOST}/{tail}", Target(model="m"))
    except ConfigurationError:
        return
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("wss", HOST, "")
    assert parts.path.endswith("/voice-live/realtime")
    assert url.isascii()


def test_a_logged_url_shows_only_harmless_values() -> None:
    url = "wss://user:pw@host/voice-live/realtime?api-version=v1&model=m&agent-access-token=hunter2&k=%20x&flag"

    assert redacted(url) == (
        "wss://***@host/voice-live/realtime?api-version=v1&model=m&agent-access-token=***&k=***&flag=***"
    )


def test_a_url_without_query_is_logged_as_it_is() -> None:
    assert redacted("ws://127.0.0.1:1/x") == "ws://127.0.0.1:1/x"


@given(st.text())
def test_redacting_never_fails(text: str) -> None:
    redacted(text)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("localhost", True),
        ("LocalHost", True),
        ("128.0.0.1", False),
        ("0.0.0.0", False),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
        ("", False),
    ],
)
def test_loopback_is_this_machine_only(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize("name", ["t&model=other", "t#frag", "t?x=1", "../../admin", "t h", "ä%26", "t;a=b", 't"\\'])
def test_a_conversation_of_the_services_choosing_adds_no_parameter(name: str) -> None:
    agent = replace(Agent("a", "p"), conversation_id=name)  # as for another connection of a session
    url = build_url("https://x.example", "2026-07-15", Target(agent=agent))

    assert parse_qsl(urlsplit(url).query, strict_parsing=True)[-1] == ("conversation-id", name)
    assert urlsplit(url).path == "/voice-live/realtime"
    assert not urlsplit(url).fragment


def test_a_conversation_with_control_characters_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"agent\.conversation_id"):
        replace(Agent("a", "p"), conversation_id="t\r\nHost: other")


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
def test_an_access_token_is_not_pickled(take: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match="access token") as caught:
        take(Target(agent=ClassicAgent("a", "p", "s3cret")).agent)

    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "endpoint", ["https://host", "https://host/voice-live/realtime", "https://host/api/projects/p"]
)
def test_a_webrtc_call_has_a_path_of_its_own(endpoint: str) -> None:
    url = build_url(endpoint, "v1", Target(model="m", webrtc=True))
    assert url.startswith("wss://host/voice-live/realtime/calls?")
