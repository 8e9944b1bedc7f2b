"""Offers of browsers and Python peers on their way to the service, and its answers on their way back."""

from __future__ import annotations

import contextlib
import json
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.avatar.negotiation import MOST_CHARACTERS, answer_in, answer_sdp, read_offer
from voicelive.errors import ConfigurationError, ProtocolError

OFFERS = Path(__file__).parents[1] / "data" / "avatar" / "sdp_offers"
INDEX: list[dict[str, Any]] = json.loads((OFFERS / "index.json").read_text())["files"]
GOOD = [entry["name"] for entry in INDEX if entry["type"] == "offer" and entry["expect"] == "accept"]
ANSWERS = [entry["name"] for entry in INDEX if entry["type"] == "answer" and entry["expect"] == "accept"]


def sdp(name: str) -> str:
    return (OFFERS / f"{name}.sdp").read_bytes().decode()


def encoded(name: str) -> str:
    return (OFFERS / f"{name}.b64").read_text()


def described(client_sdp: str) -> Any:
    return json.loads(b64decode(client_sdp, validate=True))


@pytest.mark.parametrize("name", GOOD)
def test_an_encoded_offer_goes_on_unchanged(name: str) -> None:
    offer = read_offer(encoded(name))

    assert (offer.client_sdp, offer.form) == (encoded(name), "encoded")


@pytest.mark.parametrize("name", GOOD)
def test_a_plain_offer_is_wrapped_and_its_text_is_untouched(name: str) -> None:
    for given_offer, form in ((sdp(name), "sdp"), ({"type": "offer", "sdp": sdp(name)}, "mapping")):
        offer = read_offer(given_offer)

        assert offer.form == form
        assert described(offer.client_sdp) == {"type": "offer", "sdp": sdp(name)}


def test_bare_line_feeds_become_those_of_sdp() -> None:
    text = sdp("odd_lf_line_ends.offer")
    assert "\r" not in text

    offer = read_offer(text)

    assert described(offer.client_sdp)["sdp"] == text.replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("bad_audio_only.offer", "no section for video"),
        ("bad_no_h264.offer", "no H.264"),
        ("bad_not_gathered.offer", "no ICE candidates"),
    ],
)
def test_an_offer_that_the_service_cannot_answer_is_refused_in_every_form(name: str, problem: str) -> None:
    for offer in (sdp(name), {"type": "offer", "sdp": sdp(name)}, encoded(name)):
        with pytest.raises(ConfigurationError, match=problem):
            read_offer(offer)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("bad_encoding_b64_of_sdp.offer", "pass the text itself"),
        ("bad_encoding_json_not_b64.offer", r"json\.loads"),
        ("bad_encoding_urlsafe_b64.offer", "standard alphabet"),
        ("bad_type_answer.offer", "type is 'answer'"),
    ],
)
def test_an_offer_in_a_wrong_code_is_refused_with_advice(name: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        read_offer(encoded(name))


def test_sdp_in_place_of_its_code_is_the_form_of_plain_text() -> None:
    assert read_offer(encoded("bad_encoding_plain_sdp.offer")).form == "sdp"


@pytest.mark.parametrize(
    ("offer", "problem"),
    [
        (7, "offer is a int"),
        ("", "no JSON object"),
        ("A", "cannot be decoded"),
        ("/w==", "cannot be decoded"),
        ("W10=", "no JSON object"),
        ("bm8=", "no JSON object"),
        ({"sdp": "v=0"}, "type is None"),
        ({"type": "secret", "sdp": "v=0"}, "type is something else"),
        ({"type": "offer"}, "no SDP text"),
        ({"type": "offer", "sdp": "hello"}, "no SDP text"),
        ({"type": "offer", "sdp": "v=0" + MOST_CHARACTERS * "x"}, "at most 262144"),
        ("v=0" + MOST_CHARACTERS * "x", "at most 262144"),
    ],
)
def test_what_is_no_offer_says_what_is_wrong(offer: Any, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        read_offer(offer)


def test_nothing_of_an_offer_is_quoted() -> None:
    offer = read_offer(sdp(GOOD[0]))
    assert "client_sdp" not in repr(offer)

    with pytest.raises(ConfigurationError) as raised:
        read_offer(sdp("bad_audio_only.offer"))
    assert "candidate:" not in str(raised.value)


@pytest.mark.parametrize("name", ANSWERS)
def test_the_answer_comes_in_the_form_of_the_offer(name: str) -> None:
    assert answer_in("sdp", encoded(name)) == sdp(name)
    assert answer_in("mapping", encoded(name)) == {"type": "answer", "sdp": sdp(name)}
    assert answer_in("encoded", encoded(name)) == encoded(name)


def test_an_answer_in_another_code_is_understood() -> None:
    text = sdp(ANSWERS[0])

    assert answer_sdp(text) == text
    assert answer_sdp(b64encode(text.encode()).decode()) == text


@pytest.mark.parametrize("server_sdp", ["", "é", "e30=", "W10=", "/w==", "eyJzZHAiOiAxfQ==", "eyJzZHAiOiAieCJ9"])
def test_an_answer_without_sdp_says_so_and_quotes_nothing(server_sdp: str) -> None:
    for form in ("sdp", "encoded"):
        with pytest.raises(ProtocolError, match=f"{len(server_sdp)} characters holds no SDP"):
            answer_in(form, server_sdp)


@given(st.text() | st.binary().map(lambda data: b64encode(data).decode()) | st.dictionaries(st.text(), st.text()))
def test_any_offer_is_read_or_refused(offer: Any) -> None:
    with contextlib.suppress(ConfigurationError):
        assert read_offer(offer).client_sdp
