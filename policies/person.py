"""A person before a cluster: what labels and traits say, looked up once for one decision."""

from collections.abc import Mapping, Sequence

from policies.expression import Expression, Scope
from policies.model import Cluster, Decision, Role, Subject
from policies.templates import Lookup


class Person:
    """Subject and cluster together; lives as long as one decision."""

    __slots__ = ("cluster", "labels", "lookup", "subject")

    def __init__(self, subject: Subject, cluster: Cluster) -> None:
        self.subject = subject
        self.cluster = cluster
        # The true name wins over a label of that key, which an agent might set to another's.
        self.labels: Mapping[str, str] = {**cluster.labels, "name": cluster.name}
        traits = subject.traits
        self.lookup: Lookup = lambda trait: traits.get(trait, ())

    def mismatch(self, role: Role) -> str | None:
        """Why the role's allow side does not select the cluster; None when it does."""
        allow = role.allow
        labels, expression = allow.labels, allow.expression
        if labels is None and expression is None:
            return "it names no clusters"
        if labels is not None and not labels.everything:
            mismatch = labels.mismatch(self.labels, self.lookup)
            if mismatch is not None:
                return mismatch
        if expression is not None and not self.holds(expression):
            return "its label expression does not hold"
        return None

    def selected_by(self, role: Role) -> bool:
        """Whether the role's allow side selects the cluster; labels and expression must agree."""
        labels, expression = role.allow.labels, role.allow.expression
        if labels is None:
            return expression is not None and self.holds(expression)
        if not labels.fits(self.labels, self.lookup):
            return False
        return expression is None or self.holds(expression)

    def holds(self, expression: Expression) -> bool:
        """Judge a label expression; raises EvaluationError."""
        subject = self.subject
        return expression.holds(
            Scope(user=subject.name, traits=subject.traits, labels=self.labels, context={})
        )

    def shut_out(self, role: Role) -> str:
        """The part of the role's deny side that denies the whole cluster; empty when none does."""
        deny = role.deny
        if deny.labels is not None and deny.labels.mismatch(self.labels, self.lookup) is None:
            return "deny.kubernetes_labels"
        if deny.expression is not None and self.holds(deny.expression):
            return "deny.kubernetes_labels_expression"
        return ""


def denied_cluster(roles: Sequence[Role], person: Person) -> Decision | None:
    """The refusal by the first role that denies the whole cluster."""
    for role in roles:
        deny = role.deny
        if deny.labels is None and deny.expression is None:
            continue
        part = person.shut_out(role)
        if part:
            reason = f"role {role.name} denies this cluster ({part})"
            return Decision(allowed=False, reason=reason, role=role.name, rule=part)
    return None
