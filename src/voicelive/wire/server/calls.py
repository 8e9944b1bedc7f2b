"""Calls that reach the service directly: WebRTC (preview) and SIP (2026-07-31-preview)."""

from typing import Literal, TypeAlias

from pydantic import Field

from voicelive.wire.base import Private, Unlisted, Wire
from voicelive.wire.server.base import ServerEventBase

__all__ = [
    "CallServerEvent",
    "RealtimeCallConnected",
    "RealtimeCallDisconnected",
    "RealtimeCallFailed",
    "RealtimeCallIncoming",
    "RealtimeCallTransferFailed",
    "RealtimeCallTransferSucceeded",
    "RtcCallError",
    "RtcCallErrorDetails",
    "RtcCallSdpCreated",
    "SipCallState",
    "SipCallTerminalReason",
    "SipTransferState",
]

SipCallState: TypeAlias = Literal[
    "WaitingForCustomer",
    "Accepting",
    "Accepted",
    "Connected",
    "Rejecting",
    "Transferring",
    "Terminating",
    "Disconnected",
    "Failed",
    "Expired",
]
SipCallTerminalReason: TypeAlias = Literal[
    "Rejected",
    "CustomerHangup",
    "SipProxyTerminate",
    "DecisionTimeout",
    "SetupFailure",
    "TransferSucceeded",
    "RuntimeError",
]
SipTransferState: TypeAlias = Literal["trying", "succeeded", "failed"]


class RtcCallErrorDetails(Wire):
    """Why a step of a WebRTC call failed."""

    type: str = ""
    code: str | None = None
    message: Private = ""


class RtcCallError(ServerEventBase):
    """A step of a WebRTC call failed."""

    type: Literal["rtc.call.error"] = "rtc.call.error"
    operation: str | None = None
    rtc_call_id: str | None = None
    error: RtcCallErrorDetails = Field(default_factory=RtcCallErrorDetails)


class RtcCallSdpCreated(ServerEventBase):
    """The answer to a WebRTC call; plain SDP."""

    type: Literal["rtc.call.sdp.created"] = "rtc.call.sdp.created"
    rtc_call_id: str = ""
    sdp_answer: Private = ""


class _SipCall(ServerEventBase):
    call_id: str = ""
    chain_id: str = ""
    """Correlates the parts of a transferred call."""
    state: SipCallState | Unlisted | None = None
    terminal_reason: SipCallTerminalReason | Unlisted | None = None
    error_code: str | None = None


class RealtimeCallIncoming(_SipCall):
    """A SIP call rings."""

    type: Literal["realtime.call.incoming"] = "realtime.call.incoming"


class RealtimeCallConnected(_SipCall):
    """A SIP call is live."""

    type: Literal["realtime.call.connected"] = "realtime.call.connected"


class RealtimeCallDisconnected(_SipCall):
    """A SIP call ended."""

    type: Literal["realtime.call.disconnected"] = "realtime.call.disconnected"


class RealtimeCallFailed(_SipCall):
    """A SIP call broke."""

    type: Literal["realtime.call.failed"] = "realtime.call.failed"


class _SipTransfer(ServerEventBase):
    call_id: str = ""
    transfer_id: str = ""
    state: SipTransferState | Unlisted | None = None
    sip_code: int | None = None
    reason: str | None = None


class RealtimeCallTransferSucceeded(_SipTransfer):
    """A SIP call was handed over."""

    type: Literal["realtime.call.transfer.succeeded"] = "realtime.call.transfer.succeeded"


class RealtimeCallTransferFailed(_SipTransfer):
    """A SIP call could not be handed over."""

    type: Literal["realtime.call.transfer.failed"] = "realtime.call.transfer.failed"


CallServerEvent: TypeAlias = (
    RtcCallError
    | RtcCallSdpCreated
    | RealtimeCallIncoming
    | RealtimeCallConnected
    | RealtimeCallDisconnected
    | RealtimeCallFailed
    | RealtimeCallTransferSucceeded
    | RealtimeCallTransferFailed
)
