"""Reads parsed YAML with care: every value has a path, all faults are kept, none is guessed."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

from policies.errors import PolicyError, SyntaxProblem

_S = TypeVar("_S")
_T = TypeVar("_T")
_DURATION = re.compile(r"(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?")
_TRUTHS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
MAX_ITEMS = 1000


class Reader:
    """One document's problems and warnings; the methods return a harmless value after a fault."""

    def __init__(self) -> None:
        self.problems: list[tuple[str, str]] = []
        self.warnings: list[str] = []

    def fault(self, path: str, message: str) -> None:
        """Note a problem and go on, so that a person sees all of them at once."""
        self.problems.append((path, message))

    def check(self) -> None:
        """Raise PolicyError when anything was wrong."""
        if self.problems:
            raise PolicyError(tuple(self.problems))

    def mapping(self, path: str, value: object) -> Mapping[str, object]:
        """A mapping with text keys; nothing is an empty one."""
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.fault(path, f"must be a mapping, is {_name(value)}")
            return {}
        for key in value:
            if not isinstance(key, str):
                self.fault(path, f"has the key {key!r}, which is no text (quote it)")
        return {key: item for key, item in value.items() if isinstance(key, str)}

    def known(self, path: str, value: object, names: Collection[str]) -> Mapping[str, object]:
        """A mapping whose keys are all among `names`."""
        fields = self.mapping(path, value)
        for key in fields:
            if key not in names:
                self.fault(f"{path}.{key}", f"unknown field; there are {', '.join(sorted(names))}")
        return fields

    def items(self, path: str, value: object) -> list[tuple[str, object]]:
        """The entries of a list, each with its path."""
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            self.fault(path, f"must be a list, is {_name(value)}")
            return []
        if len(value) > MAX_ITEMS:
            self.fault(path, f"has {len(value)} entries, the most is {MAX_ITEMS}")
            return []
        return [(f"{path}[{index}]", item) for index, item in enumerate(value)]

    def text(self, path: str, value: object, *, default: str = "") -> str:
        """A text; a number or a truth is refused, because YAML made it of something unquoted."""
        if value is None:
            return default
        if not isinstance(value, str):
            self.fault(path, f"must be a text, is {_name(value)} (quote it)")
            return default
        return value

    def texts(self, path: str, value: object, *, single: bool = False) -> tuple[str, ...]:
        """A list of texts; with `single` one text will do."""
        if single and isinstance(value, str):
            return (value,)
        return tuple(self.text(place, item) for place, item in self.items(path, value))

    def truth(self, path: str, value: object) -> bool:
        """A boolean, or one of YAML's words for it."""
        if isinstance(value, str) and value.lower() in _TRUTHS:
            return _TRUTHS[value.lower()]
        if value is not None and not isinstance(value, bool):
            self.fault(path, f"must be true or false, is {_name(value)}")
        return value is True

    def count(self, path: str, value: object) -> int | None:
        """A number from 0; None when absent."""
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            self.fault(path, "must be a whole number from 0")
            return None
        return value

    def seconds(self, path: str, value: object) -> int | None:
        """A duration such as 8h or 1h30m0s, in seconds; `never` is 0; None when absent."""
        if value is None:
            return None
        if value == "never":
            return 0
        found = _DURATION.fullmatch(value) if isinstance(value, str) and value else None
        if found is None:
            self.fault(path, f"must be a duration such as 8h or 1h30m, is {value!r}")
            return None
        hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return hours * 3600 + minutes * 60 + seconds

    def one_of(self, path: str, value: object, choices: Collection[str]) -> str | None:
        """One of some words; None when absent."""
        text = self.text(path, value)
        if text and text not in choices:
            self.fault(path, f"is {text!r}; there are {', '.join(choices)}")
            return None
        return text or None

    def compiled(self, path: str, source: _S, compile_: Callable[[_S], _T]) -> _T | None:
        """The compiled form of a source; its SyntaxProblem becomes a problem at the path."""
        try:
            return compile_(source)
        except SyntaxProblem as problem:
            self.fault(path, str(problem))
            return None


def _name(value: object) -> str:
    names = {dict: "a mapping", list: "a list", str: "a text", bool: "a truth", int: "a number"}
    return names.get(type(value), type(value).__name__) if value is not None else "nothing"
