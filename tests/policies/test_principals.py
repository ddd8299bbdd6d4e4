import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.principals import Principals, fault, foreign_fault
from policies.templates import parse_template


@given(st.text(max_size=30))
def test_what_passes_is_one_header_value_that_arrives_unchanged(value):
    if fault(value) is None:
        assert value.encode("ascii").decode() == value.strip(" \t") == value
        assert not set(value) & set("\r\n\0")


@pytest.mark.parametrize(
    "value",
    ["", "a\r\nb", "a\nb", "a\0b", "a\x7fb", "a\x1bb", "ü", "а", " a", "a ", "\ta", "a" * 1025],
)
def test_illegal_header_text_is_refused(value):
    assert fault(value) is not None


@pytest.mark.parametrize("value", ["system:masters", "system:", "system:node:x", "*"])
def test_reserved_names_are_refused_from_traits_only(value):
    assert foreign_fault(value) is not None
    assert fault(value) is None


def test_ten_thousand_traits_are_expanded_once():
    template = parse_template("{{external.groups}}")
    principals = Principals((), (template,))
    values = tuple(f"g{number}" for number in range(10_000))
    first = principals.expand({"groups": values}.__getitem__)
    assert len(first.entries) == 10_000
    assert principals.expand({"groups": values}.__getitem__) is first


def test_what_is_kept_for_persons_is_bounded():
    principals = Principals((), (parse_template("{{external.g}}"),))
    for number in range(1000):
        principals.expand(lambda _, n=number: (str(n),))
    assert len(principals.bound) <= 256


def test_a_refused_value_is_reported_in_a_form_that_is_safe_to_print():
    principals = Principals((), (parse_template("{{external.g}}"),))
    dropped = principals.expand(lambda _: ("x\r\n\x1b[31m" + "y" * 500,)).dropped
    assert len(dropped) == 1
    assert dropped[0].isprintable()
    assert len(dropped[0]) < 250
