"""The envelope of every document: kind, version, metadata, spec."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from plane.clock import from_rfc3339
from plane.errors import Invalid, NotFound, Problem
from plane.resources import yaml
from plane.resources.fields import ENOUGH, Faults, Fields
from plane.resources.kind import Body, Kind
from plane.resources.registry import find
from plane.resources.yaml import Source, Value

NAME = re.compile(r"[A-Za-z0-9_@][A-Za-z0-9._@:+=~-]{0,252}")
_ENVELOPE = ("kind", "version", "metadata", "spec")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One document as it was given. `body` has no revision; `revision` None: none was given."""

    kind: Kind
    name: str
    body: Body
    revision: int | None
    expires: float | None
    warnings: tuple[str, ...]
    source: Source

    def problem(self, message: str, path: str = "") -> Problem:
        """A fault at a path of this document."""
        return self.source.problem(message, path)


def read(text: str) -> list[Manifest]:
    """Every document of a YAML text; Invalid with all faults of all envelopes."""
    sources = yaml.read(text)
    if not sources:
        raise Invalid("the text holds no document")
    manifests, problems = [], []
    for source in sources:
        faults = Faults()
        manifest = _manifest(source, faults)
        problems += [source.problem(message, path) for path, message in faults.problems]
        if manifest is not None:
            manifests.append(manifest)
        if len(problems) >= ENOUGH:
            break  # nobody reads more, and a text can hold 50,000 broken documents
    refuse(problems or _twice(manifests))
    return manifests


def refuse(problems: Iterable[Problem]) -> None:
    """Raise Invalid when there are problems."""
    problems = tuple(problems)
    if problems:
        count = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise Invalid(f"nothing was changed: there is {count}", problems=problems)


def _manifest(source: Source, faults: Faults) -> Manifest | None:
    root = Fields(source.value, "", faults)
    kind = _kind(root)
    version = root.text("version", required=True)
    if kind and version and version not in kind.versions:
        root.fault("version", f"must be one of {', '.join(kind.versions)} for a {kind.name}")
    root.raw("spec")
    sub_kind = root.ignored(("sub_kind",), why="does nothing here")
    metadata = root.child("metadata")
    name, kept = _name(metadata), _metadata(metadata)
    expires = _expires(metadata, str(kept.get("expires", "")))
    revision, warnings = _revision(metadata)
    metadata.done()
    root.done()
    if faults.problems or kind is None:
        return None
    body: dict[str, Value] = {
        "kind": kind.name,
        "version": version,
        "metadata": {"name": name, **kept},
        "spec": root.raw("spec") or {},
    }
    return Manifest(
        kind=kind,
        name=name,
        body=body,
        revision=revision,
        expires=expires,
        warnings=(*sub_kind, *warnings),
        source=source,
    )


def _kind(root: Fields) -> Kind | None:
    word = root.text("kind", required=True)
    try:
        return find(word) if word else None
    except NotFound as error:
        root.fault("kind", error.message)
        return None


def _name(metadata: Fields) -> str:
    name = metadata.text("name", required=True)
    if name and not NAME.fullmatch(name):
        metadata.fault("name", "must be 1 to 253 letters, digits and . _ @ : + = ~ -")
    return name


def _metadata(metadata: Fields) -> dict[str, Value]:
    labels, description = metadata.labels("labels"), metadata.text("description")
    expires = metadata.text("expires")
    # Teleport writes these at export; they say nothing about the resource.
    metadata.ignored(("id", "namespace"), why="")
    kept: dict[str, Value] = {}
    if description:
        kept["description"] = description
    if labels:
        kept["labels"] = dict(labels)
    if expires:
        kept["expires"] = expires
    return kept


def _expires(metadata: Fields, text: str) -> float | None:
    if not text:
        return None
    try:
        return from_rfc3339(text)
    except ValueError:
        metadata.fault("expires", "must be an instant such as 2026-12-31T12:00:00Z")
        return None


def _revision(metadata: Fields) -> tuple[int | None, list[str]]:
    value = metadata.raw("revision")
    if value is None:
        return None, []
    text = str(value)
    if text.isascii() and text.isdigit() and len(text) <= 18 and not isinstance(value, bool):
        return int(text), []
    return None, ["metadata.revision is not one of plane's own and was not compared"]


def _twice(manifests: list[Manifest]) -> list[Problem]:
    seen: set[tuple[str, str]] = set()
    problems = []
    for each in manifests:
        key = (each.kind.name, each.name)
        if key in seen:
            problems.append(
                each.problem(
                    f"{each.kind.name} {each.name!r} is in this text twice", "metadata.name"
                )
            )
        seen.add(key)
    return problems
