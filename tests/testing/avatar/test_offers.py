"""Offers as clients make them: read strictly, and judged as the service does."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.testing.avatar.offers import decode_offer, encode_answer, has_data_section, judge_offer
from voicelive.testing.checks import Refusal

SAMPLES = Path(__file__).parents[2] / "data" / "avatar" / "sdp_offers"
FAILED = "Avatar connection failed: WebRTC SDP negotiation failed: peer connect created failure: "


def client_sdp(name: str) -> str:
    return (SAMPLES / f"{name}.offer.b64").read_text()


def sdp(name: str) -> str:
    return (SAMPLES / f"{name}.offer.sdp").read_bytes().decode()


def encoded(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize("name", ["chromium_recvonly", "aiortc_recvonly_h264_datachannel", "firefox_like_recvonly"])
def test_an_offer_is_decoded_and_passes(name: str) -> None:
    offer = decode_offer(client_sdp(name))

    assert offer == sdp(name)
    judge_offer(offer)


def test_bare_line_feeds_become_the_line_ends_of_sdp() -> None:
    offer = decode_offer(client_sdp("odd_lf_line_ends"))

    assert offer == sdp("odd_lf_line_ends").replace("\n", "\r\n")


@pytest.mark.parametrize(
    "sent",
    [
        *(client_sdp(f"bad_encoding_{name}") for name in ("plain_sdp", "b64_of_sdp", "json_not_b64", "urlsafe_b64")),
        client_sdp("bad_type_answer"),
        encoded(["offer"]),
        encoded({"type": "offer"}),
        encoded({"type": "offer", "sdp": 7}),
        base64.b64encode(b"[" * 100_000).decode(),
        "",
        "\udcff",
    ],
)
def test_what_is_no_offer_is_refused_without_being_quoted(sent: str) -> None:
    with pytest.raises(Refusal) as caught:
        decode_offer(sent)

    assert (caught.value.code, caught.value.param) == ("invalid_value", "client_sdp")
    assert len(caught.value.message) < 100


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("bad_audio_only", "None is not in list"),
        ("bad_no_h264", "Failed to set remote video description send parameters"),
    ],
)
def test_an_offer_without_a_usable_picture_fails_as_with_the_service(name: str, cause: str) -> None:
    with pytest.raises(Refusal) as caught:
        judge_offer(decode_offer(client_sdp(name)))

    refusal = caught.value
    assert (refusal.kind, refusal.code) == ("server_error", "avatar_service_internal_error")
    assert refusal.message == FAILED + cause


def test_an_offer_without_sound_fails_too() -> None:
    with pytest.raises(Refusal, match="None is not in list"):
        judge_offer(sdp("chromium_recvonly").replace("m=audio", "m=other"))


def test_h264_of_another_section_does_not_count() -> None:
    with pytest.raises(Refusal, match="Failed to set remote video description"):
        judge_offer("m=video 9 x 96\r\na=rtpmap:96 VP8/90000\r\nm=audio 9 x 97\r\na=rtpmap:97 H264/90000\r\n")


def test_a_data_section_is_found() -> None:
    assert has_data_section(sdp("chromium_sendrecv_eventchannel"))
    assert not has_data_section(sdp("chromium_recvonly"))


def test_an_answer_goes_back_as_the_offer_came() -> None:
    assert json.loads(base64.b64decode(encode_answer("v=0\r\n"))) == {"type": "answer", "sdp": "v=0\r\n"}


@given(st.text())
def test_any_text_is_an_offer_or_refused(text: str) -> None:
    for sent in (text, encoded({"type": "offer", "sdp": text})):
        try:
            judge_offer(decode_offer(sent))
        except Refusal:
            continue
        raise AssertionError("no text of this size is an offer with H.264")
