"""A source that can be muted, held, or pressed to talk: where nothing is to be heard, silence takes its place.

Silence and not nothing: the service closes a turn on silence, and a line that stops has no end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal, TypeAlias

from voicelive.audio.formats import AudioFormat
from voicelive.audio.sources import AudioSource
from voicelive.errors import ConfigurationError

__all__ = ["MutedBy", "SwitchedSource"]

MutedBy: TypeAlias = Literal["mute", "hold", "release"]


class SwitchedSource:
    """A source with a switch. While it is off, every frame is silence of the same length.

    Usable from any task of the event loop, while somebody iterates over ``frames``.

    Args:
        source: Where the audio comes from; it goes on while the switch is off, so that nothing is late afterwards.
        push_to_talk: Begin released: only what is said between ``press`` and ``release`` is heard. Without turn
            detection, ``session.commit_audio()`` follows a ``release``.
    """

    def __init__(self, source: AudioSource, *, push_to_talk: bool = False) -> None:
        if not isinstance(source, AudioSource):
            raise ConfigurationError(f"source is a {type(source).__name__}; it must have frames(audio_format)")
        self._source = source
        self.live: bool = getattr(source, "live", False)
        """Whether the source has a pace of its own, as a microphone does."""
        self._off: set[MutedBy] = {"release"} if push_to_talk else set()

    @property
    def heard(self) -> bool:
        """Whether the source is heard; several reasons to be silent may hold at once."""
        return not self._off

    def mute(self) -> None:
        """The caller does not want to be heard."""
        self._off.add("mute")

    def unmute(self) -> None:
        """The caller may be heard again, unless on hold."""
        self._off.discard("mute")

    def hold(self) -> None:
        """The call is on hold."""
        self._off.add("hold")

    def resume(self) -> None:
        """The call goes on."""
        self._off.discard("hold")

    def press(self) -> None:
        """Push to talk: the caller speaks."""
        self._off.discard("release")

    def release(self) -> None:
        """Push to talk: the caller has spoken."""
        self._off.add("release")

    async def frames(self, audio_format: AudioFormat, /, *, frame_ms: int = 20) -> AsyncIterator[bytes]:
        """The source's frames, or silence."""
        async for frame in self._source.frames(audio_format, frame_ms=frame_ms):
            yield frame if self.heard else audio_format.silence_of(len(frame))
