"""What loss reports hold where it takes more than one event to get there."""

from __future__ import annotations

import pytest
from tests.reliability.scene import opened

from voicelive import events, wire


@pytest.mark.looptime
async def test_audio_that_is_said_again_in_whole_chunks_is_never_counted_as_less_than_none_lost() -> None:
    async with opened(resumes=True) as scene:
        await scene.connect()
        with scene.session.subscribe(wire.InputAudioBufferSpeechStarted) as started:
            await scene.session.send_audio(scene.session.input_format.silence(930))
            await scene.speak(10)
            begun = await anext(started)
        assert begun.audio_start_ms % 100, "speech begins inside of a chunk"
        scene.proxy.reset()
        with scene.session.subscribe(events.SessionResumed) as resumed:
            report = (await anext(resumed)).report
    assert report.unconfirmed_audio_ms == 0
    assert report.resent_audio_ms >= scene.session.audio_sent_ms - begun.audio_start_ms
