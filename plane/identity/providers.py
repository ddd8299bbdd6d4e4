"""The connectors that people may use now: plane's local users, and the providers declared."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from connectors.base import Connector
from connectors.errors import SettingsInvalid
from connectors.registry import build

_log = logging.getLogger(__name__)


class Registered(Protocol):
    """A declared connector with its secrets open."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def kind(self) -> str:
        """The document's kind."""
        ...

    @property
    def spec(self) -> Mapping[str, Any]:
        """Its settings."""
        ...


class Source(Protocol):
    """The declared connectors; resources.connectors.LiveConnectors is one."""

    def all(self) -> Sequence[Registered]:
        """Every usable one, by name."""
        ...

    def on_change(self, callback: Callable[[str], None]) -> None:
        """Call back with the name after each change."""
        ...


class Providers:
    """Connectors by name. A changed document makes a new connector, with nothing cached."""

    def __init__(self, source: Source, *, local: Connector | None) -> None:
        self._source = source
        self._local = local
        self._built: dict[str, Connector] = {}
        source.on_change(self._forget)

    def all(self) -> list[Connector]:
        """What the login page offers: providers first, then local users."""
        declared = [self._connector(each) for each in self._source.all()]
        found = [each for each in declared if each is not None]
        return [*found, self._local] if self._local else found

    def get(self, name: str) -> Connector | None:
        """The connector of this name; `local` is plane's own, whatever is declared."""
        return next((each for each in reversed(self.all()) if each.name == name), None)

    def _connector(self, registered: Registered) -> Connector | None:
        if registered.name not in self._built:
            try:
                built = build(registered.kind, registered.name, registered.spec)
                self._built[registered.name] = built
            except SettingsInvalid as error:
                _log.error("connector %r is not usable: %s", registered.name, error)
                return None
        return self._built[registered.name]

    def _forget(self, name: str) -> None:
        self._built.pop(name, None)
