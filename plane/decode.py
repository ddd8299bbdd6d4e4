"""Turns a YAML value into a tree of frozen dataclasses, by their annotations, noting every fault.

Understood: str, int, float, bool, Path, timedelta (`12h`, `1h30m`), StrEnum, Endpoint,
tuple[str, ...], Mapping[str, str], Mapping[str, dataclass], dataclass, and `X | None`.
"""

import re
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from plane.resources.fields import Faults, Fields
from plane.resources.yaml import Value, child

_T = TypeVar("_T")
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")
_PORTS = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where to listen, written `127.0.0.1:3080`, `[::]:3080` or `:3080` (every IPv4 address)."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoder:
    """Reads values; relative paths start at `folder`."""

    faults: Faults
    folder: Path

    def tree(self, cls: type[_T], value: Value, path: str = "") -> _T:
        """Read a dataclass; what is missing or wrong has its default."""
        source = Fields(value, path, self.faults)
        hints = get_type_hints(cls)
        given: dict[str, object] = {}
        for field in settings_of(cls):
            raw = source.raw(field.name)
            decoded = self._decode(hints[field.name], raw, child(path, field.name))
            if decoded is not None:
                given[field.name] = decoded
        source.done()
        return cls(**given)

    def _decode(self, hint: Any, value: Value, path: str) -> object:
        if value is None:
            return None
        hint = _without_none(hint)
        if is_dataclass(hint) and hint is not Endpoint:
            assert isinstance(hint, type)
            return self.tree(hint, value, path)
        if get_origin(hint) is Mapping:
            return self._mapping(get_args(hint)[1], value, path)
        try:
            return _LEAVES[_leaf(hint)](self, hint, value)
        except ValueError as error:
            self.faults.note(path, str(error))
            return None

    def _mapping(self, hint: Any, value: Value, path: str) -> dict[str, object] | None:
        if not isinstance(value, dict):
            self.faults.note(path, "must be a mapping")
            return None
        decoded = {key: self._decode(hint, each, child(path, key)) for key, each in value.items()}
        return {key: each for key, each in decoded.items() if each is not None}

    def path(self, _hint: object, value: Value) -> Path:
        """A path; `~` is not expanded, because services have no home."""
        return self.folder / _text(value)


def settings_of(cls: Any) -> Iterator["Field[Any]"]:
    """The fields that a file may set: those whose metadata does not say `internal`."""
    return (field for field in fields(cls) if not field.metadata.get("internal"))


def leaves(cls: Any, path: str = "") -> Iterator[tuple[str, Any, object]]:
    """Every setting of a tree: its path, its type, its default (MISSING for a mapping's)."""
    hints = get_type_hints(cls)
    for field in settings_of(cls):
        where, hint = child(path, field.name), _without_none(hints[field.name])
        if is_dataclass(hint) and hint is not Endpoint:
            yield from leaves(hint, where)
        elif get_origin(hint) is Mapping and is_dataclass(get_args(hint)[1]):
            yield from leaves(get_args(hint)[1], f"{where}.*")
        else:
            factory = field.default_factory
            yield where, hint, field.default if factory is MISSING else factory()


def from_text(hint: Any, text: str) -> Value:
    """An environment variable's or flag's text as the YAML value it stands for."""
    if get_origin(hint) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    if get_origin(hint) is Mapping:
        pairs = (part.partition("=") for part in text.split(",") if part.strip())
        return {key.strip(): value.strip() for key, _, value in pairs}
    if hint in (int, float) and re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text) if "." in text else int(text)
    return text


def duration(text: str) -> timedelta:
    """Read `90s`, `30m`, `12h`, `1h30m` or `7d`; ValueError."""
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise ValueError("must be a duration such as 30s, 15m, 12h or 1h30m")
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def endpoint(text: str) -> Endpoint:
    """Read an address to listen on; ValueError."""
    host, _, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        port = ""
    if not (port.isascii() and port.isdigit() and int(port) < _PORTS):
        raise ValueError("must be host:port, such as 127.0.0.1:3080")
    return Endpoint(host=host or "0.0.0.0", port=int(port))  # noqa: S104 - only where asked for


def _without_none(hint: Any) -> Any:
    if get_origin(hint) is types.UnionType:
        (hint,) = (each for each in get_args(hint) if each is not type(None))
    return hint


def _leaf(hint: Any) -> object:
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return StrEnum
    return get_origin(hint) or hint


def _text(value: Value) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("must be a text")
    return value


def _number(value: Value, kind: type) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ValueError("must be a number, zero or more")
    if kind is int and not isinstance(value, int):
        raise ValueError("must be a whole number")
    return value


def _flag(value: Value) -> bool:
    # Teleport's files have the quoted "yes".
    words: Mapping[Value, bool] = {"yes": True, "true": True, "no": False, "false": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise ValueError("must be true or false")


def _choice(hint: type[StrEnum], value: Value) -> StrEnum:
    choices = [each.value for each in hint]
    if not isinstance(value, str) or value.lower() not in choices:
        raise ValueError(f"must be one of {', '.join(choices)}")
    return hint(value.lower())


def _texts(value: Value) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(_text(each) for each in values)


_LEAVES: Mapping[object, Callable[[Decoder, Any, Value], object]] = {
    str: lambda _decoder, _hint, value: _text(value),
    int: lambda _decoder, hint, value: _number(value, hint),
    float: lambda _decoder, hint, value: _number(value, hint),
    bool: lambda _decoder, _hint, value: _flag(value),
    Path: Decoder.path,
    timedelta: lambda _decoder, _hint, value: duration(_text(value)),
    Endpoint: lambda _decoder, _hint, value: endpoint(_text(value)),
    StrEnum: lambda _decoder, hint, value: _choice(hint, value),
    tuple: lambda _decoder, _hint, value: _texts(value),
}
