"""Which settings cannot work with the model or agent of a connection.

Single settings check themselves; here are the combinations that need to know what is being talked to.
"""

from __future__ import annotations

from collections.abc import Sequence

from voicelive.errors import ConfigurationError
from voicelive.protocol.families import misfits
from voicelive.wire.avatar import AvatarConfig, PhotoAvatar
from voicelive.wire.session import SessionConfig
from voicelive.wire.tools import Tool

__all__ = ["join_tools", "merged", "refuse_impossible"]

_ALWAYS_REFUSED = frozenset({"end_of_utterance_on_native_model"})
"""Rules of families that never need a second look; ``ClientOptions.check_settings`` decides about the others."""

_OF_A_SCENE = frozenset({"type", "model", "character", "customized", "scene"})


def refuse_impossible(config: SessionConfig, *, model: str | None, agent: bool) -> None:
    """Raise for settings that the service would refuse or ignore.

    Raises:
        ConfigurationError: Names the setting and why it cannot be.
    """
    if agent:
        for name in ("instructions", "temperature"):
            if name in config.model_fields_set:
                raise ConfigurationError(f"config.{name} is set, but an agent brings its own; leave it out")
    for misfit in () if agent else misfits(config, model=model):
        if misfit.code in _ALWAYS_REFUSED:
            raise ConfigurationError(f"config.{misfit.field} is set, but {misfit.reason}: {misfit.instead}")


def merged(config: SessionConfig | None, update: SessionConfig) -> SessionConfig:
    """Settings with later ones laid over them: nested objects replace as a whole, as on the service.

    Only an update of a photo avatar's scene leaves the rest of the avatar as it is.

    Raises:
        ConfigurationError: Together they are impossible.
    """
    if config is None:
        return update
    settings = {name: getattr(config, name) for name in config.model_fields_set}
    settings |= {name: getattr(update, name) for name in update.model_fields_set}
    if config.avatar is not None and update.avatar is not None:
        settings["avatar"] = _framed(config.avatar, update.avatar)
    extra = {**(config.extra or {}), **(update.extra or {})}
    return SessionConfig(**settings, extra=extra or None)


def _framed(before: AvatarConfig, update: AvatarConfig) -> AvatarConfig:
    """The avatar after an update; one that brings nothing but a scene is how a running photo avatar is framed anew."""
    if (
        isinstance(before, PhotoAvatar)
        and isinstance(update, PhotoAvatar)
        and update.character == before.character
        and "scene" in update.model_fields_set <= _OF_A_SCENE
    ):
        return before.model_copy(update={"scene": update.scene})
    return update


def join_tools(config: SessionConfig | None, tools: Sequence[Tool]) -> SessionConfig | None:
    """The settings with further tools behind their own.

    Raises:
        ConfigurationError: A function name occurs twice.
    """
    if not tools:
        return config
    config = config or SessionConfig()
    settings = {name: getattr(config, name) for name in config.model_fields_set}
    return SessionConfig(**{**settings, "tools": [*(config.tools or ()), *tools], "extra": config.extra})
