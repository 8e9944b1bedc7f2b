"""Files of other kinds, by soundfile."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from voicelive.audio import AudioFile, AudioFormat, WavFile, WavSource
from voicelive.errors import ConfigurationError

PCM_8K = AudioFormat("pcm16", 8_000)
STEREO_8K = AudioFormat("pcm16", 8_000, channels=2)
SAMPLES = np.array([0, 1, -1, 32_767, -32_768, 12_345] * 100, "<i2")


def written(path: Path, samples: npt.NDArray[Any], rate_hz: int = 8_000, subtype: str = "PCM_16") -> Path:
    soundfile.write(path, samples, rate_hz, subtype=subtype)
    return path


def test_16_bits_come_as_they_are_in_the_file(tmp_path: Path) -> None:
    for name in ("voice.wav", "voice.flac"):
        file = AudioFile(written(tmp_path / name, SAMPLES))
        assert (file.rate_hz, file.channels, file.duration_ms) == (8_000, 1, 75)
        assert file.read(PCM_8K) == SAMPLES.tobytes()


def test_floats_are_scaled_and_clipped(tmp_path: Path) -> None:
    path = written(tmp_path / "voice.wav", np.array([0.5, -1, 1, 3, np.nan]), subtype="FLOAT")

    assert np.frombuffer(AudioFile(path).read(PCM_8K), "<i2").tolist() == [16_384, -32_768, 32_767, 32_767, 0]


def test_a_law_and_mu_law_files_are_decoded(tmp_path: Path) -> None:
    for subtype in ("ALAW", "ULAW"):
        heard = AudioFile(written(tmp_path / "voice.wav", SAMPLES // 2, subtype=subtype)).read(PCM_8K)
        assert np.abs(np.frombuffer(heard, "<i2").astype(int) - SAMPLES // 2).max() <= 512


def test_a_compressed_stereo_file_in_another_rate_is_mixed_and_converted(tmp_path: Path) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000)
    path = tmp_path / "voice.ogg"
    soundfile.write(path, np.stack([tone, tone], axis=1), 48_000)

    heard = np.frombuffer(AudioFile(path).read(PCM_8K), "<i2")

    assert len(heard) == 8_000
    assert np.sqrt(np.mean(heard[800:7_200] ** 2.0)) == pytest.approx(16_384 / np.sqrt(2), rel=0.05)


def test_an_open_file_is_read_and_left_open(tmp_path: Path) -> None:
    content = io.BytesIO(written(tmp_path / "voice.flac", SAMPLES).read_bytes())

    assert AudioFile(content).read(PCM_8K) == SAMPLES.tobytes()
    assert not content.closed


async def test_a_source_takes_any_recording(tmp_path: Path) -> None:
    file = AudioFile(written(tmp_path / "voice.flac", SAMPLES))

    sent = [frame async for frame in WavSource(file).frames(PCM_8K)]

    assert b"".join(sent) == SAMPLES.tobytes()


def test_wav_files_are_the_same_by_both_readers(tmp_path: Path) -> None:
    path = written(tmp_path / "voice.wav", SAMPLES.reshape(-1, 2), 16_000)

    assert AudioFile(path).read(STEREO_8K) == WavFile(path).read(STEREO_8K)


def test_what_is_no_audio_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no audio")

    with pytest.raises(ConfigurationError, match=r"notes\.txt cannot be read: .*; check that it is an audio file"):
        AudioFile(tmp_path / "notes.txt")
    with pytest.raises(ConfigurationError, match=r"empty\.wav cannot be read: it holds no samples"):
        AudioFile(written(tmp_path / "empty.wav", SAMPLES[:0]))
    with pytest.raises(ConfigurationError, match="it has 9 channels; mix it down to 8 or fewer"):
        AudioFile(written(tmp_path / "voice.wav", SAMPLES[:9].reshape(1, 9)))
    with pytest.raises(FileNotFoundError):
        AudioFile(tmp_path / "missing.wav")


def test_a_mono_file_for_a_format_with_an_echo_reference_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="it has 1 channels, the format 2"):
        AudioFile(written(tmp_path / "voice.wav", SAMPLES)).read(STEREO_8K)
