"""What a tool is told of the call that runs it.

Decides nothing: the session fills these in and sets the two signals.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the session imports this package
    from voicelive.session import Session

__all__ = ["ToolCall", "ToolContext"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model wants a function run.

    Attributes:
        name: The function, in the model's words; perhaps one that was never declared.
        arguments_json: The arguments as they came, unchecked. Not part of the repr: they repeat what was said.
        call_id: What the result is sent back under.
    """

    name: str
    arguments_json: str = field(repr=False)
    call_id: str


@dataclass(frozen=True, slots=True, eq=False)
class ToolContext:
    """Given to a tool that has a parameter annotated with this class, whatever the parameter's name.

    Attributes:
        session: The session of the call. Its methods belong to the event loop: a synchronous tool, which runs in a
            thread, may read from it and must not call its verbs.
        call_id: The id of this call.
        name: The name that the model called.
        response_id: The response that contains the call.
        item_id: The conversation item of the call.
        interrupted: Set when the user talks over the agent while the call runs. A tool declared with
            ``on_barge_in="finish"`` or ``"finish_silently"`` may wait for it and wind up early; a synchronous one may
            ask ``is_set()``.
        abandoned: Set when nobody waits for the result any more, after a timeout or a cancellation. Threads cannot be
            stopped from outside: a long synchronous tool should ask this between its steps, or pause by
            ``abandoned.wait(seconds)``, and return.
    """

    session: Session
    call_id: str
    name: str
    response_id: str
    item_id: str
    interrupted: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    abandoned: threading.Event = field(default_factory=threading.Event, repr=False)
