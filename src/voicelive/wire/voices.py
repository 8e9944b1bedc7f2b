"""Who speaks: the voices of OpenAI and Azure."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from voicelive.wire.base import Private, Settings, Unknown, Unlisted, tags
from voicelive.wire.checks import within

__all__ = [
    "AzureAvatarVoiceSyncVoice",
    "AzureCustomVoice",
    "AzurePersonalVoice",
    "AzureRealtimeNativeVoice",
    "AzureRealtimeNativeVoiceName",
    "AzureStandardVoice",
    "AzureVoice",
    "OpenAIVoice",
    "OpenAIVoiceName",
    "PersonalVoiceModel",
    "UnknownVoice",
    "Voice",
]

OpenAIVoiceName: TypeAlias = Literal[
    "alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar"
]
AzureRealtimeNativeVoiceName: TypeAlias = Literal[
    "aarti", "andrew", "ava", "denise", "diya", "elsa", "florian", "francisca", "meera", "xiaoxiao", "yunxi", "ximena"
]
PersonalVoiceModel: TypeAlias = Literal[
    "DragonLatestNeural", "PhoenixLatestNeural", "PhoenixV2Neural", "DragonHDOmniLatestNeural", "MAI-Voice-1"
]


class OpenAIVoice(Settings):
    """A voice of the gpt-realtime family; other models refuse it."""

    always_sent = ("type",)

    type: Literal["openai"] = "openai"
    name: OpenAIVoiceName | str
    """Free text: the service gets new voices without notice."""


class AzureRealtimeNativeVoice(Settings):
    """A built-in voice of the model ``azure-realtime``; no other model takes it. The service's default is ``ava``."""

    always_sent = ("type",)

    type: Literal["azure-realtime-native"] = "azure-realtime-native"
    name: AzureRealtimeNativeVoiceName | str


class _Prosody(Settings):
    """How an Azure voice speaks; ``pitch``, ``rate`` and ``volume`` are strings by the rules of SSML prosody."""

    always_sent = ("type",)

    temperature: Annotated[float | None, within(0, 1)] = None
    """0 to 1; acts on HD voices."""
    custom_lexicon_url: Private | None = None
    """May be signed, so it shows nowhere; so may the next."""
    custom_text_normalization_url: Private | None = None
    prefer_locales: list[str] | None = None
    """Preferred accents, BCP-47."""
    locale: str | None = None
    """Forces one locale; text in other languages may come out silent."""
    style: str | None = None
    pitch: str | None = None
    rate: str | None = None
    """A string; ``"0.5"`` to ``"1.5"`` is the documented range."""
    volume: str | None = None


class AzureStandardVoice(_Prosody):
    """A stock Azure voice, neural or HD, such as ``en-US-AvaMultilingualNeural``."""

    type: Literal["azure-standard"] = "azure-standard"
    name: str


class AzureCustomVoice(_Prosody):
    """A professionally trained voice of one's own."""

    type: Literal["azure-custom"] = "azure-custom"
    name: str
    endpoint_id: str
    """GUID of the voice's deployment."""


class AzurePersonalVoice(_Prosody):
    """A cloned personal voice."""

    type: Literal["azure-personal"] = "azure-personal"
    name: str
    model: PersonalVoiceModel | Unlisted


class AzureAvatarVoiceSyncVoice(_Prosody):
    """The voice that belongs to the avatar; it has no name."""

    type: Literal["avatar-voice-sync"] = "avatar-voice-sync"
    model: PersonalVoiceModel | Unlisted


AzureVoice: TypeAlias = AzureStandardVoice | AzureCustomVoice | AzurePersonalVoice | AzureAvatarVoiceSyncVoice
_KnownVoice: TypeAlias = (
    AzureStandardVoice
    | AzureCustomVoice
    | AzurePersonalVoice
    | AzureAvatarVoiceSyncVoice
    | OpenAIVoice
    | AzureRealtimeNativeVoice
)


class UnknownVoice(Unknown):
    """A kind of voice that this version does not know."""

    known = tags(_KnownVoice)


Voice: TypeAlias = Annotated[
    Annotated[_KnownVoice, Field(discriminator="type")] | UnknownVoice | OpenAIVoiceName | str,
    Field(union_mode="left_to_right"),
]
"""A voice as an object, or the bare name of an OpenAI voice (still accepted; the object form is preferred)."""
