"""What is printed can do nothing to a terminal and says the same as the server did."""

import json
import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cli.output import Column, safe, show_list, text, to_json, to_yaml

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.text(st.characters(codec=None)))
def test_no_control_character_reaches_a_terminal(value):
    assert not CONTROL.search(safe(value))
    assert "\n" not in safe(value)


@given(VALUES)
def test_machine_output_says_the_same_and_is_harmless(value):
    for written in (to_json(value), to_json(value, indent=None)):
        assert json.loads(written) == value
        assert not CONTROL.search(written)
    assert yaml.safe_load(to_yaml(value)) == value
    assert not CONTROL.search(to_yaml(value))


def test_what_people_write_stays_readable():
    assert safe("Jürgen 東京 – ok") == "Jürgen 東京 – ok"
    assert to_yaml({"name": "Jürgen"}) == "name: Jürgen\n"
    assert text({"b": [1, 2], "a": None}) == "a=,b=1,2"


@pytest.mark.parametrize("output", ["table", "wide", "name", "json", "yaml"])
def test_a_hostile_item_is_harmless_in_every_format(capsys, output):
    item = {"name": "x\x1b]52;c;aGk=\x07\x9b2J\u202e\r\n"}
    show_list([item], output=output, columns=[Column(title="NAME", value=lambda i: i["name"])])
    assert not CONTROL.search(capsys.readouterr().out)


def test_an_empty_table_prints_nothing_on_stdout(capsys):
    show_list([], output="table", columns=[Column(title="NAME", value=lambda i: i)])
    assert capsys.readouterr() == ("", "nothing found\n")
