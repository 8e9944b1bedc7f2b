"""What may be put into a close frame, and how an end reads."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.errors import ConfigurationError
from voicelive.transport.base import TransportClosed, checked_close


@pytest.mark.parametrize("code", [999, 1004, 1005, 1006, 1015, 1016, 2999, 5000])
def test_a_reserved_close_code_is_refused_with_the_allowed_ones(code: int) -> None:
    with pytest.raises(ConfigurationError, match=rf"close code is {code}; allowed: 1000 to 1003"):
        checked_close(code, "")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_close_reason_is_cut_to_whole_characters_in_123_bytes(reason: str) -> None:
    _, cut = checked_close(1000, reason)

    assert len(cut.encode()) <= 123
    assert reason.startswith(cut)
    assert cut == reason or len(cut.encode()) > 123 - 4


def test_an_end_tells_who_how_and_why() -> None:
    assert str(TransportClosed(1011, "fault", True)) == "connection ended by the peer with code 1011: fault"
    assert str(TransportClosed(None, "", False)) == "connection ended by this end without a close frame"


def test_an_end_survives_pickle() -> None:
    again = pickle.loads(pickle.dumps(TransportClosed(1001, "bye", True)))

    assert (again.code, again.reason, again.by_peer) == (1001, "bye", True)
