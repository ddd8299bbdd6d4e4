"""`kubernetes_labels`: AND over keys, OR over a key's values; keys exact, values patterns."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from policies.errors import EvaluationError
from policies.patterns import Pattern, compile_pattern, compose
from policies.templates import Lookup, Template, parse_template

MAX_VALUES = 2000

# key, the values that are literal (None when any will do), the patterns and templates
Key = tuple[str, frozenset[str] | None, tuple[Pattern | Template, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSelector:
    """The labels that a cluster must have; `everything` is `'*': '*'`."""

    keys: tuple[Key, ...]
    everything: bool = False

    def fits(self, labels: Mapping[str, str], lookup: Lookup) -> bool:
        """Whether a cluster with these labels is selected."""
        if self.everything:
            return True
        for key, literals, others in self.keys:
            value = labels.get(key)
            if value is None:
                return False
            if literals is None or value in literals:
                continue
            for other in others:
                if _matches(other, value, lookup):
                    break
            else:
                return False
        return True

    def mismatch(self, labels: Mapping[str, str], lookup: Lookup) -> str | None:
        """The first label that does not fit, for people to read; None when all fit."""
        if self.everything:
            return None
        for key in self.keys:
            if key[0] not in labels:
                return f"no label {key[0]}"
            if not replace(self, keys=(key,)).fits(labels, lookup):
                return f"label {key[0]}={labels[key[0]]}"
        return None


def _matches(wanted: Pattern | Template, value: str, lookup: Lookup) -> bool:
    """Whether a label's value fits; what traits put into a template stands for itself."""
    if isinstance(wanted, Pattern):
        return wanted.match(value)
    values = wanted.values(lookup)
    if len(values) > MAX_VALUES:
        raise EvaluationError(f"{wanted.source} has {len(values)} values, more than {MAX_VALUES}")
    return any(compose(wanted.prefix, v, wanted.suffix).match(value) for v in values)


def compile_value(source: str) -> Pattern | Template:
    """A label's value: a pattern, or a template read for each person; raises SyntaxProblem."""
    template = parse_template(source)
    if template is None:
        return compile_pattern(source)
    compose(template.prefix, "x", template.suffix)
    return template


def compile_selector(labels: Mapping[str, tuple[str, ...]]) -> LabelSelector:
    """Read a role's labels; `'*': '*'` outweighs all others as it does in Teleport."""
    return LabelSelector(
        keys=tuple(_key(key, values) for key, values in labels.items()),
        everything=labels.get("*") == ("*",),
    )


def _key(key: str, sources: tuple[str, ...]) -> Key:
    values = [compile_value(source) for source in sources]
    literals = {v.literal for v in values if isinstance(v, Pattern) and v.literal is not None}
    others = tuple(v for v in values if isinstance(v, Template) or v.literal is None)
    anything = any(isinstance(v, Pattern) and v.is_any for v in values)
    return key, None if anything else frozenset(literals), others
