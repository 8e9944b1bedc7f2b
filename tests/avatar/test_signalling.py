"""session.avatar: servers, offers, answers, refusals."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import OpenSession
from tests.support.peer import Peer
from tests.support.service import heard, nothing_more
from tests.support.streams import settle

from voicelive import events
from voicelive.errors import (
    AvatarBusyError,
    AvatarRefusedError,
    ConfigurationError,
    ConfirmationTimeoutError,
    LocalProtocolError,
    ProtocolError,
    SessionClosedError,
)
from voicelive.session import Session
from voicelive.wire.avatar import PhotoAvatar, Scene, VideoAvatar
from voicelive.wire.avatar_video import VideoParams
from voicelive.wire.base import Unlisted
from voicelive.wire.session import SessionConfig
from voicelive.wire.turn_detection import ServerVad

OFFERS = Path(__file__).parents[1] / "data" / "avatar" / "sdp_offers"
OFFER = (OFFERS / "chromium_recvonly.offer.sdp").read_bytes().decode()
ENCODED_OFFER = (OFFERS / "chromium_recvonly.offer.b64").read_text()
ANSWER = (OFFERS / "chromium_recvonly.answer.sdp").read_bytes().decode()
ENCODED_ANSWER = (OFFERS / "chromium_recvonly.answer.b64").read_text()

SERVER = {"urls": ["turn:relay.example.com"], "username": "u", "credential": "c"}
LISA: dict[str, Any] = {"type": "video-avatar", "character": "lisa", "style": "casual-sitting", "customized": False}


async def ready(peer: Peer, session_id: str = "sess_1", **avatar: Any) -> None:
    """A session with an avatar whose servers hold the nulls that the service writes."""
    await peer.say("session.created", session={"id": session_id})
    whole = {**LISA, "ice_servers": [{**SERVER, "extra": None}], **avatar}
    await peer.say("session.updated", session={"id": session_id, "avatar": whole})
    await settle()


async def refused(peer: Peer, code: str | None, message: str | None, kind: str | None = "server_error") -> None:
    """As the service words it: the request is not named."""
    error = {"type": kind, "code": code, "message": message, "param": None, "event_id": None}
    await peer.say("error", error=error)


def connecting(session: Session, offer: Any = OFFER, **options: Any) -> asyncio.Task[Any]:
    return asyncio.create_task(session.avatar.connect(offer, **options))


async def test_servers_are_those_of_the_service_without_nulls(open_session: OpenSession) -> None:
    session, peer = open_session()
    waiting = asyncio.create_task(session.wait_for(events.AvatarLinkNeeded))
    assert not session.avatar.ice_servers
    await settle()
    await ready(peer)

    assert await session.avatar.ice_servers_ready() == session.avatar.ice_servers == (SERVER,)
    assert (await waiting).session_id == "sess_1"
    assert session.avatar.link_needed
    assert session.avatar.delivery == "webrtc"


async def test_servers_are_waited_for(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer)
    session._protocol.avatar.connection_lost()  # between two sessions of the service
    waiting = asyncio.create_task(session.avatar.ice_servers_ready())
    await settle()
    assert not waiting.done()

    await peer.say("session.updated", session={"id": "sess_2", "avatar": LISA})

    assert await waiting == (), "none is an answer, too"


@pytest.mark.parametrize(
    ("offer", "answer"),
    [
        (OFFER, ANSWER),
        ({"type": "offer", "sdp": OFFER}, {"type": "answer", "sdp": ANSWER}),
        (ENCODED_OFFER, ENCODED_ANSWER),
    ],
)
async def test_the_answer_comes_in_the_form_of_the_offer(open_session: OpenSession, offer: Any, answer: Any) -> None:
    session, peer = open_session()
    await ready(peer)
    task = connecting(session, offer)

    sent = await heard(peer, "session.avatar.connect")
    await peer.say("session.avatar.connecting", server_sdp=ENCODED_ANSWER)

    assert await task == answer
    if offer is ENCODED_OFFER:
        assert sent["client_sdp"] == ENCODED_OFFER
    assert session.avatar.linked
    assert not session.avatar.link_needed


async def test_a_malformed_offer_is_refused_before_anything_is_sent(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer)

    with pytest.raises(ConfigurationError, match="no section for video"):
        await session.avatar.connect("v=0\r\n")

    await nothing_more(peer)


async def test_a_session_without_such_an_avatar_says_what_to_do(open_session: OpenSession) -> None:
    session, peer = open_session()
    await peer.say("session.created", session={"id": "sess_1"})
    await settle()
    for call in (session.avatar.connect(OFFER), session.avatar.ice_servers_ready()):
        with pytest.raises(LocalProtocolError, match=r"SessionConfig\.avatar"):
            await call

    await ready(peer, output_protocol="websocket")
    with pytest.raises(LocalProtocolError, match="output_protocol='webrtc'"):
        await session.avatar.connect(OFFER)
    assert session.avatar.delivery == "websocket"
    assert not session.avatar.link_needed


@pytest.mark.parametrize(
    ("code", "message", "told"),
    [
        ("avatar_service_internal_error", "Avatar connection failed: None is not in list", "None is not in list"),
        (None, "WebRTC connection is in connected state", "connected state"),
        (None, None, "no reason given"),
    ],
)
async def test_a_refused_offer_raises_where_it_was_made(
    open_session: OpenSession, code: str | None, message: str | None, told: str
) -> None:
    session, peer = open_session()
    await ready(peer)
    task = connecting(session)
    await heard(peer, "session.avatar.connect")

    await refused(peer, code, message, None if message is None else "server_error")

    with pytest.raises(AvatarRefusedError, match=told) as raised:
        await task
    assert not isinstance(raised.value, AvatarBusyError)
    assert session.avatar.link_needed


@pytest.mark.looptime
async def test_a_quota_says_when_to_come_again_and_is_obeyed(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer)
    task = connecting(session)
    await heard(peer, "session.avatar.connect")
    await refused(peer, "rate_limit_exceeded", "Avatar request was rate-limited. Retry after 43.0s.")

    with pytest.raises(AvatarBusyError) as raised:
        await task
    assert raised.value.retry_after_s == 43.0
    await asyncio.sleep(40)
    with pytest.raises(AvatarBusyError) as raised:
        await session.avatar.connect(OFFER)
    assert raised.value.retry_after_s == 3.0
    await nothing_more(peer)

    await asyncio.sleep(3)
    task = connecting(session)
    await heard(peer, "session.avatar.connect")
    await refused(peer, "avatar_service_resource_exhausted", "Service capacity exceeded: too many.")
    with pytest.raises(AvatarBusyError, match="when another session has ended") as raised:
        await task
    assert raised.value.retry_after_s is None


@pytest.mark.looptime
async def test_no_answer_and_a_broken_one_are_told_apart(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer)
    with pytest.raises(ConfirmationTimeoutError):
        await session.avatar.connect(OFFER, timeout_s=2)
    await heard(peer, "session.avatar.connect")

    task = connecting(session)
    await heard(peer, "session.avatar.connect")
    await peer.say("session.avatar.connecting", server_sdp="?")
    with pytest.raises(ProtocolError, match="holds no SDP"):
        await task


async def test_an_unnamed_error_of_an_avatar_refuses_the_settings_that_asked_for_it(open_session: OpenSession) -> None:
    session, peer = open_session()
    await peer.say("session.created", session={"id": "sess_1"})
    await settle()
    other = asyncio.create_task(session.update(SessionConfig(instructions="Be brief.")))
    await heard(peer, "session.update")
    avatar = asyncio.create_task(
        session.update(SessionConfig(avatar=VideoAvatar(character="lisa", style=Unlisted("technical-standing"))))
    )
    await heard(peer, "session.update")

    await refused(peer, "avatar_verification_failed", "Avatar with character [lisa] and style [x] not found.")

    with pytest.raises(AvatarRefusedError, match="not found") as raised:
        await avatar
    assert raised.value.code == "avatar_verification_failed"
    assert not other.done()
    await peer.say("session.updated", session={"id": "sess_1"})
    await other


async def test_other_unnamed_errors_refuse_nothing(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer)
    task = connecting(session)
    await heard(peer, "session.avatar.connect")

    await refused(peer, "rate_limit_exceeded", "Slow down.")
    await settle()
    assert not task.done()

    await peer.say("session.avatar.connecting", server_sdp=ENCODED_ANSWER)
    assert await task == ANSWER


async def test_a_scene_resets_nothing_else(open_session: OpenSession) -> None:
    anika = PhotoAvatar(character="anika", model="vasa-1", video=VideoParams(bitrate=500_000))
    requested = SessionConfig(input_audio_sampling_rate=16_000, turn_detection=ServerVad(threshold=0.3), avatar=anika)
    session, peer = open_session(requested=requested)
    await peer.say("session.created", session={"id": "sess_1"})
    told = {"id": "sess_1", "avatar": anika.model_dump(mode="json")}
    await peer.say("session.updated", session=told)
    await settle()
    task = asyncio.create_task(session.avatar.set_scene(Scene(zoom=0.8, position_y=0.1)))

    sent = (await heard(peer, "session.update"))["session"]

    assert sent == {
        "input_audio_sampling_rate": 16_000,
        "turn_detection": {"type": "server_vad", "threshold": 0.3},
        "avatar": {
            "type": "photo-avatar",
            "character": "anika",
            "model": "vasa-1",
            "customized": False,
            "scene": {"zoom": 0.8, "position_y": 0.1},
        },
    }
    await peer.say("session.updated", session=told)
    await task
    await session.avatar.set_scene(Scene(zoom=1.5), confirm=False)
    assert (await heard(peer, "session.update"))["session"]["avatar"]["scene"] == {"zoom": 1.5}


async def test_a_scene_without_a_photo_avatar_is_refused(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer)

    with pytest.raises(ConfigurationError, match="scene is for photo avatars"):
        await session.avatar.set_scene(Scene(zoom=1))


async def test_the_end_of_the_session_ends_the_waiting(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer)
    task = connecting(session)
    await heard(peer, "session.avatar.connect")

    await session.close()

    with pytest.raises(SessionClosedError):
        await task


async def test_what_the_avatar_does_is_a_hint(open_session: OpenSession) -> None:
    session, peer = open_session()
    await ready(peer)
    await peer.say("session.avatar.switch_to_speaking", turn_id="t1")
    await settle()
    assert session.avatar.speaking

    await session.interrupt()

    assert (await heard(peer, "output_audio_buffer.clear"))["type"] == "output_audio_buffer.clear"
    assert not session.avatar.speaking
