"""An avatar whose video goes to the client as deltas on the socket. Needs PyAV.

Drawing and encoding take their time on the event loop (0.8 ms of 40 for a photo avatar, 5 for a full picture), so
that a virtual clock works.
"""

from __future__ import annotations

from collections.abc import Callable

from voicelive import wire
from voicelive.testing.avatar.face import Face
from voicelive.testing.avatar.film import Film
from voicelive.testing.avatar.look import Look
from voicelive.testing.avatar.moments import Moment
from voicelive.testing.avatar.mp4 import Mp4
from voicelive.testing.avatar.pieces import Cutter
from voicelive.testing.avatar.playout import Change, Playout
from voicelive.testing.stage import Stage

__all__ = ["Stream"]

_CUTTER_SEED = 2026


class Stream:
    """One MP4 stream, from its beginning to the end of the session.

    Attributes:
        playout: What there is to say.
    """

    def __init__(self, stage: Stage, look: Look, idle_s: float | None, told: Callable[[Change], None]) -> None:
        self._stage = stage
        self._face, self._mp4, self._cutter = Face(look), Mp4(look), Cutter(_CUTTER_SEED)
        self.playout = Playout()
        self._film = Film(self.playout, look.frames_per_s, self, told, idle_s)

    async def run(self) -> None:
        """Send the stream until the avatar was idle for too long."""
        try:
            await self._film.run()
        finally:
            rest = self._mp4.close()
        self._emit([*self._cutter.cut(rest), *self._cutter.flush()])

    def exchange(self, look: Look) -> None:
        """Go on with another scene."""
        self._face = Face(look)

    async def show(self, moment: Moment) -> None:
        """Send what is complete with a moment; waits while the client does not read."""
        await self._stage.outlet.room()
        self._emit(self._cutter.cut(self._mp4.add(self._face, moment)))

    def _emit(self, pieces: list[bytes]) -> None:
        for piece in pieces:
            event_id = self._stage.ids.event()
            self._stage.emit(wire.ResponseVideoDelta(event_id=event_id, output_index=0, codec="h264", delta=piece))
