"""Role versions v3 to v7, said in v8's language, each with its own defaults.

v3 gives all clusters when it names none. Up to v6 only pods can be limited and every other kind is
open. v7 has singular kinds, and its `namespace` is the namespace with everything in it.
Source: Teleport's role reference (https://goteleport.com/docs/reference/access-controls/roles/).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from policies.kinds import SINGULAR
from policies.resources import RuleText

VERSIONS = ("v3", "v4", "v5", "v6", "v7", "v8")
ONLY_PODS = ("v3", "v4", "v5", "v6")

_EVERYTHING = RuleText(
    kind="*",
    api_group="*",
    namespace="*",
    name="*",
    verbs=("*",),
    path="the default of role version {}",
)
_CLUSTER_WIDE = tuple(
    kind for kind, (_, _, wide) in SINGULAR.items() if wide and kind != "namespace"
)


def allowed(version: str, rules: Sequence[RuleText]) -> tuple[RuleText, ...]:
    """The allow rules of a role that names clusters; none written means the version's default."""
    everything = replace(_EVERYTHING, path=_EVERYTHING.path.format(version))
    if not rules and version != "v6":
        return (everything,)
    if version == "v8":
        return tuple(rules)
    if version == "v7":
        return tuple(_seven(rules, deny=False))
    if any(rule.name == "*" and rule.namespace == "*" for rule in rules):
        return (replace(everything, path=rules[0].path),)
    # Namespaces stay closed for writing: whoever deletes one deletes the pods he may not see.
    others = replace(everything, except_kinds=frozenset({"pods", "namespaces"}))
    return (*_seven(rules, deny=False), others)


def denied(version: str, rules: Sequence[RuleText]) -> tuple[RuleText, ...]:
    """The deny rules; without a group they hold for every group that serves the kind."""
    if version == "v8":
        return tuple(replace(rule, api_group=rule.api_group or "*") for rule in rules)
    return tuple(_seven(rules, deny=True))


def _seven(rules: Iterable[RuleText], *, deny: bool) -> Iterable[RuleText]:
    for rule in rules:
        if rule.kind == "namespace":
            inside = "^.+$" if rule.name == "*" else rule.name
            yield replace(rule, kind="*", api_group="*", namespace=inside, name="*")
            yield replace(rule, kind="namespaces", api_group="*", namespace="", name=inside)
        elif rule.kind == "*":
            yield replace(rule, api_group="*")
            # v7 forgot the namespace for these; roles in use rely on it.
            for kind in _CLUSTER_WIDE:
                plural, group, _ = SINGULAR[kind]
                yield replace(rule, kind=plural, api_group="*" if deny else group, namespace="")
        else:
            plural, group, wide = SINGULAR[rule.kind]
            yield replace(
                rule,
                kind=plural,
                api_group="*" if deny else group,
                namespace="" if wide else rule.namespace,
            )
