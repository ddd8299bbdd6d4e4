"""From the tree of a regular expression to the instructions that automaton.py runs."""

from dataclasses import dataclass

from policies.automaton import Begin, End, Instruction, Jump, OneOf, Save, Split
from policies.errors import SyntaxProblem

MAX_PROGRAM = 1000


@dataclass(frozen=True, slots=True)
class Sequence:
    """Parts one after another."""

    parts: "tuple[Tree, ...]"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several; the first is preferred."""

    options: "tuple[Tree, ...]"


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part from `least` to `most` times (None is without end)."""

    part: "Tree"
    least: int
    most: int | None
    lazy: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A part whose place is noted under a number."""

    part: "Tree"
    number: int


Tree = Sequence | Choice | Repeat | Group | OneOf | Begin | End


def emit(tree: Tree, out: list[Instruction]) -> None:
    """Append the instructions of a tree (Thompson's construction); raises SyntaxProblem."""
    if len(out) > MAX_PROGRAM:
        raise SyntaxProblem("the regular expression is too large once its counts are written out")
    match tree:
        case Sequence(parts):
            for part in parts:
                emit(part, out)
        case Choice(options):
            _emit_choice(options, out)
        case Repeat():
            _emit_repeat(tree, out)
        case Group(part, number):
            out.append(Save(2 * number))
            emit(part, out)
            out.append(Save(2 * number + 1))
        case _:
            out.append(tree)


def _emit_choice(options: tuple[Tree, ...], out: list[Instruction]) -> None:
    exits = []
    for option in options[:-1]:
        split = len(out)
        out.append(Split(split + 1, 0))
        emit(option, out)
        exits.append(len(out))
        out.append(Jump(0))
        out[split] = Split(split + 1, len(out))
    emit(options[-1], out)
    for place in exits:
        out[place] = Jump(len(out))


def _emit_repeat(tree: Repeat, out: list[Instruction]) -> None:
    for _ in range(tree.least):
        before = len(out)
        emit(tree.part, out)
        if len(out) == before:  # an empty group: (?:(?:){1000}){1000} must not count to a million
            return
    if tree.most is None:
        split = len(out)
        out.append(Split(0, 0))
        emit(tree.part, out)
        out.append(Jump(split))
        out[split] = _split(split + 1, len(out), lazy=tree.lazy)
        return
    splits = []
    for _ in range(tree.most - tree.least):
        splits.append(len(out))
        out.append(Split(0, 0))
        emit(tree.part, out)
    for place in splits:
        out[place] = _split(place + 1, len(out), lazy=tree.lazy)


def _split(first: int, second: int, *, lazy: bool) -> Split:
    return Split(second, first) if lazy else Split(first, second)
