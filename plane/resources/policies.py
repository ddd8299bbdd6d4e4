"""The roles in memory, as every decision reads them."""

from collections.abc import Callable, Iterable

from plane.errors import Forbidden
from plane.resources.live import Live
from plane.resources.service import Resources
from plane.store.base import Document, Store
from policies.model import Role


class LivePolicies:
    """Compiled roles by name; `start` loads them and follows the store."""

    def __init__(self, store: Store, resources: Resources) -> None:
        def parse(document: Document) -> Role:
            spec = resources.parse(document).spec
            assert isinstance(spec, Role)
            return spec

        self._live = Live(store, "role", parse)

    def __repr__(self) -> str:
        return f"<LivePolicies {self._live!r}>"

    @property
    def revision(self) -> int:
        """Grows with every change of a role: what was decided before may be decided otherwise."""
        return self._live.revision

    def roles(self, names: Iterable[str]) -> tuple[Role, ...]:
        """The roles of these names; Forbidden when one is missing or broken.

        None is skipped: the missing one may have held the deny that mattered.
        """
        found = []
        for name in names:
            role = self._live.values.get(name)
            if role is None:
                raise Forbidden(self._why_not(name))
            found.append(role)
        return tuple(found)

    def on_change(self, callback: Callable[[str], None]) -> None:
        """Call back with the role's name after each change."""
        self._live.on_change(callback)

    async def start(self) -> None:
        """Load the roles and follow them."""
        await self._live.start()

    async def close(self) -> None:
        """Stop following."""
        await self._live.close()

    def _why_not(self, name: str) -> str:
        if name in self._live.broken:
            return (
                f"your role {name!r} cannot be understood, so nothing is allowed: ask an "
                "administrator to repair it"
            )
        return (
            f"your role {name!r} does not exist any more, so nothing is allowed: log in again, or "
            "ask an administrator"
        )
