"""Label expressions and `where`: a tree from syntax.py, checked by type and turned into closures.

Every name and function is known when the role is read, so a role that parses can be judged; what
remains for later is a value that a regular expression cannot take (EvaluationError, which denies).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from policies import syntax
from policies.errors import EvaluationError, SyntaxProblem
from policies.patterns import compile_pattern
from policies.templates import email_local, replacer

Kind = Literal["bool", "text", "list"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What an expression can see; `context` holds what the API knows of the thing asked about."""

    user: str
    traits: Mapping[str, tuple[str, ...]]
    labels: Mapping[str, str]
    context: Mapping[str, tuple[str, ...]]


# Everything is evaluated to a tuple of texts; a truth is ("true",) or ().
Values = tuple[str, ...]
Run = Callable[[Scope], Values]
_TRUE: Values = ("true",)
_FALSE: Values = ()


@dataclass(frozen=True, slots=True)
class _Typed:
    kind: Kind
    run: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A condition ready to be judged."""

    source: str
    run: Run

    def holds(self, scope: Scope) -> bool:
        """Judge it; raises EvaluationError."""
        return bool(self.run(scope))


LABEL_NAMES = frozenset({"labels", "user"})
CONTEXT: dict[str, Kind] = {
    "resource.kind": "text",
    "resource.metadata.name": "text",
    "session.participants": "list",
    "session.user": "text",
}
WHERE_NAMES = frozenset({"user", "resource", "session"})


def compile_expression(source: str, *, names: frozenset[str] = LABEL_NAMES) -> Expression:
    """Read a condition; raises SyntaxProblem."""
    typed = _Compiler(names).compile(syntax.parse(source))
    return Expression(source=source, run=_expect(typed, "bool", "the expression"))


def _expect(typed: _Typed, kind: Kind, what: str) -> Run:
    if typed.kind != kind:
        raise SyntaxProblem(f"{what} is a {typed.kind}, not a {kind}")
    return typed.run


def _truth(*, answer: bool) -> Values:
    return _TRUE if answer else _FALSE


class _Compiler:
    def __init__(self, names: frozenset[str]) -> None:
        self.names = names

    def compile(self, node: syntax.Node) -> _Typed:
        if isinstance(node, syntax.Text):
            value = (node.value,)
            return _Typed("text", lambda _: value)
        if isinstance(node, syntax.Name):
            return self.name(node.parts)
        return self.call(node)

    def call(self, node: syntax.Call) -> _Typed:
        match node.function:
            case "and" | "or" | "not":
                return self.logic(node)
            case "==" | "!=" | "equals":
                return self.equality(node)
            case "regexp.match" | "regexp.replace":
                return self.regexp(node)
            case "contains" | "contains_any" | "contains_all":
                return self.containment(node)
        return self.function(node)

    def name(self, parts: tuple[str, ...]) -> _Typed:
        if parts[0] not in self.names and parts not in (("true",), ("false",)):
            raise SyntaxProblem(f"{'.'.join(parts)!r} is unknown here")
        match parts:
            case ("true" | "false",):
                return _Typed("bool", lambda _: _truth(answer=parts == ("true",)))
            case ("labels", key):
                return _Typed("text", lambda scope: (scope.labels.get(key, ""),))
            case ("user", "spec", "traits", trait):
                return _Typed("list", lambda scope: scope.traits.get(trait, ()))
            case ("user", "metadata", "name"):
                return _Typed("text", lambda scope: (scope.user,))
            case ("resource" | "session", *_):
                return self.context(".".join(parts))
        raise SyntaxProblem(
            f"{'.'.join(parts)!r} is unknown; there are "
            'labels["..."], user.spec.traits["..."] and user.metadata.name'
        )

    def context(self, path: str) -> _Typed:
        if path not in CONTEXT:
            raise SyntaxProblem(f"{path!r} is unknown; there are {', '.join(CONTEXT)}")

        def run(scope: Scope) -> Values:
            if path not in scope.context:
                raise EvaluationError(f"{path} is not known for this request")
            return scope.context[path]

        return _Typed(CONTEXT[path], run)

    def logic(self, node: syntax.Call) -> _Typed:
        runs = [_expect(self.compile(part), "bool", "a condition") for part in node.arguments]
        if node.function == "not":
            return _Typed("bool", lambda scope: _truth(answer=not runs[0](scope)))
        if node.function == "and":
            return _Typed("bool", lambda scope: _truth(answer=all(run(scope) for run in runs)))
        return _Typed("bool", lambda scope: _truth(answer=any(run(scope) for run in runs)))

    def equality(self, node: syntax.Call) -> _Typed:
        left, right = self.pair(node)
        if "list" in (left.kind, right.kind) or left.kind != right.kind:
            raise SyntaxProblem(f"cannot compare a {left.kind} with a {right.kind}: use contains()")
        equal = node.function != "!="
        return _Typed(
            "bool", lambda scope: _truth(answer=(left.run(scope) == right.run(scope)) is equal)
        )

    def pair(self, node: syntax.Call) -> tuple[_Typed, _Typed]:
        if len(node.arguments) != 2:
            raise SyntaxProblem(f"{node.function} takes two arguments")
        return self.compile(node.arguments[0]), self.compile(node.arguments[1])

    def containment(self, node: syntax.Call) -> _Typed:
        whole, part = self.pair(node)
        if whole.kind != "list" or part.kind == "bool":
            raise SyntaxProblem(f"{node.function} takes a list first")
        if node.function == "contains":
            wanted = _expect(part, "text", "what contains() looks for")
            return _Typed("bool", lambda scope: _truth(answer=wanted(scope)[0] in whole.run(scope)))
        if node.function == "contains_any":
            return _Typed(
                "bool",
                lambda scope: _truth(
                    answer=not set(part.run(scope)).isdisjoint(whole.run(scope)),
                ),
            )
        # An empty list is contained in none: a missing trait must not open a door.
        return _Typed(
            "bool",
            lambda scope: _truth(
                answer=bool(part.run(scope)) and set(part.run(scope)) <= set(whole.run(scope)),
            ),
        )

    def regexp(self, node: syntax.Call) -> _Typed:
        match node.arguments:
            case (value, syntax.Text(pattern)) if node.function == "regexp.match":
                run, fits = self.strings(value).run, compile_pattern(pattern).match
                return _Typed(
                    "bool", lambda scope: _truth(answer=any(fits(item) for item in run(scope)))
                )
            case (value, syntax.Text(pattern), syntax.Text(text)):
                return self.each(value, replacer(pattern, text))
        raise SyntaxProblem(f'{node.function} takes a value and a "regular expression" in quotes')

    def strings(self, node: syntax.Node) -> _Typed:
        typed = self.compile(node)
        if typed.kind == "bool":
            raise SyntaxProblem("a text or a list is needed here")
        return typed

    def each(self, node: syntax.Node, change: Callable[[str], str | None]) -> _Typed:
        typed = self.strings(node)
        # A text stays a text, so that strings.lower(labels["env"]) can be compared.
        nothing = ("",) if typed.kind == "text" else ()

        def values(scope: Scope) -> Values:
            return tuple(new for item in typed.run(scope) if (new := change(item))) or nothing

        return _Typed(typed.kind, values)

    def function(self, node: syntax.Call) -> _Typed:
        match node:
            case syntax.Call("set", arguments):
                runs = [_expect(self.compile(item), "text", "a set's item") for item in arguments]
                return _Typed("list", lambda scope: tuple(run(scope)[0] for run in runs))
            case syntax.Call("labels_matching", (syntax.Text(pattern),)) if "labels" in self.names:
                fits = compile_pattern(pattern).match
                return _Typed(
                    "list",
                    lambda scope: tuple(value for key, value in scope.labels.items() if fits(key)),
                )
            case syntax.Call("is_empty", (value,)):
                run = _expect(self.compile(value), "list", "what is_empty() looks at")
                return _Typed("bool", lambda scope: _truth(answer=not run(scope)))
            case syntax.Call("email.local", (value,)):
                return self.each(value, email_local)
            case syntax.Call("strings.lower", (value,)):
                return self.each(value, str.lower)
            case syntax.Call("strings.upper", (value,)):
                return self.each(value, str.upper)
        raise SyntaxProblem(f"{node.function}() is unknown, or has other arguments")
