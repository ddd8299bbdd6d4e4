import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import SyntaxProblem
from policies.syntax import Call, Name, Text, parse


def test_brackets_and_dots_name_the_same():
    assert parse('labels["env"]') == parse("labels.env") == Name(("labels", "env"))


def test_and_binds_closer_than_or_and_not_closest():
    a, b, c = (Name((letter,)) for letter in "abc")
    assert parse("a || b && !c") == Call("or", (a, Call("and", (b, Call("not", (c,))))))
    assert parse("a or b and not c") == parse("a || b && !c")


def test_strings_keep_the_backslashes_of_regular_expressions():
    assert parse(r'"a\.b"') == Text(r"a\.b")
    assert parse(r'"say \"x\""') == Text('say "x"')
    assert parse(r"`a\.b`") == Text(r"a\.b")


@given(st.text("ab.()[]\"'!&|= ,", max_size=30))
def test_any_text_is_an_expression_or_a_syntax_problem(source):
    with contextlib.suppress(SyntaxProblem):
        parse(source)


@pytest.mark.parametrize(
    "source",
    ["", "a b", "a ==", "(a", "a)", "a.", "a[b]", 'a["b"', "f(a", "f(a,)", "a & b", '"open'],
)
def test_problems_name_the_column(source):
    with pytest.raises(SyntaxProblem, match="column"):
        parse(source)


def test_depth_and_length_are_bounded():
    for source in ("(" * 500 + "a" + ")" * 500, "a" * 5000, "f(" * 100 + "a" + ")" * 100):
        with pytest.raises(SyntaxProblem):
            parse(source)


def test_a_long_chain_is_flat():
    assert len(parse(" || ".join(["a"] * 500)).arguments) == 500
