"""What of an avatar can change while its session goes on: the scene of a photo avatar, and nothing else.

The service confirms other changes and ignores them (seen: a new bitrate is answered by ``session.updated``, and neither
the echo nor the picture changes) or was never seen to make them. So they raise here. To show another avatar, or the
same in another way, open a new session. Pure: knows no session, no clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from voicelive.errors import ConfigurationError, LocalProtocolError
from voicelive.wire.avatar import AvatarConfig, PhotoAvatar, Scene
from voicelive.wire.base import Settings, Unlisted
from voicelive.wire.session import SessionConfig, SessionResource

__all__ = ["refuse_ignored", "scene_update"]

_DEFAULTS: Mapping[str, Any] = {
    "avatar.type": "video-avatar",
    "avatar.customized": False,
    "avatar.output_protocol": "webrtc",
    "avatar.output_audit_audio": False,
    "avatar.video.codec": "h264",
    "avatar.video.bitrate": 2_000_000,
    "avatar.video.gop_size": 10,
}
"""What null means in the service's echo, as far as it was seen."""

_FORMATS = ("input_audio_format", "input_audio_sampling_rate", "output_audio_format")


def refuse_ignored(
    update: SessionConfig, *, in_effect: SessionConfig | SessionResource, requested: SessionConfig | None = None
) -> None:
    """Refuse an update whose change of the avatar would come to nothing.

    Without an avatar in effect everything passes: the session gets its avatar by it. Settings that are repeated pass
    too, whether as the service reports them or as they were asked for.

    Args:
        update: What is about to be sent.
        in_effect: The settings as the service last reported them.
        requested: The settings that were asked for; the echo leaves out some of what it was told.

    Raises:
        LocalProtocolError: Names the setting, and what to do instead.
    """
    now = in_effect.avatar
    if now is None or "avatar" not in update.model_fields_set:
        return
    wanted = update.avatar
    asked = None if requested is None else requested.avatar
    if wanted is None:
        raise LocalProtocolError("avatar cannot be taken out of a session; open a new one without it")
    if wanted.type == "unknown" or now.type == "unknown":
        if wanted in (now, asked):
            return
        raise LocalProtocolError("avatar cannot change while the session goes on; open a new one")
    for path, value in _leaves(wanted, "avatar"):
        if path.startswith("avatar.scene") and isinstance(now, PhotoAvatar):
            continue
        if value not in (_at(now, path), _at(asked, path)):
            scene = " (of a photo avatar, its scene can)" if isinstance(now, PhotoAvatar) else ""
            raise LocalProtocolError(
                f"{path} cannot change while the session has its avatar{scene}; the service would confirm the change "
                "and ignore it: set it in client.connect(config=...) of a new session"
            )


def scene_update(settings: SessionConfig | SessionResource, scene: Scene) -> SessionConfig:
    """The update that frames a photo avatar anew and leaves everything else as it is.

    Args:
        settings: What was asked for, or what is in effect. Its audio formats and turn detection are repeated, since
            they were seen to fall back (an official sample does so too).
        scene: The whole scene: what it leaves out returns to the service's default.

    Raises:
        ConfigurationError: There is no avatar, or it is no photo avatar.
    """
    avatar = settings.avatar
    if not isinstance(avatar, PhotoAvatar):
        shown = "none is set" if avatar is None else f"avatar is of type {avatar.type or 'video-avatar'!r}"
        raise ConfigurationError(
            f"scene is for photo avatars, but {shown}; use PhotoAvatar in client.connect(config=...)"
        )
    repeated = {
        name: value
        for name in _FORMATS
        if name in settings.model_fields_set and (value := getattr(settings, name)) is not None
    }
    if "turn_detection" in settings.model_fields_set:
        repeated["turn_detection"] = settings.turn_detection
    framed = PhotoAvatar(
        character=Unlisted(avatar.character),  # the service shows it, whatever the list of standard avatars says
        model=avatar.model,
        customized=avatar.customized,
        scene=scene,
    )
    return SessionConfig(**repeated, avatar=framed)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Each setting that an update holds, by its path; lists count as one. What is null changes nothing."""
    if isinstance(value, Settings):
        for name in sorted(value.model_fields_set):
            yield from _leaves(getattr(value, name), f"{path}.{name}")
        for name, more in sorted((value.extra or {}).items()):
            yield f"{path}.{name}", more
    elif value is not None:
        yield path, value


def _at(avatar: AvatarConfig | None, path: str) -> Any:
    found: Any = avatar
    for name in path.split(".")[1:]:
        found = getattr(found, name, None)
    return _DEFAULTS.get(path) if found is None else found
