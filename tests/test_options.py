"""Options are frozen, refuse what cannot work by field and value, and show no secrets."""

import copy
import dataclasses
import math
import pickle
import ssl
from typing import Any

import pytest

from voicelive.errors import ConfigurationError
from voicelive.options import ClientOptions, HandshakeRetry

REFUSED: list[tuple[str, Any]] = [
    *((name, value) for name in ("connect_timeout_s", "close_timeout_s", "confirm_timeout_s") for value in (0, -1.0)),
    *((name, value) for name in ("ping_interval_s", "ping_timeout_s") for value in (0, -0.5, math.nan)),
    *((name, value) for name in ("max_frame_bytes", "inbox_bytes", "outbox_bytes") for value in (0, 1023)),
    *(("connections_per_minute", value) for value in (0, -1)),
    ("handler_errors", "ignore"),
    ("prices", {}),
]
ACCEPTED: list[tuple[str, Any]] = [
    ("connect_timeout_s", 0.001),
    ("close_timeout_s", math.inf),
    ("ping_interval_s", None),
    ("ping_timeout_s", None),
    ("connections_per_minute", None),
    ("connections_per_minute", 1),
    ("max_frame_bytes", 1024),
    ("inbox_bytes", 1024),
    ("outbox_bytes", 1024),
    ("handler_errors", "end"),
]


def options(**fields: Any) -> ClientOptions:
    return ClientOptions(**fields)


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_a_refusal_names_field_and_value(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError) as refused:
        options(**{name: value})

    shown = "a dict" if name == "prices" else repr(value)
    assert str(refused.value).startswith(f"{name} is {shown}; ")


@pytest.mark.parametrize(("name", "value"), ACCEPTED)
def test_the_edge_of_what_works_is_accepted(name: str, value: Any) -> None:
    assert getattr(options(**{name: value}), name) == value


@pytest.mark.parametrize(("name", "value"), [("attempts", 0), ("first_wait_s", -1), ("max_wait_s", -0.1)])
def test_a_refused_retry_names_field_and_value(name: str, value: Any) -> None:
    fields: dict[str, Any] = {name: value}

    with pytest.raises(ConfigurationError, match=rf"handshake_retry\.{name} is {value}; it must be at least"):
        HandshakeRetry(**fields)


def test_retrying_can_be_turned_off() -> None:
    assert HandshakeRetry(attempts=1, first_wait_s=0, max_wait_s=0).attempts == 1


def test_the_defaults_are_those_of_the_documentation() -> None:
    usual = ClientOptions()

    assert (usual.connect_timeout_s, usual.close_timeout_s) == (15, 1)
    assert usual.connections_per_minute == 30
    assert (usual.ping_interval_s, usual.ping_timeout_s) == (10, 4)
    assert (usual.max_frame_bytes, usual.inbox_bytes, usual.outbox_bytes) == (2**24, 2**26, 2**22)
    assert usual.allow_insecure is False


@pytest.mark.parametrize("frozen", [ClientOptions(), HandshakeRetry()], ids=lambda value: type(value).__name__)
def test_options_are_frozen_and_take_no_new_names(frozen: Any) -> None:
    for field in dataclasses.fields(frozen):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(frozen, field.name, 1)
    with pytest.raises((AttributeError, TypeError)):
        frozen.conect_timeout_s = 1


def test_a_misspelt_option_is_refused() -> None:
    with pytest.raises(TypeError, match="conect_timeout_s"):
        options(conect_timeout_s=1)


def test_options_show_no_header_value_and_no_proxy_password() -> None:
    secret = "XYZZY-5ecret"
    shown = repr(options(headers={"x-key": secret}, proxy=f"http://user:{secret}@127.0.0.1:3128"))

    assert secret not in shown
    assert "connect_timeout_s=15.0" in shown


def test_a_changed_copy_is_checked_again() -> None:
    with pytest.raises(ConfigurationError, match="inbox_bytes is 5"):
        dataclasses.replace(ClientOptions(), inbox_bytes=5)


def test_options_can_be_copied_and_pickled() -> None:
    original = options(headers={"a": "b"}, handshake_retry=HandshakeRetry(attempts=5))

    assert copy.deepcopy(original) == original
    assert pickle.loads(pickle.dumps(original)) == original


def test_a_tls_context_is_kept_as_it_is() -> None:
    context = ssl.create_default_context()

    assert options(ssl=context).ssl is context


@pytest.mark.parametrize("weaken", ["no certificate", "optional certificate", "any name"])
def test_a_tls_context_that_does_not_verify_the_server_is_refused(weaken: str) -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    if weaken != "any name":
        context.verify_mode = ssl.CERT_NONE if weaken == "no certificate" else ssl.CERT_OPTIONAL

    with pytest.raises(ConfigurationError, match="ssl is a context that does not verify"):
        options(ssl=context)
    assert options(ssl=context, allow_insecure=True).ssl is context


@pytest.mark.parametrize("least", ["TLSv1", "TLSv1_1", "MINIMUM_SUPPORTED"])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_a_tls_context_that_allows_old_versions_is_refused(least: str) -> None:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion[least]

    with pytest.raises(ConfigurationError, match=f"minimum_version {least}; it must be at least TLSv1_2"):
        options(ssl=context)
    assert options(ssl=context, allow_insecure=True).ssl is context


@pytest.mark.parametrize("least", ["TLSv1_2", "TLSv1_3", "MAXIMUM_SUPPORTED"])
def test_a_tls_context_may_ask_for_more(least: str) -> None:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion[least]

    assert options(ssl=context).ssl is context
