"""The Kubernetes users and groups that a role gives, and which of them may never be sent.

They travel as header values, so whatever a header cannot carry unchanged is refused: control
characters, anything outside printable ASCII, and spaces at the ends, which receivers strip
(" system:masters" would arrive as "system:masters").
"""

from dataclasses import dataclass, field

from policies.templates import Lookup, Template

MAX_LENGTH = 1024
MAX_BOUND = 256
RESERVED = "system:"


def fault(value: str) -> str | None:
    """Why a text can not be sent as a principal, or None when it can."""
    if not value:
        return "it is empty"
    if len(value) > MAX_LENGTH:
        return f"it has more than {MAX_LENGTH} characters"
    if not (value.isascii() and value.isprintable()):
        return "it has characters that a header cannot carry"
    if value[0] == " " or value[-1] == " ":
        return "it begins or ends with a space"
    return None


def foreign_fault(value: str) -> str | None:
    """As fault(), for a value that an identity provider had a hand in."""
    reason = fault(value)
    if reason is None and value.startswith(RESERVED):
        return f"only a role that writes it out may give a {RESERVED} name"
    if value == "*":
        return "a trait cannot mean everybody"
    return reason


@dataclass(frozen=True, slots=True)
class Expanded:
    """What a role gives one person; `dropped` says for the log what was refused and why."""

    entries: dict[str, None]
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Principals:
    """`kubernetes_groups` or `kubernetes_users` of a role; `anybody` is the literal `*`."""

    literals: tuple[str, ...] = ()
    templates: tuple[Template, ...] = ()
    anybody: bool = False
    bound: dict[tuple[tuple[str, ...], ...], Expanded] = field(
        default_factory=dict, repr=False, compare=False
    )

    def expand(self, lookup: Lookup) -> Expanded:
        """The principals for a person with these traits."""
        if not self.templates:
            key: tuple[tuple[str, ...], ...] = ()
        else:
            key = tuple(lookup(trait) for each in self.templates for trait in each.traits)
        known = self.bound.get(key)
        if known is None:
            if len(self.bound) >= MAX_BOUND:
                self.bound.clear()
            known = self.bound[key] = self._expand(lookup)
        return known

    def _expand(self, lookup: Lookup) -> Expanded:
        values = dict.fromkeys(self.literals)
        dropped: list[str] = []
        for template in self.templates:
            for value in template.expand(lookup):
                reason = foreign_fault(value)
                if reason is None:
                    values[value] = None
                else:
                    dropped.append(f"{value[:80]!r} from {template.source}: {reason}")
        return Expanded(values, tuple(dropped))
