"""Rights on plane's own resources: `rules` of roles, deny first."""

from collections.abc import Mapping, Sequence

from policies.expression import Scope
from policies.model import ApiRule, Decision, Role, Subject


def api_decide(
    roles: Sequence[Role],
    subject: Subject,
    *,
    resource: str,
    verb: str,
    context: Mapping[str, tuple[str, ...]] | None = None,
) -> Decision:
    """Whether a person may do this in plane's API.

    Resources: role, user, cluster, oidc, token, session, recording, audit, lock; verbs: list, read,
    create, update, delete. `context` holds what `where` may ask for (expression.CONTEXT), for
    example {"session.user": ("alice",)}; a rule that asks for more cannot be judged and denies.
    """
    scope = Scope(user=subject.name, traits=subject.traits, labels={}, context=context or {})
    try:
        for role in roles:
            rule = _fitting(role.deny.rules, resource, verb, scope)
            if rule is not None:
                reason = f"role {role.name} denies {verb} {resource} ({rule.path})"
                return Decision(allowed=False, reason=reason, role=role.name, rule=rule.path)
        for role in roles:
            rule = _fitting(role.allow.rules, resource, verb, scope)
            if rule is not None:
                reason = f"role {role.name} allows it ({rule.path})"
                return Decision(allowed=True, reason=reason, role=role.name, rule=rule.path)
    except Exception as error:  # noqa: BLE001 - total: an unjudgeable rule denies
        return Decision(allowed=False, reason=f"a rule could not be judged: {error}"[:300])
    return Decision(allowed=False, reason=f"no role allows {verb} {resource}")


def _fitting(rules: Sequence[ApiRule], resource: str, verb: str, scope: Scope) -> ApiRule | None:
    for rule in rules:
        if rule.fits(resource, verb) and (rule.where is None or rule.where.holds(scope)):
            return rule
    return None
