"""What a refused upgrade means. The bodies are illustrative: the service's own are undocumented."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.errors import ConnectFailedError, CredentialRejectedError, ServiceBusyError
from voicelive.transport.refusals import clean, refusal, retry_after_s

NOW = datetime(2026, 7, 15, 12, tzinfo=UTC)


def envelope(code: str, message: str) -> bytes:
    return json.dumps({"error": {"code": code, "message": message, "type": "invalid_request_error"}}).encode()


@pytest.mark.parametrize(
    ("status", "kind", "advice"),
    [
        (302, ConnectFailedError, "redirects to another address, which is refused: the credential would travel along"),
        (400, ConnectFailedError, "check api_version, and that the model or agent exists"),
        (401, CredentialRejectedError, "Cognitive Services User and Foundry User"),
        (403, CredentialRejectedError, "network rules"),
        (404, ConnectFailedError, "path, the resource's name, and that its region"),
        (408, ServiceBusyError, "try again"),
        (418, ConnectFailedError, "check the endpoint, and any gateway"),
        (429, ServiceBusyError, "quota"),
        (500, ServiceBusyError, "try again later"),
        (503, ServiceBusyError, "try again later"),
        (200, ConnectFailedError, "not how Voice Live answers"),
    ],
)
def test_every_status_has_its_class_and_its_advice(status: int, kind: type[ConnectFailedError], advice: str) -> None:
    error = refusal(status, {}, b"")

    assert type(error) is kind
    assert error.status == status
    assert advice in str(error)
    assert f"HTTP {status}" in str(error)


def test_the_services_words_are_repeated() -> None:
    error = refusal(401, {"content-type": "application/json"}, envelope("401", "Access denied due to invalid key."))

    assert "; the service said: 401: Access denied due to invalid key." in str(error)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"plain words", "plain words"),
        (b'{"error": "short"}', "short"),
        (b'{"message": "bare"}', "bare"),
        (b'{"code": "Bad", "message": "bare"}', "Bad: bare"),
        (b'"text"', "text"),
        (b"two\r\nlines\x1b[31m", "two lines [31m"),
        (b"caf\xc3\xa9 \xff", "café \N{REPLACEMENT CHARACTER}"),
    ],
)
def test_a_body_of_any_kind_is_read(body: bytes, said: str) -> None:
    assert refusal(400, {}, body).message.endswith(f"; the service said: {said}")


@pytest.mark.parametrize(
    "body", [b"", b"  ", b"<html>Bad gateway</html>", b"{}", b'{"error": {"code": 5}}', b"[1]", b"7"]
)
def test_a_body_that_tells_nothing_is_left_out(body: bytes) -> None:
    assert "the service said" not in str(refusal(502, {}, body))


def test_the_services_words_are_bounded() -> None:
    assert refusal(400, {}, b"x" * 3_000_000).message.count("x") < 520
    assert refusal(400, {}, b"[" * 100_000).message


@pytest.mark.parametrize("name", ["apim-request-id", "x-ms-request-id", "x-request-id"])
def test_the_services_request_id_is_kept(name: str) -> None:
    assert refusal(500, {name: "r-1"}, b"", client_request_id="c-1").request_id == "r-1"


def test_without_one_the_clients_request_id_is_kept() -> None:
    error = refusal(500, {"x-request-id": ""}, b"", client_request_id="c-1")

    assert error.request_id == "c-1"
    assert "request id c-1" in str(error)


def test_a_request_id_is_bounded_and_on_one_line() -> None:
    request_id = refusal(500, {"x-request-id": "a\tb" + "c" * 500}, b"").request_id

    assert request_id is not None
    assert request_id.startswith("a bccc")
    assert len(request_id) == 100


def test_a_redirect_names_its_host_only() -> None:
    error = refusal(307, {"location": "https://evil.example/path?token=s3cret"}, b"")

    assert "redirects to the host evil.example, which is refused" in str(error)
    assert "s3cret" not in str(error)
    assert "/path" not in str(error)


@pytest.mark.parametrize("location", ["/elsewhere", "https://[broken", ""])
def test_a_redirect_without_a_host_is_refused_too(location: str) -> None:
    assert "redirects to another address" in str(refusal(301, {"location": location}, b""))


def test_secrets_that_an_answer_repeats_are_masked() -> None:
    error = refusal(
        400, {"x-request-id": "id-s3cret"}, b"you sent Bearer s3cret.long and s3cret", secrets=["s3cret", "s3cret.long"]
    )

    assert error.message.endswith("you sent Bearer *** and ***")
    assert error.request_id == "id-***"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("20", 20.0),
        ("1.5", 1.5),
        ("0", 0.0),
        ("-3", 0.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
        ("Wed, 15 Jul 2026 12:00:30 -0000", 30.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, expected: float | None) -> None:
    assert retry_after_s(value, now=NOW) == expected


def test_a_busy_service_tells_when_to_come_back() -> None:
    assert refusal(429, {"retry-after": "20"}, envelope("429", "Too many new connections.")).retry_after_s == 20


@given(status=st.integers(300, 599), header=st.text(max_size=50), body=st.binary(max_size=200))
def test_no_answer_breaks_the_reading(status: int, header: str, body: bytes) -> None:
    error = refusal(status, {"location": header, "retry-after": header, "x-request-id": header}, body)

    assert "\n" not in str(error)
    assert error.retry_after_s is None or error.retry_after_s >= 0


@given(st.text())
def test_cleaned_text_is_short_and_on_one_line(text: str) -> None:
    assert len(clean(text)) <= 500
    assert len(clean(text).splitlines()) <= 1
