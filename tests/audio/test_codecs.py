"""G.711 against the standard library's audioop, and against digests of its results where audioop is gone."""

from __future__ import annotations

import hashlib
import sys
import warnings
from array import array
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.audio import (
    AudioEncoding,
    codecs,
    decode_alaw,
    decode_ulaw,
    encode_alaw,
    encode_ulaw,
    from_pcm16,
    to_pcm16,
)
from voicelive.errors import ConfigurationError

EVERY_CODE = bytes(range(256))
EVERY_SAMPLE = b"".join(sample.to_bytes(2, "little", signed=True) for sample in range(-32_768, 32_768))

Codec = Callable[[bytes], bytes]


# SHA-256 of what audioop of CPython 3.11 makes of every sample and of every code.
DIGESTS = {
    "lin2ulaw": "81d633c9e6972a18c74a58720b96cb8ca0bdd096d4060b646dd708c3b846019a",
    "lin2alaw": "38488f6fd710f4686360edc4d38639f96c491595ef93f8eb8d62d5e07ca6ce7b",
    "ulaw2lin": "3dab54339e520bb2c924826e3b72a917a2b612e9fd12fc867500f1d983a75827",
    "alaw2lin": "e04788d110e58ff8c70c93b8480190d973e3b67876b6119abbaec766cc75c174",
}


@pytest.fixture(params=["numpy", "plain Python"], autouse=True, scope="module")
def _each_lookup(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run every test with numpy and as if it were missing."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "plain Python":
            patch.setitem(sys.modules, "voicelive.audio.lookup", None)
        codecs._lookup.cache_clear()
        yield
    codecs._lookup.cache_clear()


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


def test_all_samples_and_codes_are_those_of_the_reference_on_every_python() -> None:
    results = {
        "lin2ulaw": encode_ulaw(EVERY_SAMPLE),
        "lin2alaw": encode_alaw(EVERY_SAMPLE),
        "ulaw2lin": decode_ulaw(EVERY_CODE),
        "alaw2lin": decode_alaw(EVERY_CODE),
    }

    assert {name: hashlib.sha256(result).hexdigest() for name, result in results.items()} == DIGESTS


def test_the_lookup_is_the_one_that_is_installed(request: pytest.FixtureRequest) -> None:
    assert (codecs._lookup() is codecs._plain_lookup) == ("plain Python" in request.node.name)


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


@pytest.mark.parametrize(("encode", "decode"), [(encode_ulaw, decode_ulaw), (encode_alaw, decode_alaw)])
def test_the_error_of_a_round_trip_is_half_a_step(encode: Codec, decode: Codec) -> None:
    heard = array("h", decode(encode(EVERY_SAMPLE))).tolist()

    for sample, out in zip(range(-32_768, 32_768), heard, strict=True):
        assert abs(out - sample) <= max(8, abs(sample) / 32 + 8), sample


@pytest.mark.parametrize(("encode", "decode"), [(encode_ulaw, decode_ulaw), (encode_alaw, decode_alaw)])
@given(samples=st.lists(st.integers(-32_768, 32_767)), at=st.integers(0, 100))
def test_any_split_yields_the_same_codes_and_samples(encode: Codec, decode: Codec, samples: list[int], at: int) -> None:
    pcm = array("h", samples).tobytes()
    codes = encode(pcm)

    assert encode(pcm[: 2 * at]) + encode(pcm[2 * at :]) == codes
    assert decode(codes[:at]) + decode(codes[at:]) == decode(codes)


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
