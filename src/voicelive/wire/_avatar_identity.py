"""Who may appear, judged by the dated list of standard avatars before the service is asked.

Refused is what contradicts the list: a known name used as what it is not. What the list does not know is only doubted,
since the service gets new avatars without notice. ``Unlisted("...")`` around a character or a style passes both.
"""

import re
from typing import TYPE_CHECKING

from voicelive.wire.base import Unlisted

if TYPE_CHECKING:
    from voicelive.avatar.characters import Character

__all__ = ["doubts_of_photo", "doubts_of_video", "refuse_photo", "refuse_video"]

_CUSTOM_PHOTO = r"[A-Za-z][A-Za-z0-9_.-]{1,62}[0-9A-Za-z]"
"""Names that the service gives to custom photo avatars, as a client of it checks them."""


def refuse_video(character: str, style: str | None, *, customized: bool) -> None:
    """Raise ``ValueError`` for a video avatar that the service is known to refuse."""
    known = _known(character, customized=customized)
    if customized:
        if style is not None:
            raise ValueError(f"style is {style!r}, but custom avatars have no styles; leave it out")
        return
    if known is None or isinstance(style, Unlisted):
        return
    if known.kind == "photo":
        raise ValueError(
            f"character is {character!r}, a photo avatar; "
            f"use PhotoAvatar(character={character!r}, model={known.model!r}); {_on_purpose(character)}"
        )
    offered = ", ".join(one.name for one in known.styles if one.real_time)
    if not known.styles:
        if style is not None:
            raise ValueError(f"style is {style!r}, but {character!r} has no styles; leave it out")
    elif style is None:
        raise ValueError(f"style is required for {character!r}, allowed: {offered}")
    else:
        _refuse_style(known, style, offered)


def _refuse_style(known: "Character", style: str, offered: str) -> None:
    from voicelive.avatar.characters import standard

    own = known.style(style)
    if own is None and (style != style.lower() or any(other.style(style) for other in standard("video"))):
        raise ValueError(
            f"style is {style!r}, which is none of {known.name!r}, allowed: {offered}; names are lower case, "
            f"and each character has its own; {_on_purpose(style)}"
        )
    if own is not None and not own.real_time:
        ends = f", and is withdrawn from {own.withdrawn_from} on" if own.withdrawn_from else ""
        raise ValueError(
            f"style is {style!r}, which {known.name!r} has for batch synthesis only{ends}, allowed: {offered}; "
            f"{_on_purpose(style)}"
        )


def refuse_photo(character: str, model: str, *, customized: bool) -> None:
    """Raise ``ValueError`` for a photo avatar that the service is known to refuse."""
    known = _known(character, customized=customized)
    if known is None or customized:
        return
    if known.kind == "video":
        style = f", style={known.default_style!r}" if known.default_style else ""
        raise ValueError(
            f"character is {character!r}, a video avatar; use VideoAvatar(character={character!r}{style}); "
            f"{_on_purpose(character)}"
        )
    if known.model != model:
        raise ValueError(f"model is {model!r}, but {character!r} belongs to {known.model!r}; {_on_purpose(character)}")


def doubts_of_video(character: str, style: str | None, *, customized: bool) -> list[str]:
    """What probably will not work, or not for long; one sentence each."""
    if customized or isinstance(character, Unlisted):
        return []
    known = _find(character)
    if known is None:
        return [_unheard_of(character, "video")]
    own = known.style(style) if style is not None else None
    if known.withdrawn_from is not None:
        return [f"character {character!r} is withdrawn from {known.withdrawn_from} on; choose another"]
    if own is None and style is not None and not isinstance(style, Unlisted):
        return [
            f"style {style!r} of {character!r} is not in the list of {_list_date()}, "
            f"known: {', '.join(one.name for one in known.styles if one.real_time)}; {_on_purpose(style)}"
        ]
    return []


def doubts_of_photo(character: str, model: str, *, customized: bool) -> list[str]:
    """What probably will not work; one sentence each."""
    if isinstance(character, Unlisted):
        return []
    if not customized:
        return [_unheard_of(character, "photo")] if _find(character) is None else []
    doubts = []
    if model == "vasa-2":
        doubts.append("model is 'vasa-2', but custom photo avatars are documented with 'vasa-1' only")
    if not re.fullmatch(_CUSTOM_PHOTO, character):
        doubts.append(
            f"character {character!r} is no name of a custom photo avatar: 3 to 64 letters, digits, '_', '.', '-', "
            "a letter first, a letter or digit last"
        )
    return doubts


def _known(character: str, *, customized: bool) -> "Character | None":
    """The listed avatar that is meant; raises where the name alone is wrong."""
    if isinstance(character, Unlisted):
        return None
    known = _find(character)
    if customized and known is not None:
        raise ValueError(
            f"character is {character!r}, a standard avatar, so customized must be False; "
            f"if yours has the same name, wrap it: Unlisted({character!r})"
        )
    if not customized and character != character.lower():
        raise ValueError(
            f"character is {character!r}; standard avatars have lower-case names: {character.lower()!r}. "
            "For one of your own, set customized=True"
        )
    return known


def _on_purpose(word: str) -> str:
    return f"to send it all the same, wrap it: Unlisted({str(word)!r})"


def _unheard_of(character: str, kind: str) -> str:
    return (
        f"character {character!r} is not in the list of standard {kind} avatars of {_list_date()} "
        "(voicelive.avatar.characters); the service refuses names that it does not have. For one of your own, set "
        f"customized=True; {_on_purpose(character)}"
    )


def _find(character: str) -> "Character | None":
    from voicelive.avatar.characters import find  # read only where an avatar is made

    return find(character)


def _list_date() -> str:
    from voicelive.avatar.characters import as_of

    return str(as_of())
