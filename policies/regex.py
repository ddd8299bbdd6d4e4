"""Regular expressions that take linear time, in the syntax of RE2.

Python's `re` backtracks: one unlucky pattern of an admin and one patient value of a stranger hold
the server for minutes. Refusing nested quantifiers does not help enough (`.*.*.*.*x` is
polynomial), and an extension module would end "standard library only". So roles' patterns run on a
lazily built automaton (automaton.py); what only backtracking can do (look-around,
back-references) is refused, as RE2 does (https://github.com/google/re2/wiki/Syntax).
"""

from policies.automaton import Automaton, Begin, End, Instruction, Match, OneOf, Ranges, Save
from policies.errors import SyntaxProblem
from policies.program import Choice, Group, Repeat, Sequence, Tree, emit

MAX_REPEAT = 1000
MAX_DEPTH = 50
LAST = 0x10FFFF

_DIGIT: Ranges = ((48, 57),)
_WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: Ranges = ((9, 10), (12, 13), (32, 32))
_CLASSES: dict[str, Ranges] = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_POSIX: dict[str, Ranges] = {
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "digit": _DIGIT,
    "lower": ((97, 122),),
    "upper": ((65, 90),),
    "space": ((9, 13), (32, 32)),
    "word": _WORD,
    "xdigit": ((48, 57), (65, 70), (97, 102)),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
}
_CONTROL = {"n": 10, "t": 9, "r": 13, "f": 12, "v": 11, "a": 7}
_SPECIAL = frozenset("\\.+*?()|[]{}^$-")


def escape(text: str) -> str:
    """The pattern that matches exactly this text."""
    return "".join("\\" + letter if letter in _SPECIAL else letter for letter in text)


def compile(source: str) -> Automaton:  # noqa: A001 - the word of every regular expression module
    """Read a pattern; raises SyntaxProblem for what RE2 refuses and for what grows too large."""
    reader = _Reader(source)
    tree = reader.alternatives()
    if reader.position < len(source):
        raise SyntaxProblem(f"unbalanced ) in regular expression {source!r}")
    program: list[Instruction] = [Save(0)]
    emit(tree, program)
    program += [Save(1), Match()]
    return Automaton(source, tuple(program), reader.names)


class _Reader:
    """Recursive descent over the pattern's characters."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.position = self.depth = self.groups = 0
        self.fold = self.dot_all = False
        self.names: dict[str, int] = {}

    def problem(self, message: str) -> SyntaxProblem:
        return SyntaxProblem(f"{message} in regular expression {self.source!r}")

    def peek(self, count: int = 1) -> str:
        return self.source[self.position : self.position + count]

    def take(self) -> str:
        if self.position >= len(self.source):
            raise self.problem("unexpected end")
        self.position += 1
        return self.source[self.position - 1]

    def alternatives(self) -> Tree:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.problem("groups nested too deep")
        options = [self.sequence()]
        while self.peek() == "|":
            self.take()
            options.append(self.sequence())
        self.depth -= 1
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def sequence(self) -> Tree:
        parts: list[Tree] = []
        while self.peek() not in ("", "|", ")"):
            parts.append(self.repeated())
        return Sequence(tuple(parts))

    def repeated(self) -> Tree:
        part = self.atom()
        count = self.count()
        if count is None:
            return part
        lazy = self.peek() == "?"
        if lazy:
            self.take()
        if self.peek() in ("*", "+", "?") and self.peek():
            raise self.problem("one quantifier after another")
        return Repeat(part, count[0], count[1], lazy)

    def count(self) -> tuple[int, int | None] | None:
        sign = self.peek()
        simple: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        if sign in simple:
            self.take()
            return simple[sign]
        if sign != "{":
            return None
        end = self.source.find("}", self.position)
        low, comma, high = self.source[self.position + 1 : max(end, 0)].partition(",")
        if end < 0 or not _number(low) or (high and not _number(high)):
            raise self.problem("a { that is no count (write \\{ for the character)")
        self.position = end + 1
        least = int(low)
        most = (int(high) if high else None) if comma else least
        if max(least, most or 0) > MAX_REPEAT or (most is not None and most < least):
            raise self.problem(f"a count outside 0 to {MAX_REPEAT}")
        return least, most

    def atom(self) -> Tree:
        letter = self.take()
        if letter in "*+?{":
            raise self.problem(f"nothing to repeat before {letter!r}")
        readers = {"(": self.group, "[": self.bracket, "\\": self.escaped}
        if letter in readers:
            return readers[letter]()
        any_letter = OneOf(((0, LAST),) if self.dot_all else ((0, 9), (11, LAST)))
        special: dict[str, Tree] = {".": any_letter, "^": Begin(), "$": End()}
        return special.get(letter) or self.one(((ord(letter), ord(letter)),))

    def group(self) -> Tree:
        number = 0
        if self.peek() != "?":
            number = self.groups = self.groups + 1
        elif self.peek(2) == "?:":
            self.position += 2
        elif self.peek(2) == "?<" and self.peek(3) not in ("?<=", "?<!"):
            number = self.named(2)
        elif self.peek(3) == "?P<":
            number = self.named(3)
        else:
            return self.flags()
        inner = self.alternatives()
        if self.peek() != ")":
            raise self.problem("missing )")
        self.take()
        return Group(inner, number) if number else inner

    def named(self, skip: int) -> int:
        end = self.source.find(">", self.position)
        name = self.source[self.position + skip : max(end, 0)]
        if not name.isidentifier() or name in self.names:
            raise self.problem("a group needs a name of its own")
        self.position = end + 1
        self.groups += 1
        self.names[name] = self.groups
        return self.groups

    def flags(self) -> Tree:
        end = self.source.find(")", self.position)
        letters = self.source[self.position + 1 : max(end, 0)]
        if not letters or set(letters) - set("is") or self.position != 1:
            raise self.problem("look-around, back-references and late flags are not supported")
        self.fold, self.dot_all = "i" in letters, "s" in letters
        self.position = end + 1
        return Sequence(())

    def escaped(self) -> Tree:
        letter = self.take()
        if letter == "A":
            return Begin()
        if letter == "z":
            return End()
        ranges = self.shorthand(letter)
        return OneOf(ranges) if ranges else self.one(((self.code(letter),) * 2,))

    def shorthand(self, letter: str) -> Ranges:
        ranges = _CLASSES.get(letter.lower(), ()) if letter in "dDwWsS" else ()
        return _complement(ranges) if ranges and letter.isupper() else ranges

    def code(self, letter: str) -> int:
        if letter == "x":
            digits = self.source[self.position : self.position + 2]
            if len(digits) < 2 or set(digits) - set("0123456789abcdefABCDEF"):
                raise self.problem("\\x needs two hexadecimal digits")
            self.position += 2
            return int(digits, 16)
        if letter.isalnum() and letter not in _CONTROL:
            raise self.problem(f"\\{letter} is not supported")
        return _CONTROL.get(letter, ord(letter))

    def bracket(self) -> Tree:
        negated = self.peek() == "^"
        if negated:
            self.take()
        ranges: list[tuple[int, int]] = []
        first = True
        while first or self.peek() != "]":
            first = False
            ranges += self.member()
        self.take()
        node = self.one(tuple(ranges))
        return OneOf(_complement(node.ranges)) if negated else node

    def member(self) -> Ranges:
        if self.peek(2) == "[:":
            end = self.source.find(":]", self.position)
            name = self.source[self.position + 2 : max(end, 0)]
            if name not in _POSIX:
                raise self.problem("an unknown [:class:]")
            self.position = end + 2
            return _POSIX[name]
        low = self.take()
        if low == "\\":
            low = self.take()
            ranges = self.shorthand(low)
            if ranges:
                return ranges
            start = self.code(low)
        else:
            start = ord(low)
        if self.peek() != "-" or self.peek(2) == "-]":
            return ((start, start),)
        self.take()
        high = self.take()
        stop = self.code(self.take()) if high == "\\" else ord(high)
        if stop < start:
            raise self.problem("a range that runs backwards")
        return ((start, stop),)

    def one(self, ranges: Ranges) -> OneOf:
        if not self.fold:
            return OneOf(ranges)
        lower, upper = (65, 90), (97, 122)
        more = [_shift(part, lower, 32) for part in ranges] + [
            _shift(part, upper, -32) for part in ranges
        ]
        return OneOf((*ranges, *(part for part in more if part)))


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 5


def _shift(part: tuple[int, int], within: tuple[int, int], by: int) -> tuple[int, int] | tuple[()]:
    """The ASCII letters of a range in the other case."""
    low, high = max(part[0], within[0]), min(part[1], within[1])
    return (low + by, high + by) if low <= high else ()


def _complement(ranges: Ranges) -> Ranges:
    out, start = [], 0
    for low, high in sorted(ranges):
        if low > start:
            out.append((start, low - 1))
        start = max(start, high + 1)
    return (*out, (start, LAST)) if start <= LAST else tuple(out)
