"""Reads the fields of a mapping, notes every fault with its path, and knows what was not read."""

import difflib
from collections.abc import Iterable, Mapping

from plane.resources.yaml import Value, child, item

_YES = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}


ENOUGH = 100  # a text of many faults is not searched for more: each costs time and an answer


class Faults(Exception):
    """Everything that is wrong with one document: pairs of path and message."""

    def __init__(self, problems: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__()
        self.problems: list[tuple[str, str]] = list(problems)

    def __str__(self) -> str:
        return "; ".join(f"{path}: {message}" for path, message in self.problems)

    def note(self, path: str, message: str) -> None:
        """Add a fault."""
        self.problems.append((path, message))

    def check(self) -> None:
        """Raise when there are any."""
        if self.problems:
            raise self


class Fields:
    """One mapping; each read names the key, returns a typed value and notes what is wrong."""

    def __init__(self, value: Value, path: str, faults: Faults) -> None:
        self.path = path
        self._faults = faults
        self._read: set[str] = set()
        if value is None:
            value = {}
        if not isinstance(value, dict):
            faults.note(path, f"must be a mapping, not {_kind(value)}")
            value = {}
        self._values: Mapping[str, Value] = value

    def __contains__(self, key: str) -> bool:
        return self._values.get(key) is not None

    def fault(self, key: str, message: str) -> None:
        """Note a fault of a field."""
        self._faults.note(child(self.path, key) if key else self.path, message)

    def raw(self, key: str) -> Value:
        """The value as it is."""
        self._read.add(key)
        return self._values.get(key)

    def text(self, key: str, *, default: str = "", required: bool = False) -> str:
        """A text; a number is refused, because its text is not certain."""
        value = self.raw(key)
        if value is None or value == "":
            if required:
                self.fault(key, "is required")
            return default
        if not isinstance(value, str):
            self.fault(key, f"must be a text, not {_kind(value)}: put it in quotes")
            return default
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; a single text is a list of one."""
        return self._texts(self.raw(key), child(self.path, key))

    def flag(self, key: str, *, default: bool = False) -> bool:
        """True or false; also the quoted "yes" and "no" that Teleport's files have."""
        value = self.raw(key)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in _YES:
            return _YES[value.lower()]
        self.fault(key, f"must be true or false, not {_kind(value)}")
        return default

    def labels(self, key: str) -> dict[str, str]:
        """A mapping of texts."""
        labels = {}
        for name, value in self._items(key):
            if isinstance(value, str):
                labels[name] = value
            else:
                where = child(child(self.path, key), name)
                self._faults.note(where, f"must be a text, not {_kind(value)}: put it in quotes")
        return labels

    def traits(self, key: str) -> dict[str, tuple[str, ...]]:
        """A mapping of lists of texts; null is an empty list, as Teleport exports it."""
        path = child(self.path, key)
        return {name: self._texts(value, child(path, name)) for name, value in self._items(key)}

    def child(self, key: str) -> "Fields":
        """The mapping under a key, empty when it is not there."""
        return Fields(self.raw(key), child(self.path, key), self._faults)

    def children(self, key: str) -> list["Fields"]:
        """The mappings of a list."""
        value, path = self.raw(key), child(self.path, key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.fault(key, f"must be a list, not {_kind(value)}")
            return []
        return [Fields(each, item(path, n), self._faults) for n, each in enumerate(value)]

    def ignored(self, keys: Iterable[str], *, why: str) -> list[str]:
        """Read and drop fields; a warning for each that is there."""
        present = [key for key in keys if key in self]
        self._read.update(keys)
        return [f"{child(self.path, key)} {why}" for key in present]

    def done(self) -> None:
        """Everything has been read: what is left is unknown."""
        for key in self._values:
            if key not in self._read:
                near = difflib.get_close_matches(key, self._read, n=1)
                hint = f": did you mean {near[0]}?" if near else ""
                self.fault(key, f"unknown field{hint}")
            if len(self._faults.problems) >= ENOUGH:
                break

    def _items(self, key: str) -> list[tuple[str, Value]]:
        value = self.raw(key)
        if value is None:
            return []
        if not isinstance(value, dict):
            self.fault(key, f"must be a mapping, not {_kind(value)}")
            return []
        return list(value.items())

    def _texts(self, value: Value, path: str) -> tuple[str, ...]:
        if value is None:
            return ()
        values = value if isinstance(value, list) else [value]
        for number, each in enumerate(values):
            if not isinstance(each, str):
                where = item(path, number) if isinstance(value, list) else path
                self._faults.note(where, f"must be a text, not {_kind(each)}: put it in quotes")
        return tuple(each for each in values if isinstance(each, str))


def _kind(value: Value) -> str:
    if value is None:
        return "empty"
    names = {bool: "true or false", int: "a number", float: "a number", str: "a text"}
    return names.get(type(value), "a list" if isinstance(value, list) else "a mapping")
