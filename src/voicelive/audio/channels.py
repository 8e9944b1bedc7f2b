"""Tracks and channels of 16-bit samples: together, apart, mixed.

Decides the order of samples in a frame. Looks at values only to mix; needs no dependency.
"""

from __future__ import annotations

from array import array

from voicelive.audio.samples import pcm_of, refuse_half_samples, samples_of
from voicelive.errors import ConfigurationError

__all__ = ["add_echo_reference", "deinterleave", "interleave", "to_mono", "to_stereo"]


def interleave(*tracks: bytes) -> bytes:
    """Join mono tracks of equal length, sample by sample: the first sample of each, then the second of each.

    Raises:
        ConfigurationError: No track, tracks of different lengths, or an odd number of bytes.
    """
    lengths = {len(track) for track in tracks}
    if len(lengths) != 1:
        raise ConfigurationError(f"tracks have {sorted(lengths)} bytes; they must be equally long, and at least one")
    refuse_half_samples(tracks[0])
    joined = array("H", bytes(len(tracks) * len(tracks[0])))
    for channel, track in enumerate(tracks):
        joined[channel :: len(tracks)] = array("H", track)
    return joined.tobytes()


def deinterleave(pcm: bytes, channels: int) -> list[bytes]:
    """The channels apart, in their order, each as mono samples.

    Raises:
        ConfigurationError: Fewer than one channel, or audio that ends inside a frame.
    """
    _refuse_half_frames(pcm, channels)
    samples = array("H", pcm)
    return [samples[channel::channels].tobytes() for channel in range(channels)]


def to_mono(pcm: bytes, channels: int) -> bytes:
    """The average of all channels, rounded down; cannot overflow. One channel comes back as it is.

    Raises:
        ConfigurationError: Fewer than one channel, or audio that ends inside a frame.
    """
    _refuse_half_frames(pcm, channels)
    if channels == 1:
        return pcm
    samples = samples_of(pcm)
    frames = zip(*(samples[channel::channels] for channel in range(channels)), strict=True)
    return pcm_of(array("h", [sum(frame) // channels for frame in frames]))


def to_stereo(pcm: bytes) -> bytes:
    """Mono samples on both of two channels.

    Raises:
        ConfigurationError: An odd number of bytes.
    """
    return interleave(pcm, pcm)


def add_echo_reference(microphone: bytes, reference: bytes) -> bytes:
    """What ``send_audio`` takes with an echo reference of the client: by turns a sample of microphone and reference.

    The result has 4 bytes for each frame. Give what the loudspeaker played while the microphone recorded; where it
    played less, the rest is silence.

    Raises:
        ConfigurationError: An odd number of bytes, or a reference that is longer than the microphone's audio.
    """
    for name, pcm in (("microphone", microphone), ("reference", reference)):
        if len(pcm) % 2:
            raise ConfigurationError(f"{name} has {len(pcm)} bytes; 16-bit samples need an even number")
    if len(reference) > len(microphone):
        raise ConfigurationError(
            f"reference has {len(reference)} bytes, microphone {len(microphone)}; the reference may not be longer"
        )
    return interleave(microphone, reference.ljust(len(microphone), b"\x00"))


def _refuse_half_frames(pcm: bytes, channels: int) -> None:
    if channels < 1:
        raise ConfigurationError(f"channels is {channels!r}; it must be at least 1")
    if len(pcm) % (2 * channels):
        raise ConfigurationError(
            f"pcm has {len(pcm)} bytes; frames of {channels} 16-bit samples need a multiple of {2 * channels}"
        )
