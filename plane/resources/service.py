"""Applies documents whole or not at all, and shows them without their secrets.

`read` a text, `plan` it against what is stored, `commit` the plan; `apply` is the three in a row.
The plan holds the revisions it saw, so a change in between makes the commit a Conflict.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from enum import StrEnum

from plane.errors import Conflict, NotFound
from plane.resources import manifest, safe
from plane.resources.fields import Faults
from plane.resources.kind import Body, Kind, Parsed, at
from plane.resources.manifest import Manifest, refuse
from plane.resources.registry import KINDS, find
from plane.resources.yaml import Value
from plane.store.base import Document, Store, Write
from plane.store.memory import conflict
from plane.store.secrets import SecretBox

# Parts of a stored document that other rooms own; a put of the document keeps them, none shows.
_PUBLIC = ("kind", "version", "metadata", "spec")


class Mode(StrEnum):
    """What to do when a document exists: `create` replaces only the revision that was read."""

    CREATE = "create"
    UPSERT = "upsert"


class Action(StrEnum):
    """What happens, or would happen, to one document."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The outcome for one document; `revision` is that now stored (0: a dry run's creation)."""

    kind: str
    name: str
    action: Action
    revision: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One document of a plan; `write` None: nothing to do."""

    applied: Applied
    write: Write | None


class Resources:
    """What is declared: documents of the kinds in the registry, kept in the store."""

    def __init__(self, store: Store, box: SecretBox) -> None:
        self._store = store
        self._box = box

    def __repr__(self) -> str:
        return f"<Resources {', '.join(KINDS)}>"

    async def apply(self, text: str, *, mode: str, dry_run: bool = False) -> list[Applied]:
        """Apply every document of a YAML text; Invalid or Conflict when one cannot be."""
        plan = await self.plan(await self.read(text), mode=mode)
        return [step.applied for step in plan] if dry_run else await self.commit(plan)

    async def read(self, text: str) -> list[Manifest]:
        """The documents of a YAML text; Invalid with every fault of every envelope."""
        # A text of the largest size takes half a second.
        return await asyncio.to_thread(manifest.read, text)

    async def plan(self, manifests: Sequence[Manifest], *, mode: str) -> list[Step]:
        """What applying would do; Invalid with all faults, Conflict when a revision is not met."""
        steps, problems = [], []
        parsed: list[Parsed] = []
        for each in manifests:
            try:
                step, result = await self._step(each, Mode(mode))
            except Faults as faults:
                problems += [each.problem(message, path) for path, message in faults.problems]
            else:
                steps.append(step)
                parsed.append(result)
        refuse(problems)
        known = {each.name for each in await self._store.all("role")}
        known |= {step.applied.name for step in steps if step.applied.kind == "role"}
        return [
            _warned(step, [role for role in result.roles if role not in known])
            for step, result in zip(steps, parsed, strict=True)
        ]

    async def commit(self, plan: Sequence[Step]) -> list[Applied]:
        """Write a plan; Conflict, and nothing written, when the store has changed since."""
        writes = [step.write for step in plan if step.write is not None]
        documents = {
            (each.kind, each.name): each.revision for each in await self._store.put_all(writes)
        }
        return [_with_revision(step.applied, documents) for step in plan]

    async def ensure(self, bodies: Iterable[Mapping[str, object]]) -> None:
        """Write documents (as parsed YAML) whose names are not taken yet: the presets."""
        for each in bodies:
            body = _values(each)
            kind, name = find(str(body["kind"])), str(at(body, ("metadata", "name")))
            kind.parse(body)
            if await self._store.get(kind.name, name) is None:
                sealed = safe.sealed(kind, body, self._box)
                await self._store.put(Write(kind=kind.name, name=name, body=sealed, expected=0))

    async def get(self, kind: str, name: str) -> dict[str, Value]:
        """A document as JSON, with its revision and without its secrets; NotFound."""
        found = find(kind)
        return _shown(found, await self._stored(found, name))

    async def list(self, kind: str) -> list[dict[str, Value]]:
        """All documents of a kind, by name."""
        found = find(kind)
        return [_shown(found, each) for each in await self._store.all(found.name)]

    async def reveal(self, kind: str, name: str) -> Parsed:
        """The typed spec with its secrets open, for the services that use them; NotFound."""
        found = find(kind)
        return self.parse(await self._stored(found, name))

    def parse(self, document: Document) -> Parsed:
        """Read a stored document; fields.Faults when it does not (any more) hold."""
        kind = find(document.kind)
        return kind.parse(safe.opened(kind, _public(document.body), self._box))

    async def delete(self, kind: str, name: str, *, expected: int | None = None) -> None:
        """Remove a document; NotFound, or Conflict when it changed or is in use."""
        found = find(kind)
        if found.name == "role":
            await self._refuse_used_role(name)
        if not await self._store.delete(found.name, name, expected=expected):
            raise _missing(found, name)

    async def _stored(self, kind: Kind, name: str) -> Document:
        document = await self._store.get(kind.name, name)
        if document is None:
            raise _missing(kind, name)
        return document

    async def _step(self, given: Manifest, mode: Mode) -> tuple[Step, Parsed]:
        kind, name = given.kind, given.name
        stored = await self._store.get(kind.name, name)
        before = safe.opened(kind, stored.body, self._box) if stored else None
        body = safe.restored(kind, given.body, before)
        parsed = kind.parse(body)
        revision = stored.revision if stored else 0
        if stored is not None and before is not None and body == _public(before):
            action, write = Action.UNCHANGED, None
        else:
            _guard(given, mode=mode, stored=revision)
            action = Action.UPDATED if stored else Action.CREATED
            private = {k: v for k, v in (before or {}).items() if k not in _PUBLIC}
            write = Write(
                kind=kind.name,
                name=name,
                body={**safe.sealed(kind, body, self._box), **private},
                expected=revision,
                expires=given.expires,
            )
        warnings = (*given.warnings, *parsed.warnings)
        applied = Applied(
            kind=kind.name, name=name, action=action, revision=revision, warnings=warnings
        )
        return Step(applied=applied, write=write), parsed

    async def _refuse_used_role(self, name: str) -> None:
        # A missing role refuses its holders everything, because it may have held a deny.
        for kind in KINDS.values():
            for document in await self._store.all(kind.name):
                if name in _roles(self, document):
                    raise Conflict(
                        f"role {name!r} is used by {kind.name} {document.name!r}: take it away "
                        "there first"
                    )


def _guard(given: Manifest, *, mode: Mode, stored: int) -> None:
    kind, name, revision = given.kind.name, given.name, given.revision
    if revision is not None and stored and revision != stored:
        raise conflict(kind, name, expected=revision, stored=stored)
    if mode is Mode.UPSERT and revision is not None and not stored:
        raise conflict(kind, name, expected=revision, stored=0)
    if mode is Mode.CREATE and stored and revision is None:
        raise Conflict(
            f"{kind} {name!r} exists already and differs; get it, change it and create it with its "
            "metadata.revision, or overwrite it with --force"
        )


def _shown(kind: Kind, document: Document) -> dict[str, Value]:
    # A copy: the store's reads are its own memory.
    body = deepcopy(dict(safe.redacted(kind, _public(document.body))))
    metadata = body.get("metadata")
    assert isinstance(metadata, dict)
    body["metadata"] = {**metadata, "revision": str(document.revision)}
    return body


def _public(body: Body) -> Body:
    return {key: body[key] for key in _PUBLIC if key in body}


def _values(body: Mapping[str, object]) -> dict[str, Value]:
    values: dict[str, Value] = json.loads(json.dumps(body))
    return values


def _roles(resources: Resources, document: Document) -> tuple[str, ...]:
    try:
        return resources.parse(document).roles
    except Faults:
        return ()


def _warned(step: Step, missing: list[str]) -> Step:
    if not missing:
        return step
    warnings = tuple(f"role {name!r} does not exist (yet)" for name in missing)
    applied = replace(step.applied, warnings=(*step.applied.warnings, *warnings))
    return replace(step, applied=applied)


def _with_revision(applied: Applied, revisions: Mapping[tuple[str, str], int]) -> Applied:
    revision = revisions.get((applied.kind, applied.name), applied.revision)
    return replace(applied, revision=revision)


def _missing(kind: Kind, name: str) -> NotFound:
    return NotFound(f"{kind.name} {name!r} does not exist")
