"""Names as users write them and as the service echoes them, and the catalogue's ids behind them."""

from __future__ import annotations

import re
from collections.abc import Collection
from difflib import get_close_matches

from voicelive.errors import NotInCatalogueError

__all__ = ["model_id", "require"]

# What is appended to a model's id in names of versions and deployments. Seen in session.model: gpt-realtime-2025-08-28
# and gpt-realtime-global-standard; the other words are Azure's deployment types.
_SUFFIX = re.compile(r"-(?:20\d\d-\d\d-\d\d|(?P<zone>data-?zone-standard)|global-standard|global|standard)$")


def model_id(name: str, known: Collection[str]) -> str | None:
    """The id behind a model's name, in any case and with what deployments append; ``None``: it is not known."""
    left = name.strip().lower() if isinstance(name, str) else ""
    zone = False
    while left not in known:
        suffix = _SUFFIX.search(left)
        if suffix is None:
            return None
        zone = zone or suffix["zone"] is not None
        left = left[: suffix.start()]
    return f"{left}-datazone" if zone and f"{left}-datazone" in known else left


def require(what: str, name: str, found: str | None, known: Collection[str]) -> str:
    """The id that was found.

    Raises:
        NotInCatalogueError: None was; the error offers similar ones.
    """
    if found is None:
        raise NotInCatalogueError(what, str(name), tuple(get_close_matches(str(name).lower(), known)))
    return found
