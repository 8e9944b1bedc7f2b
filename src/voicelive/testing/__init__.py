"""A Voice Live service on your machine: for tests, for demonstrations, for work without a network.

```python
async with Emulator(Script("Hello!")) as emulator:
    client = VoiceLiveClient(emulator.endpoint, "any-key")
```

``FaultProxy`` breaks connections on demand. The emulator needs the extra ``testing`` (numpy). Names load on first use:
every run of pytest imports this package for the sake of its plugin, whether the tests use it or not.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from voicelive.testing.avatar.limits import AvatarLimits
    from voicelive.testing.avatar.look import AvatarPicture
    from voicelive.testing.emulator import Emulator
    from voicelive.testing.fault_proxy import FaultProxy
    from voicelive.testing.faults import Upgrade
    from voicelive.testing.pace import Pace
    from voicelive.testing.proxied_connection import ProxiedConnection
    from voicelive.testing.records import EmulatedSession
    from voicelive.testing.script import Call, Heard, Script, Turn
    from voicelive.testing.tampering import Double, Drop, Swap
    from voicelive.testing.voice import EspeakVoice, ToneVoice, Voice, WavVoice, default_voice

__all__ = [
    "AvatarLimits",
    "AvatarPicture",
    "Call",
    "Double",
    "Drop",
    "EmulatedSession",
    "Emulator",
    "EspeakVoice",
    "FaultProxy",
    "Heard",
    "Pace",
    "ProxiedConnection",
    "Script",
    "Swap",
    "ToneVoice",
    "Turn",
    "Upgrade",
    "Voice",
    "WavVoice",
    "default_voice",
]

_HOME = {
    "avatar.limits": "AvatarLimits",
    "avatar.look": "AvatarPicture",
    "emulator": "Emulator",
    "fault_proxy": "FaultProxy",
    "faults": "Upgrade",
    "pace": "Pace",
    "proxied_connection": "ProxiedConnection",
    "records": "EmulatedSession",
    "script": "Call Heard Script Turn",
    "tampering": "Double Drop Swap",
    "voice": "EspeakVoice ToneVoice Voice WavVoice default_voice",
}
"""Module to the names that it gives."""

_MODULE_OF = {name: module for module, names in _HOME.items() for name in names.split()}


if not TYPE_CHECKING:  # a type checker would take every misspelt name for one of these

    def __getattr__(name: str) -> Any:
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_OF})
