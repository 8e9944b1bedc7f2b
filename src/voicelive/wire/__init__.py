"""The words on the wire and nothing else: every setting, item and event of the protocol as a class.

Settings load at once; events and the codec on first use, because their classes take a while to build.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from voicelive.wire.audio import *
from voicelive.wire.avatar import *
from voicelive.wire.avatar_video import *
from voicelive.wire.base import Unlisted as Unlisted
from voicelive.wire.items import *
from voicelive.wire.parts import *
from voicelive.wire.responses import *
from voicelive.wire.session import *
from voicelive.wire.tools import *
from voicelive.wire.turn_detection import *
from voicelive.wire.voices import *

if TYPE_CHECKING:
    from voicelive.wire.client_events import *
    from voicelive.wire.codec import *
    from voicelive.wire.server.animation import *
    from voicelive.wire.server.base import *
    from voicelive.wire.server.calls import *
    from voicelive.wire.server.conversation import *
    from voicelive.wire.server.response import *
    from voicelive.wire.server.session import *
    from voicelive.wire.server.tool_calls import *
    from voicelive.wire.server_events import *
else:
    _TOPICS = ("animation", "base", "calls", "conversation", "response", "session", "tool_calls")
    _LATER = ("codec", "client_events", "server_events", *(f"server.{topic}" for topic in _TOPICS))

    def __getattr__(name: str) -> Any:
        if not name.startswith("_"):
            for module in (import_module(f"{__name__}.{later}") for later in _LATER):
                if name in module.__all__:
                    globals()[name] = found = getattr(module, name)  # asked once: each look-up walks through them all
                    return found
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
