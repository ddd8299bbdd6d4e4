"""Runs a compiled regular expression in time linear in the value: no backtracking.

Matching builds a deterministic automaton as values come by (Thompson, 1968); replacing needs groups
and therefore walks all threads side by side with a budget of steps (Pike; the algorithms are told
at https://swtch.com/~rsc/regexp/regexp2.html). Caches are bounded and hold no state that an answer
depends on.
"""

from dataclasses import dataclass

from policies.errors import EvaluationError

MAX_VALUE = 4096
MAX_STATES = 500
MAX_REMEMBERED = 2048
MAX_STEPS = 100_000

Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class OneOf:
    """Reads one character within the inclusive ranges of code points."""

    ranges: Ranges

    def reads(self, character: str) -> bool:
        """Whether the character is one of them."""
        code = ord(character)
        return any(low <= code <= high for low, high in self.ranges)


@dataclass(frozen=True, slots=True)
class Split:
    """Goes on at both places; `first` is preferred."""

    first: int
    second: int


@dataclass(frozen=True, slots=True)
class Jump:
    """Goes on elsewhere."""

    to: int


@dataclass(frozen=True, slots=True)
class Save:
    """Notes the position: the start or end of a group."""

    slot: int


@dataclass(frozen=True, slots=True)
class Begin:
    """Holds at the start of the value only."""


@dataclass(frozen=True, slots=True)
class End:
    """Holds at the end of the value only."""


@dataclass(frozen=True, slots=True)
class Match:
    """Done."""


Instruction = OneOf | Split | Jump | Save | Begin | End | Match


class _State:
    """Places where the automaton may be, and where each character leads."""

    __slots__ = ("accepts", "next", "places")

    def __init__(self, places: frozenset[int], *, accepts: bool) -> None:
        self.places = places
        self.accepts = accepts
        self.next: dict[str, _State] = {}


class Automaton:
    """A regular expression ready to run; `fullmatch` is what patterns use."""

    __slots__ = ("_program", "_remembered", "_start", "_states", "names", "source")

    def __init__(
        self, source: str, program: tuple[Instruction, ...], names: dict[str, int]
    ) -> None:
        self.source = source
        self.names = names
        self._program = program
        self._remembered: dict[str, bool] = {}
        self._states: dict[frozenset[int], _State] = {}
        self._start = self._state(self._closure({0}, begin=True))

    def __repr__(self) -> str:
        return f"Automaton({self.source!r})"

    def fullmatch(self, value: str) -> bool:
        """Whether the whole value matches; raises EvaluationError for an absurdly long value."""
        known = self._remembered.get(value)
        if known is None:
            known = self._run(value)
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[value] = known
        return known

    def _run(self, value: str) -> bool:
        if len(value) > MAX_VALUE:
            raise EvaluationError(f"a value of {len(value)} characters meets a regular expression")
        state = self._start
        for character in value:
            following = state.next.get(character)
            if following is None:
                following = self._step(state, character)
            state = following
            if not state.places:
                return False
        return state.accepts

    def _step(self, state: _State, character: str) -> _State:
        program = self._program
        reached = set()
        for place in state.places:
            node = program[place]
            if isinstance(node, OneOf) and node.reads(character):
                reached.add(place + 1)
        if len(self._states) >= MAX_STATES:
            self._states.clear()  # the states themselves go with the last reference to them
            state.next = {}
            self._start.next = {}
        following = self._state(self._closure(reached))
        if len(state.next) < MAX_STATES:
            state.next[character] = following
        return following

    def _state(self, places: frozenset[int]) -> _State:
        known = self._states.get(places)
        if known is None:
            done = self._closure(set(places), end=True)
            accepts = any(isinstance(self._program[place], Match) for place in done)
            known = self._states[places] = _State(places, accepts=accepts)
        return known

    def _closure(
        self, places: set[int], *, begin: bool = False, end: bool = False
    ) -> frozenset[int]:
        """All places reachable without reading; those that matter: readers, End and Match."""
        seen: set[int] = set()
        pending = list(places)
        while pending:
            place = pending.pop()
            if place in seen:
                continue
            seen.add(place)
            match self._program[place]:
                case Split(first, second):
                    pending += (first, second)
                case Jump(to):
                    pending.append(to)
                case Save():
                    pending.append(place + 1)
                case Begin() if begin:
                    pending.append(place + 1)
                case End() if end:
                    pending.append(place + 1)
        keep = (OneOf, Match, End)
        return frozenset(place for place in seen if isinstance(self._program[place], keep))

    def find(self, value: str, start: int, budget: "_Budget") -> dict[int, int] | None:
        """The leftmost match from `start` on, as slot -> position (0 and 1 are the whole)."""
        best: dict[int, int] | None = None
        threads: list[tuple[int, dict[int, int]]] = []
        for position in range(start, len(value) + 1):
            seen: set[int] = set()
            current: list[tuple[int, dict[int, int]]] = []
            waiting = threads if best is not None else [*threads, (0, {})]
            for place, slots in waiting:
                self._follow(current, seen, (place, slots), (position, len(value)))
            budget.spend(len(seen) + 1)
            threads = []
            for place, slots in current:
                node = self._program[place]
                if isinstance(node, Match):
                    best = slots
                    break  # the threads after it are less preferred
                if (
                    isinstance(node, OneOf)
                    and position < len(value)
                    and node.reads(value[position])
                ):
                    threads.append((place + 1, slots))
            if best is not None and not threads:
                return best
        return best

    def _follow(
        self,
        out: list[tuple[int, dict[int, int]]],
        seen: set[int],
        thread: tuple[int, dict[int, int]],
        where: tuple[int, int],
    ) -> None:
        """Append the readers a thread reaches at `where` = (position, end), preferred first."""
        pending = [thread]
        while pending:
            place, slots = pending.pop()
            if place in seen:
                continue
            seen.add(place)
            match self._program[place]:
                case Split(first, second):
                    pending += ((second, slots), (first, slots))
                case Jump(to):
                    pending.append((to, slots))
                case Save(slot):
                    pending.append((place + 1, {**slots, slot: where[0]}))
                case Begin():
                    if where[0] == 0:
                        pending.append((place + 1, slots))
                case End():
                    if where[0] == where[1]:
                        pending.append((place + 1, slots))
                case _:
                    out.append((place, slots))

    def replace(self, value: str, parts: tuple[str | int, ...]) -> str | None:
        """Put `parts` (texts and group numbers) for every match; None when there is none.

        As Go's ReplaceAllString; raises EvaluationError when it takes too many steps.
        """
        if len(value) > MAX_VALUE:
            raise EvaluationError(f"a value of {len(value)} characters meets regexp.replace")
        budget = _Budget()
        out: list[str] = []
        position = done = 0
        last = -1
        while position <= len(value):
            slots = self.find(value, position, budget)
            if slots is None:
                break
            start, end = slots[0], slots[1]
            if end > start or start != last:
                out += (value[done:start], _fill(parts, value, slots))
                done = last = end
            position = end if end > start else end + 1
        return "".join(out) + value[done:] if last >= 0 else None


def _fill(parts: tuple[str | int, ...], value: str, slots: dict[int, int]) -> str:
    out = []
    for part in parts:
        if isinstance(part, str):
            out.append(part)
        elif 2 * part + 1 in slots:
            out.append(value[slots[2 * part] : slots[2 * part + 1]])
    return "".join(out)


class _Budget:
    """Steps that one replacement may take, whatever the pattern and the value."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_STEPS

    def spend(self, steps: int) -> None:
        self.left -= steps
        if self.left < 0:
            raise EvaluationError("a regular expression took too many steps on this value")
