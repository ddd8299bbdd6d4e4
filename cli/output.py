r"""What a command prints: tables for people, JSON and YAML for programs, nothing for terminals.

Every string that a server sent may be hostile: control characters, escape sequences and
characters that reorder text are written out (`\x1b`) before they reach a terminal.
"""

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import click

Document = Mapping[str, object]

# C0, DEL, C1 (U+009B starts a sequence too), line separators, bidi overrides, zero-width, BOM.
_DANGEROUS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_LINE_DANGEROUS = re.compile(_DANGEROUS.pattern.replace("\x00-\x1f", "\x00-\x09\x0b-\x1f"))


def safe(value: object) -> str:
    """Write a value on one line in a way that no terminal acts on."""
    return _DANGEROUS.sub(_written_out, str(value))


def safe_lines(value: object) -> str:
    """Like safe, but line feeds stay."""
    return _LINE_DANGEROUS.sub(_written_out, str(value))


def _written_out(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table; `wide` ones show with `-o wide` only."""

    title: str
    value: Callable[[Document], object]
    wide: bool = False


def output_option(*formats: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The `-o` flag with these formats, the first being the default (PLANE_OUTPUT if it fits)."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(formats),
        default=lambda: _preferred(formats),
        help=f"Output format (default: {formats[0]}).",
    )


def _preferred(formats: Sequence[str]) -> str:
    import os

    wish = os.environ.get("PLANE_OUTPUT", "")
    return wish if wish in formats else formats[0]


def show_list(items: Iterable[Document], *, output: str, columns: Sequence[Column]) -> None:
    """Print objects: a table, names, or one `List` object as kubectl does."""
    items = list(items)
    if output == "json":
        print(to_json({"kind": "List", "items": items}))
    elif output == "yaml":
        print(to_yaml({"kind": "List", "items": items}), end="")
    elif output == "name":
        for item in items:
            print(safe(columns[0].value(item)))
    else:
        print_table(items, columns=columns, wide=output == "wide")


def show_one(item: Document, *, output: str) -> None:
    """Print one object as JSON, as YAML, or as aligned `key: value` lines."""
    if output == "json":
        print(to_json(item))
    elif output == "yaml":
        print(to_yaml(item), end="")
    else:
        width = max((len(key) for key in item), default=0) + 2
        for key, value in item.items():
            print(f"{key + ':':<{width}}{text(value)}".rstrip())


def print_table(items: Sequence[Document], *, columns: Sequence[Column], wide: bool) -> None:
    """Print a table with upper-case titles; no items is said on stderr."""
    if not items:
        print("nothing found", file=sys.stderr)
        return
    shown = [column for column in columns if wide or not column.wide]
    rows = [[column.title for column in shown]]
    rows += [[text(column.value(item)) or "-" for column in shown] for item in items]
    widths = [max(len(row[i]) for row in rows) for i in range(len(shown))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("   ".join(cells).rstrip())


def text(value: object) -> str:
    """Write a value in one cell: lists with commas, mappings as `key=value`, None as nothing."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ",".join(f"{safe(key)}={text(item)}" for key, item in sorted(value.items()))
    if isinstance(value, list | tuple):
        return ",".join(text(item) for item in value)
    return safe(value)


def to_json(value: object, *, indent: int | None = 2) -> str:
    """JSON in which nothing dangerous stands raw (JSON allows C1 and bidi characters raw)."""
    dumped = json.dumps(value, indent=indent, ensure_ascii=False)
    pattern = _LINE_DANGEROUS if indent else _DANGEROUS
    return pattern.sub(lambda match: f"\\u{ord(match[0]):04x}", dumped)


def to_yaml(value: object) -> str:
    """YAML with keys in the server's order; non-ASCII is escaped when anything dangerous is in."""
    import yaml

    readable = not _DANGEROUS.search(json.dumps(value, ensure_ascii=False))
    return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=readable, width=10_000))


def mapping(value: object) -> Document:
    """The value if it is a JSON object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def items_of(value: object) -> list[Document]:
    """The `items` of a List answer; what is not an object in it is dropped."""
    found = mapping(value).get("items")
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []
