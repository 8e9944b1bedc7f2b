"""Whether a request comes from the provider. Vectors were computed apart from this package."""

from __future__ import annotations

from typing import Any

import pytest

from voicelive.bridges.auth import AcsToken, AudioHookSignature, TwilioSignature, is_from_twilio, twilio_signature
from voicelive.bridges.upgrade import Upgrade
from voicelive.errors import ConfigurationError

TOKEN = "0123456789abcdef0123456789abcdef"
URL = "wss://voice.example.com/twilio/media"


@pytest.mark.parametrize(
    ("url", "signature"), [(URL, "3Wv0T80qzAY3OCARW9y1gnUJZtE="), (f"{URL}/", "emydRDSHhLvuug6wCkjTHD/G0T0=")]
)
def test_the_signature_of_a_stream_is_over_its_url(url: str, signature: str) -> None:
    assert twilio_signature(TOKEN, url) == signature


def test_the_signature_of_a_webhook_is_over_its_fields_too() -> None:
    fields = {
        "To": "+15550100002",
        "From": "+15550100001",
        "CallSid": "CA00000000000000000000000000000001",
    }

    assert is_from_twilio(TOKEN, "omSp/3+gWXRKbVjoEDaJILxeF54=", "https://voice.example.com/twilio/voice", fields)
    assert not is_from_twilio(TOKEN, "omSp/3+gWXRKbVjoEDaJILxeF54=", "https://voice.example.com/twilio/voice")


@pytest.mark.parametrize("ours", [URL, f"{URL}/", URL.replace(".com", ".com:443")])
@pytest.mark.parametrize("theirs", [URL, f"{URL}/", URL.replace(".com", ".com:443")])
def test_default_port_and_last_slash_make_no_difference(ours: str, theirs: str) -> None:
    assert is_from_twilio(TOKEN, twilio_signature(TOKEN, theirs), ours)


def test_another_port_makes_a_difference() -> None:
    other = URL.replace(".com", ".com:8443")

    assert is_from_twilio(TOKEN, twilio_signature(TOKEN, f"{other}/"), other)
    assert not is_from_twilio(TOKEN, twilio_signature(TOKEN, URL), other)


@pytest.mark.parametrize("signature", [None, "", "é", "\ud800", twilio_signature("wrong", URL)])
def test_a_wrong_signature_is_refused(signature: str | None) -> None:
    headers = {} if signature is None else {"x-twilio-signature": signature}

    assert not TwilioSignature(TOKEN, URL)(Upgrade("/twilio/media", headers))


def test_a_request_of_twilio_is_let_in_whatever_the_server_is_called_inside() -> None:
    headers = {"x-twilio-signature": "3Wv0T80qzAY3OCARW9y1gnUJZtE=", "host": "10.0.0.7:8080"}

    assert TwilioSignature(TOKEN, URL)(Upgrade("/internal", headers))


def test_the_url_of_a_stream_is_one_of_websockets() -> None:
    with pytest.raises(ConfigurationError, match="must begin with wss://"):
        TwilioSignature(TOKEN, "https://voice.example.com/twilio/media")


# -- Azure Communication Services


async def test_the_token_goes_to_the_validator() -> None:
    seen: list[str] = []

    def validate(token: str) -> dict[str, Any]:
        seen.append(token)
        return {"iss": "someone"}

    assert await AcsToken(validate)(Upgrade("/", {"authorization": "Bearer a.b.c"}))
    assert seen == ["a.b.c"]


async def test_a_validator_may_wait_and_refuse() -> None:
    async def validate(token: str) -> bool:
        return token == "good"

    assert await AcsToken(validate)(Upgrade("/", {"authorization": "bearer good"}))
    assert not await AcsToken(validate)(Upgrade("/", {"authorization": "Bearer bad"}))


@pytest.mark.parametrize("headers", [{}, {"authorization": "Basic x"}, {"authorization": "Bearer "}])
async def test_a_request_without_a_token_is_refused(headers: dict[str, str]) -> None:
    assert not await AcsToken(lambda _: True)(Upgrade("/", headers))


# -- Genesys AudioHook

KEY, SECRET = "dGVzdC1hcGkta2V5", "dm9pY2VsaXZlLXRlc3Qta2V5LW5vdC1hLXNlY3JldA=="
INPUT = (
    'sig1=("@request-target" "@authority" "audiohook-organization-id" "audiohook-session-id" '
    '"audiohook-correlation-id" "x-api-key");keyid="dGVzdC1hcGkta2V5";nonce="bm9uY2Utbm9uY2Utbm9uY2U";'
    'alg="hmac-sha256";created=1767225600;expires=1767225630'
)
HEADERS = {
    "host": "voice.example.com",
    "audiohook-organization-id": "3f0d3b6c-7f4e-4b0c-9a55-2d1f6a7b8c90",
    "audiohook-session-id": "7b0a5e1c-52d4-4c7e-8c1b-0f6d2a9e4b31",
    "audiohook-correlation-id": "c2d9c7a4-1e0f-4a63-b7d8-5e9a3f1c6d20",
    "x-api-key": KEY,
    "signature-input": INPUT,
    "signature": "sig1=:1mHIQdfmP8yA+/3dTE34GJ3dL9086eqWKtEyYKbhNgw=:",
}
TARGET = "/genesys/audiohook?bot=demo"
CREATED = 1767225600.0


def lets_in(
    headers: dict[str, str | None] | None = None, *, target: str = TARGET, now: float = CREATED, key: str = KEY
) -> bool:
    wanted = {name: value for name, value in {**HEADERS, **(headers or {})}.items() if value is not None}
    return AudioHookSignature({key: SECRET}, clock=lambda: now)(Upgrade(target, wanted))


def test_a_signed_request_of_genesys_is_let_in() -> None:
    assert lets_in()


def test_a_signed_request_is_let_in_once() -> None:
    authenticate = AudioHookSignature({KEY: SECRET}, clock=lambda: CREATED)

    assert authenticate(Upgrade(TARGET, HEADERS))
    assert not authenticate(Upgrade(TARGET, HEADERS))


@pytest.mark.parametrize("now", [CREATED - 3, CREATED + 10])
def test_a_request_may_be_a_little_old_or_early(now: float) -> None:
    assert lets_in(now=now)


@pytest.mark.parametrize("now", [CREATED - 4, CREATED + 11, CREATED + 31])
def test_a_request_that_is_old_or_of_the_future_is_refused(now: float) -> None:
    assert not lets_in(now=now)


@pytest.mark.parametrize(
    "headers",
    [
        {"signature": "sig1=:AAAA:"},
        {"signature": "sig1=:é:"},
        {"signature": "sig2=:1mHIQdfmP8yA+/3dTE34GJ3dL9086eqWKtEyYKbhNgw=:"},
        {"signature": None},
        {"signature-input": None},
        {"signature-input": INPUT.replace('"@authority" ', "")},
        {"signature-input": INPUT.replace("hmac-sha256", "none")},
        {"signature-input": INPUT.replace("bm9uY2Utbm9uY2Utbm9uY2U", "short")},
        {"signature-input": f"{INPUT};odd=1"},
        {"signature-input": INPUT.replace(";created=1767225600", "")},
        {"signature-input": INPUT.replace("created=1767225600", 'created="soon"')},
        {"signature-input": INPUT.replace("expires=1767225630", 'expires="soon"')},
        {"signature-input": "(" * 100_000},
        {"host": "other.example.com"},
        {"audiohook-session-id": "another"},
        {"x-api-key": "another"},
        {"x-api-key": None},
    ],
)
def test_a_request_that_was_changed_or_signed_badly_is_refused(headers: dict[str, str | None]) -> None:
    assert not lets_in(headers)


def test_another_target_or_an_unknown_key_is_refused() -> None:
    assert not lets_in(target="/genesys/audiohook")
    assert not lets_in(key="another")


def test_a_secret_that_is_no_base64_is_refused_without_being_told() -> None:
    with pytest.raises(ConfigurationError, match="is no base64") as refused:
        AudioHookSignature({KEY: "a secret!"})
    assert "a secret" not in str(refused.value)
