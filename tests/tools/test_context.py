from __future__ import annotations

from typing import cast

from voicelive.session import Session
from voicelive.tools import ToolCall, ToolContext


def test_the_repr_of_a_call_does_not_repeat_its_arguments() -> None:
    assert repr(ToolCall("get_weather", '{"city": "secret"}', "call_1")) == (
        "ToolCall(name='get_weather', call_id='call_1')"
    )


def test_each_context_has_signals_of_its_own() -> None:
    one, other = (ToolContext(cast("Session", None), "call_1", "tool", "resp_1", "item_1") for _ in range(2))
    one.interrupted.set()
    one.abandoned.set()

    assert not other.interrupted.is_set()
    assert not other.abandoned.is_set()
