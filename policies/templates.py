"""`{{external.team}}` in a role: what a person's traits put there.

A list-valued trait gives one value each, a missing trait gives nothing, a value that
regexp.replace does not match is dropped, and an empty value never comes out.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from policies import regex, syntax
from policies.errors import EvaluationError, SyntaxProblem

Traits = dict[str, tuple[str, ...]]
Values = tuple[str, ...]
Evaluate = Callable[["Lookup"], Values]
Lookup = Callable[[str], Values]

INTERNAL = ("kubernetes_groups", "kubernetes_users", "logins")


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """Text with one `{{...}}`; `traits` are the names it reads."""

    source: str
    prefix: str
    suffix: str
    traits: tuple[str, ...]
    evaluate: Evaluate

    def values(self, lookup: Lookup) -> Values:
        """What the braces give, without the text around; an unjudgeable value gives nothing."""
        try:
            return tuple(value for value in self.evaluate(lookup) if value)
        except EvaluationError:
            return ()

    def expand(self, lookup: Lookup) -> Values:
        """The full texts, one for each value."""
        return tuple(f"{self.prefix}{value}{self.suffix}" for value in self.values(lookup))


def parse_template(source: str) -> Template | None:
    """Read a text that may hold one template; None when it holds none; raises SyntaxProblem."""
    start, end = source.find("{{"), source.rfind("}}")
    if start < 0 and end < 0:
        return None
    inner = source[start + 2 : end]
    if start < 0 or end < start or "{{" in inner or "}}" in inner:
        raise SyntaxProblem(f"{source!r} needs exactly one {{{{...}}}}")
    tree = syntax.parse(inner)
    names: list[str] = []
    evaluate = _compile(tree, names)
    return Template(
        source=source,
        prefix=source[:start],
        suffix=source[end + 2 :],
        traits=tuple(dict.fromkeys(names)),
        evaluate=evaluate,
    )


def _compile(tree: syntax.Node, names: list[str]) -> Evaluate:
    match tree:
        case syntax.Name(parts):
            trait = _trait(parts)
            names.append(trait)
            return lambda lookup: lookup(trait)
        case syntax.Text(value):
            return lambda _: (value,)
        case syntax.Call("email.local", (argument,)):
            return mapped(_compile(argument, names), email_local)
        case syntax.Call("strings.lower", (argument,)):
            return mapped(_compile(argument, names), str.lower)
        case syntax.Call("strings.upper", (argument,)):
            return mapped(_compile(argument, names), str.upper)
        case syntax.Call("regexp.replace", (argument, syntax.Text(pattern), syntax.Text(text))):
            return mapped(_compile(argument, names), replacer(pattern, text))
    raise SyntaxProblem(
        "a template is external.<trait>, internal.<trait>, email.local(x), "
        'strings.lower(x), strings.upper(x) or regexp.replace(x, "regex", "text")'
    )


def _trait(parts: tuple[str, ...]) -> str:
    match parts:
        case ("external", name):
            return name
        case ("internal", name) if name in INTERNAL:
            return name
        case ("internal", name):
            raise SyntaxProblem(f"internal.{name} is unknown; there are {', '.join(INTERNAL)}")
    raise SyntaxProblem(f"{'.'.join(parts)!r} is unknown; write external.<trait>")


def mapped(evaluate: Evaluate, change: Callable[[str], str | None]) -> Evaluate:
    """Apply a function to each value; what it answers None or nothing for is dropped."""

    def values(lookup: Lookup) -> Values:
        return tuple(_changed(evaluate(lookup), change))

    return values


def _changed(values: Values, change: Callable[[str], str | None]) -> Iterator[str]:
    for value in values:
        try:
            new = change(value)
        except EvaluationError:
            continue
        if new:
            yield new


def email_local(value: str) -> str | None:
    """The part before the @ of one plain address; anything else is dropped."""
    local, at, domain = value.strip().rpartition("@")
    if not (local and at and domain) or "@" in local or set(local) & set(' "<>,;'):
        return None
    return local


def replacer(pattern: str, text: str) -> Callable[[str], str | None]:
    """`regexp.replace` as Go does it: `$1`, `${1}`, `${name}`, `$$`; raises SyntaxProblem."""
    automaton = regex.compile(pattern)
    parts = _replacement(text, automaton.names)
    return lambda value: automaton.replace(value, parts)


def _replacement(text: str, names: dict[str, int]) -> tuple[str | int, ...]:
    parts: list[str | int] = []
    while text:
        before, dollar, text = text.partition("$")
        parts.append(before)
        if not dollar:
            break
        if text.startswith("$"):
            parts.append("$")
            text = text[1:]
            continue
        name, text = _reference(text)
        # Go gives "" for `$1x`, the group called 1x: surely a slip, so it is refused.
        if not name.isdigit() and name not in names:
            raise SyntaxProblem(f"${name} is no group (write ${{1}}x for group 1 before an x)")
        parts.append(int(name) if name.isdigit() else names[name])
    return tuple(parts)


def _reference(text: str) -> tuple[str, str]:
    if text.startswith("{"):
        name, brace, rest = text[1:].partition("}")
        return (name if brace else "", rest)
    length = 0
    while length < len(text) and (text[length].isalnum() or text[length] == "_"):
        length += 1
    return text[:length], text[length:]
