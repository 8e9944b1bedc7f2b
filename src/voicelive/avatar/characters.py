"""The standard avatars: names, styles, base models, and when they end. Dated facts, and nothing that judges them.

Availability differs by region and over time, and no API of the service lists what there is: what is not found here may
exist all the same. Source and date are in ``data/characters.json``, which is read on first use. Knows no wire, so that
settings may ask before they are sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Literal, TypeAlias

__all__ = ["Character", "Kind", "Style", "as_of", "find", "standard"]

Kind: TypeAlias = Literal["video", "photo"]


@dataclass(frozen=True, slots=True)
class Style:
    """A way in which a video avatar was filmed.

    Attributes:
        name: As it goes on the wire, such as ``casual-sitting``.
        real_time: Whether Voice Live can show it; the others are for batch synthesis.
        withdrawn_from: First day without it, where its end is announced.
        note: What else the sources say of it.
    """

    name: str
    real_time: bool
    withdrawn_from: date | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Character:
    """A standard avatar.

    Attributes:
        name: As it goes on the wire, in lower case.
        display_name: As the documentation writes it.
        kind: Filmed (``VideoAvatar``) or animated from a photo (``PhotoAvatar``).
        model: Base model of a photo avatar.
        styles: Of a video avatar; empty where it has none, and always for photo avatars.
        default_style: A style to begin with. Chosen by this package: the service has no default.
        preview: Not generally available.
        regions: Where a preview is offered; empty: wherever Voice Live has avatars.
        withdrawn_from: First day without it, where its end is announced.
        note: What else the sources say of it.
        source: Where it is listed.
    """

    name: str
    display_name: str
    kind: Kind
    model: str | None
    styles: tuple[Style, ...]
    default_style: str | None
    preview: bool
    regions: tuple[str, ...]
    withdrawn_from: date | None
    note: str
    source: str

    @property
    def real_time(self) -> bool:
        """Whether Voice Live can show it, in one style at least."""
        return not self.styles or any(style.real_time for style in self.styles)

    def style(self, name: str) -> Style | None:
        """Its own style of that name."""
        return next((style for style in self.styles if style.name == name), None)


def standard(kind: Kind | None = None) -> tuple[Character, ...]:
    """All standard avatars, or those of one kind, in the order of the documentation."""
    return tuple(character for character in _table().values() if kind in (None, character.kind))


def find(name: str) -> Character | None:
    """The standard avatar of exactly this name; the service does not ignore case either."""
    return _table().get(name)


def as_of() -> date:
    """The date of the documentation that the list follows."""
    return date.fromisoformat(_document()["as_of"])


@cache
def _document() -> Mapping[str, Any]:
    text = files("voicelive.avatar").joinpath("data/characters.json").read_text(encoding="utf-8")
    document: Mapping[str, Any] = json.loads(text)
    return document


@cache
def _table() -> Mapping[str, Character]:
    return {entry["name"]: _character(entry) for entry in _document()["characters"]}


def _character(entry: Mapping[str, Any]) -> Character:
    return Character(
        name=entry["name"],
        display_name=entry["display_name"],
        kind=entry["kind"],
        model=entry.get("model"),
        styles=tuple(
            Style(style["name"], style["real_time"], _day(style), style.get("note", ""))
            for style in entry.get("styles", ())
        ),
        default_style=entry.get("default_style"),
        preview=entry.get("preview", False),
        regions=tuple(entry.get("regions", ())),
        withdrawn_from=_day(entry),
        note=entry.get("note", ""),
        source=entry["source"],
    )


def _day(entry: Mapping[str, Any]) -> date | None:
    return date.fromisoformat(entry["withdrawn_from"]) if "withdrawn_from" in entry else None
