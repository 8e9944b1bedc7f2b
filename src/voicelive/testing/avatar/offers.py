"""What a client offers with ``session.avatar.connect``, read and judged before a peer connection sees it. Pure.

The service decodes strictly and refuses without help; its messages are those seen by third parties in 2026. They are
those of aiortc, which the emulator's own peer is too, so what passes here and fails there sounds alike.
"""

from __future__ import annotations

import base64
import json
import re

from voicelive.testing.checks import Refusal

__all__ = [
    "decode_offer",
    "encode_answer",
    "has_data_section",
    "judge_offer",
    "negotiation_failed",
    "without_local_names",
]

_NO_H264 = "Failed to set remote video description send parameters"
_NO_SECTION = "None is not in list"


def decode_offer(client_sdp: str) -> str:
    """The SDP in ``client_sdp``, with CRLF line ends whatever it came with.

    Raises:
        Refusal: Not base64 of the JSON ``{"type": "offer", "sdp": "..."}``.
    """
    try:
        description = json.loads(base64.b64decode(client_sdp, validate=True))
    except (ValueError, RecursionError):  # binascii's and json's errors are ValueErrors
        raise _undecodable("it is not base64 of UTF-8 JSON") from None
    if not isinstance(description, dict) or not isinstance(description.get("sdp"), str):
        raise _undecodable("the JSON is no object with a text 'sdp'")
    if description.get("type") != "offer":
        raise _undecodable("its 'type' is not 'offer'")
    return "".join(f"{line}\r\n" for line in description["sdp"].splitlines())


def judge_offer(offer: str) -> None:
    """Refuse what the service's peer connection cannot work with.

    Raises:
        Refusal: No section for picture or sound, or no H.264.
    """
    lines = offer.splitlines()
    video = _section(lines, "video")
    if not video or not _section(lines, "audio"):
        raise negotiation_failed(_NO_SECTION)
    if not any(re.fullmatch(r"a=rtpmap:\d+ H264/90000", line, re.IGNORECASE) for line in video):
        raise negotiation_failed(_NO_H264)


def has_data_section(offer: str) -> bool:
    """The client is ready for data channels."""
    return bool(_section(offer.splitlines(), "application"))


def without_local_names(offer: str) -> str:
    """An offer without the ``.local`` candidates of browsers, which only their own network can resolve.

    The browser is found by its checks, as by the service. aioice would take a second to resolve each name, and cannot
    do so on two event loops of one process. Where a name is left out, more candidates are still to come.
    """
    lines = offer.splitlines(keepends=True)
    named = [line for line in lines if line.startswith("a=candidate:") and ".local " in line]
    left_out = {*named, "a=end-of-candidates\r\n"} if named else ()
    return "".join(line for line in lines if line not in left_out)


def encode_answer(sdp: str) -> str:
    """An answer as ``server_sdp`` carries it."""
    return base64.b64encode(json.dumps({"type": "answer", "sdp": sdp}).encode()).decode()


def negotiation_failed(cause: str) -> Refusal:
    """The avatar's part of the service cannot work with an offer."""
    return Refusal(
        "avatar_service_internal_error",
        f"Avatar connection failed: WebRTC SDP negotiation failed: peer connect created failure: {cause}",
        kind="server_error",
    )


def _undecodable(problem: str) -> Refusal:
    """Not quoted: an offer holds addresses and credentials."""
    return Refusal("invalid_value", f"'client_sdp' cannot be decoded: {problem}.", "client_sdp")


def _section(lines: list[str], kind: str) -> list[str]:
    """The first media section of a kind, from its ``m=`` line to the next one."""
    found: list[str] = []
    for line in lines:
        if line.startswith("m="):
            if found:
                break
            if line.startswith(f"m={kind} "):
                found.append(line)
        elif found:
            found.append(line)
    return found
