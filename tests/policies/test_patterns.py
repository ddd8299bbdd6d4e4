import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import SyntaxProblem
from policies.patterns import compile_pattern, compose


@given(st.text("ab.-", max_size=6), st.text("ab.-", max_size=6))
def test_a_literal_matches_only_itself(pattern, value):
    assert compile_pattern(pattern).match(value) is (pattern == value)


@given(st.text("ab*", max_size=8), st.text("ab", max_size=8))
def test_globs_agree_with_fnmatch(pattern, value):
    assert compile_pattern(pattern).match(value) is fnmatch.fnmatchcase(value, pattern)


@given(st.text(max_size=10), st.text(max_size=10))
def test_a_composed_value_stands_for_itself(value, other):
    pattern = compose("t-", value, "-*")
    assert pattern.match(f"t-{value}-x")
    assert pattern.match(f"t-{other}-x") is f"t-{other}-x".startswith(f"t-{value}-")


@given(st.text("a.*|()[]^$\\", min_size=1, max_size=8))
def test_a_value_within_a_regex_stands_for_itself(value):
    pattern = compose("^t-", value, "-[0-9]$")
    assert pattern.match(f"t-{value}-7")
    assert not pattern.match("t-b-7")


def test_question_marks_and_brackets_are_no_globs():
    assert not compile_pattern("a?").match("ab")
    assert not compile_pattern("[ab]").match("a")


@pytest.mark.parametrize("pattern", ["*", "**", "***"])
def test_stars_alone_are_anything(pattern):
    assert compile_pattern(pattern).is_any


def test_a_regex_matches_the_whole_value():
    assert compile_pattern("^a|b$").match("b")
    assert not compile_pattern("^a|b$").match("ab")
    assert not compile_pattern("^admin$").match("not-admin")


def test_half_a_regex_is_refused():
    with pytest.raises(SyntaxProblem, match="ends with"):
        compile_pattern("^admin")


def test_an_oversized_pattern_is_refused():
    with pytest.raises(SyntaxProblem, match="at most 1024"):
        compile_pattern("a" * 1025)


def test_a_glob_of_many_stars_is_quick():
    assert not compile_pattern("*a" * 500).match("a" * 499)
