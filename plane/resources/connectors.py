"""The connectors in memory, with their secrets open for the login flow."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from plane.resources.live import Live
from plane.resources.service import Resources
from plane.resources.yaml import Value
from plane.store.base import Document, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredConnector:
    """A connector's document: `connectors.registry.build(kind, name, spec)` makes it work."""

    kind: str
    name: str
    display: str
    spec: Mapping[str, Value] = field(repr=False)
    revision: int


class LiveConnectors:
    """Connectors by name; `start` loads them and follows the store."""

    def __init__(self, store: Store, resources: Resources) -> None:
        def parse(document: Document) -> RegisteredConnector:
            spec = resources.parse(document).spec
            assert isinstance(spec, dict)
            return RegisteredConnector(
                kind=document.kind,
                name=document.name,
                display=str(spec.get("display") or document.name),
                spec=spec,
                revision=document.revision,
            )

        self._live = Live(store, "oidc", parse)

    def get(self, name: str) -> RegisteredConnector | None:
        """The connector, or None."""
        return self._live.values.get(name)

    def all(self) -> list[RegisteredConnector]:
        """Every usable connector, by name."""
        return sorted(self._live.values.values(), key=lambda each: each.name)

    def on_change(self, callback: Callable[[str], None]) -> None:
        """Call back with the connector's name after each change."""
        self._live.on_change(callback)

    async def start(self) -> None:
        """Load the connectors and follow them."""
        await self._live.start()

    async def close(self) -> None:
        """Stop following."""
        await self._live.close()
