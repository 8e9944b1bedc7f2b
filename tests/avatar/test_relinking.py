"""A link that is lost is followed by another one: real media over the loopback, in real time, and pure decisions."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.avatar_peer import AvatarPeer, avatar_peer, only_loopback
from tests.support.flashes import flashes_and_beeps
from tests.support.viewer import until

from voicelive.avatar.media import AvatarMedia, receive
from voicelive.avatar.relinking import PATIENCE_S, try_again_in_s
from voicelive.errors import (
    AvatarBusyError,
    AvatarLinkFailedError,
    AvatarLinkLostError,
    AvatarRefusedError,
    ConfigurationError,
    RequestLostError,
    VoiceLiveError,
)


@pytest.fixture(autouse=True)
async def nothing_left(monkeypatch: pytest.MonkeyPatch, loop_complaints: list[dict[str, Any]]) -> AsyncIterator[None]:
    only_loopback(monkeypatch)
    yield
    await asyncio.sleep(0.01)  # callbacks of closed transports
    assert not asyncio.all_tasks() - {asyncio.current_task()}
    assert not loop_complaints
    assert not [thread for thread in threading.enumerate() if thread.name.endswith("-decoder")]


class Followed(AvatarPeer):
    """As ``session.avatar``: it tells whether the service's present session has answered an offer.

    ``refusals`` are raised by the next offers.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.linked = False
        self.asked = 0
        self.refusals: list[VoiceLiveError] = []
        self.present = asyncio.Event()
        self.present.set()

    async def ice_servers_ready(self, *, timeout_s: float | None = None) -> Sequence[Mapping[str, Any]]:
        self.asked += 1
        async with asyncio.timeout(timeout_s):
            await self.present.wait()
        return self.servers

    async def connect(self, offer: Mapping[str, str], *, timeout_s: float | None = None) -> Mapping[str, str]:
        if self.refusals:
            raise self.refusals.pop(0)
        await self.close()
        answer = await super().connect(offer, timeout_s=timeout_s)
        self.linked = True
        return answer

    def lose_session(self) -> None:
        """Its media flow on for now, as they may."""
        self.linked = False
        self.present.clear()


@asynccontextmanager
async def followed(**options: Any) -> AsyncIterator[tuple[Followed, AvatarMedia]]:
    peer = Followed()
    try:
        async with receive(peer, **options) as media:
            await anext(media.video())
            yield peer, media
    finally:
        await peer.close()


async def relinking(media: AvatarMedia) -> None:
    await until(lambda: media.state == "relinking")


async def linked_again(media: AvatarMedia, links: int = 2) -> None:
    await until(lambda: media.links == links and media.state == "connected")


async def test_a_recording_spans_both_links_and_is_in_step(tmp_path: Path) -> None:
    path = tmp_path / "talk.mp4"
    peer = Followed(video_later_s=0.3)
    try:
        async with receive(peer) as media, media.record(path):
            sounds = media.audio()
            await asyncio.sleep(2.6)
            peer.lose_session()
            await relinking(media)
            peer.present.set()
            await linked_again(media)
            await asyncio.sleep(2.9)
            assert (await media.stats()).in_step_by_reports
        times = [sound.timestamp_s async for sound in sounds]
    finally:
        await peer.close()

    flashes, beeps = flashes_and_beeps(path)
    lags = [flash - 0.3 - min(beeps, key=lambda beep: abs(flash - 0.3 - beep)) for flash in flashes]
    assert len(lags) >= 4
    assert max(abs(lag) for lag in lags) < 0.08, lags
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert max(gaps) > 0.2, "the time without media is a gap"
    assert min(gaps) >= 0


async def test_the_old_link_shows_what_it_can_until_the_session_goes_on() -> None:
    async with followed() as (peer, media):
        pictures = media.video()
        peer.lose_session()
        await relinking(media)
        shown = (await media.stats()).pictures
        async with asyncio.timeout(5):
            for _ in range(9):
                await anext(pictures)
        assert (await media.stats()).pictures > shown
        peer.present.set()
        await linked_again(media)
        assert (await media.stats()).links == media.links == 2


async def test_own_servers_do_not_keep_it_from_waiting_for_the_session() -> None:
    own = {"urls": ["turn:127.0.0.1:9"], "username": "n", "credential": "c"}
    async with followed(ice_servers=[own], gather_timeout_s=0.2) as (peer, media):
        assert peer.asked == 0
        peer.lose_session()
        await relinking(media)
        assert len(peer.offers) == 1
        peer.present.set()
        await linked_again(media)
        assert peer.asked == 1


async def test_within_a_session_a_broken_link_is_repaired_once() -> None:
    async with followed(lost_after_s=0.8) as (peer, media):
        pictures = media.video()
        peer.mute()
        await linked_again(media)
        for _ in range(9):
            await anext(pictures)

        peer.mute()
        with pytest.raises(AvatarLinkLostError, match=r"nothing came for 0\.8 s, and no new link") as lost:
            await media.wait_closed()
        assert str(lost.value.__cause__) == "it broke once more"
        assert media.state == "lost"
    assert len(peer.offers) == 2


async def test_another_session_may_be_repaired_again() -> None:
    async with followed() as (peer, media):
        for links, loses in ((2, peer.close), (3, None), (4, peer.close)):
            if loses is None:
                peer.linked = False
            else:
                await loses()
            await linked_again(media, links)


@pytest.mark.parametrize(
    "refusal",
    [
        AvatarBusyError("local", "rate_limit_exceeded", "no", retry_after_s=0.05),
        RequestLostError("session.avatar.connect"),
    ],
)
async def test_what_passes_is_waited_for(refusal: VoiceLiveError) -> None:
    async with followed() as (peer, media):
        peer.refusals = [refusal, refusal]
        peer.linked = False
        await linked_again(media)
        assert not peer.refusals


async def test_a_session_that_goes_away_while_it_is_linked_is_followed_to_the_next() -> None:
    class Fleeting(Followed):
        async def connect(self, offer: Mapping[str, str], *, timeout_s: float | None = None) -> Mapping[str, str]:
            answer = await super().connect(offer, timeout_s=timeout_s)
            if len(self.offers) == 2:
                self.linked = False
                return {"type": "answer", "sdp": "v=s3cret"}
            return answer

    peer = Fleeting()
    try:
        async with receive(peer) as media:
            peer.linked = False
            await linked_again(media)
            assert len(peer.offers) == 3
    finally:
        await peer.close()


@pytest.mark.parametrize(
    "refusal",
    [
        AvatarBusyError("local", "rate_limit_exceeded", "no", retry_after_s=PATIENCE_S + 1),
        AvatarRefusedError("server_error", "avatar_service_internal_error", "no"),
        AvatarLinkFailedError("no way", "ice"),
    ],
)
async def test_what_does_not_pass_ends_all_streams(refusal: VoiceLiveError) -> None:
    async with followed() as (peer, media):
        events = media.events()
        peer.refusals = [refusal]
        await peer.close()

        with pytest.raises(AvatarLinkLostError, match=f"no new link was made: {type(refusal).__name__}") as lost:
            await media.wait_closed()
        assert lost.value.__cause__ is refusal
        assert media.state == "lost"
        with pytest.raises(AvatarLinkLostError):
            await anext(events)
        assert (await media.stats()).links == 1


async def test_a_session_that_asks_for_no_link_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicelive.avatar.relinking._SESSION_S", 0.3)
    async with followed() as (peer, media):
        peer.lose_session()
        with pytest.raises(AvatarLinkLostError, match="TimeoutError"):
            await media.wait_closed()


async def test_cancelled_anywhere_in_between_nothing_is_left() -> None:
    """From the loss until the new link stands; the fixture looks for what stays."""
    for moment in range(0, 24, 2):
        async with followed() as (peer, media):
            peer.linked = False
            await relinking(media)
            for _ in range(moment):
                await asyncio.sleep(0)
            await asyncio.sleep(moment * 0.004)
        assert media.state == "closed"
        assert [picture async for picture in media.video()] == []


async def test_whoever_tells_nothing_of_its_link_is_not_followed() -> None:
    async with avatar_peer() as peer:
        with pytest.raises(ConfigurationError, match="relink is True; it needs signalling"):
            await receive(peer, relink=True).__aenter__()
        assert peer.offers == []
        async with receive(peer) as media:
            await anext(media.video())
            await peer.close()
            with pytest.raises(AvatarLinkLostError, match=r"the service ended it; receive\(\) again"):
                await media.wait_closed()


# -- how long to wait


@given(st.floats(0, 1000), st.floats(0, 1000))
def test_a_busy_service_is_waited_for_as_it_says_and_no_longer_than_patience(asked_s: float, waited_s: float) -> None:
    wait_s = try_again_in_s(AvatarBusyError("e", "rate_limit_exceeded", "", retry_after_s=asked_s), waited_s)

    assert wait_s == (asked_s if asked_s + waited_s <= PATIENCE_S else None)


@pytest.mark.parametrize(
    ("refusal", "wait_s"),
    [
        (AvatarBusyError("e", "avatar_service_resource_exhausted", ""), 5.0),
        (AvatarRefusedError("e", None, "WebRTC connection is in connected state"), 5.0),
        (AvatarRefusedError("e", "avatar_verification_failed", ""), None),
        (AvatarLinkFailedError("no way", "ice"), None),
    ],
)
def test_a_place_that_may_still_be_held_is_tried_again(refusal: VoiceLiveError, wait_s: float | None) -> None:
    assert try_again_in_s(refusal, 0.0) == wait_s
    assert try_again_in_s(refusal, PATIENCE_S) is None
