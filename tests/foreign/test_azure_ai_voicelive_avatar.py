"""The avatar of the official SDK's samples: settings, ICE servers, offer, answer, media."""

from __future__ import annotations

import asyncio
import base64
import json

from azure.ai.voicelive import models
from tests.foreign.caller import call
from tests.foreign.reading import names
from tests.support.viewer import until, viewer

from voicelive.testing import AvatarLimits, AvatarPicture, Emulator, Script, ToneVoice

LISA = models.AvatarConfig(
    character="lisa",
    style="casual-sitting",
    customized=False,
    video=models.VideoParams(codec="h264", bitrate=1_000_000),
)


def emulator(limits: AvatarLimits | None = None) -> Emulator:
    script, picture = Script("It is sunny in Lisbon."), AvatarPicture.small()
    return Emulator(script, voice=ToneVoice(), avatar_picture=picture, avatar_limits=limits or AvatarLimits.none())


async def test_an_avatar_is_set_linked_seen_and_heard() -> None:
    async with emulator() as service, call(service) as caller, viewer() as watching:
        session = await caller.configure(modalities=[models.Modality.TEXT, models.Modality.AUDIO], avatar=LISA)
        assert session.avatar is not None
        assert [server.urls for server in session.avatar.ice_servers or []]

        connect = models.ClientEventSessionAvatarConnect(client_sdp=await watching.offer(direction="sendrecv"))
        await caller.connection.send(connect)
        answer = await caller.one(models.ServerEventSessionAvatarConnecting)
        assert json.loads(base64.b64decode(answer.server_sdp))["type"] == "answer"
        await watching.accept(answer.server_sdp)

        said = asyncio.create_task(caller.ask("What is the weather?"))
        await until(lambda: watching.loud and watching.mouth_open)
        events = await said

    assert "ResponseAudioDelta" not in names(events), "the voice comes with the picture"
    assert "ResponseAudioTranscriptDone" in names(events)


async def test_a_character_that_does_not_exist_is_refused() -> None:
    async with emulator() as service, call(service) as caller:
        avatar = models.AvatarConfig(character="nobody", style="x", customized=False)
        await caller.connection.session.update(session=models.RequestSession(avatar=avatar))

        assert (await caller.refusal()).code == "avatar_verification_failed"


async def test_a_resource_that_shows_too_many_avatars_says_so() -> None:
    async with emulator(AvatarLimits(per_minute=1)) as service, viewer() as watching:
        connect = models.ClientEventSessionAvatarConnect(client_sdp=await watching.offer())
        async with call(service, avatar=LISA) as caller:
            await caller.connection.send(connect)
            await caller.one(models.ServerEventSessionAvatarConnecting)
        async with call(service, avatar=LISA) as caller:
            await caller.connection.send(connect)
            assert (await caller.refusal()).code == "rate_limit_exceeded"
