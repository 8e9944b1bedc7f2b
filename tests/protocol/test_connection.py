"""Where a session stands, from the first event to the close."""

import pytest

from voicelive.errors import ConnectionLostError, SessionClosedError, SessionExpiredError
from voicelive.protocol.connection import CloseInfo, Connection, Phase
from voicelive.wire.server.session import ErrorEvent, ServerEventErrorDetails, SessionCreated, SessionUpdated
from voicelive.wire.session import SessionResource


def created(session_id: str | None = "sess_1", **settings: object) -> Connection:
    connection = Connection()
    connection.receive(SessionCreated(session=SessionResource(id=session_id, **settings)))  # type: ignore[arg-type]  # one of several fields
    return connection


def updated(**settings: object) -> SessionUpdated:
    return SessionUpdated(session=SessionResource(**settings))  # type: ignore[arg-type]  # one of several fields


def expired_error() -> ErrorEvent:
    return ErrorEvent(error=ServerEventErrorDetails(type="server_error", code="session_expired", message="over"))


def test_before_the_first_event_there_is_neither_id_nor_setting_nor_end() -> None:
    connection = Connection()

    assert (connection.phase, connection.session_id, connection.close_info) == (Phase.OPENING, "", None)
    assert connection.settings == SessionResource()
    assert connection.failure() is None


def test_session_created_brings_id_and_settings() -> None:
    connection = created(model="gpt-realtime")

    assert connection.phase is Phase.CREATED
    assert connection.session_id == "sess_1"
    assert connection.settings.model == "gpt-realtime"


def test_a_session_without_an_id_is_created_all_the_same() -> None:
    connection = created(None)

    assert connection.phase is Phase.CREATED
    assert connection.session_id == ""


def test_session_updated_replaces_the_settings_as_a_whole() -> None:
    connection = created(model="gpt-realtime", temperature=0.5)

    connection.receive(updated(id="sess_1", temperature=0.9))

    assert connection.settings.temperature == 0.9
    assert connection.settings.model is None


def test_an_update_without_an_id_keeps_the_known_one() -> None:
    connection = created()

    connection.receive(updated(temperature=0.9))

    assert connection.session_id == "sess_1"
    assert connection.settings.temperature == 0.9


def test_other_events_change_neither_settings_nor_phase() -> None:
    connection = created(temperature=0.5)
    before = connection.settings

    connection.receive(ErrorEvent())

    assert connection.settings is before
    assert connection.phase is Phase.CREATED


def test_the_services_code_1000_is_a_normal_end() -> None:
    connection = created()

    connection.end(1000, "bye", by_application=False, wanted=False)

    assert connection.phase is Phase.CLOSED
    assert connection.close_info == CloseInfo(1000, "bye", "service", normal=True)
    assert connection.failure() is None


@pytest.mark.parametrize("code", [None, 1001, 1006, 1008, 1009, 1011, 3000, 4999])
def test_every_other_end_by_the_service_is_a_lost_connection(code: int | None) -> None:
    connection = created()

    connection.end(code, "why", by_application=False, wanted=False)

    failure = connection.failure()
    assert type(failure) is ConnectionLostError
    assert (failure.code, failure.reason, failure.session_id) == (code, "why", "sess_1")
    assert connection.close_info == CloseInfo(code, "why", "service", normal=False)


@pytest.mark.parametrize("code", [1000, 1011, None])
def test_an_end_that_the_application_wanted_is_normal_whatever_the_code(code: int | None) -> None:
    connection = created()

    connection.end(code, "", by_application=True, wanted=True)

    assert connection.close_info == CloseInfo(code, "", "application", normal=True)
    assert connection.failure() is None


@pytest.mark.parametrize("code", [1000, 1009, None])
def test_an_end_of_ours_that_nobody_wanted_is_no_lost_connection(code: int | None) -> None:
    connection = created()

    connection.end(code, "frame over the limit", by_application=True, wanted=False)

    failure = connection.failure()
    assert type(failure) is SessionClosedError
    assert failure.reason == "frame over the limit"


def test_the_first_end_counts() -> None:
    connection = created()

    connection.end(1011, "first", by_application=False, wanted=False)
    connection.end(1000, "second", by_application=True, wanted=True)

    assert connection.close_info == CloseInfo(1011, "first", "service", normal=False)


def test_a_close_that_follows_the_error_session_expired_is_an_expiry() -> None:
    connection = created()
    connection.receive(expired_error())

    connection.end(1001, "", by_application=False, wanted=False)

    failure = connection.failure()
    assert type(failure) is SessionExpiredError
    assert (failure.code, failure.session_id) == (1001, "sess_1")


def test_a_close_whose_reason_says_so_is_an_expiry() -> None:
    connection = created()

    connection.end(1001, "session_expired", by_application=False, wanted=False)

    assert type(connection.failure()) is SessionExpiredError


def test_other_errors_do_not_make_a_later_drop_an_expiry() -> None:
    connection = created()
    connection.receive(ErrorEvent(error=ServerEventErrorDetails(type="server_error", code="rate_limited")))

    connection.end(None, "", by_application=False, wanted=False)

    assert type(connection.failure()) is ConnectionLostError


def test_each_raise_gets_an_error_of_its_own() -> None:
    connection = created()
    connection.end(None, "dropped", by_application=False, wanted=False)

    assert connection.failure() is not connection.failure()


def test_a_verb_after_a_normal_end_gets_an_error_as_well() -> None:
    connection = created()
    connection.end(1000, "bye", by_application=False, wanted=False)

    error = connection.closed_error()

    assert type(error) is SessionClosedError
    assert (error.code, error.reason, error.session_id) == (1000, "bye", "sess_1")


def test_a_verb_after_a_drop_gets_the_error_of_the_drop() -> None:
    connection = created()
    connection.end(None, "dropped", by_application=False, wanted=False)

    assert type(connection.closed_error()) is ConnectionLostError
