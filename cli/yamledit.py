"""Changes named entries of a kubeconfig's text and leaves every other byte as it is.

The lines of our own entries are replaced in place; comments, order, quoting and indentation of
the rest stay. The result is read again and must equal, node by node, the same change made on the
parsed document; when it does not (flow style, anchors, odd layouts) that document is written
instead: then comments are lost, but no value changes, since scalars are kept as they were written.
"""

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import yaml

from cli.errors import CliError

SECTIONS = ("clusters", "contexts", "users")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_EMPTY_SECTION = re.compile(r"\s*(\[\s*\]|null|~)?\s*")
_FILLER = re.compile(r"\s*(#.*)?|\.\.\.\s*")

Entry = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What to put and drop by section and name, and the new current-context (None leaves it)."""

    put: Mapping[str, Mapping[str, Entry]] = field(default_factory=dict)
    drop: Mapping[str, frozenset[str]] = field(default_factory=dict)
    current: str | None = None


class _Unsupported(Exception):
    """The layout of the text is none that can be edited by lines."""


def apply(text: str, changes: Changes) -> str:
    """Return the text with the changes; CliError when it is no YAML mapping."""
    root = _compose(text)
    if root is None:
        return _fresh(text, changes)
    wanted = _merged(root, changes)
    try:
        edited = _edited(text, root, changes)
        again = _compose(edited)
    except (_Unsupported, CliError):
        again, edited = None, ""
    if again is not None and _shape(again) == _shape(wanted):
        return edited
    return _serialized(wanted)


def _serialized(wanted: yaml.MappingNode) -> str:
    """The whole document anew; escaped where PyYAML would write a line separator (U+0085) raw."""
    for readable in (True, False):
        text: str = yaml.serialize(
            wanted, Dumper=yaml.SafeDumper, allow_unicode=readable, width=10_000
        )
        again = _compose(text)
        if again is not None and _shape(again) == _shape(wanted):
            return text
    raise CliError("the kubeconfig cannot be written without changing other entries")


def _compose(text: str) -> yaml.MappingNode | None:
    try:
        root = yaml.compose(text, Loader=_LOADER)
    except (yaml.YAMLError, RecursionError) as error:
        raise CliError(f"the kubeconfig is not YAML: {_first_line(error)}") from None
    if root is None or (root.tag.endswith(":null") and not root.value):
        return None
    if not isinstance(root, yaml.MappingNode):
        raise CliError("the kubeconfig is not a YAML mapping")
    return root


def _first_line(error: BaseException) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}: " if mark else ""
    return where + str(getattr(error, "problem", "") or type(error).__name__)


def _fresh(text: str, changes: Changes) -> str:
    """A whole kubeconfig after the comments that an otherwise empty file may hold."""
    document: dict[str, object] = {"apiVersion": "v1", "kind": "Config"}
    for section in SECTIONS:
        document[section] = list(changes.put.get(section, {}).values())
    document["current-context"] = changes.current or ""
    head = text if not text or text.endswith("\n") else f"{text}\n"
    return head + _dump(document)


def _dump(value: object) -> str:
    return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=10_000))


# On nodes: the truth.


def _merged(root: yaml.MappingNode, changes: Changes) -> yaml.MappingNode:
    wanted = copy.deepcopy(root)
    for section in SECTIONS:
        put = dict(changes.put.get(section, {}))
        drop = changes.drop.get(section, frozenset())
        value = _value(wanted, section)
        if not (put or drop) or (value is None and not put):
            continue
        old = value.value if isinstance(value, yaml.SequenceNode) else []
        items = [_node(put.pop(_name(item), item)) for item in old if _name(item) not in drop]
        items += [_node(entry) for entry in put.values()]
        _set(wanted, section, yaml.SequenceNode(_tag("seq"), items, flow_style=not items))
    if changes.current is not None:
        _set(wanted, "current-context", _node(changes.current))
    return wanted


def _node(value: object) -> yaml.Node:
    if isinstance(value, yaml.Node):
        return value
    node = yaml.compose(_dump(value), Loader=_LOADER)
    assert node is not None  # what we dumped is not empty
    return node


def _tag(kind: str) -> str:
    return f"tag:yaml.org,2002:{kind}"


def _value(root: yaml.MappingNode, key: str) -> yaml.Node | None:
    found: list[yaml.Node] = [node for name, node in root.value if name.value == key]
    return found[0] if found else None


def _set(root: yaml.MappingNode, key: str, value: yaml.Node) -> None:
    for index, (name, _) in enumerate(root.value):
        if name.value == key:
            root.value[index] = (name, value)
            return
    root.value.append((yaml.ScalarNode(_tag("str"), key), value))


def _name(item: yaml.Node) -> str:
    node = _value(item, "name") if isinstance(item, yaml.MappingNode) else None
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def _shape(node: yaml.Node) -> object:
    """What a document says, without its layout: mappings as sets of pairs, scalars with tags."""
    if isinstance(node, yaml.MappingNode):
        return node.tag, sorted(repr((_shape(key), _shape(value))) for key, value in node.value)
    if isinstance(node, yaml.SequenceNode):
        return node.tag, [_shape(item) for item in node.value]
    return node.tag, node.value


# On lines: the same change with the layout kept.


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edit:
    start: int
    end: int
    lines: list[str]
    top_level: bool = False

    def order(self) -> tuple[int, bool, bool]:
        """Applied from the last to the first, so that the line numbers above stay true.

        At one line the replacement goes before the insertion, and what ends the file before what
        ends a section in front of it.
        """
        return self.start, self.end > self.start, self.top_level


def _edited(text: str, root: yaml.MappingNode, changes: Changes) -> str:
    if root.flow_style or root.start_mark.column:
        raise _Unsupported
    lines = text.split("\n")
    edits = [edit for section in SECTIONS for edit in _section(lines, root, section, changes)]
    if changes.current is not None:
        edits.append(_current(lines, root, changes.current))
    for edit in sorted(edits, key=_Edit.order, reverse=True):
        lines[edit.start : edit.end] = edit.lines
    return "\n".join(lines)


def _section(
    lines: list[str], root: yaml.MappingNode, section: str, changes: Changes
) -> Iterator[_Edit]:
    put = dict(changes.put.get(section, {}))
    drop = changes.drop.get(section, frozenset())
    if not (put or drop):
        return
    keys = [index for index, (name, _) in enumerate(root.value) if name.value == section]
    if not keys:
        if put:
            end = _end_of_text(lines)
            new = [f"{section}:", *_rendered(put, indent=0)]
            yield _Edit(start=end, end=end, lines=new, top_level=True)
        return
    key, value = root.value[keys[0]]
    after = root.value[keys[0] + 1 :]
    end = after[0][0].start_mark.line if after else len(lines)
    if isinstance(value, yaml.SequenceNode) and value.value and not value.flow_style:
        yield from _items(lines, value, end, Changes(put={section: put}, drop={section: drop}))
        return
    line = key.start_mark.line
    if not _EMPTY_SECTION.fullmatch(lines[line][key.end_mark.column + 1 :]):
        raise _Unsupported
    if put:
        yield _Edit(start=line, end=line + 1, lines=[f"{section}:", *_rendered(put, indent=0)])


def _items(
    lines: list[str], value: yaml.SequenceNode, end: int, changes: Changes
) -> Iterator[_Edit]:
    ((section, entries),) = changes.put.items()
    put, drop = dict(entries), changes.drop[section]
    starts = [item.start_mark.line for item in value.value]
    if any(not lines[start].lstrip().startswith("- ") for start in starts):
        raise _Unsupported
    indent = len(lines[starts[0]]) - len(lines[starts[0]].lstrip())
    names = [_name(item) for item in value.value]
    last = 0
    for name, start, stop in zip(names, starts, [*starts[1:], end], strict=True):
        last = _content_end(lines, start, stop)
        if name in put:
            new = _rendered({name: put.pop(name)}, indent=indent)
            yield _Edit(start=start, end=last, lines=new)
        elif name in drop:
            yield _Edit(start=start, end=last, lines=[])
    if put:
        yield _Edit(start=last, end=last, lines=_rendered(put, indent=indent))
    elif all(name in drop for name in names):
        line = starts[0] - 1
        if lines[line].rstrip() != f"{section}:":
            raise _Unsupported
        yield _Edit(start=line, end=line + 1, lines=[f"{section}: []"])


def _content_end(lines: list[str], start: int, stop: int) -> int:
    """One past the last line of an item; comments and blank lines after it are the next one's."""
    while stop > start + 1 and _FILLER.fullmatch(lines[stop - 1]):
        stop -= 1
    return stop


def _end_of_text(lines: list[str]) -> int:
    return len(lines) - 1 if len(lines) > 1 and not lines[-1].strip() else len(lines)


def _current(lines: list[str], root: yaml.MappingNode, context: str) -> _Edit:
    written = _dump({"current-context": context}).rstrip("\n")
    for key, value in root.value:
        if key.value == "current-context":
            line = key.start_mark.line
            if not isinstance(value, yaml.ScalarNode) or value.end_mark.line > line:
                # An empty value ends where the next token begins.
                if not _EMPTY_SECTION.fullmatch(lines[line][key.end_mark.column + 1 :]):
                    raise _Unsupported
                return _Edit(start=line, end=line + 1, lines=[written])
            tail = lines[line][value.end_mark.column :]
            return _Edit(start=line, end=line + 1, lines=[(written + tail).rstrip()])
    end = _end_of_text(lines)
    return _Edit(start=end, end=end, lines=[written], top_level=True)


def _rendered(entries: Mapping[str, Entry], *, indent: int) -> list[str]:
    dumped = _dump(list(entries.values())).rstrip("\n").split("\n")
    return [" " * indent + line for line in dumped]
