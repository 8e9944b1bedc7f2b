"""What a client does about settings that will not work with a model: warn once, refuse, or let them pass."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from voicelive.errors import ConfigurationError, SettingsWarning

if TYPE_CHECKING:
    from voicelive.options import ClientOptions
    from voicelive.transport.address import Target
    from voicelive.wire.session import SessionConfig

__all__ = ["SettingsCheck"]

_CALLER_OF_CONNECT = 3  # the frames above warn(): heed, connect, and who called it


class SettingsCheck:
    """Judges settings by the catalogue's tables, as ``ClientOptions.check_settings`` wants it.

    Only what the tables call an error counts: a model, region or setting that they do not know passes.
    """

    def __init__(self, options: ClientOptions) -> None:
        self._does, self._region = options.check_settings, options.region
        self._told: set[tuple[str | None, str]] = set()

    def heed(self, target: Target, config: SessionConfig | None) -> None:
        """Warn about each problem of a model once, or refuse. Deployments of one's own are not judged.

        Raises:
            ConfigurationError: There is a problem, and the options say ``refuse``.
        """
        nothing_known = target.byom is not None or (target.model is None and target.agent is None)
        if self._does == "off" or nothing_known:
            return
        from voicelive.catalogue.checking import check  # reads the tables on first use

        model, agent = target.model, target.agent is not None
        found = check(model, region=self._region, config=config, agent=agent)
        errors = [one for one in found if one.level == "error"]
        if errors and self._does == "refuse":
            raise ConfigurationError("; ".join(map(str, errors)))
        for one in errors:
            if (model, one.code) not in self._told:
                self._told.add((model, one.code))
                warnings.warn(f"{one} ({one.code})", SettingsWarning, stacklevel=_CALLER_OF_CONNECT)
