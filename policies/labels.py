"""`kubernetes_labels`: AND over keys, OR over a key's values; keys exact, values patterns."""

from collections.abc import Mapping
from dataclasses import dataclass

from policies.patterns import Pattern, compile_pattern, compose
from policies.templates import Lookup, Template, parse_template

Selector = tuple[tuple[str, tuple[Pattern | Template, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSelector:
    """The labels that a cluster must have; `everything` is `'*': '*'`."""

    selector: Selector
    everything: bool = False

    def mismatch(self, labels: Mapping[str, str], lookup: Lookup) -> str | None:
        """The first label that does not fit, for people to read; None when all fit."""
        if self.everything:
            return None
        for key, wanted in self.selector:
            value = labels.get(key)
            if value is None:
                return f"no label {key}"
            for pattern in wanted:
                if isinstance(pattern, Template):
                    if template_matches(pattern, value, lookup):
                        break
                elif pattern.match(value):
                    break
            else:
                return f"label {key}={value}"
        return None


def template_matches(template: Template, value: str, lookup: Lookup) -> bool:
    """Whether a text matches a template whose trait values stand for themselves."""
    return any(
        compose(template.prefix, trait, template.suffix).match(value)
        for trait in template.values(lookup)
    )


def compile_value(source: str) -> Pattern | Template:
    """A label's value: a pattern, or a template to be read for each person; raises SyntaxProblem."""
    template = parse_template(source)
    if template is None:
        return compile_pattern(source)
    compose(template.prefix, "x", template.suffix)
    return template


def compile_selector(labels: Mapping[str, tuple[str, ...]]) -> LabelSelector:
    """Read a role's labels; `'*': '*'` outweighs all others as it does in Teleport."""
    return LabelSelector(
        selector=tuple(
            (key, tuple(compile_value(value) for value in values)) for key, values in labels.items()
        ),
        everything=labels.get("*") == ("*",),
    )
