"""When a visual agent's link is asked for, and which refusals concern it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from voicelive import wire
from voicelive.events import AvatarLinkNeeded
from voicelive.protocol.avatar import AvatarLink, delivery
from voicelive.protocol.refusals import unnamed_refusal
from voicelive.wire.client_events import SessionAvatarConnect, SessionUpdate
from voicelive.wire.server.session import ServerEventErrorDetails
from voicelive.wire.session import SessionResource

SERVERS = [{"urls": ["turn:relay.example.com"], "username": "u", "credential": "c"}]
LISA: dict[str, Any] = {"type": "video-avatar", "character": "lisa", "customized": False, "ice_servers": SERVERS}


def settings(avatar: dict[str, Any] | None = LISA, session_id: str = "s1") -> SessionResource:
    return SessionResource.model_validate_json(json.dumps({"id": session_id, "avatar": avatar}))


def updated(link: AvatarLink, resource: SessionResource) -> list[AvatarLinkNeeded]:
    return link.receive(wire.SessionUpdated(session=resource), resource)


@pytest.mark.parametrize(
    ("avatar", "way"),
    [
        (None, None),
        (LISA, "webrtc"),
        ({**LISA, "output_protocol": "webrtc"}, "webrtc"),
        ({**LISA, "output_protocol": "websocket"}, "websocket"),
        ({"type": "hologram"}, None),
    ],
)
def test_the_settings_say_how_the_picture_comes(avatar: dict[str, Any] | None, way: str | None) -> None:
    assert delivery(settings(avatar)) == way


def test_a_link_is_asked_for_once_a_session_and_a_later_update_starts_no_second_one() -> None:
    link = AvatarLink()

    (needed,) = updated(link, settings())

    assert (needed.session_id, needed.again, len(needed.ice_servers)) == ("s1", False, 1)
    assert "relay" not in repr(needed)
    assert updated(link, settings()) == []
    assert link.receive(wire.SessionAvatarConnecting(), settings()) == []
    assert link.linked
    assert updated(link, settings()) == []


def test_another_session_of_the_service_needs_another_link() -> None:
    link = AvatarLink()
    updated(link, settings())
    link.receive(wire.SessionAvatarConnecting(), settings())
    link.receive(wire.SessionAvatarSwitchToSpeaking(), settings())

    link.connection_lost()

    assert (link.linked, link.speaking) == (False, False)
    (needed,) = updated(link, settings(session_id="s2"))
    assert (needed.session_id, needed.again) == ("s2", True)


def test_an_avatar_that_is_taken_away_may_come_back() -> None:
    link = AvatarLink()
    updated(link, settings())
    link.receive(wire.SessionAvatarConnecting(), settings())

    assert updated(link, settings(None)) == []
    assert not link.linked
    assert len(updated(link, settings())) == 1


def test_it_speaks_until_it_is_idle_or_told_to_be_silent() -> None:
    link = AvatarLink()
    for ends in (lambda: link.receive(wire.SessionAvatarSwitchToIdle(), settings()), link.flushed):
        link.receive(wire.SessionAvatarSwitchToSpeaking(turn_id="t"), settings())
        assert link.speaking
        ends()
        assert not link.speaking


@pytest.mark.parametrize(
    ("error", "kinds"),
    [
        ({"code": "avatar_verification_failed"}, (SessionUpdate,)),
        ({"code": "invalid_argument"}, (SessionUpdate,)),
        ({"code": "avatar_service_internal_error"}, (SessionAvatarConnect,)),
        ({"code": "avatar_service_resource_exhausted"}, (SessionAvatarConnect,)),
        ({"message": "WebRTC connection is in connected state"}, (SessionAvatarConnect,)),
        ({"code": "rate_limit_exceeded", "message": "Avatar request was rate-limited."}, (SessionAvatarConnect,)),
        ({"code": "rate_limit_exceeded", "message": "Slow down."}, ()),
        ({}, (SessionAvatarConnect, SessionUpdate)),
        ({"type": "server_error"}, ()),
        ({"code": "invalid_value", "message": "no"}, ()),
    ],
)
def test_errors_of_avatars_name_no_request(error: dict[str, str], kinds: tuple[type, ...]) -> None:
    assert unnamed_refusal(ServerEventErrorDetails(**error)) == kinds
