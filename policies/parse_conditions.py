"""`spec.allow` and `spec.deny` of a role document."""

from collections.abc import Mapping

from policies import fields, versions
from policies.expression import Expression, compile_expression
from policies.labels import LabelSelector, compile_selector
from policies.model import Allow, ApiRule, Deny
from policies.parse_requests import read_impersonate, read_request, read_reviews, read_where
from policies.parse_resources import read_resources
from policies.patterns import Pattern, compile_pattern
from policies.principals import RESERVED, Principals, fault
from policies.reading import Reader
from policies.resources import (
    NO_RULE_SET,
    RuleSet,
    RuleText,
    build_index,
    compile_rule,
    read_template,
)
from policies.templates import Template

Conditions = Mapping[str, object]


def allow_side(reader: Reader, version: str, given: Conditions) -> Allow:
    """Read what a role gives, with its version's defaults."""
    path = "spec.allow"
    labels = _labels(reader, path, given)
    if labels is None and version == "v3":
        labels = compile_selector({"*": ("*",)})
    expression = _expression(reader, path, given)
    texts = read_resources(reader, version, f"{path}.kubernetes_resources", given)
    # The defaults are for roles that name clusters; the others reach none.
    named = labels is not None or expression is not None
    return Allow(
        labels=labels,
        expression=expression,
        groups=_principals(reader, f"{path}.kubernetes_groups", given),
        users=_principals(reader, f"{path}.kubernetes_users", given),
        resources=_rule_set(versions.allowed(version, texts) if named else ()),
        rules=_api_rules(reader, f"{path}.rules", given.get("rules")),
        impersonate=read_impersonate(reader, f"{path}.impersonate", given.get("impersonate")),
        request=read_request(reader, f"{path}.request", given.get("request")),
        reviews=read_reviews(reader, f"{path}.review_requests", given.get("review_requests")),
    )


def deny_side(reader: Reader, version: str, given: Conditions) -> Deny:
    """Read what a role takes away; nothing is implied."""
    path = "spec.deny"
    texts = read_resources(reader, version, f"{path}.kubernetes_resources", given)
    return Deny(
        labels=_labels(reader, path, given),
        expression=_expression(reader, path, given),
        groups=_never(reader, f"{path}.kubernetes_groups", given.get("kubernetes_groups")),
        users=_never(reader, f"{path}.kubernetes_users", given.get("kubernetes_users")),
        resources=_rule_set(versions.denied(version, texts)),
        rules=_api_rules(reader, f"{path}.rules", given.get("rules")),
        impersonate=read_impersonate(reader, f"{path}.impersonate", given.get("impersonate")),
        request=read_request(reader, f"{path}.request", given.get("request")),
        reviews=read_reviews(reader, f"{path}.review_requests", given.get("review_requests")),
    )


def _labels(reader: Reader, side: str, given: Conditions) -> LabelSelector | None:
    path = f"{side}.kubernetes_labels"
    labels = {
        key: reader.texts(f"{path}.{key}", value, single=True)
        for key, value in reader.mapping(path, given.get("kubernetes_labels")).items()
    }
    if not labels:
        return None
    if "*" in labels and labels["*"] != ("*",):
        reader.fault(f"{path}.*", "the key * goes with the value * only")
        return None
    if "*" in labels and len(labels) > 1:
        reader.warnings.append(f"{path}: '*': '*' selects every cluster, other labels do nothing")
    for key, values in labels.items():
        if not values:
            reader.fault(f"{path}.{key}", "needs a value ('*' for any)")
    return reader.compiled(path, labels, compile_selector)


def _expression(reader: Reader, side: str, given: Conditions) -> Expression | None:
    path = f"{side}.kubernetes_labels_expression"
    source = reader.text(path, given.get("kubernetes_labels_expression"))
    return reader.compiled(path, source, compile_expression) if source.strip() else None


def _rule_set(texts: tuple[RuleText, ...]) -> RuleSet:
    if not texts:
        return NO_RULE_SET
    traits: dict[str, None] = {}
    for text in texts:
        for value in (text.kind, text.api_group, text.namespace, text.name, *text.verbs):
            template = read_template(value)
            traits.update(dict.fromkeys(template.traits if template else ()))
    index = build_index(rule for text in texts for rule in compile_rule(text, _no_trait))
    return RuleSet(texts, index, tuple(traits))


def _no_trait(_: str) -> tuple[str, ...]:
    return ()


def _principals(reader: Reader, path: str, given: Conditions) -> Principals:
    literals: list[str] = []
    templates: list[Template] = []
    anybody = False
    users = path.endswith("users")
    for place, item in reader.items(path, given.get(path.rpartition(".")[2])):
        value = reader.text(place, item)
        template = reader.compiled(place, value, read_template)
        if template is not None:
            if template.prefix.startswith(RESERVED):
                reader.fault(place, f"a {RESERVED} name must be written out, without a template")
            templates.append(template)
        elif value == "*":
            anybody = users
            if not users:
                reader.fault(place, "there is no group *; name the groups")
        elif (reason := fault(value)) and "{{" not in value:
            reader.fault(place, f"cannot be sent to a cluster: {reason}")
        else:
            literals.append(value)
    return Principals(tuple(literals), tuple(templates), anybody)


def _never(reader: Reader, path: str, value: object) -> tuple[Pattern, ...]:
    patterns = []
    for place, item in reader.items(path, value):
        text = reader.text(place, item)
        if "{{" in text:
            reader.fault(place, "a denied name is literal, a glob or ^regex$, not a template")
            continue
        pattern = reader.compiled(place, text, compile_pattern)
        if pattern is not None:
            patterns.append(pattern)
    return tuple(patterns)


def _api_rules(reader: Reader, path: str, value: object) -> tuple[ApiRule, ...]:
    rules = []
    for place, item in reader.items(path, value):
        rule = reader.known(place, item, fields.RULE)
        resources = reader.texts(f"{place}.resources", rule.get("resources"))
        verbs = reader.texts(f"{place}.verbs", rule.get("verbs"))
        _check_words(reader, f"{place}.resources", resources)
        for verb in verbs:
            if verb not in ("*", *fields.API_VERBS, *fields.FOREIGN_VERBS):
                reader.fault(f"{place}.verbs", f"{verb!r}; there are {', '.join(fields.API_VERBS)}")
        rules.append(
            ApiRule(
                path=place.removeprefix("spec."),
                resources=frozenset(fields.API_ALIASES.get(name, name) for name in resources),
                verbs=frozenset(verbs),
                where=read_where(reader, f"{place}.where", rule.get("where")),
            )
        )
    return tuple(rules)


def _check_words(reader: Reader, path: str, resources: tuple[str, ...]) -> None:
    if not resources:
        reader.fault(path, "a rule names its resources ('*' for all)")
    known = ("*", *fields.API_RESOURCES, *fields.API_ALIASES)
    foreign = [name for name in resources if name not in known]
    if foreign:
        # Not an error: presets of Teleport list dozens of resources that have no twin here.
        reader.warnings.append(f"{path}: plane has no {', '.join(foreign)}")
