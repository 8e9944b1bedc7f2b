"""What is used of aiortc's inside is there, and its absence is survived."""

from __future__ import annotations

import asyncio
from typing import Any

from aiortc import RTCConfiguration, RTCPeerConnection

from voicelive.avatar.aiortc_inside import decoder_zero, limit_gathering, own_connecting, tap
from voicelive.avatar.media_clock import MediaClock


class Renamed:
    """An ``RTCRtpReceiver`` and an ``RTCPeerConnection`` of some later release."""

    def __init__(self) -> None:
        self.transport: Any = self
        self.iceGatherer: Any = self


async def test_the_installed_release_has_it() -> None:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    receiver = connection.addTransceiver("video").receiver
    tasks: set[asyncio.Task[Any]] = set()

    assert tap(receiver, "video", MediaClock(), lambda: 0.0)
    assert decoder_zero(receiver) is None
    limit_gathering(receiver, 0.5)
    ice: Any = receiver.transport.transport.iceGatherer._connection
    assert ice.get_component_candidates.keywords == {"timeout": 0.5}
    own_connecting(connection, tasks)
    assert "_RTCPeerConnection__connect" in vars(connection)
    await connection.close()


def test_a_release_with_other_names_is_left_as_it_is() -> None:
    renamed = Renamed()

    assert not tap(renamed, "video", MediaClock(), lambda: 0.0)
    limit_gathering(renamed, 0.5)
    own_connecting(renamed, set())

    assert vars(renamed).keys() == {"transport", "iceGatherer"}
