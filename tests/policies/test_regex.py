import contextlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies import regex
from policies.errors import EvaluationError, SyntaxProblem

atoms = st.sampled_from(["a", "b", "c", ".", "[ab]", "[^a]", "[a-c]", r"\d", r"\w", r"\.", "-"])


def compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    group = inner.map(lambda text: f"({text})")
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("|".join).map(lambda text: f"(?:{text})"),
        st.tuples(group, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{2,}"])).map("".join),
    )


patterns = st.recursive(atoms, compound, max_leaves=6)


@settings(max_examples=300, deadline=None)
@given(patterns, st.text("abc1-.\n", max_size=8))
def test_agrees_with_python_where_python_does_not_blow_up(pattern, value):
    expected = re.compile(pattern, re.ASCII).fullmatch(value) is not None
    assert regex.compile(pattern).fullmatch(value) is expected


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=20))
def test_an_escaped_text_matches_itself_and_nothing_else(text):
    automaton = regex.compile(regex.escape(text))
    assert automaton.fullmatch(text)
    assert not automaton.fullmatch(text + "x")


@settings(max_examples=300, deadline=None)
@given(st.text("ab()[]{}*+?|\\^$.-,0123:=!<P>", max_size=12))
def test_any_text_is_a_pattern_or_a_syntax_problem(text):
    with contextlib.suppress(SyntaxProblem):
        regex.compile(text).fullmatch("ab")


@pytest.mark.parametrize(
    "pattern",
    [
        "(?=a)b",
        "(?!a)b",
        "(?<=a)b",
        "(?<!a)b",
        r"(a)\1",
        "a**",
        "a++",
        "(?P=x)",
        r"\bweb",
        r"\pL",
        "(",
        ")",
        "[a",
        "a{2",
        "a{2001}",
        "a{3,1}",
        "*a",
        "x(?i)y",
        "[z-a]",
        "[[:nope:]]",
        "\\",
        "((((a{100}){100}){100}){100})",
        "(" * 60 + ")" * 60,
    ],
)
def test_what_backtracks_or_grows_is_refused(pattern):
    with pytest.raises(SyntaxProblem):
        regex.compile(pattern)


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+b", "(a*)*b", "(a|a)*b", "(a|aa)+b", ".*.*.*.*.*.*b", "(.*a){12}b", "(a?){60}a{60}b"],
)
def test_catastrophic_patterns_answer_in_linear_time(pattern):
    """Each of these holds Python's own engine for longer than anybody lives."""
    assert not regex.compile(pattern).fullmatch("a" * 4000)


def test_empty_groups_with_counts_do_not_count_to_a_milliard():
    assert regex.compile("(?:(?:(?:){1000}){1000}){1000}").fullmatch("")


def test_an_absurdly_long_value_cannot_be_judged():
    with pytest.raises(EvaluationError):
        regex.compile("a*").fullmatch("a" * 5000)


def test_many_states_are_forgotten_rather_than_kept():
    automaton = regex.compile("(a|b)*a(a|b){12}")
    for number in range(1500):
        value = f"{number:013b}".replace("0", "a").replace("1", "b") * 3
        assert automaton.fullmatch(value) is (value[-13] == "a")
    assert len(automaton._states) <= 501


def test_case_is_ignored_on_demand():
    assert regex.compile("(?i)abc[x-z]").fullmatch("aBCY")
    assert not regex.compile("abc").fullmatch("aBC")


def test_a_dot_reads_no_newline_and_the_end_is_the_end():
    assert not regex.compile("a.").fullmatch("a\n")
    assert regex.compile("(?s)a.").fullmatch("a\n")
    assert not regex.compile("a$").fullmatch("a\n")


@pytest.mark.parametrize(
    ("pattern", "value", "parts", "expected"),
    [
        ("^(.*)@acme.com$", "bob@acme.com", (1,), "bob"),
        ("a*", "baac", ("x",), "xbxcx"),
        ("a+?", "aa", ("x",), "xx"),
        ("(a)|(b)", "ab", (1, "-", 2, ";"), "a-;-b;"),
        ("(?P<x>[0-9]+)", "a12b3", ("<", 1, ">"), "a<12>b<3>"),
        ("z", "abc", ("x",), None),
    ],
)
def test_replace_does_what_go_does(pattern, value, parts, expected):
    assert regex.compile(pattern).replace(value, parts) == expected


@settings(max_examples=200, deadline=None)
@given(patterns, st.text("abc1-.", max_size=8))
def test_replace_finds_what_python_finds(pattern, value):
    found = re.compile(pattern, re.ASCII).search(value)
    answer = regex.compile(pattern).replace(value, ("",))
    assert (answer is None) is (found is None)


def test_replacing_has_a_budget():
    with pytest.raises(EvaluationError):
        regex.compile("(a?){60}(.*x)?").replace("a" * 4000, ("",))
