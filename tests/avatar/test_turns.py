"""When the next link of an avatar may be asked for."""

from __future__ import annotations

import pickle

import pytest

from voicelive.avatar.turns import LinkTurns
from voicelive.errors import AvatarBusyError


def test_without_a_limit_only_the_services_word_counts() -> None:
    turns = LinkTurns()
    for _ in range(10):
        turns.take(0.0)
    turns.refused(43.0, 1.0)
    turns.refused(2.0, 1.0)
    turns.refused(None, 1.0)

    with pytest.raises(AvatarBusyError) as raised:
        turns.take(4.0)

    assert (raised.value.retry_after_s, raised.value.code) == (40.0, "rate_limit_exceeded")
    assert str(raised.value).endswith("Connect again in 40 s")
    turns.take(44.0)


def test_a_limit_holds_in_every_minute() -> None:
    turns = LinkTurns(2)
    turns.take(0.0)
    turns.take(10.0)

    with pytest.raises(AvatarBusyError) as raised:
        turns.take(20.0)

    assert raised.value.retry_after_s == 40.0
    turns.take(60.0)


def test_the_error_keeps_its_facts_in_a_pickle() -> None:
    error = AvatarBusyError("server_error", "avatar_service_resource_exhausted", "Capacity exceeded.", None, "e1", 4.5)

    copy = pickle.loads(pickle.dumps(error))

    assert (copy.retry_after_s, copy.code, copy.event_id, str(copy)) == (4.5, error.code, "e1", str(error))
    assert str(AvatarBusyError("", None, "", None)) == (
        "the service refused the avatar: no reason given. Connect again when another session has ended"
    )
