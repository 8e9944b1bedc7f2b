"""The caller's audio on its way out: what goes out when, in which order, in which format."""

import array
import asyncio
from typing import Any

import pytest
from tests.conftest import OpenSession
from tests.support.peer import Peer
from tests.support.streams import settle

from voicelive.audio_input import TAIL_WAIT_S
from voicelive.errors import ConfigurationError, LocalProtocolError
from voicelive.options import ClientOptions
from voicelive.session import Session
from voicelive.wire.client_events import InputAudioBufferAppend
from voicelive.wire.session import SessionConfig

MS = 48  # bytes of a millisecond in the default format: 24 kHz, 16 bit, mono


def tone(start: int, size_bytes: int) -> bytes:
    """Bytes that show where they came from."""
    return bytes((start + index) % 251 for index in range(size_bytes))


async def nothing_more(session: Session, peer: Peer) -> None:
    """Whatever had been sent would come before this."""
    await settle()
    await session.send_raw({"type": "marker"})
    assert await peer.hear_bare() == {"type": "marker"}


@pytest.mark.parametrize("size_ms", [20, 55, 100])
async def test_20_to_100_ms_go_out_at_once_as_one_event(open_session: OpenSession, size_ms: int) -> None:
    session, peer = open_session()

    await session.send_audio(tone(0, size_ms * MS))

    assert await peer.hear_audio() == tone(0, size_ms * MS)
    await nothing_more(session, peer)


async def test_longer_audio_is_split_and_loses_nothing(open_session: OpenSession) -> None:
    session, peer = open_session()
    audio = tone(0, 250 * MS)

    await session.send_audio(audio)

    chunks = [await peer.hear_audio() for _ in range(3)]
    assert [len(chunk) for chunk in chunks] == [100 * MS, 100 * MS, 50 * MS]
    assert b"".join(chunks) == audio
    await nothing_more(session, peer)


@pytest.mark.parametrize("kind", [bytearray, memoryview, lambda data: array.array("h", data)])
async def test_any_bytes_like_object_may_be_sent(open_session: OpenSession, kind: Any) -> None:
    session, peer = open_session()

    await session.send_audio(kind(tone(0, 960)))

    assert await peer.hear_audio() == tone(0, 960)


async def test_a_tail_waits_for_more_audio(open_session: OpenSession) -> None:
    session, peer = open_session()

    await session.send_audio(tone(0, 10 * MS))
    await nothing_more(session, peer)
    await session.send_audio(tone(10 * MS, 10 * MS))

    assert await peer.hear_audio() == tone(0, 20 * MS)


async def test_flush_sends_the_tail_now_and_only_once(open_session: OpenSession) -> None:
    session, peer = open_session()
    await session.send_audio(tone(0, 10 * MS))

    await session.flush_audio()
    await session.flush_audio()

    assert await peer.hear_audio() == tone(0, 10 * MS)
    await nothing_more(session, peer)


@pytest.mark.looptime
async def test_a_tail_goes_out_by_itself_after_40_ms(open_session: OpenSession) -> None:
    session, peer = open_session()
    clock = asyncio.get_running_loop().time
    began = clock()
    await session.send_audio(tone(0, 10 * MS))

    await asyncio.sleep(TAIL_WAIT_S - 0.001)
    await nothing_more(session, peer)

    assert await peer.hear_audio() == tone(0, 10 * MS)
    assert clock() - began == pytest.approx(0.04)
    await asyncio.sleep(1)
    await nothing_more(session, peer)


@pytest.mark.looptime
async def test_a_trickle_of_audio_is_never_held_longer_than_40_ms(open_session: OpenSession) -> None:
    session, peer = open_session()
    clock = asyncio.get_running_loop().time
    sent_at: list[float] = []
    waited_s: list[float] = []
    chunks_ms: list[float] = []

    async def listen() -> None:
        while len(waited_s) < 100:
            chunk = await peer.hear_audio()
            chunks_ms.append(len(chunk) / MS)
            waited_s.extend(clock() - sent_at[byte] for byte in chunk[::MS])

    listener = asyncio.ensure_future(listen())
    for number in range(100):  # 1 ms of sound every 10 ms
        sent_at.append(clock())
        await session.send_audio(bytes([number]) * MS)
        await asyncio.sleep(0.01)
    await session.flush_audio()
    await listener

    assert max(waited_s) == pytest.approx(0.04)
    assert min(chunks_ms[:-1]) >= 4, "what came within 40 ms travels together"


@pytest.mark.looptime
async def test_a_tail_that_was_flushed_or_completed_leaves_no_timer(open_session: OpenSession) -> None:
    session, peer = open_session()
    await session.send_audio(tone(0, 10 * MS))
    await session.flush_audio()
    await session.send_audio(tone(0, 10 * MS))
    await session.send_audio(tone(0, 10 * MS))
    assert len(await peer.hear_audio()) == 10 * MS
    assert len(await peer.hear_audio()) == 20 * MS

    await asyncio.sleep(1)

    await nothing_more(session, peer)


@pytest.mark.looptime
async def test_the_40_ms_of_a_new_tail_begin_anew_after_a_flush(open_session: OpenSession) -> None:
    session, peer = open_session()
    clock = asyncio.get_running_loop().time
    await session.send_audio(tone(0, 10 * MS))
    await asyncio.sleep(0.03)
    await session.flush_audio()
    assert await peer.hear_audio() == tone(0, 10 * MS)

    began = clock()
    await session.send_audio(tone(5, 10 * MS))

    assert await peer.hear_audio() == tone(5, 10 * MS)
    assert clock() - began == pytest.approx(0.04)


@pytest.mark.looptime
async def test_clear_drops_the_tail_for_good(open_session: OpenSession) -> None:
    session, peer = open_session()
    await session.send_audio(tone(0, 10 * MS))

    await session.clear_audio()
    await asyncio.sleep(1)
    await session.send_audio(tone(7, 20 * MS))

    assert await peer.hear_bare() == {"type": "input_audio_buffer.clear"}
    assert await peer.hear_audio() == tone(7, 20 * MS)


async def test_commit_sends_the_tail_first(open_session: OpenSession) -> None:
    session, peer = open_session()
    await session.send_audio(tone(0, 10 * MS))

    await session.commit_audio(confirm=False)

    assert await peer.hear_audio() == tone(0, 10 * MS)
    assert await peer.hear_bare() == {"type": "input_audio_buffer.commit"}


@pytest.mark.looptime
async def test_close_with_a_waiting_tail_is_quiet(open_session: OpenSession) -> None:
    session, _ = open_session()
    await session.send_audio(tone(0, 10 * MS))

    await session.close()
    await asyncio.sleep(1)


@pytest.mark.parametrize("size_bytes", [1, 961, 48_001])
async def test_half_a_sample_is_refused_before_anything_is_sent(open_session: OpenSession, size_bytes: int) -> None:
    session, peer = open_session()
    await session.send_audio(tone(0, 100))

    with pytest.raises(ConfigurationError, match=f"audio of {size_bytes} bytes ends inside a sample"):
        await session.send_audio(tone(0, size_bytes))

    await nothing_more(session, peer)
    await session.flush_audio()
    assert await peer.hear_audio() == tone(0, 100), "what waited before is untouched"


@pytest.mark.parametrize(
    ("settings", "bytes_of_20_ms"),
    [
        ({}, 960),
        ({"input_audio_format": "pcm16", "input_audio_sampling_rate": 16_000}, 640),
        ({"input_audio_sampling_rate": 8_000}, 320),
        ({"input_audio_format": "g711_ulaw", "input_audio_sampling_rate": 24_000}, 160),
        ({"input_audio_format": "g711_alaw"}, 160),
        ({"input_audio_echo_cancellation": {"type": "server_echo_cancellation", "channels": 2}}, 1920),
    ],
)
async def test_chunks_are_cut_by_the_format_in_effect(
    open_session: OpenSession, settings: dict[str, Any], bytes_of_20_ms: int
) -> None:
    session, peer = open_session()
    await peer.create(**settings)
    await session.prepare(1)
    frame_bytes = session.input_format.bytes_per_frame
    if frame_bytes > 1:
        with pytest.raises(ConfigurationError, match=f"multiple of {frame_bytes} bytes"):
            await session.send_audio(bytes(bytes_of_20_ms + frame_bytes - 1))

    await session.send_audio(tone(0, bytes_of_20_ms - frame_bytes))
    await nothing_more(session, peer)
    await session.send_audio(tone(0, bytes_of_20_ms * 5 + frame_bytes))

    assert len(await peer.hear_audio()) == bytes_of_20_ms * 5
    assert len(await peer.hear_audio()) == bytes_of_20_ms


@pytest.mark.parametrize(
    "change", [SessionConfig(input_audio_sampling_rate=16_000), SessionConfig(input_audio_format="g711_ulaw")]
)
async def test_the_format_cannot_change_after_audio_was_sent(open_session: OpenSession, change: SessionConfig) -> None:
    session, peer = open_session()
    await session.send_audio(bytes(960))

    with pytest.raises(LocalProtocolError, match=r"input_audio_\w+ cannot change after audio was sent"):
        await session.update(change)
    await session.update(SessionConfig(temperature=0.5), confirm=False)

    await peer.hear_audio()
    assert (await peer.hear())["session"] == {"temperature": 0.5}


async def test_flush_and_clear_without_audio_do_not_settle_the_format(open_session: OpenSession) -> None:
    session, peer = open_session()
    await session.flush_audio()
    await session.clear_audio()
    await peer.hear()
    with pytest.raises(ConfigurationError):
        await session.send_audio(b"\x00")

    changed = asyncio.ensure_future(session.update(SessionConfig(input_audio_format="g711_ulaw")))
    await peer.hear()
    await peer.say("session.updated", session={"id": "sess_1", "input_audio_format": "g711_ulaw"})
    await changed
    await session.send_audio(tone(0, 161))

    assert len(await peer.hear_audio()) == 161, "20 ms of G.711 are 160 bytes"


# -- order and congestion


async def test_concurrent_calls_are_served_one_after_the_other(open_session: OpenSession) -> None:
    session, peer = open_session(max_pending_bytes=1)
    parts = [bytes([number]) * (250 * MS) for number in range(4)]
    calls = [asyncio.ensure_future(session.send_audio(part)) for part in parts]

    heard = b"".join([await peer.hear_audio() for _ in range(12)])

    assert heard == b"".join(parts)
    await asyncio.gather(*calls)


@pytest.mark.looptime
async def test_the_timer_waits_behind_a_call_that_is_still_writing(open_session: OpenSession) -> None:
    session, peer = open_session(max_pending_bytes=1)
    await session.send_audio(tone(0, 10 * MS))
    writing = asyncio.ensure_future(session.send_audio(tone(10 * MS, 305 * MS)))
    await asyncio.sleep(1)

    heard = b"".join([await peer.hear_audio() for _ in range(4)])

    assert heard == tone(0, 315 * MS)
    await writing


async def test_control_overtakes_audio_on_a_congested_line(open_session: OpenSession) -> None:
    session, peer = open_session(max_pending_bytes=1)
    calls = [
        session.send_raw({"type": "fills the line"}),
        session.send_raw({"type": "holds the line"}),
        session.send_audio(bytes(300 * MS)),
        session.send_text("one"),
        session.send_text("two"),
        session.cancel_response(),
    ]
    calling = [asyncio.ensure_future(call) for call in calls]
    await settle()

    kinds = [(await peer.hear())["type"] for _ in range(8)]

    append, item = "input_audio_buffer.append", "conversation.item.create"
    assert kinds[:5] == ["fills the line", "holds the line", item, item, "response.cancel"]
    assert kinds[5:] == [append] * 3
    await asyncio.gather(*calling)


async def test_audio_sent_as_an_event_can_be_overtaken_too(open_session: OpenSession) -> None:
    session, peer = open_session(max_pending_bytes=1)
    raw = {"type": "input_audio_buffer.append", "audio": "AAAA"}
    sends = [
        session.send_raw({"type": "fills the line"}),
        session.send_raw({"type": "holds the line"}),
        session.send(InputAudioBufferAppend(audio=bytes(960))),
        session.send_raw(raw),
        session.cancel_response(),
    ]
    sending = [asyncio.ensure_future(send) for send in sends]
    await settle()

    kinds = [(await peer.hear())["type"] for _ in sends]

    assert kinds == ["fills the line", "holds the line", "response.cancel", raw["type"], raw["type"]]
    await asyncio.gather(*sending)


async def test_send_audio_waits_while_the_line_is_congested(open_session: OpenSession) -> None:
    session, peer = open_session(ClientOptions(outbox_bytes=1024), max_pending_bytes=1)
    await session.send_audio(bytes(100 * MS))
    sending = asyncio.ensure_future(session.send_audio(bytes(100 * MS)))
    await settle()
    assert not sending.done()

    await peer.hear_audio()

    await sending


async def test_a_cancelled_send_leaves_the_way_free(open_session: OpenSession) -> None:
    session, peer = open_session(max_pending_bytes=1)
    await session.send_audio(bytes(20 * MS))
    cancelled = asyncio.ensure_future(session.send_audio(tone(1, 500 * MS)))
    await settle()
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    following = asyncio.ensure_future(session.send_audio(tone(9, 20 * MS)))

    assert await peer.hear_audio() == bytes(20 * MS)
    assert await peer.hear_audio() == tone(1, 100 * MS)  # was being written
    assert await peer.hear_audio() == tone(9, 20 * MS)
    await following
