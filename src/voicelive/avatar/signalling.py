"""``session.avatar``: the link of a visual agent over WebRTC, and its scene.

What events mean for the link is decided in ``protocol.avatar``; here is the waiting. The peer that makes offers is the
application's: a browser, or ``receive`` in Python.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from typing import TYPE_CHECKING, Any, TypeAlias, overload

from voicelive.avatar.negotiation import SessionDescription, answer_in, read_offer
from voicelive.avatar.turns import LinkTurns
from voicelive.avatar.updates import scene_update
from voicelive.errors import AvatarBusyError, LocalProtocolError, SessionClosedError
from voicelive.events import AvatarLinkNeeded
from voicelive.protocol.avatar import AvatarLink, Delivery, delivery, servers
from voicelive.wire.avatar import IceServer, Scene
from voicelive.wire.client_events import KnownClientEvent, SessionAvatarConnect
from voicelive.wire.server.session import SessionAvatarConnecting
from voicelive.wire.session import SessionConfig

if TYPE_CHECKING:  # what shows pictures loads with its use
    from voicelive.avatar.media import AvatarMedia, Direction
    from voicelive.avatar.socket_video import SocketVideo
    from voicelive.session import Session

__all__ = ["Avatar", "plain_servers"]

_Request: TypeAlias = Callable[
    [KnownClientEvent, type[SessionAvatarConnecting], float | None], Awaitable[SessionAvatarConnecting]
]


def plain_servers(found: tuple[IceServer, ...]) -> tuple[dict[str, Any], ...]:
    """ICE servers as ``RTCPeerConnection`` of a browser takes them: without nulls, which it refuses."""
    return tuple(server.model_dump(mode="json", exclude_none=True) for server in found)


class Avatar:
    """The visual agent of one session."""

    def __init__(
        self,
        session: Session,
        link: AvatarLink,
        turns: LinkTurns,
        request: _Request,
    ) -> None:
        """Made by the session."""
        self._session, self._link, self._turns, self._request = session, link, turns, request
        self._video: SocketVideo | None = None

    @property
    def delivery(self) -> Delivery | None:
        """How the picture comes, by the settings in effect: ``webrtc`` or ``websocket``; ``None`` without an avatar."""
        return delivery(self._session.config)

    @property
    def linked(self) -> bool:
        """Whether the service has answered an offer in its present session. Whether media flow only the peer knows."""
        return self._link.linked

    @property
    def link_needed(self) -> bool:
        """Whether an offer is waited for; ``AvatarLinkNeeded`` tells when that begins."""
        return self._link.asked_for and not self._link.linked

    @property
    def speaking(self) -> bool:
        """Whether the avatar speaks, as far as the service told; a hint, which may be late or lost."""
        return self._link.speaking

    @property
    def ice_servers(self) -> tuple[dict[str, Any], ...]:
        """Servers for the peer connection, as a browser takes them: ``{"urls": [...], "username": ..., ...}``.

        They hold credentials. Empty before ``session.updated``; take them anew for each session of the service: how
        long they last is not published.
        """
        return plain_servers(servers(self._session.config))

    async def ice_servers_ready(self, *, timeout_s: float | None = None) -> tuple[dict[str, Any], ...]:
        """The same, once settings with the avatar are in effect; at once where they are.

        Raises:
            LocalProtocolError: The session has no avatar over WebRTC.
            TimeoutError: They did not come within ``timeout_s``; between two connections they may take long.
            SessionClosedError: The session has ended.
        """
        self._refuse_other_deliveries()
        if not self._link.asked_for or self._session.close_info is not None:
            await self._session.wait_for(AvatarLinkNeeded, timeout_s=timeout_s)
        return self.ice_servers

    @overload
    async def connect(self, offer: str, *, timeout_s: float | None = None) -> str: ...
    @overload
    async def connect(self, offer: SessionDescription, *, timeout_s: float | None = None) -> SessionDescription: ...
    async def connect(self, offer: SessionDescription, *, timeout_s: float | None = None) -> SessionDescription:
        """Have the service answer an offer; the answer comes in the form of the offer, to be set as the remote
        description.

        Args:
            offer: Complete, with all its candidates: an SDP text, a mapping ``{"type": "offer", "sdp": ...}``, or the
                encoded string that the service takes, which goes on as it is.
            timeout_s: Default: ``ClientOptions.confirm_timeout_s``.

        Raises:
            ConfigurationError: The offer is malformed, or nothing that the service could answer; nothing was sent.
            LocalProtocolError: The session has no avatar over WebRTC.
            AvatarBusyError: The resource shows too many avatars; ``retry_after_s`` says when to come again. Before that
                time this is raised at once, in all sessions of the client.
            AvatarRefusedError: The service does not take the offer, or has a link of this session that stands.
            ConfirmationTimeoutError: No answer in time.
            ProtocolError: The service's answer holds no SDP.

        One link for each session of the service: another offer is for one that has failed.
        """
        self._refuse_other_deliveries()
        found = read_offer(offer)
        clock = asyncio.get_running_loop().time
        self._turns.take(clock())
        try:
            event = SessionAvatarConnect(client_sdp=found.client_sdp)
            answer = await self._request(event, SessionAvatarConnecting, timeout_s)
        except AvatarBusyError as busy:
            self._turns.refused(busy.retry_after_s, clock())
            raise
        return answer_in(found.form, answer.server_sdp)

    def receive(
        self,
        *,
        direction: Direction = "recvonly",
        data_channel: bool = True,
        ice_servers: Iterable[Mapping[str, Any]] | None = None,
        relay_only: bool = False,
        gather_timeout_s: float = 10.0,
        connect_timeout_s: float = 20.0,
        lost_after_s: float = 5.0,
        relink: bool = True,
    ) -> AbstractAsyncContextManager[AvatarMedia]:
        """Link the avatar here, in Python, and take its picture and voice for as long as a block lasts. Needs
        ``pip install 'voicelive[avatar]'``. Arguments and exceptions are those of ``voicelive.avatar.media.receive``.
        """
        from voicelive.avatar.media import receive

        return receive(
            self,
            direction=direction,
            data_channel=data_channel,
            ice_servers=ice_servers,
            relay_only=relay_only,
            gather_timeout_s=gather_timeout_s,
            connect_timeout_s=connect_timeout_s,
            lost_after_s=lost_after_s,
            relink=relink,
        )

    def video(self) -> SocketVideo:
        """The picture and voice that come over the socket (``output_protocol="websocket"``), to be read in a block:
        raw, in segments for a browser, decoded, or recorded.

        It holds the stream from its beginning: 16 MiB wait for somebody to read them, half a minute at the highest rate
        seen. One for each session of the service; take as many streams of it as you like.

        Raises:
            LocalProtocolError: The session has no such avatar, or its video was given away already.
        """
        if self.delivery != "websocket":
            raise LocalProtocolError(
                "no video comes over the socket; set VideoAvatar(..., output_protocol='websocket'), or use receive()"
            )
        found, self._video = self._video, None
        if found is None:
            raise LocalProtocolError(
                "the video of this session was given away already, and its header comes once; "
                "take further streams of the SocketVideo that you have"
            )
        return found

    async def set_scene(self, scene: Scene, *, confirm: bool = True, timeout_s: float | None = None) -> None:
        """Frame a photo avatar anew; all other settings stay as they are. Returns when confirmed.

        Args:
            scene: The whole scene: what it leaves out returns to the service's default.
            confirm: ``False``: return when written, for movements. Published samples send at most 20 scenes a second.
            timeout_s: Default: ``ClientOptions.confirm_timeout_s``.

        Raises:
            ConfigurationError: There is no avatar, or it is no photo avatar.
            ServiceError: The service refused.
            ConfirmationTimeoutError: No answer in time.
        """
        settings = self._session.requested or self._session.config
        await self._session.update(scene_update(settings, scene), confirm=confirm, timeout_s=timeout_s)

    # -- what the session tells

    def asked_for(self, config: SessionConfig) -> None:
        """These settings are about to be sent."""
        if self._video is None and self.delivery is None and _over_the_socket(config):
            self._listen(resuming=False)

    def other_session(self) -> None:
        """Another session of the service takes over, and its first events come now."""
        if self._session.requested is not None and _over_the_socket(self._session.requested):
            with suppress(SessionClosedError):  # just now
                self._listen(resuming=True)

    def _listen(self, *, resuming: bool) -> None:
        from voicelive.avatar.socket_video import SocketVideo

        self._video = SocketVideo(self._session, resuming=resuming)

    def _refuse_other_deliveries(self) -> None:
        kind = self.delivery
        if kind is None:
            raise LocalProtocolError(
                "the session has no avatar; set SessionConfig.avatar in client.connect(config=...)"
            )
        if kind == "websocket":
            raise LocalProtocolError(
                "the avatar's picture comes over the socket, without a link; "
                "set output_protocol='webrtc', or read session.avatar.video()"
            )


def _over_the_socket(config: SessionConfig) -> bool:
    avatar = config.avatar
    return avatar is not None and avatar.type != "unknown" and avatar.output_protocol == "websocket"
