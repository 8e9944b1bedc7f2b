"""G.711 against the standard library's audioop, and by itself where audioop is gone."""

from __future__ import annotations

import warnings
from array import array
from collections.abc import Callable
from typing import Any

import pytest

from voicelive.audio import AudioEncoding, decode_alaw, decode_ulaw, encode_alaw, encode_ulaw, from_pcm16, to_pcm16
from voicelive.errors import ConfigurationError

EVERY_CODE = bytes(range(256))
EVERY_SAMPLE = b"".join(sample.to_bytes(2, "little", signed=True) for sample in range(-32_768, 32_768))

Codec = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def audioop() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it leaves with 3.13; until then it is the judge
        return pytest.importorskip("audioop")


def test_all_samples_encode_as_audioop_does(audioop: Any) -> None:
    assert encode_ulaw(EVERY_SAMPLE) == audioop.lin2ulaw(EVERY_SAMPLE, 2)
    assert encode_alaw(EVERY_SAMPLE) == audioop.lin2alaw(EVERY_SAMPLE, 2)


def test_all_codes_decode_as_audioop_does(audioop: Any) -> None:
    assert decode_ulaw(EVERY_CODE) == audioop.ulaw2lin(EVERY_CODE, 2)
    assert decode_alaw(EVERY_CODE) == audioop.alaw2lin(EVERY_CODE, 2)


def test_extremes_and_silence_have_the_codes_of_the_standard() -> None:
    pcm = array("h", [0, 32_767, -32_768]).tobytes()

    assert encode_ulaw(pcm) == b"\xff\x80\x00"
    assert encode_alaw(pcm) == b"\xd5\xaa\x2a"
    assert array("h", decode_ulaw(b"\xff\x80\x00")).tolist() == [0, 32_124, -32_124]
    assert array("h", decode_alaw(b"\xd5\xaa\x2a")).tolist() == [8, 32_256, -32_256]


def test_decoding_and_encoding_again_changes_no_code_but_mulaw_negative_zero() -> None:
    assert encode_alaw(decode_alaw(EVERY_CODE)) == EVERY_CODE
    assert encode_ulaw(decode_ulaw(EVERY_CODE)) == EVERY_CODE.replace(b"\x7f", b"\xff")


@pytest.mark.parametrize(("encode", "decode"), [(encode_ulaw, decode_ulaw), (encode_alaw, decode_alaw)])
def test_a_larger_sample_never_comes_back_smaller(encode: Codec, decode: Codec) -> None:
    heard = array("h", decode(encode(EVERY_SAMPLE))).tolist()

    assert heard == sorted(heard)
    assert max(abs(out - sample) for out, sample in zip(heard, range(-32_768, 32_768), strict=True)) <= 644


@pytest.mark.parametrize("encode", [encode_ulaw, encode_alaw])
def test_half_a_sample_is_refused(encode: Codec) -> None:
    with pytest.raises(ConfigurationError, match="pcm has 3 bytes"):
        encode(b"abc")


@pytest.mark.parametrize(
    ("encoding", "decode", "encode"), [("g711_ulaw", decode_ulaw, encode_ulaw), ("g711_alaw", decode_alaw, encode_alaw)]
)
def test_an_encodings_name_chooses_its_law(encoding: AudioEncoding, decode: Codec, encode: Codec) -> None:
    assert to_pcm16(EVERY_CODE, encoding) == decode(EVERY_CODE)
    assert from_pcm16(EVERY_SAMPLE, encoding) == encode(EVERY_SAMPLE)


def test_pcm_passes_as_it_is() -> None:
    assert to_pcm16(EVERY_SAMPLE, "pcm16") is EVERY_SAMPLE
    assert from_pcm16(EVERY_SAMPLE, "pcm16") is EVERY_SAMPLE
