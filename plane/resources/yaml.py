"""Reads YAML texts into JSON values and remembers the line of every path.

The text may come from anyone who may call the API: only JSON's types, no tags, duplicate keys are
errors, aliases cannot grow without bound, size and depth are limited. Pure, no I/O.
Scalars follow YAML 1.1 as Kubernetes and Teleport read it (`yes` is true), without its traps:
no sexagesimal numbers, no octal by a leading zero, no dates; keys are always texts.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NoReturn, TypeAlias

import yaml

from plane.errors import Invalid, Problem

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"

TEXT_LIMIT = 1024 * 1024
DEPTH_LIMIT = 40
NODE_LIMIT = 100_000

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CONSTANTS: Mapping[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False),
}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_OTHER_INTEGER = re.compile(r"0(?:x[0-9a-fA-F]+|b[01]+)")
# As PyYAML has it, which writes texts like 1e5 (a commit, say) without quotes.
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+][0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF|nan|NaN|NAN)")
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_TEXT_TAGS = ("!", "tag:yaml.org,2002:str")
_DIGITS_LIMIT = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One document of a text: its value, its 1-based number, and the line of each path."""

    value: Value
    number: int
    lines: Mapping[str, int]

    def problem(self, message: str, path: str = "") -> Problem:
        """A fault at a path; the line is that of the nearest ancestor which was written."""
        where = path
        while where not in self.lines and where:
            where = _parent(where)
        return Problem(message=message, path=path, line=self.lines.get(where), document=self.number)


def read(text: str) -> list[Source]:
    """Every document of a text that is not empty; Invalid with line and document otherwise."""
    if len(text) > TEXT_LIMIT:
        raise Invalid(f"the text is longer than {TEXT_LIMIT} characters")
    builder = _Builder(_events(text))
    sources = list(builder.documents())
    if builder.problems:
        raise Invalid("the YAML text is not acceptable", problems=tuple(builder.problems))
    return sources


def child(path: str, key: str) -> str:
    """The path of a field: `spec.allow`, or `metadata.labels["plane.dev/x"]` for other keys."""
    if _PLAIN_KEY.fullmatch(key):
        return f"{path}.{key}" if path else key
    quoted = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'{path}["{quoted}"]'


def item(path: str, index: int) -> str:
    """The path of a list's item: `spec.allow.rules[0]`."""
    return f"{path}[{index}]"


def _parent(path: str) -> str:
    if path.endswith('"]'):
        return path[: path.rfind('["')]
    if path.endswith("]"):
        return path[: path.rfind("[")]
    return path.rpartition(".")[0]


def _events(text: str) -> Iterator[yaml.Event]:
    try:
        yield from yaml.parse(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = " ".join(part for part in (error.context, error.problem) if part)
        problem = Problem(message=message, line=mark.line + 1 if mark else None)
        raise Invalid("the text is not YAML", problems=(problem,)) from error
    except yaml.YAMLError as error:
        raise Invalid(f"the text is not YAML: {error}") from error


class _Abort(Exception):
    """Stop building; the problem is noted."""


@dataclass(slots=True, kw_only=True)
class _Anchor:
    """A value that aliases may repeat, with the number of nodes that each repetition costs."""

    value: Value
    nodes: int


@dataclass(slots=True)
class _Builder:
    """Builds values from parser events: the parser does not recurse, and we count the depth."""

    events: Iterator[yaml.Event]
    problems: list[Problem] = field(default_factory=list)
    number: int = 0
    nodes: int = 0
    lines: dict[str, int] = field(default_factory=dict)
    anchors: dict[str, _Anchor] = field(default_factory=dict)

    def documents(self) -> Iterator[Source]:
        try:
            for event in self.events:
                if isinstance(event, yaml.DocumentStartEvent):
                    yield from self._document()
        except _Abort:
            return

    def _document(self) -> Iterator[Source]:
        self.lines, self.anchors = {}, {}
        self.number += 1
        value = self._node(next(self.events), "", 0)
        if value is None:
            self.number -= 1  # `---` before the first and after the last document counts nothing
            return
        yield Source(value=value, number=self.number, lines=self.lines)

    def _node(self, event: yaml.Event, path: str, depth: int) -> Value:
        self._count(event, 1, depth)
        self.lines.setdefault(path, _line(event))
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        before = self.nodes
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event, path)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self._sequence(event, path, depth)
        else:
            value = self._mapping(event, path, depth)
        anchor = getattr(event, "anchor", None)
        if anchor:
            self.anchors[anchor] = _Anchor(value=value, nodes=self.nodes - before + 1)
        return value

    def _sequence(self, start: yaml.Event, path: str, depth: int) -> list[Value]:
        self._untagged(start, path)
        values: list[Value] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            values.append(self._node(event, item(path, len(values)), depth + 1))
        return values

    def _mapping(self, start: yaml.Event, path: str, depth: int) -> dict[str, Value]:
        self._untagged(start, path)
        values: dict[str, Value] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self._key(event, path)
            here = child(path, key)
            if key in values:
                self._note(event, f"the key {key!r} is written twice", here)
            self.lines[here] = _line(event)
            values[key] = self._node(next(self.events), here, depth + 1)
        return values

    def _key(self, event: yaml.Event, path: str) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            self._fail(event, "a key must be a text", path)
        if event.value == "<<" and event.implicit[0]:
            self._fail(event, "merge keys (<<) are not accepted: write the fields out", path)
        return str(event.value)

    def _scalar(self, event: yaml.ScalarEvent, path: str) -> Value:
        text = str(event.value)
        if event.tag in _TEXT_TAGS or (event.tag is None and not event.implicit[0]):
            return text  # quoted, a block, or marked !!str
        self._untagged(event, path)
        if _NOT_FINITE.fullmatch(text):
            self._note(event, f"{text} is not a number that JSON has", path)
        return _plain(text)

    def _alias(self, event: yaml.AliasEvent) -> Value:
        known = self.anchors.get(str(event.anchor))
        if known is None:
            self._fail(event, f"the alias *{event.anchor} has no finished anchor before it", "")
        # A repetition costs what writing it out would: nine levels of nine aliases end early.
        self._count(event, known.nodes, 0)
        return known.value

    def _count(self, event: yaml.Event, nodes: int, depth: int) -> None:
        self.nodes += nodes
        if self.nodes > NODE_LIMIT:
            self._fail(event, f"more than {NODE_LIMIT} values, aliases counted in full", "")
        if depth > DEPTH_LIMIT:
            self._fail(event, f"nested deeper than {DEPTH_LIMIT} levels", "")

    def _untagged(self, event: yaml.Event, path: str) -> None:
        tag = getattr(event, "tag", None)
        if tag:
            self._fail(event, f"the tag {tag} is not accepted", path)

    def _note(self, event: yaml.Event, message: str, path: str) -> None:
        problem = Problem(message=message, path=path, line=_line(event), document=self.number)
        self.problems.append(problem)

    def _fail(self, event: yaml.Event, message: str, path: str) -> NoReturn:
        self._note(event, message, path)
        raise _Abort


def _plain(text: str) -> Value:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if len(text) > _DIGITS_LIMIT:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OTHER_INTEGER.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text


def _line(event: yaml.Event) -> int:
    mark = event.start_mark
    return mark.line + 1 if mark is not None else 1
