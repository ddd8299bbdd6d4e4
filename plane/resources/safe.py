"""Secrets inside documents: sealed in the store, redacted in answers, open only in between."""

import json

from plane.resources.fields import Faults
from plane.resources.kind import Body, Kind, Path, at, replaced
from plane.store.secrets import SecretBox, is_sealed

REDACTED = "<redacted>"


def sealed(kind: Kind, body: Body, box: SecretBox) -> Body:
    """The document as it is stored."""
    for path in _present(kind, body):
        text = json.dumps(at(body, path))
        body = replaced(body, path, box.seal(text, place=_place(kind, body, path)))
    return body


def opened(kind: Kind, body: Body, box: SecretBox) -> Body:
    """The document as it was given; PlaneError when a secret does not open."""
    for path in _present(kind, body):
        value = at(body, path)
        if is_sealed(value):
            text = box.open(str(value), place=_place(kind, body, path))
            body = replaced(body, path, json.loads(text))
    return body


def redacted(kind: Kind, body: Body) -> Body:
    """The document as it may be shown."""
    for path in _present(kind, body):
        body = replaced(body, path, REDACTED)
    return body


def restored(kind: Kind, body: Body, stored: Body | None) -> Body:
    """Put the stored (open) secrets where the placeholder is; Faults where that is not right."""
    faults = Faults()
    moved = [path for path in kind.destinations if at(body, path) != at(stored or {}, path)]
    for path in _present(kind, body):
        if at(body, path) != REDACTED:
            continue
        secret = at(stored, path) if stored is not None else None
        if secret is None:
            faults.note(".".join(path), "nothing is stored: give the secret itself")
        elif moved:
            where = ".".join(moved[0])
            faults.note(".".join(path), f"give the secret itself, because {where} changes")
        else:
            body = replaced(body, path, secret)
    faults.check()
    return body


def _present(kind: Kind, body: Body) -> list[Path]:
    return [path for path in kind.secrets if at(body, path) not in (None, "")]


def _place(kind: Kind, body: Body, path: Path) -> str:
    return f"{kind.name}/{at(body, ('metadata', 'name'))} {'.'.join(path)}"
