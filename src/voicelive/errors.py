"""Every exception of the package.

VoiceLiveError
|- ConfigurationError           fix the call; nothing was sent (also a ValueError)
|  `- NotInCatalogueError       the catalogue has no model or region of that name (also a KeyError)
|- ConnectFailedError           no session was made: status, request_id, retry_after_s
|  |- CredentialRejectedError   401, 403, or a credential that gave no token
|  |- ServiceBusyError          408, 429, 5xx: may work later
|  `- ConnectTimeoutError       the total connect timeout ran out
|- SessionClosedError           there was a session: code, reason, session_id
|  |- ConnectionLostError       it dropped: a new session may continue the conversation
|  `- SessionExpiredError       its lifetime is over
|- ServiceError                 the service refused one request; the session goes on
|  |- RtcCallRefusedError       it does not answer the offer of a WebRTC call: operation, retryable
|  `- AvatarRefusedError        it shows no such avatar, or takes no such offer of a link
|     `- AvatarBusyError        it may later: retry_after_s
|- ConfirmationTimeoutError     the service neither confirmed nor refused a request in time
|- BudgetReachedError           the call's budget is spent: no response is asked for any more
|- RequestLostError             a request went with its connection; the session goes on over another one
|- CallRefusedError             a telephone call was not taken: reason
|- SlowConsumerError            one consumer fell behind its bound; the session goes on
|- AvatarMediaError             picture and voice of an avatar do not come; the session goes on
|  |- AvatarLinkFailedError     no link was made: stage
|  |- AvatarLinkLostError       there was a link
|  `- AvatarStreamError         the video that came over the socket cannot be read
|- PricesUnavailableError       the Retail Prices API gave no usable answer: status, retry_after_s
|  `- PricesNotFoundError       it answered, and has no prices for this region and currency
`- ProtocolError                a rule was broken
   |- DecodeError               by them: a frame that is not a JSON object
   `- LocalProtocolError        by us: a call that makes no sense now

Apart from it, ``VoiceLiveWarning`` is a category of Python's warnings: settings that the service takes, and that will
not do what they seem to. ``SettingsWarning`` is one of them: settings that it will refuse or cannot follow.

All of them carry their facts as attributes and survive ``pickle``.
No message holds a credential, audio or a transcript.
"""

from __future__ import annotations

__all__ = [
    "AvatarBusyError",
    "AvatarLinkFailedError",
    "AvatarLinkLostError",
    "AvatarMediaError",
    "AvatarRefusedError",
    "AvatarStreamError",
    "BudgetReachedError",
    "CallRefusedError",
    "ConfigurationError",
    "ConfirmationTimeoutError",
    "ConnectFailedError",
    "ConnectTimeoutError",
    "ConnectionLostError",
    "CredentialRejectedError",
    "DecodeError",
    "LocalProtocolError",
    "NotInCatalogueError",
    "PricesNotFoundError",
    "PricesUnavailableError",
    "ProtocolError",
    "RequestLostError",
    "RtcCallRefusedError",
    "ServiceBusyError",
    "ServiceError",
    "SessionClosedError",
    "SessionExpiredError",
    "SettingsWarning",
    "SlowConsumerError",
    "VoiceLiveError",
    "VoiceLiveWarning",
]

_MAX_SERVICE_TEXT = 500  # characters of a service's own words that a message repeats


class VoiceLiveError(Exception):
    """Root of everything this package raises on purpose."""


class VoiceLiveWarning(UserWarning):
    """Settings that the service takes and that will not do what they seem to, or not for long; the text says why.

    ``warnings.filterwarnings("ignore", category=VoiceLiveWarning)`` silences them, ``"error"`` makes them raise.
    """


class BudgetReachedError(VoiceLiveError):
    """The budget of the call is spent and it comes to its end, so no response is asked for any more."""

    def __str__(self) -> str:
        return "the call's budget is reached and it is being ended; no response is asked for any more"


class SettingsWarning(VoiceLiveWarning):
    """Model and settings do not go together, by the documentation; ``ClientOptions.check_settings`` says what then."""


class ConfigurationError(VoiceLiveError, ValueError):
    """A value was refused before anything went on the wire; the message names field and allowed values."""


class NotInCatalogueError(ConfigurationError, KeyError):
    """The catalogue has no entry of that name, which does not say that the service has none.

    Attributes:
        what: ``model`` or ``region``.
        name: What was asked for.
        similar: Names that look like it, likeliest first.
    """

    def __init__(self, what: str, name: str, similar: tuple[str, ...] = ()) -> None:
        super().__init__(what, name, similar)
        self.what, self.name, self.similar = what, name, similar

    def __str__(self) -> str:
        hint = f"; similar: {', '.join(self.similar)}" if self.similar else ""
        return f"the catalogue knows no {self.what} {self.name!r}{hint}"


class ConnectFailedError(VoiceLiveError):
    """The handshake did not lead to a session.

    Attributes:
        message: What happened and what to do next.
        status: HTTP status of the refused upgrade, ``None`` where no answer came.
        request_id: The id to quote to support, where one is known.
        retry_after_s: Seconds the service asked to wait, where it did.
    """

    def __init__(
        self,
        message: str,
        status: int | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, status, request_id, retry_after_s)
        self.message, self.status = message, status
        self.request_id, self.retry_after_s = request_id, retry_after_s

    def __str__(self) -> str:
        facts = [
            f"HTTP {self.status}" if self.status is not None else "",
            f"request id {self.request_id}" if self.request_id else "",
        ]
        known = ", ".join(fact for fact in facts if fact)
        return f"{self.message} ({known})" if known else self.message


class CredentialRejectedError(ConnectFailedError):
    """The service refused the key or token, or the credential gave none."""


class ServiceBusyError(ConnectFailedError):
    """The service is overloaded or out of quota; ``retry_after_s`` says when to come back, if it told."""


class ConnectTimeoutError(ConnectFailedError):
    """The session was not usable within the connect timeout, retries included."""


class SessionClosedError(VoiceLiveError):
    """The session has ended.

    Attributes:
        code: WebSocket close code; ``None`` where the socket went away without a close frame.
        reason: The peer's words, or ours where it gave none.
        session_id: ``session.id`` of the service, empty before ``session.created``.
    """

    def __init__(self, code: int | None, reason: str, session_id: str) -> None:
        super().__init__(code, reason, session_id)
        self.code, self.reason, self.session_id = code, reason, session_id

    def __str__(self) -> str:
        name = self.session_id or "(not yet created)"
        return f"session {name} has ended {_how(self.code, self.reason)}; open a new one with client.connect()"


class ConnectionLostError(SessionClosedError):
    """The connection dropped while the session was in use."""

    def __str__(self) -> str:
        name = self.session_id or "(not yet created)"
        return f"session {name} dropped {_how(self.code, self.reason)}; connect again to continue"


class SessionExpiredError(SessionClosedError):
    """The service ended the session because its lifetime is over."""

    def __str__(self) -> str:
        return f"session {self.session_id} reached the end of its lifetime; connect again to continue"


class ServiceError(VoiceLiveError):
    """The service answered a request with an ``error`` event; the session goes on.

    Attributes:
        error_type: The service's class of error, such as ``invalid_request_error``.
        code: Its code, open text, ``None`` where it gave none.
        service_message: Its words, at most 500 characters.
        param: The setting or field at fault, where it named one.
        event_id: Id of the client event at fault.
    """

    def __init__(
        self,
        error_type: str,
        code: str | None,
        service_message: str,
        param: str | None = None,
        event_id: str | None = None,
    ) -> None:
        service_message = service_message[:_MAX_SERVICE_TEXT]
        super().__init__(error_type, code, service_message, param, event_id)
        self.error_type, self.code, self.service_message = error_type, code, service_message
        self.param, self.event_id = param, event_id

    def __str__(self) -> str:
        where = f" at {self.param}" if self.param else ""
        return f"the service refused the request{where}: {self.code or self.error_type}: {self.service_message}"


class RtcCallRefusedError(ServiceError):
    """The service does not take a WebRTC call: its ``rtc.call.error``, or an error before the call was answered.

    Attributes:
        operation: The step that failed, such as ``rtc.call.sdp.create``; ``None`` where the service named none.
        rtc_call_id: The service's id of the call, where it had one.
    """

    def __init__(
        self,
        error_type: str,
        code: str | None,
        service_message: str,
        operation: str | None = None,
        rtc_call_id: str | None = None,
    ) -> None:
        super().__init__(error_type, code, service_message)
        self.args = (error_type, code, service_message, operation, rtc_call_id)
        self.operation, self.rtc_call_id = operation, rtc_call_id

    @property
    def retryable(self) -> bool:
        """Whether the failure was the service's, so that the same offer may be taken later; else mend the offer."""
        return self.error_type == "server_error"

    def __str__(self) -> str:
        what = self.code or self.error_type or "no reason given"
        advice = "try again later" if self.retryable else "check offer, model and settings"
        return f"the service refused the WebRTC call: {what}: {self.service_message.rstrip('.')}; {advice}"


class AvatarRefusedError(ServiceError):
    """The service does not show the avatar; the session goes on, mute where the voice would come with the picture.

    ``code`` tells settings (``avatar_verification_failed``: no such character, style or model here) from an offer
    that it cannot answer (``avatar_service_internal_error``, or none where a link stands already). Trying the same
    again does not help.
    """

    def __str__(self) -> str:
        what = self.code or self.error_type or "no reason given"
        return f"the service refused the avatar: {what}: {self.service_message}".rstrip(": ")


class AvatarBusyError(AvatarRefusedError):
    """The resource may show no further avatar just now: its quota of links in a minute, or at once, is used up.

    Attributes:
        retry_after_s: Seconds to wait, where the service told; ``None``: until another avatar's session ends.
    """

    def __init__(
        self,
        error_type: str,
        code: str | None,
        service_message: str,
        param: str | None = None,
        event_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(error_type, code, service_message, param, event_id)
        self.args = (*self.args, retry_after_s)
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        when = "when another session has ended" if self.retry_after_s is None else f"in {self.retry_after_s:g} s"
        return f"{super().__str__().rstrip('.')}. Connect again {when}"


class ConfirmationTimeoutError(VoiceLiveError):
    """A request was written, and neither its confirmation nor an error came in time.

    Attributes:
        request: Type of the client event.
        timeout_s: How long was waited.
    """

    def __init__(self, request: str, timeout_s: float) -> None:
        super().__init__(request, timeout_s)
        self.request, self.timeout_s = request, timeout_s

    def __str__(self) -> str:
        return f"{self.request} was not confirmed within {self.timeout_s:g} s; if it was sent, it may still take effect"


class RequestLostError(VoiceLiveError):
    """A request was sent and not confirmed when its connection was lost; the session goes on over another one.

    Attributes:
        request: Type of the client event.
    """

    def __init__(self, request: str) -> None:
        super().__init__(request)
        self.request = request

    def __str__(self) -> str:
        return f"{self.request} went with a lost connection, unconfirmed; send it again if it is still wanted"


class CallRefusedError(VoiceLiveError):
    """A media stream of a telephone line did not become a call; its socket is closed.

    Attributes:
        message: What happened.
        reason: ``unauthorized``, ``too_many_calls``, ``draining``, ``no_start`` (the stream never told what it is), or
            ``unsupported`` (it told, and it is nothing that can be served).
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message, reason)
        self.message, self.reason = message, reason

    def __str__(self) -> str:
        return f"{self.message} ({self.reason})"


class SlowConsumerError(VoiceLiveError):
    """One consumer of events fell behind its bound and was cut off; others and the session go on.

    Attributes:
        consumer: Which stream it was.
        limit_bytes: Its bound.
        unread_events: How many events it had not taken.
    """

    def __init__(self, consumer: str, limit_bytes: int, unread_events: int) -> None:
        super().__init__(consumer, limit_bytes, unread_events)
        self.consumer, self.limit_bytes, self.unread_events = consumer, limit_bytes, unread_events

    def __str__(self) -> str:
        return (
            f"{self.consumer} left {self.unread_events} events unread, over its bound of {self.limit_bytes} bytes; "
            "read faster, raise ClientOptions.inbox_bytes, or subscribe to fewer event classes"
        )


class AvatarMediaError(VoiceLiveError):
    """Picture and voice of an avatar do not come; the session goes on, mute where the voice comes with the picture."""


class AvatarLinkFailedError(AvatarMediaError):
    """No WebRTC link to the avatar was made; nothing of it is left.

    Attributes:
        message: What happened and what to do next. No SDP, no address and no credential.
        stage: ``gathering`` (nothing was sent), ``answer`` (the service's answer cannot be used), ``tracks`` (it offers
            no picture or no voice), or ``ice`` (no way through the network).
    """

    def __init__(self, message: str, stage: str) -> None:
        super().__init__(message, stage)
        self.message, self.stage = message, stage

    def __str__(self) -> str:
        return f"{self.message} ({self.stage})"


class AvatarLinkLostError(AvatarMediaError):
    """The avatar's media ended, and nobody here ended them."""


class AvatarStreamError(AvatarMediaError):
    """The video of ``response.video.delta`` is no stream of whole MP4 fragments that begins with its header."""


class PricesUnavailableError(VoiceLiveError):
    """No prices could be read from the Azure Retail Prices API.

    Attributes:
        message: What happened and what to do next.
        status: HTTP status of its last answer, ``None`` where no answer came.
        retry_after_s: Seconds it asked to wait, where it did.
    """

    def __init__(self, message: str, status: int | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message, status, retry_after_s)
        self.message, self.status, self.retry_after_s = message, status, retry_after_s

    def __str__(self) -> str:
        return f"{self.message} (HTTP {self.status})" if self.status is not None else self.message


class PricesNotFoundError(PricesUnavailableError):
    """The API answered, and none of its rows is a price for what was asked.

    It does not tell a wrong question from an empty answer, so this is never read as "costs nothing".
    """


class ProtocolError(VoiceLiveError):
    """A rule of the protocol was broken, by the service or by the caller."""


class DecodeError(ProtocolError):
    """A frame is not a JSON object, so no event can be made of it.

    Attributes:
        problem: What is wrong, without any of the frame's content.
        frame_bytes: The frame's size.
    """

    def __init__(self, problem: str, frame_bytes: int) -> None:
        super().__init__(problem, frame_bytes)
        self.problem, self.frame_bytes = problem, frame_bytes

    def __str__(self) -> str:
        return f"undecodable frame of {self.frame_bytes} bytes: {self.problem}"


class LocalProtocolError(ProtocolError):
    """A call makes no sense in the present state; the message says what to call instead."""


def _how(code: int | None, reason: str) -> str:
    how = "without a close frame" if code is None else f"with code {code}"
    return f"{how} ({reason})" if reason else how
