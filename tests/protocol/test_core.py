"""One way in for everything the service says."""

from voicelive.protocol.connection import Phase
from voicelive.protocol.core import SessionProtocol
from voicelive.protocol.requests import Confirmed, Refused
from voicelive.wire.client_events import SessionUpdate
from voicelive.wire.codec import decode
from voicelive.wire.server.response import ResponseAudioDelta
from voicelive.wire.server.session import ErrorEvent, ServerEventErrorDetails, SessionCreated, SessionUpdated
from voicelive.wire.session import SessionConfig, SessionResource


def test_an_event_reaches_the_settings_and_the_requests() -> None:
    protocol = SessionProtocol()
    protocol.receive(SessionCreated(session=SessionResource(id="sess_1")))
    protocol.requests.expect("r1", SessionUpdate(session=SessionConfig()))
    updated = SessionUpdated(session=SessionResource(id="sess_1", temperature=0.5))

    effects = protocol.receive(updated)

    assert effects == (Confirmed("r1", updated),)
    assert protocol.connection.phase is Phase.CREATED
    assert protocol.connection.settings.temperature == 0.5


def test_a_refusal_is_an_effect() -> None:
    protocol = SessionProtocol()
    protocol.requests.expect("r1", SessionUpdate(session=SessionConfig()))
    error = ServerEventErrorDetails(type="invalid_request_error", code="bad", event_id="r1")

    assert protocol.receive(ErrorEvent(error=error)) == (Refused("r1", error),)


def test_an_event_that_settles_nothing_has_no_effect() -> None:
    protocol = SessionProtocol()
    protocol.requests.expect("r1", SessionUpdate(session=SessionConfig()))

    assert protocol.receive(SessionCreated()) == ()
    assert protocol.receive(ResponseAudioDelta(delta=b"\x00\x00")) == ()
    assert protocol.receive(decode('{"type":"brand.new"}')) == ()
    assert protocol.receive(decode('{"type":"session.updated","session":7}')) == ()
