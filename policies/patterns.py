"""Names as roles write them: a literal, a glob with `*`, or `^regex$` over the whole value.

A value taken from a trait is compared as it is: a star or a dot in it is a star or a dot, so that
nobody widens a role by what an identity provider says about him.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from policies import regex
from policies.errors import SyntaxProblem

MAX_LENGTH = 1024

Match = Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A compiled name; `literal` is set when only one value matches, `is_any` when all do."""

    source: str
    match: Match
    literal: str | None = None
    is_any: bool = False


def is_regex(source: str) -> bool:
    """Whether the text is a regular expression: it begins with ^ and ends with $."""
    return len(source) > 1 and source[0] == "^" and source[-1] == "$"


def compile_pattern(source: str) -> Pattern:
    """Read a literal, a glob or a regular expression; raises SyntaxProblem."""
    return compose(source, None, "")


@lru_cache(8192)
def compose(prefix: str, value: str | None, suffix: str) -> Pattern:
    """Read prefix + value + suffix, where only prefix and suffix have special characters."""
    source = prefix + (value or "") + suffix
    if len(source) > MAX_LENGTH:
        raise SyntaxProblem(
            f"a pattern has at most {MAX_LENGTH} characters, this has {len(source)}"
        )
    whole = prefix + suffix
    if is_regex(whole):
        text = prefix + regex.escape(value or "") + suffix
        return Pattern(source=source, match=regex.compile(text[1:-1]).fullmatch)
    if whole.startswith("^"):
        raise SyntaxProblem(f"{source!r} begins with ^: a regular expression also ends with $")
    before, after = prefix.split("*"), suffix.split("*")
    return _glob(source, [*before[:-1], before[-1] + (value or "") + after[0], *after[1:]])


def _glob(source: str, chunks: list[str]) -> Pattern:
    """The texts between the stars, matched left to right: linear, nothing to blow up."""
    if len(chunks) == 1:
        return Pattern(source=source, match=chunks[0].__eq__, literal=chunks[0])
    head, tail = chunks[0], chunks[-1]
    middle = tuple(chunk for chunk in chunks[1:-1] if chunk)
    if not head and not tail and not middle:
        return Pattern(source=source, match=_anything, is_any=True)
    shortest = len(head) + len(tail)

    def match(value: str) -> bool:
        if len(value) < shortest or not value.startswith(head) or not value.endswith(tail):
            return False
        position, end = len(head), len(value) - len(tail)
        for chunk in middle:
            found = value.find(chunk, position, end)
            if found < 0:
                return False
            position = found + len(chunk)
        return True

    return Pattern(source=source, match=match)


def _anything(value: str) -> bool:  # noqa: ARG001 - the shape of a matcher
    return True


ANY = Pattern(source="*", match=_anything, is_any=True)
NOTHING = compile_pattern("")
