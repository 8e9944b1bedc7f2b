"""WAV files: what is read, what is refused, what is written."""

from __future__ import annotations

import io
import struct
import sys
import wave
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.audio import AudioFormat, WavFile, WavWriter, decode_alaw, decode_ulaw, encode_ulaw, save_wav
from voicelive.audio.resampling import resample
from voicelive.errors import ConfigurationError, LocalProtocolError

PCM_24K = AudioFormat("pcm16", 24_000)
PCM_8K = AudioFormat("pcm16", 8_000)
STEREO_8K = AudioFormat("pcm16", 8_000, channels=2)
MULAW = AudioFormat("g711_ulaw", 8_000)

PCM_GUID = bytes.fromhex("0100000000001000800000aa00389b71")  # KSDATAFORMAT_SUBTYPE_PCM


def wav(frames: bytes, *, rate_hz: int = 8_000, channels: int = 1, width_bytes: int = 2) -> bytes:
    with io.BytesIO() as file:
        with wave.open(file, "wb") as written:
            written.setframerate(rate_hz)
            written.setnchannels(channels)
            written.setsampwidth(width_bytes)
            written.writeframes(frames)
        return file.getvalue()


def wav_with_tag(tag: int, extension: bytes = b"") -> bytes:
    header = struct.pack("<HHIIHH", tag, 1, 8_000, 16_000, 2, 16) + extension
    chunks = (
        b"WAVEfmt " + struct.pack("<I", len(header)) + header + b"data" + struct.pack("<I", 4) + b"\x01\x00\x02\x00"
    )
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


def pcm(*samples: int) -> bytes:
    return array("h", samples).tobytes()


def read(content: bytes, audio_format: AudioFormat = PCM_8K) -> bytes:
    return WavFile(io.BytesIO(content)).read(audio_format)


def test_a_file_says_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "voice.wav"
    path.write_bytes(wav(bytes(6 * 441), rate_hz=44_100, channels=2, width_bytes=3))

    for name in (path, str(path)):
        file = WavFile(name)
        assert (file.rate_hz, file.channels, file.sample_width_bytes, file.duration_ms) == (44_100, 2, 3, 10)


def test_an_open_file_is_read_and_left_open() -> None:
    content = io.BytesIO(wav(pcm(1, 2)))

    assert WavFile(content).read(PCM_8K) == pcm(1, 2)
    assert not content.closed


@pytest.mark.parametrize(
    ("width_bytes", "frames"),
    [
        (1, bytes([0, 128, 255])),
        (2, pcm(-32_768, 0, 0x7F00)),
        (3, b"\xff\x00\x80\xff\x00\x00\xff\x00\x7f"),
        (4, b"\xff\xff\x00\x80\xff\xff\x00\x00\xff\xff\x00\x7f"),
    ],
)
def test_every_width_becomes_its_upper_16_bits(width_bytes: int, frames: bytes) -> None:
    assert read(wav(frames, width_bytes=width_bytes)) == pcm(-32_768, 0, 0x7F00)


def test_channels_are_averaged_without_overflow() -> None:
    assert read(wav(pcm(32_767, 32_767, -32_768, -32_768, 100, -100), channels=2)) == pcm(32_767, -32_768, 0)
    assert read(wav(pcm(1, 2, 3, 4, 5, 6, 7, 12), channels=8)) == pcm(5)


def test_a_stereo_file_is_kept_for_a_format_with_an_echo_reference() -> None:
    assert read(wav(pcm(1, -1, 2, -2), channels=2), STEREO_8K) == pcm(1, -1, 2, -2)

    left, right = pcm(*range(0, 1_600, 2)), pcm(*range(0, -1_600, -2))
    frames = b"".join(left[at : at + 2] + right[at : at + 2] for at in range(0, len(left), 2))
    both = array("h", read(wav(frames, channels=2, rate_hz=16_000), STEREO_8K))
    assert both[0::2].tobytes() == resample(left, 16_000, 8_000)
    assert both[1::2].tobytes() == resample(right, 16_000, 8_000)


def test_a_mono_file_for_a_format_with_an_echo_reference_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="it has 1 channels, the format 2"):
        read(wav(pcm(1)), STEREO_8K)


def test_another_rate_is_converted() -> None:
    ramp = pcm(*range(441))

    assert read(wav(ramp, rate_hz=44_100), PCM_24K) == resample(ramp, 44_100, 24_000)


def test_the_format_may_ask_for_g711() -> None:
    assert read(wav(pcm(0, 1_000, -1_000)), MULAW) == encode_ulaw(pcm(0, 1_000, -1_000))


def test_a_file_cut_short_gives_the_whole_frames_that_are_there() -> None:
    content = wav(pcm(1, 2, 3, 4), channels=2)[:-3]
    file = WavFile(io.BytesIO(content))

    assert (file.read(STEREO_8K), file.duration_ms) == (pcm(1, 2), 1 / 8)


def test_a_streamed_file_whose_header_claims_4_gib_is_read_to_its_end() -> None:
    content = bytearray(wav(pcm(1, 2)))
    content[4:8] = content[40:44] = b"\xff\xff\xff\xff"

    assert read(bytes(content)) == pcm(1, 2)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "it is empty"),
        (b"ID3\x04 this is an MP3", "file does not start with RIFF id"),
        (b"RIFF\x04\x00\x00\x00AVI ", "not a WAVE file"),
        (b"RIFF", "its header is cut short"),
        (wav(b""), "it holds no samples"),
        (wav(pcm(1, 2), channels=2)[:-2][:-1], "it holds no samples"),
        (wav(bytes(18), channels=9), "it has 9 channels; mix it down to 8 or fewer"),
        (wav_with_tag(3), "it holds floating point samples; convert it to 16-bit PCM"),
        (wav_with_tag(6), "it holds A-law samples; convert it"),
        (wav_with_tag(7), "it holds mu-law samples; convert it"),
        (wav_with_tag(0x55), "unknown format: 85; convert it"),
    ],
)
def test_what_cannot_be_read_is_refused_with_file_reason_and_next_step(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    path = tmp_path / "voice.wav"
    path.write_bytes(content)

    with pytest.raises(ConfigurationError) as refused:
        WavFile(path)

    assert str(refused.value).startswith(f"{path} cannot be read as WAV: {problem}")
    assert "; " in str(refused.value)


@pytest.mark.parametrize(
    ("offset", "value", "problem"),
    [(24, struct.pack("<I", 0), "its sample rate is 0 Hz"), (34, struct.pack("<H", 64), "its samples have 64 bits")],
)
def test_an_impossible_header_is_refused(offset: int, value: bytes, problem: str) -> None:
    content = bytearray(wav(bytes(64)))
    content[offset : offset + len(value)] = value

    with pytest.raises(ConfigurationError, match=f"WAV data cannot be read as WAV: {problem}"):
        WavFile(io.BytesIO(content))


def test_an_extensible_header_is_read_where_python_reads_it_and_explained_elsewhere() -> None:
    content = wav_with_tag(0xFFFE, struct.pack("<HHI", 22, 16, 4) + PCM_GUID)

    if sys.version_info >= (3, 12):
        assert read(content) == pcm(1, 2)
    else:
        with pytest.raises(ConfigurationError, match="WAVE_FORMAT_EXTENSIBLE, which Python reads"):
            read(content)


def test_a_missing_file_is_an_os_error() -> None:
    with pytest.raises(FileNotFoundError):
        WavFile("no such file.wav")


@given(st.data())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    content = bytearray(wav(pcm(*range(16)), channels=2))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, 43))] = data.draw(st.sampled_from([0, 1, 2, 16, 127, 128, 255]))
    del content[data.draw(st.integers(0, len(content))) :]

    try:
        file = WavFile(io.BytesIO(content))
    except ConfigurationError:
        return
    assert file.duration_ms > 0
    if file.rate_hz == PCM_8K.rate_hz:
        assert len(file.read(PCM_8K)) == PCM_8K.byte_count(file.duration_ms)


def test_saved_samples_come_back(tmp_path: Path) -> None:
    save_wav(tmp_path / "voice.wav", pcm(1, -2, 3), 24_000)

    file = WavFile(tmp_path / "voice.wav")

    assert (file.rate_hz, file.channels, file.read(PCM_24K)) == (24_000, 1, pcm(1, -2, 3))


def test_half_a_sample_is_not_saved_and_no_file_is_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="pcm has 3 bytes"):
        save_wav(tmp_path / "voice.wav", b"abc", 24_000)
    with pytest.raises(ConfigurationError, match="rate_hz is 44100"):
        save_wav(tmp_path / "voice.wav", b"ab", 44_100)

    assert not list(tmp_path.iterdir())


@given(st.lists(st.binary(max_size=7)))
def test_pieces_of_any_length_join_to_the_samples_they_were(pieces: list[bytes]) -> None:
    sent = b"".join(pieces)
    whole = len(sent) - len(sent) % 2
    file = io.BytesIO()

    with WavWriter(file, PCM_24K) as writer:
        for piece in pieces:
            writer.write(piece)
        assert writer.duration_ms == PCM_24K.duration_ms(whole)

    file.seek(0)
    with wave.open(file) as written:
        assert (written.getnframes(), written.readframes(99_999)) == (whole // 2, sent[:whole])


@pytest.mark.parametrize(
    ("audio_format", "decode"), [(MULAW, decode_ulaw), (AudioFormat("g711_alaw", 8_000), decode_alaw)]
)
def test_g711_is_saved_decoded(tmp_path: Path, audio_format: AudioFormat, decode: Callable[[bytes], bytes]) -> None:
    with WavWriter(tmp_path / "voice.wav", audio_format) as writer:
        writer.write(bytes(range(160)))
        assert writer.duration_ms == 20

    assert WavFile(tmp_path / "voice.wav").read(PCM_8K) == decode(bytes(range(160)))


def test_two_channels_are_saved_as_two(tmp_path: Path) -> None:
    with WavWriter(tmp_path / "voice.wav", STEREO_8K) as writer:
        writer.write(pcm(1, -1, 2, -2))

    assert WavFile(tmp_path / "voice.wav").read(STEREO_8K) == pcm(1, -1, 2, -2)


def test_a_writer_closes_once_and_then_refuses_to_write(tmp_path: Path) -> None:
    writer = WavWriter(tmp_path / "voice.wav", PCM_24K)
    writer.close()
    writer.close()

    with pytest.raises(LocalProtocolError, match="closed"):
        writer.write(b"ab")


def test_a_file_that_was_open_stays_open() -> None:
    file = io.BytesIO()

    WavWriter(file, PCM_24K).close()

    assert not file.closed


def test_what_was_written_before_an_exception_is_kept(tmp_path: Path) -> None:
    def talk_until_it_fails() -> None:
        with WavWriter(tmp_path / "voice.wav", PCM_8K) as writer:
            writer.write(pcm(1, 2))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        talk_until_it_fails()

    assert WavFile(tmp_path / "voice.wav").read(PCM_8K) == pcm(1, 2)


def test_a_path_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        WavWriter(tmp_path / "missing" / "voice.wav", PCM_24K)
