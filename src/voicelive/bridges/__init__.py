"""Calls: media streams of Twilio, Azure Communication Services and Genesys, and web pages, carried to a session.

```python
async with twilio.accept(websocket) as call, client.connect(model, config=twilio.session_config()) as session:
    await call.run(session)
```

Each provider has a module with ``accept`` and ``session_config``, and a codec beside it that knows its messages and
does no I/O. So have web pages: ``browser``.
"""

from __future__ import annotations

from voicelive.bridges import acs, audiohook, browser, twilio
from voicelive.bridges.auth import AcsToken, AudioHookSignature, TwilioSignature, is_from_twilio, twilio_signature
from voicelive.bridges.call import Call
from voicelive.bridges.events import BrokenMessage, CallCounts, CallEnd, CallerAudioDropped, Dtmf, UnknownMessage
from voicelive.bridges.limits import CallLimit
from voicelive.bridges.socket import CallSocket
from voicelive.bridges.upgrade import Upgrade

__all__ = [
    "AcsToken",
    "AudioHookSignature",
    "BrokenMessage",
    "Call",
    "CallCounts",
    "CallEnd",
    "CallLimit",
    "CallSocket",
    "CallerAudioDropped",
    "Dtmf",
    "TwilioSignature",
    "UnknownMessage",
    "Upgrade",
    "acs",
    "audiohook",
    "browser",
    "is_from_twilio",
    "twilio",
    "twilio_signature",
]
