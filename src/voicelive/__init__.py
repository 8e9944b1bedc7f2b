"""Talk with an Azure Voice Live agent: typed, asynchronous, interruptible.

Here is what every application needs. Event classes are in ``voicelive.wire``, what the session itself reports in
``voicelive.events``, audio in ``voicelive.audio``, models and prices in ``voicelive.catalogue``, the emulator in
``voicelive.testing``.
Names load on first use, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the same names for type checkers; a test compares the two
    from voicelive._version import __version__ as __version__
    from voicelive.approvals import ApprovalRequest as ApprovalRequest
    from voicelive.budget import Budget as Budget
    from voicelive.call_record import CallRecord as CallRecord
    from voicelive.client import *
    from voicelive.conversation import Conversation as Conversation
    from voicelive.dialogue import Reply as Reply
    from voicelive.engine import Counts as Counts
    from voicelive.errors import *
    from voicelive.options import *
    from voicelive.protocol.ledger import LedgerEntry as LedgerEntry
    from voicelive.response import ResponseHandle as ResponseHandle
    from voicelive.rtc_call import RtcCall as RtcCall
    from voicelive.session import *
    from voicelive.taps import Subscription as Subscription
    from voicelive.tools.context import ToolCall as ToolCall
    from voicelive.tools.context import ToolContext as ToolContext
    from voicelive.tools.declaring import tool as tool
    from voicelive.tools.declaring import tool_from_schema as tool_from_schema
    from voicelive.tools.results import ToolError as ToolError
    from voicelive.tools.toolset import ToolSet as ToolSet
    from voicelive.transport.address import Agent as Agent
    from voicelive.transport.address import Byom as Byom
    from voicelive.transport.address import ClassicAgent as ClassicAgent
    from voicelive.usage import SessionUsage as SessionUsage
    from voicelive.wire.avatar import PhotoAvatar as PhotoAvatar
    from voicelive.wire.avatar import VideoAvatar as VideoAvatar
    from voicelive.wire.base import Unlisted as Unlisted
    from voicelive.wire.responses import ResponseCreateParams as ResponseCreateParams
    from voicelive.wire.session import SessionConfig as SessionConfig
    from voicelive.wire.tools import *
    from voicelive.wire.turn_detection import *
    from voicelive.wire.voices import *

_HOME = {
    "_version": "__version__",
    "budget": "Budget",
    "call_record": "CallRecord",
    "client": "VoiceLiveClient",
    "errors": (
        "AvatarBusyError AvatarLinkFailedError AvatarLinkLostError AvatarMediaError AvatarRefusedError "
        "AvatarStreamError BudgetReachedError CallRefusedError ConfigurationError ConfirmationTimeoutError "
        "ConnectFailedError "
        "ConnectTimeoutError ConnectionLostError "
        "CredentialRejectedError DecodeError LocalProtocolError NotInCatalogueError PricesNotFoundError "
        "PricesUnavailableError ProtocolError RequestLostError "
        "RtcCallRefusedError ServiceBusyError ServiceError SessionClosedError SessionExpiredError SettingsWarning "
        "SlowConsumerError VoiceLiveError VoiceLiveWarning"
    ),
    "options": "ClientOptions HandshakeRetry Resume",
    "protocol.ledger": "LedgerEntry",
    "engine": "Counts",
    "session": "Session",
    "approvals": "ApprovalRequest",
    "conversation": "Conversation",
    "dialogue": "Reply",
    "response": "ResponseHandle",
    "rtc_call": "RtcCall",
    "taps": "Subscription",
    "tools.context": "ToolCall ToolContext",
    "tools.declaring": "tool tool_from_schema",
    "tools.results": "ToolError",
    "tools.toolset": "ToolSet",
    "transport.address": "Agent Byom ClassicAgent",
    "usage": "SessionUsage",
    "wire.avatar": "PhotoAvatar VideoAvatar",
    "wire.base": "Unlisted",
    "wire.responses": "ResponseCreateParams",
    "wire.session": "SessionConfig",
    "wire.tools": (
        "FoundryAgentTool FunctionTool MCPServer MCPTool Tool ToolChoice ToolChoiceFunctionSelection "
        "ToolChoiceSelection UnknownTool UnknownToolChoice"
    ),
    "wire.turn_detection": (
        "AzureSemanticDetection AzureSemanticDetectionEn AzureSemanticDetectionMultilingual AzureSemanticVad "
        "AzureSemanticVadEn AzureSemanticVadMultilingual EouDetection OpenAISemanticVad ServerVad "
        "SmartEndOfTurnDetection TurnDetection UnknownEouDetection UnknownTurnDetection"
    ),
    "wire.voices": (
        "AzureAvatarVoiceSyncVoice AzureCustomVoice AzurePersonalVoice AzureRealtimeNativeVoice "
        "AzureRealtimeNativeVoiceName AzureStandardVoice AzureVoice OpenAIVoice OpenAIVoiceName PersonalVoiceModel "
        "UnknownVoice Voice"
    ),
}
"""Module to the names that it gives."""

_MODULE_OF = {name: module for module, names in _HOME.items() for name in names.split()}
_NAMESPACES = frozenset(
    {
        "audio",
        "avatar",
        "bridges",
        "catalogue",
        "errors",
        "events",
        "telemetry",
        "testing",
        "tools",
        "transport",
        "wire",
    }
)

__all__ = sorted(_MODULE_OF)  # pyright: ignore[reportUnsupportedDunderAll]  # type checkers read the imports above


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        found = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
        globals()[name] = found
        return found
    if name in _NAMESPACES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_NAMESPACES})
