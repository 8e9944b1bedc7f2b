"""A Voice Live service on your machine: for tests, for demonstrations, for work without a network.

```python
async with Emulator(Script("Hello!")) as emulator:
    client = VoiceLiveClient(emulator.endpoint, "any-key")
```

Needs the extra ``testing`` (numpy).
"""

from __future__ import annotations

from voicelive.testing.emulator import Emulator
from voicelive.testing.pace import Pace
from voicelive.testing.records import EmulatedSession
from voicelive.testing.script import Call, Heard, Script, Turn
from voicelive.testing.voice import EspeakVoice, ToneVoice, Voice, WavVoice, default_voice

__all__ = [
    "Call",
    "EmulatedSession",
    "Emulator",
    "EspeakVoice",
    "Heard",
    "Pace",
    "Script",
    "ToneVoice",
    "Turn",
    "Voice",
    "WavVoice",
    "default_voice",
]
