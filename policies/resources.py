"""`kubernetes_resources`: which objects a rule speaks of.

A matcher is one `and` of named predicates, as in Kubernetes' RBAC: verb, kind, group, name,
namespace. Rules of older role versions are translated to v8's language by versions.py first.
Semantics: an empty namespace in a rule means cluster-wide objects only, `*` both; a rule for some
namespace lets a person read that Namespace object; a deny never implies anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from policies.errors import EvaluationError
from policies.kinds import ALIASES, CLUSTER_WIDE, VERBS
from policies.patterns import ANY, Pattern, compose
from policies.templates import Lookup, parse_template

READS = frozenset({"get", "list", "watch"})
DELETES = frozenset({"delete", "deletecollection"})
MAX_BOUND = 256
MAX_RULES = 2000


class Ask(NamedTuple):
    """A request in the words of rules; `verbs` must all be allowed, any denied one denies.

    `every` is set when the request is for a whole collection (no name known); `groups` are the
    request's API group and the groups that serve the same objects; `cluster_wide` is None when
    nobody knows whether the kind lives in namespaces.
    """

    verbs: tuple[str, ...]
    denied_by: tuple[str, ...]
    kind: str
    group: str
    groups: tuple[str, ...]
    namespace: str
    name: str
    every: bool
    unnamed: bool
    cluster_wide: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleText:
    """A rule as a role writes it, in v8's language; `except_kinds` only comes from v6 and older."""

    kind: str
    api_group: str
    namespace: str
    name: str
    verbs: tuple[str, ...]
    path: str
    except_kinds: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule with its patterns read; `target` is what a Namespace object's name must match."""

    path: str
    kind: str
    group: Pattern
    namespace: Pattern
    name: Pattern
    verbs: frozenset[str]
    target: Pattern
    except_kinds: frozenset[str] = frozenset()

    def speaks_of(self, kind: str) -> bool:
        """Whether the rule is about a kind at all."""
        return self.kind == kind or (self.kind == "*" and kind not in self.except_kinds)

    @property
    def is_everything(self) -> bool:
        """Whether no object is outside the rule, so that it also holds for other paths."""
        parts = (self.group, self.namespace, self.name)
        return self.kind == "*" and not self.except_kinds and all(part.is_any for part in parts)

    def allows(self, ask: Ask) -> bool:
        """Whether an allow rule of this kind and verb fits the named object."""
        if ask.kind == "namespaces":
            return self.group.match(ask.group) and self.target.match(ask.name)
        return (
            self.group.match(ask.group)
            and self.name.match(ask.name)
            and self.in_namespace(ask.namespace)
        )

    def in_namespace(self, namespace: str) -> bool:
        """Whether the rule reaches a namespace; the empty one is that of cluster-wide objects."""
        if namespace:
            return self.namespace.match(namespace)
        return self.namespace.is_any or self.namespace.literal == ""

    def _in_a_group(self, ask: Ask) -> bool:
        """Whether any group that serves the same objects fits; a deny means all of them."""
        if self.group.is_any or self.group.match(ask.group):
            return True
        return len(ask.groups) > 1 and any(self.group.match(group) for group in ask.groups)

    def denies(self, ask: Ask) -> bool:
        """Whether a deny rule of this kind and verb fits the named object, by any of its groups."""
        if not self._in_a_group(ask):
            return False
        if ask.kind == "namespaces":
            return ask.unnamed or self.target.match(ask.name)
        # What is created under a name that the server makes up could bear the denied one.
        return (ask.unnamed or self.name.match(ask.name)) and self.in_namespace(ask.namespace)

    def may_allow(self, ask: Ask) -> bool:
        """Whether anything in the collection could be allowed."""
        if not self.group.match(ask.group):
            return False
        if ask.kind == "namespaces":
            return True
        if ask.cluster_wide:
            return self.in_namespace("")
        if ask.namespace:
            return self.namespace.match(ask.namespace)
        return ask.cluster_wide is None or self.namespace.literal != ""

    def allows_all(self, ask: Ask) -> bool:
        """Whether everything in the collection is allowed."""
        if not self.group.match(ask.group):
            return False
        if ask.kind == "namespaces":
            return self.target.is_any
        return self.name.is_any and self._covers(ask)

    def _covers(self, ask: Ask) -> bool:
        if self.namespace.is_any:
            return True
        if ask.namespace:
            return self.namespace.match(ask.namespace)
        return bool(ask.cluster_wide) and self.namespace.literal == ""

    def denies_all(self, ask: Ask) -> bool:
        """Whether everything in the collection is denied."""
        if not self._in_a_group(ask):
            return False
        if ask.kind == "namespaces":
            return self.target.is_any
        return self.name.is_any and self._covers(ask)

    def may_deny(self, ask: Ask) -> bool:
        """Whether anything in the collection could be denied."""
        if not self._in_a_group(ask):
            return False
        if ask.kind == "namespaces" or not ask.namespace:
            return True
        return self.namespace.match(ask.namespace)


Table = dict[str, dict[str, tuple[Rule, ...]]]


@dataclass(frozen=True, slots=True)
class Index:
    """Rules by verb and kind, so that a decision looks only at those that could fit."""

    rules: tuple[Rule, ...]
    table: Table
    within: tuple[Rule, ...]

    def candidates(self, verb: str, kind: str) -> tuple[Rule, ...]:
        """The rules that speak of this verb and kind, in the role's order."""
        kinds = self.table.get(verb)
        if kinds is None:
            return ()
        found = kinds.get(kind)
        return kinds["*"] if found is None else found


NO_RULES = Index((), {}, ())


def build_index(rules: Iterable[Rule]) -> Index:
    """Sort rules once, when the role is read."""
    rules = tuple(rules)
    if not rules:
        return NO_RULES
    named = {rule.kind for rule in rules} | {kind for rule in rules for kind in rule.except_kinds}
    named.discard("*")
    table: Table = {}
    for verb in VERBS:
        mine = tuple(rule for rule in rules if verb in rule.verbs)
        if not mine:
            continue
        table[verb] = {kind: tuple(r for r in mine if r.speaks_of(kind)) for kind in named}
        table[verb]["*"] = tuple(rule for rule in mine if rule.kind == "*")
    # Rules that speak of things inside namespaces let a person read those Namespace objects.
    within = tuple(r for r in rules if r.kind != "namespaces" and r.namespace.literal != "")
    return Index(rules, table, within)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules of one side of a role; those with templates are completed for each person."""

    texts: tuple[RuleText, ...]
    index: Index
    traits: tuple[str, ...] = ()
    bound: dict[tuple[tuple[str, ...], ...], Index] = field(
        default_factory=dict, repr=False, compare=False
    )

    def bind(self, lookup: Lookup) -> Index:
        """The rules for a person with these traits."""
        if not self.traits:
            return self.index
        key = tuple(lookup(trait) for trait in self.traits)
        known = self.bound.get(key)
        if known is None:
            rules: list[Rule] = []
            for text in self.texts:
                rules += compile_rule(text, lookup)
                _bound(text, len(rules))
            known = build_index(rules)
            if len(self.bound) >= MAX_BOUND:
                self.bound.clear()
            self.bound[key] = known
        return known


NO_RULE_SET = RuleSet((), NO_RULES)


def compile_rule(text: RuleText, lookup: Lookup) -> list[Rule]:
    """All rules that a text with templates gives; none when a trait is missing.

    Raises EvaluationError when traits would make too many.
    """
    verbs = frozenset(v for verb in text.verbs for v in _plain(verb, lookup))
    kinds, groups = _plain(text.kind, lookup), _patterns(text.api_group, lookup)
    namespaces, names = _patterns(text.namespace, lookup), _patterns(text.name, lookup)
    _bound(text, len(kinds) * len(groups) * len(namespaces) * len(names))
    return [
        Rule(
            path=text.path,
            kind=kind,
            group=group,
            namespace=namespace,
            name=name,
            verbs=frozenset(VERBS) if "*" in verbs else verbs,
            target=_target(kind, namespace, name),
            except_kinds=text.except_kinds,
        )
        for kind, group, namespace, name in product(kinds, groups, namespaces, names)
    ]


def _bound(text: RuleText, count: int) -> None:
    if count > MAX_RULES:
        raise EvaluationError(f"traits make {count} rules of {text.path}, more than {MAX_RULES}")


def _target(kind: str, namespace: Pattern, name: Pattern) -> Pattern:
    """What a Namespace object's name must match: the rule's namespace, unless it has none."""
    outside = namespace.is_any or namespace.literal == ""
    return name if kind == "namespaces" or outside else namespace


def _plain(text: str, lookup: Lookup) -> tuple[str, ...]:
    template = read_template(text)
    return (text,) if template is None else tuple(v for v in template.expand(lookup) if v != "*")


def _patterns(text: str, lookup: Lookup) -> list[Pattern]:
    if text == "*":
        return [ANY]
    template = read_template(text)
    if template is None:
        return [compose(text, None, "")]
    values = template.values(lookup)
    if len(values) > MAX_RULES:
        raise EvaluationError(f"{text} has {len(values)} values, more than {MAX_RULES}")
    return [compose(template.prefix, value, template.suffix) for value in values]


read_template = lru_cache(4096)(parse_template)


def aliases(group: str, kind: str) -> tuple[str, ...]:
    """The groups under which the same objects are served, the request's own first."""
    known = ALIASES.get(kind)
    return (group, *(known - {group})) if known and group in known else (group,)


def is_cluster_wide(group: str, kind: str) -> bool | None:
    """Whether a kind lives outside namespaces; None when the built-in tables do not know."""
    if (group, kind) in CLUSTER_WIDE:
        return True
    return False if group in _BUILT_IN else None


_BUILT_IN = frozenset({"", "apps", "batch", "autoscaling", "policy", "extensions"})
