"""The little language inside `{{...}}`, label expressions and `where`: text to tree, never eval.

::

    or    = and { ("||" | "or") and }           and  = not { ("&&" | "and") not }
    not   = ("!" | "not") not | compare         compare = term [ ("==" | "!=") term ]
    term  = "(" or ")" | string | name [ "(" [ or { "," or } ] ")" ]
    name  = word { "." word | "[" string "]" }
"""

import re
from dataclasses import dataclass

from policies.errors import SyntaxProblem

MAX_LENGTH = 4096
MAX_DEPTH = 40

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)"""
    r"""|(?P<word>[A-Za-z_][A-Za-z0-9_-]*)|(?P<sign>&&|\|\||==|!=|[!()\[\].,]))"""
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted string."""

    value: str


@dataclass(frozen=True, slots=True)
class Name:
    """A dotted name; `labels["env"]` and `labels.env` are both ("labels", "env")."""

    parts: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments; and, or, not, == and != are functions too."""

    function: str
    arguments: tuple["Node", ...]


Node = Text | Name | Call


def parse(source: str) -> Node:
    """Read one expression; raises SyntaxProblem that names the place."""
    if len(source) > MAX_LENGTH:
        raise SyntaxProblem(f"an expression has at most {MAX_LENGTH} characters")
    parser = _Parser(source)
    node = parser.either()
    if parser.kind:
        raise parser.problem("expected the end")
    return node


class _Parser:
    """Recursive descent with one token of look-ahead."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.position = self.start = 0
        self.depth = 0
        self.kind = self.token = ""
        self.advance()

    def problem(self, message: str) -> SyntaxProblem:
        got = f"{self.token!r}" if self.kind else "nothing more"
        return SyntaxProblem(f"{message} at column {self.start + 1}, got {got}")

    def advance(self) -> str:
        last = self.token
        rest = self.source[self.position :]
        self.start = self.position + len(rest) - len(rest.lstrip())
        if not rest.strip():
            self.kind = self.token = ""
            return last
        found = _TOKEN.match(self.source, self.position)
        if not found:
            raise SyntaxProblem(f"unreadable at column {self.start + 1}: {rest.strip()[:12]!r}")
        self.kind = found.lastgroup or ""
        self.token = found[self.kind]
        self.position = found.end()
        return last

    def takes(self, *tokens: str) -> bool:
        if self.kind == "string" or self.token not in tokens:
            return False
        self.advance()
        return True

    def expect(self, token: str) -> None:
        if not self.takes(token):
            raise self.problem(f"expected {token!r}")

    def either(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise SyntaxProblem(f"nested deeper than {MAX_DEPTH}")
        nodes = [self.both()]
        while self.takes("||", "or"):
            nodes.append(self.both())
        self.depth -= 1
        return Call("or", tuple(nodes)) if len(nodes) > 1 else nodes[0]

    def both(self) -> Node:
        nodes = [self.negation()]
        while self.takes("&&", "and"):
            nodes.append(self.negation())
        return Call("and", tuple(nodes)) if len(nodes) > 1 else nodes[0]

    def negation(self) -> Node:
        negations = 0
        while self.takes("!", "not"):
            negations += 1
        node = self.compare()
        return Call("not", (node,)) if negations % 2 else node

    def compare(self) -> Node:
        node = self.term()
        if self.takes("=="):
            return Call("==", (node, self.term()))
        if self.takes("!="):
            return Call("!=", (node, self.term()))
        return node

    def term(self) -> Node:
        if self.takes("("):
            node = self.either()
            self.expect(")")
            return node
        if self.kind == "string":
            return Text(_unquote(self.advance()))
        if self.kind != "word":
            raise self.problem("expected a name or a string")
        name = self.name()
        if not self.takes("("):
            return name
        arguments: list[Node] = []
        while not self.takes(")"):
            if arguments:
                self.expect(",")
            arguments.append(self.either())
        return Call(str(name), tuple(arguments))

    def name(self) -> Name:
        parts = [self.advance()]
        while True:
            if self.takes("."):
                if self.kind != "word":
                    raise self.problem("expected a name after the dot")
                parts.append(self.advance())
            elif self.takes("["):
                if self.kind != "string":
                    raise self.problem("expected a string in brackets")
                parts.append(_unquote(self.advance()))
                self.expect("]")
            else:
                return Name(tuple(parts))


def _unquote(token: str) -> str:
    if token[0] == "`":
        return token[1:-1]
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], _keep(found[1])), token[1:-1])


def _keep(character: str) -> str:
    # Only a quote or a backslash loses its backslash: "\." in a regular expression stays "\.".
    return character if character in "\"'\\" else "\\" + character
