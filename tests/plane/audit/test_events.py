"""The catalogue of events and its reference say the same."""

import re
import types
import typing
from dataclasses import fields
from pathlib import Path

import msgspec

from plane.audit.events import Event, EventType, Stage
from plane.audit.line import Line

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "audit-events.md"


def documented(heading):
    """The first cell of each row of the table under a heading."""
    section = REFERENCE.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


def written(struct=Line, before=""):
    """The path of every field that a line may have."""
    for field in msgspec.structs.fields(struct):
        kinds = typing.get_args(field.type) if isinstance(field.type, types.UnionType) else ()
        parts = [kind for kind in kinds if isinstance(kind, type) and kind is not type(None)]
        if parts:
            yield from written(parts[0], f"{before}{field.encode_name}.")
        else:
            yield before + field.encode_name


def test_every_event_is_documented_and_nothing_else():
    assert documented("Events") == [kind.value for kind in EventType]


def test_every_stage_is_documented_and_nothing_else():
    assert documented("Stages") == [stage.value for stage in Stage]


def test_every_field_is_documented_and_nothing_else():
    assert documented("Fields") == list(written())


def test_every_field_of_an_event_reaches_its_line():
    """A field that somebody adds to Event and forgets in line.py would be lost in silence."""
    source = (Path(__file__).parents[3] / "plane" / "audit" / "line.py").read_text()
    forgotten = [each.name for each in fields(Event) if f"event.{each.name}" not in source]
    assert forgotten == []
