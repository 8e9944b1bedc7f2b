"""Telephone calls: what a call starts with, and how it ends, is known by type."""

from __future__ import annotations

from typing import assert_type

from voicelive import Session, VoiceLiveClient
from voicelive.bridges import AcsToken, Call, CallEnd, CallLimit, CallSocket, Upgrade, acs, audiohook, twilio
from voicelive.wire import SessionConfig


async def of_twilio(socket: CallSocket, client: VoiceLiveClient) -> None:
    async with twilio.accept(socket, limit=CallLimit(max_calls=5)) as call:
        assert_type(call, Call[twilio.Start])
        assert_type(call.start.parameters["language"], str)
        config = twilio.session_config(instructions="Be brief.")
        assert_type(config, SessionConfig)
        async with client.connect("gpt-realtime", config=config) as session:
            assert_type(session, Session)
            assert_type(await call.run(session), CallEnd)


async def of_azure(socket: CallSocket, upgrade: Upgrade) -> None:
    async with acs.accept(socket, authenticate=AcsToken(str.isalpha), upgrade=upgrade) as call:
        assert_type(call.start.rate_hz, int)


async def of_genesys(socket: CallSocket) -> None:
    async with audiohook.accept(socket, authenticate=lambda upgrade: "signature" in upgrade.headers) as call:
        assert_type(call.start.is_probe, bool)
        assert_type(call.end, CallEnd | None)
