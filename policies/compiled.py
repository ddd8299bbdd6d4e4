"""A person's roles made ready together, so that a decision looks only at rules that could fit.

Made once for each set of roles and kept; nothing here depends on a cluster or a request, and no
answer depends on what was kept.
"""

from collections.abc import Callable, Iterable, Sequence

from policies.kinds import VERBS
from policies.model import Decision, Role
from policies.person import Person
from policies.resources import Ask, Index, Rule, RuleSet
from policies.templates import Lookup, Template

MAX_KEPT = 256
MAX_DECISIONS = 4096
VERB_SET = frozenset(VERBS)

Match = Callable[[str], bool]
# number of the role, matchers of group and name (None is "any"), the rule
Entry = tuple[int, Match | None, Match | None, Rule]
# number of the role -> its first rule that fits
Hits = dict[int, Rule]


class Bucket:
    """The rules of all roles for one verb and kind; those for a namespace are found by hash."""

    __slots__ = ("_every", "_near", "entries")

    def __init__(self, rules: Iterable[tuple[int, Rule]]) -> None:
        self.entries = tuple(rules)
        self._near: dict[str, tuple[Entry, ...]] = {}
        self._every: dict[tuple[object, ...], Hits] = {}

    def named(self, ask: Ask) -> Hits:
        """Each role's first rule for a named object that is no Namespace, roles in order."""
        group, name = ask.group, ask.name
        hits: Hits = {}
        for number, fits_group, fits_name, rule in self._within(ask.namespace):
            if (
                number not in hits
                and (fits_name is None or fits_name(name))
                and (fits_group is None or fits_group(group))
            ):
                hits[number] = rule
        return hits

    def _within(self, namespace: str) -> tuple[Entry, ...]:
        known = self._near.get(namespace)
        if known is None:
            known = tuple(
                (
                    number,
                    None if rule.group.is_any else rule.group.match,
                    None if rule.name.is_any else rule.name.match,
                    rule,
                )
                for number, rule in self.entries
                if rule.in_namespace(namespace)
            )
            if len(self._near) >= MAX_KEPT:
                self._near.clear()
            self._near[namespace] = known
        return known

    def every(self, fits: Callable[[Rule, Ask], bool], ask: Ask) -> Hits:
        """As first(), kept, for a predicate that looks at a collection and at no name."""
        key = (fits, ask.kind, ask.group, ask.namespace, ask.cluster_wide)
        known = self._every.get(key)
        if known is None:
            if len(self._every) >= MAX_KEPT:
                self._every.clear()
            known = self._every[key] = self.first(fits, ask)
        return known

    def first(self, fits: Callable[[Rule, Ask], bool], ask: Ask) -> Hits:
        """Each role's first rule for which `fits` holds, roles in order."""
        hits: Hits = {}
        for number, rule in self.entries:
            if number not in hits and fits(rule, ask):
                hits[number] = rule
        return hits


class Tables:
    """All rules of one side, bound to one person's traits."""

    __slots__ = ("_buckets", "_indices", "_kinds", "within")

    def __init__(self, indices: Iterable[tuple[int, Index]]) -> None:
        self._indices = tuple(indices)
        self._kinds = {
            kind for _, index in self._indices for kinds in index.table.values() for kind in kinds
        }
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self.within = tuple((n, rule) for n, index in self._indices for rule in index.within)

    def bucket(self, verb: str, kind: str) -> Bucket:
        """The rules for a verb and kind; kinds that no role names share one bucket."""
        key = (verb, kind) if kind in self._kinds else (verb, "*")
        known = self._buckets.get(key)
        if known is None:
            known = Bucket(
                (number, rule) for number, index in self._indices for rule in index.candidates(*key)
            )
            if verb in VERB_SET:  # whoever invents verbs fills no memory
                self._buckets[key] = known
        return known


class Side:
    """The allow or the deny side of all roles."""

    __slots__ = ("_kept", "_sets", "_static", "_traits", "empty")

    def __init__(self, sets: Sequence[RuleSet]) -> None:
        self._sets = sets
        self.empty = not any(each.texts for each in sets)
        self._traits = tuple(dict.fromkeys(trait for each in sets for trait in each.traits))
        self._static = Tables((n, each.index) for n, each in enumerate(sets) if each.texts)
        self._kept: dict[tuple[tuple[str, ...], ...], Tables] = {}

    def tables(self, lookup: Lookup) -> Tables:
        """The rules for a person with these traits; raises EvaluationError."""
        if not self._traits:
            return self._static
        key = tuple(lookup(trait) for trait in self._traits)
        known = self._kept.get(key)
        if known is None:
            known = Tables(
                (n, each.bind(lookup)) for n, each in enumerate(self._sets) if each.texts
            )
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            self._kept[key] = known
        return known


class Policy:
    """Some roles, compiled; `decisions` keeps what grant() made of principals."""

    __slots__ = (
        "_selected",
        "_selectors",
        "allow",
        "closing",
        "decisions",
        "deny",
        "roles",
        "traits",
    )

    def __init__(self, roles: Sequence[Role]) -> None:
        self.roles = tuple(roles)
        self.allow = Side([role.allow.resources for role in roles])
        self.deny = Side([role.deny.resources for role in roles])
        self.closing = tuple(
            role for role in roles if role.deny.labels is not None or role.deny.expression
        )
        self.traits = tuple(
            dict.fromkeys(
                trait
                for role in roles
                for template in (*role.allow.groups.templates, *role.allow.users.templates)
                for trait in template.traits
            )
        )
        self.decisions: dict[tuple[object, ...], Decision] = {}
        self._selectors = _selector_traits(self.roles)
        self._selected: dict[tuple[object, ...], frozenset[int]] = {}

    def selected(self, person: Person) -> frozenset[int]:
        """The numbers of the roles that select the cluster; raises EvaluationError."""
        if self._selectors is None:
            return self._select(person)
        key = (*person.labels.items(), *map(person.lookup, self._selectors))
        known = self._selected.get(key)
        if known is None:
            if len(self._selected) >= MAX_DECISIONS:
                self._selected.clear()
            known = self._selected[key] = self._select(person)
        return known

    def _select(self, person: Person) -> frozenset[int]:
        return frozenset(n for n, role in enumerate(self.roles) if person.selected_by(role))

    def keep(self, key: tuple[object, ...], decision: Decision) -> Decision:
        """Remember what the same roles, rules and traits give the same person."""
        if len(self.decisions) >= MAX_DECISIONS:
            self.decisions.clear()
        self.decisions[key] = decision
        return decision


def _selector_traits(roles: Iterable[Role]) -> tuple[str, ...] | None:
    """The traits that labels of the roles read; None when an expression may read anything."""
    traits: dict[str, None] = {}
    for role in roles:
        if role.allow.expression is not None:
            return None
        for _, _, others in role.allow.labels.keys if role.allow.labels else ():
            for other in others:
                traits.update(dict.fromkeys(other.traits if isinstance(other, Template) else ()))
    return tuple(traits)


_kept: dict[tuple[int, ...], Policy] = {}


def compiled(roles: Sequence[Role]) -> Policy:
    """The policy of these very role objects."""
    # The policy holds its roles, so the id of a kept one is not given to another object.
    key = tuple(map(id, roles))
    known = _kept.get(key)
    if known is None:
        if len(_kept) >= MAX_KEPT:
            _kept.clear()
        known = _kept[key] = Policy(roles)
    return known
