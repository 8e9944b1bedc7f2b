"""How audio is cut on its way out, and made whole on its way in.

Decides where one chunk ends and the next begins. Knows no clock: when a waiting tail has
waited long enough is for the caller to say, with ``flush``. Nothing here looks at samples.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from voicelive.audio.formats import AudioFormat
from voicelive.audio.samples import refuse_other_numbers
from voicelive.errors import ConfigurationError

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc has it from Python 3.12 on

__all__ = ["LEAST_CHUNK_MS", "MOST_CHUNK_MS", "Chunker", "SampleAligner", "pull"]

# What published clients of the service send, from 20 ms telephone frames to 100 ms blocks.
LEAST_CHUNK_MS: Final = 20
MOST_CHUNK_MS: Final = 100


class Chunker:
    """Cuts a stream of any pieces into chunks of 20 to 100 ms. Same calls, same answers.

    A piece of 20 to 100 ms goes out at once as it came, a longer one is split, a shorter tail waits for more.
    For one stream in one format; not for concurrent use.
    """

    __slots__ = ("_format", "_frame_bytes", "_least_bytes", "_most_bytes", "_tail")

    def __init__(self, audio_format: AudioFormat) -> None:
        self._format = audio_format
        self._frame_bytes = audio_format.bytes_per_frame
        self._least_bytes = audio_format.byte_count(LEAST_CHUNK_MS)
        self._most_bytes = audio_format.byte_count(MOST_CHUNK_MS)
        self._tail = b""

    def push(self, data: Buffer) -> list[bytes]:
        """Take audio in and return the chunks that are due, oldest first; often none or one.

        Args:
            data: Any bytes-like object (``bytes``, ``bytearray``, ``memoryview``, ``array``, a NumPy array of
                16-bit samples) of whole sample frames. Copied where it is not ``bytes`` already.

        Raises:
            ConfigurationError: ``data`` ends inside a sample frame, or holds floats or big-endian numbers.
                Nothing of it has been taken in.
        """
        if (
            type(data) is bytes
            and not self._tail
            and self._least_bytes <= len(data) <= self._most_bytes
            and not len(data) % self._frame_bytes
        ):
            return [data]  # every 20 ms in every live call: nothing is copied
        return self._cut(self._bytes_of(data))

    def flush(self) -> bytes:
        """Return the waiting tail, shorter than 20 ms, and forget it; empty where nothing waits."""
        tail, self._tail = self._tail, b""
        return tail

    @property
    def pending_bytes(self) -> int:
        """Bytes of the waiting tail."""
        return len(self._tail)

    @property
    def pending_ms(self) -> float:
        """Duration of the waiting tail."""
        return self._format.duration_ms(len(self._tail))

    def _bytes_of(self, data: Buffer) -> bytes:
        view = memoryview(data)
        refuse_other_numbers(view)
        if view.nbytes % self._frame_bytes:
            raise ConfigurationError(
                f"audio of {view.nbytes} bytes ends inside a sample frame; "
                f"its length must be a multiple of {self._frame_bytes} bytes"
            )
        return data if type(data) is bytes else view.tobytes()

    def _cut(self, data: bytes) -> list[bytes]:
        chunks: list[bytes] = []
        taken = 0
        while len(self._tail) + len(data) - taken >= self._least_bytes:
            end = taken + self._most_bytes - len(self._tail)
            chunks.append(self._tail + data[taken:end])
            self._tail, taken = b"", end
        self._tail += data[taken:]
        return chunks


class SampleAligner:
    """Joins sample frames that a stream of byte pieces cuts in half.

    Audio deltas of the service are base64 of whatever had been generated, so a sample may begin
    in one delta and end in the next; playing each by itself would turn the rest into noise.
    """

    __slots__ = ("_carry", "_frame_bytes")

    def __init__(self, bytes_per_frame: int) -> None:
        if bytes_per_frame < 1:
            raise ConfigurationError(f"bytes_per_frame is {bytes_per_frame!r}; it must be at least 1")
        self._frame_bytes = bytes_per_frame
        self._carry = b""

    def push(self, delta: bytes) -> bytes:
        """Return all whole frames up to the end of ``delta``; the start of a cut frame waits for the next call."""
        if not self._carry and not len(delta) % self._frame_bytes:
            return delta
        joined = self._carry + delta
        whole = len(joined) - len(joined) % self._frame_bytes
        self._carry = joined[whole:]
        return joined[:whole]

    def reset(self) -> None:
        """Forget the start of a cut frame, as when another response begins."""
        self._carry = b""

    @property
    def carried_bytes(self) -> int:
        """Bytes of a cut frame that wait for the rest of it; less than a frame."""
        return len(self._carry)


def pull(waiting: deque[bytes], size: int) -> bytes:
    """Take so many bytes from the front of a queue of pieces; there must be as many."""
    pieces = []
    while size:
        piece = waiting.popleft()
        if len(piece) > size:
            waiting.appendleft(piece[size:])
            piece = piece[:size]
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
