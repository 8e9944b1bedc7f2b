"""The error tree is the one that is drawn, its facts survive pickling, and its texts are bounded."""

import builtins
import inspect
import pickle
import re

import pytest

from voicelive import errors
from voicelive.errors import VoiceLiveError, VoiceLiveWarning

EXAMPLES: list[VoiceLiveError] = [
    errors.RequestLostError("input_audio_buffer.commit"),
    errors.VoiceLiveError("something"),
    errors.ConfigurationError("model: 5 is refused, allowed: text"),
    errors.NotInCatalogueError("model", "gpt-9"),
    errors.NotInCatalogueError("region", "swedencentrale", ("swedencentral",)),
    errors.ConnectFailedError("the service refused", 404, "req_1", None),
    errors.ConnectFailedError("no answer"),
    errors.CredentialRejectedError("the key was refused", 401, "req_1"),
    errors.ServiceBusyError("too many connections", 429, None, 2.5),
    errors.ConnectTimeoutError("nothing within 15 s"),
    errors.SessionClosedError(1000, "bye", "sess_1"),
    errors.SessionClosedError(None, "", ""),
    errors.ConnectionLostError(1006, "reset", "sess_1"),
    errors.ConnectionLostError(None, "", ""),
    errors.SessionExpiredError(1001, "session_expired", "sess_1"),
    errors.ServiceError("invalid_request_error", "bad_value", "no such voice", "session.voice", "event_1"),
    errors.ServiceError("server_error", None, ""),
    errors.RtcCallRefusedError("invalid_request_error", "missing_sdp", "no offer", "rtc.call.sdp.create", "call_1"),
    errors.RtcCallRefusedError("server_error", None, ""),
    errors.ConfirmationTimeoutError("session.update", 15.0),
    errors.AvatarRefusedError("server_error", "avatar_service_internal_error", "Avatar connection failed.", None, "e1"),
    errors.AvatarBusyError("x", "rate_limit_exceeded", "Avatar request was rate-limited.", None, "e1", 43.0),
    errors.CallRefusedError("no start message within 10 s", "no_start"),
    errors.SlowConsumerError("the main iterator", 1024, 7),
    errors.AvatarMediaError("no picture"),
    errors.AvatarLinkFailedError("no way through the network", "ice"),
    errors.AvatarLinkLostError("nothing came for 5 s"),
    errors.AvatarStreamError("a box of 3 bytes"),
    errors.BudgetReachedError(),
    errors.PricesUnavailableError("the API is overloaded", 429, 30.0),
    errors.PricesNotFoundError("no rows for region 'atlantis'"),
    errors.ProtocolError("a rule"),
    errors.DecodeError("JSON list instead of an object", 2),
    errors.LocalProtocolError("the session is closed"),
]


def drawn_tree() -> dict[str, str]:
    """Name to parent, read from the drawing in the module's docstring."""
    found: dict[str, str] = {}
    line_above: list[str] = []
    for line in inspect.getdoc(errors).splitlines():  # type: ignore[union-attr]  # the module has a docstring
        branch = re.match(r"(?P<indent>(?:[| ]  )*)(?:[|`]- )?(?P<name>[A-Z]\w+Error)\b", line)
        if branch is None or (not line_above and branch["name"] != "VoiceLiveError"):
            continue
        depth = len(branch["indent"]) // 3 + ("- " in line[: branch.end()])
        line_above[depth:] = [branch["name"]]
        found[branch["name"]] = line_above[depth - 1] if depth else "Exception"
    return found


def real_tree() -> dict[str, str]:
    classes = [cls for name in errors.__all__ if issubclass(cls := getattr(errors, name), VoiceLiveError)]
    return {cls.__name__: cls.__bases__[0].__name__ for cls in classes}


def test_the_tree_that_is_drawn_is_the_real_one() -> None:
    assert drawn_tree() == real_tree()


def test_every_error_of_the_module_is_exported_and_under_one_root() -> None:
    defined = {name for name, cls in vars(errors).items() if inspect.isclass(cls) and cls.__module__ == errors.__name__}

    assert sorted(errors.__all__) == errors.__all__ == sorted(defined)
    assert all(issubclass(getattr(errors, name), VoiceLiveError | VoiceLiveWarning) for name in defined)


def test_builtin_names_are_not_shadowed() -> None:
    assert not set(errors.__all__) & set(dir(builtins))


def test_a_refused_configuration_is_a_value_error() -> None:
    assert issubclass(errors.ConfigurationError, ValueError)


def test_every_error_has_an_example_here() -> None:
    assert {type(example).__name__ for example in EXAMPLES} == set(real_tree())


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_survives_pickling_with_its_facts(error: VoiceLiveError) -> None:
    again = pickle.loads(pickle.dumps(error))

    assert type(again) is type(error)
    assert vars(again) == vars(error)
    assert again.args == error.args
    assert str(again) == str(error)
    assert repr(again) == repr(error)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_says_something_in_one_line(error: VoiceLiveError) -> None:
    assert str(error).strip()
    assert "\n" not in str(error)
    assert "None" not in str(error)


def test_an_error_of_the_handshake_shows_status_and_request_id() -> None:
    assert str(errors.ConnectFailedError("refused", 404, "req_1")) == "refused (HTTP 404, request id req_1)"
    assert str(errors.ConnectFailedError("refused", 404)) == "refused (HTTP 404)"
    assert str(errors.ConnectFailedError("refused")) == "refused"


def test_an_error_of_a_closed_session_shows_code_and_reason() -> None:
    assert "with code 1011 (internal)" in str(errors.SessionClosedError(1011, "internal", "sess_1"))
    assert "without a close frame" in str(errors.ConnectionLostError(None, "", "sess_1"))
    assert "sess_1" in str(errors.SessionExpiredError(1001, "", "sess_1"))
    assert "(not yet created)" in str(errors.ConnectionLostError(1006, "", ""))


def test_the_services_words_are_bounded() -> None:
    error = errors.ServiceError("server_error", None, "a" * 100_000)

    assert len(error.service_message) == 500
    assert len(str(error)) < 700
    assert len(repr(error)) < 700
    assert len(pickle.dumps(error)) < 2_000


def test_a_refused_request_names_code_and_parameter() -> None:
    error = errors.ServiceError("invalid_request_error", "bad_value", "no such voice", "session.voice")

    assert str(error) == "the service refused the request at session.voice: bad_value: no such voice"
