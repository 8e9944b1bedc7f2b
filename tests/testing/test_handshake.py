"""Who is let in, judged without a socket."""

from __future__ import annotations

import json

import pytest

from voicelive.testing.handshake import RejectedUpgrade, admit

PATH = "/voice-live/realtime"
GOOD = f"{PATH}?api-version=2026-07-15&model=gpt-realtime"
KEY = {"api-key": "secret"}


def rejected(target: str, headers: dict[str, str], api_key: str | None = None) -> RejectedUpgrade:
    with pytest.raises(RejectedUpgrade) as caught:
        admit(target, headers, api_key=api_key)
    return caught.value


@pytest.mark.parametrize(
    ("target", "headers", "credential"),
    [
        (GOOD, KEY, "api-key"),
        (GOOD, {"authorization": "Bearer token"}, "bearer"),
        (GOOD + "&api-key=secret", {}, "api-key"),
        (GOOD + "&Authorization=Bearer%20token", {}, "bearer"),
        ("/gateway/eu" + GOOD, KEY, "api-key"),
    ],
)
def test_a_credential_is_taken_from_header_or_query(target: str, headers: dict[str, str], credential: str) -> None:
    assert admit(target, headers, api_key=None).credential == credential


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer "}, {"authorization": "Basic x"}, {"api-key": ""}])
def test_without_a_credential_nobody_is_let_in(headers: dict[str, str]) -> None:
    assert rejected(GOOD, headers).status == 401


def test_a_wrong_key_is_refused_where_one_is_set() -> None:
    assert rejected(GOOD, KEY, api_key="other").status == 401
    assert admit(GOOD, KEY, api_key="secret").credential == "api-key"


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/voice-live/other?api-version=1&model=m", 404),
        ("/?api-version=1&model=m", 404),
        (f"{PATH}?model=gpt-realtime", 400),
        (f"{PATH}?api-version=2026-07-15", 400),
        (f"{PATH}?api-version=2026-07-15&agent-name=helper", 400),
    ],
)
def test_what_is_missing_decides_the_status(target: str, status: int) -> None:
    rejection = rejected(target, KEY)
    assert rejection.status == status
    assert set(json.loads(rejection.body)["error"]) == {"code", "message"}


@pytest.mark.parametrize("agent", ["agent-name=helper&agent-project-name=p", "agent-id=helper"])
def test_an_agent_needs_no_model(agent: str) -> None:
    admission = admit(f"{PATH}?api-version=1&{agent}", KEY, api_key=None)
    assert admission.agent is not None
    assert admission.agent["name"] == "helper"


def test_secrets_are_not_kept() -> None:
    target = GOOD + "&agent-access-token=t0p&Authorization=Bearer%20t0p&api-key=t0p&features=x"
    admission = admit(target, {"api-key": "t0p", "authorization": "Bearer t0p", "user-agent": "me"}, api_key=None)
    assert "t0p" not in repr(admission) + str(admission.query) + str(admission.headers)
    assert admission.query["features"] == "x"
    assert admission.headers["user-agent"] == "me"


@pytest.mark.parametrize(
    ("version", "status"),
    [("2026-01-01-preview", None), ("2026-06-01-preview", None), ("2026-07-15", 404), ("v1", 404)],
)
def test_webrtc_calls_are_let_in_with_previews_that_have_them(version: str, status: int | None) -> None:
    target = f"/voice-live/realtime/calls?api-version={version}&model=m"
    if status is None:
        assert admit(target, {"api-key": "k"}, api_key=None).webrtc
    else:
        with pytest.raises(RejectedUpgrade) as rejected:
            admit(target, {"api-key": "k"}, api_key=None)
        assert rejected.value.status == status
