"""Offers and answers of an avatar's WebRTC link, as browsers make them and as the service wants them.

The service takes ``base64(utf8(JSON {"type": "offer", "sdp": ...}))`` and answers alike: that is what the official
samples send; the reference only says base64. There is no trickle: an offer carries all its candidates. Decides what an
offer must hold; knows no sockets.
"""

from __future__ import annotations

import binascii
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from voicelive.errors import ConfigurationError, ProtocolError

__all__ = [
    "MOST_CHARACTERS",
    "Form",
    "Offer",
    "SessionDescription",
    "answer_in",
    "answer_sdp",
    "complete",
    "read_offer",
]

Form: TypeAlias = Literal["sdp", "mapping", "encoded"]
"""How a description is written: its SDP text, ``{"type": ..., "sdp": ...}``, or the service's encoded string."""

SessionDescription: TypeAlias = str | Mapping[str, str]
"""An SDP text, ``{"type": ..., "sdp": ...}``, or the service's encoded string."""

MOST_CHARACTERS: Final = 256 * 1024
"""Of an offer. One with every codec and many candidates has some 10,000."""

_FORMS: Final = "an SDP text, a mapping {type, sdp}, or base64 of that as JSON"
_NOT_OURS: Final = re.compile(r"[^A-Za-z0-9+/=]")
_H264: Final = re.compile(r"^a=rtpmap:\d+ H264/90000", re.IGNORECASE | re.MULTILINE)
_SECTION: Final = re.compile(r"^(?=m=)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer that can be sent.

    Attributes:
        client_sdp: For ``session.avatar.connect``.
        form: How it was given, and how the answer is wanted.
    """

    client_sdp: str = field(repr=False)
    form: Form


def read_offer(offer: SessionDescription) -> Offer:
    """Check an offer before anything is sent. One that is encoded already goes on as it is.

    Raises:
        ConfigurationError: It is written in none of the three ways, is no offer, has no section for video, offers no
            H.264, or has no candidates: it was sent before gathering had ended, and none can follow. The text quotes
            nothing of it.
    """
    if isinstance(offer, Mapping):
        sdp = _sdp_of(offer)
        return Offer(_encoded("offer", _checked(sdp)), "mapping")
    if not isinstance(offer, str):
        raise ConfigurationError(f"offer is a {type(offer).__name__}; allowed: {_FORMS}")
    if len(offer) > MOST_CHARACTERS:
        raise ConfigurationError(f"offer has {len(offer)} characters; at most {MOST_CHARACTERS} are allowed")
    if offer.startswith("v="):
        return Offer(_encoded("offer", _checked(offer)), "sdp")
    _checked(_sdp_of(_decoded_offer(offer)))
    return Offer(offer, "encoded")


def answer_sdp(server_sdp: str) -> str:
    """The SDP of the service's answer, however it wrote it: base64 of JSON, base64 of SDP, or SDP itself.

    Raises:
        ProtocolError: It is none of these.
    """
    if server_sdp.startswith("v="):
        return server_sdp
    try:
        found = b64decode(server_sdp).decode()
        if found.startswith("v="):
            return found
        described = json.loads(found)
    except (ValueError, RecursionError):
        described = None
    sdp = described.get("sdp") if isinstance(described, dict) else None
    if not isinstance(sdp, str) or not sdp.startswith("v="):
        raise ProtocolError(f"the service's answer of {len(server_sdp)} characters holds no SDP; offer a link anew")
    return sdp


def answer_in(form: Form, server_sdp: str) -> SessionDescription:
    """The service's answer in the form of the offer.

    Raises:
        ProtocolError: It holds no SDP.
    """
    sdp = answer_sdp(server_sdp)
    if form == "sdp":
        return sdp
    return {"type": "answer", "sdp": sdp} if form == "mapping" else server_sdp


def _encoded(kind: str, sdp: str) -> str:
    return b64encode(json.dumps({"type": kind, "sdp": sdp}).encode()).decode("ascii")


def _decoded_offer(offer: str) -> Mapping[str, Any]:
    if offer.lstrip().startswith("{"):
        raise ConfigurationError("offer is JSON text; pass json.loads() of it, or its base64")
    if _NOT_OURS.search(offer):
        raise ConfigurationError(
            f"offer is neither SDP nor base64 in the standard alphabet (A-Z a-z 0-9 + / =); allowed: {_FORMS}"
        )
    try:
        text = b64decode(offer, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise ConfigurationError(f"offer is base64 that cannot be decoded; allowed: {_FORMS}") from None
    if text.startswith("v="):
        raise ConfigurationError("offer is base64 of an SDP text alone; pass the text itself, or base64 of {type, sdp}")
    try:
        described = json.loads(text)
    except (ValueError, RecursionError):
        described = None
    if not isinstance(described, dict):
        raise ConfigurationError(f"offer is base64 of something that is no JSON object; allowed: {_FORMS}")
    return described


def _sdp_of(described: Mapping[str, Any]) -> str:
    kind, sdp = described.get("type"), described.get("sdp")
    if kind != "offer":
        shown = repr(kind) if kind in ("answer", "pranswer", "rollback", None) else "something else"
        raise ConfigurationError(f"the offer's type is {shown}; it must be 'offer'")
    if not isinstance(sdp, str) or not sdp.startswith("v="):
        raise ConfigurationError("the offer's sdp is no SDP text, which begins with v=0")
    if len(sdp) > MOST_CHARACTERS:
        raise ConfigurationError(f"the offer's sdp has {len(sdp)} characters; at most {MOST_CHARACTERS} are allowed")
    return sdp


def _checked(sdp: str) -> str:
    """SDP that the service can answer, with the line ends that SDP has."""
    sections = _SECTION.split(sdp)[1:]
    video = [section for section in sections if section.startswith("m=video ")]
    if not video:
        raise ConfigurationError("the offer has no section for video; add a transceiver for it, inactive if need be")
    if not any(_H264.search(section) for section in video):
        raise ConfigurationError("the offer has no H.264 for video, the codec of avatars; use a browser that has it")
    return complete(sdp)


def complete(sdp: str) -> str:
    """An offer that is whole, with the line ends that SDP has.

    Raises:
        ConfigurationError: It has no candidates.
    """
    if "a=candidate:" not in sdp:
        raise ConfigurationError("the offer has no ICE candidates; wait until gathering is complete, none can follow")
    return sdp if "\r\n" in sdp else sdp.replace("\n", "\r\n")
