"""The account of a soak finds what caller and service do not agree on. A check that finds nothing proves nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from soak.account import Account, ServerLog, disagreements

from voicelive import wire
from voicelive.events import LossReport, SessionInterrupted, SessionResumed
from voicelive.protocol.connection import CloseInfo
from voicelive.protocol.continuation import LostEvent
from voicelive.protocol.ledger import LedgerEntry
from voicelive.protocol.replay import LeftOut

APPEND = wire.InputAudioBufferAppend(audio=bytes(4800))  # 100 ms
CANCEL = wire.ResponseCancel(event_id="voicelive_1")
REPORT = LossReport(planned=False, gap_s=0.1, attempts=1, previous_session_id="sess_1")
CLOSED = CloseInfo(1000, "", "application", normal=True)


@pytest.fixture
def account() -> Account:
    return Account("1.1", sessions=["sess_1"], end=CLOSED, complete=True)


def log(session_id: str = "sess_1", *received: wire.ClientEvent, items: str = "") -> ServerLog:
    return ServerLog(session_id, received, frozenset(items.split()))


def sent(status: str, kind: str = "response.create") -> LedgerEntry:
    return LedgerEntry("voicelive_1", kind, status)  # type: ignore[arg-type]  # a word of the ledger


def test_those_who_agree_have_nothing_to_say(account: Account) -> None:
    account.ledger, account.items, account.audio_sent_ms = [sent("confirmed", "response.cancel")], {"item_1"}, 100.0

    assert not [*disagreements(account, [log("sess_1", APPEND, CANCEL, items="item_1 item_2")])]


def test_a_confirmed_event_was_received(account: Account) -> None:
    account.ledger = [sent("confirmed")]

    [found] = disagreements(account, [log()])

    assert found == "response.create voicelive_1 counts as confirmed, and the service never got it"


def test_what_a_loss_settles_need_not_have_been_received(account: Account) -> None:
    account.ledger = [sent("confirmed", "response.cancel")]

    assert [*disagreements(account, [log()])]
    account.reports.append(REPORT)
    assert not [*disagreements(account, [log()])]


def test_what_was_received_is_in_the_ledger(account: Account) -> None:
    told_again = wire.ResponseCancel(event_id="voicelive_resume_item_1")

    [found] = disagreements(account, [log("sess_1", CANCEL, told_again)])

    assert found == "response.cancel voicelive_1 reached the service, and the ledger does not know it"


def test_a_missing_item_is_named_by_a_report(account: Account) -> None:
    account.items, account.sessions = {"item_1"}, ["sess_1", "sess_2"]
    logs = [log(items="item_1"), log("sess_2")]

    [found] = disagreements(account, logs)

    assert found.startswith("item item_1 of the user was confirmed, is missing in sess_2")
    account.reports.append(replace(REPORT, left_out=(LeftOut("item_1", "message", "why"),)))
    assert not [*disagreements(account, logs)]


def test_missing_audio_is_owned_up_to(account: Account) -> None:
    account.audio_sent_ms = 1000.0

    assert [*disagreements(account, [log("sess_1", APPEND)])] == [
        "900 ms of audio are missing, and the reports name 0 ms"
    ]
    account.reports.append(replace(REPORT, unconfirmed_audio_ms=800.0))
    assert not [*disagreements(account, [log("sess_1", APPEND)])]


def test_audio_does_not_come_from_nowhere(account: Account) -> None:
    [found] = disagreements(account, [log("sess_1", APPEND)])

    assert found == "100 ms of audio arrived, 0 ms were sent, 0 ms again"


def test_a_session_that_the_service_does_not_know_is_found(account: Account) -> None:
    assert [*disagreements(account, [])] == ["the service knows no session sess_1"]


def test_an_interruption_is_followed_by_something(account: Account) -> None:
    account.hear(SessionInterrupted("sess_1", None, "reset"))
    account.end = CloseInfo(1000, "", "service", normal=True)

    assert [*disagreements(account, [log()])]
    account.end = CLOSED
    assert not [*disagreements(account, [log()])], "the application did not want to wait"


def test_changes_of_connection_come_in_their_order(account: Account) -> None:
    account.hear(SessionInterrupted("sess_1", None, "reset"))
    account.hear(SessionResumed("sess_2", REPORT))
    assert not account.breaches

    account.hear(SessionResumed("sess_3", REPORT))

    assert len(account.breaches) == 2, "without an interruption, and from another session"
    account.hear(SessionInterrupted("sess_3", None, "reset"))
    account.hear(SessionInterrupted("sess_3", None, "reset"))
    assert "twice" in account.breaches[-1]


def test_a_turn_without_an_answer_needs_a_loss_that_explains_it(account: Account) -> None:
    account.reports.append(REPORT)
    assert not account.costs_since(0)

    account.reports.append(replace(REPORT, lost_events=(LostEvent("voicelive_1", "response.create"),)))

    assert account.costs_since(1) == {"event lost"}
    assert not account.costs_since(2)
