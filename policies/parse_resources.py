"""`kubernetes_resources` of a role document, checked by the rules of its version."""

from collections.abc import Mapping

from policies import fields
from policies.errors import SyntaxProblem
from policies.kinds import CORE, CORE_NAMESPACED, SINGULAR, USUAL_GROUP, VERBS
from policies.patterns import compose
from policies.reading import Reader
from policies.resources import RuleText, read_template
from policies.versions import ONLY_PODS


def read_resources(
    reader: Reader, version: str, path: str, given: Mapping[str, object]
) -> list[RuleText]:
    """Read the rules as written; a faulty one is noted and left out."""
    rules = []
    for place, item in reader.items(path, given.get("kubernetes_resources")):
        before = len(reader.problems)
        rule = _read(reader, version, place, item)
        _check(reader, version, place, rule)
        if len(reader.problems) == before:
            rules.append(rule)
    return rules


def _read(reader: Reader, version: str, place: str, item: object) -> RuleText:
    given = reader.known(place, item, fields.RESOURCE)

    def text(key: str) -> str:
        return reader.text(f"{place}.{key}", given.get(key))

    verbs = reader.texts(f"{place}.verbs", given.get("verbs"))
    if not verbs and version in ONLY_PODS:
        verbs = ("*",)
    return RuleText(
        kind=text("kind"),
        api_group=text("api_group"),
        namespace=text("namespace"),
        name=text("name"),
        verbs=verbs,
        path=place.removeprefix("spec."),
    )


def _check(reader: Reader, version: str, place: str, rule: RuleText) -> None:
    _check_verbs(reader, version, f"{place}.verbs", rule.verbs)
    if not rule.name:
        reader.fault(f"{place}.name", 'is missing ("*" for all names)')
    for key, value in (("name", rule.name), ("namespace", rule.namespace)):
        _check_pattern(reader, f"{place}.{key}", value)
    if version == "v8":
        _check_eight(reader, place, rule)
    else:
        _check_seven(reader, version, place, rule)


def _check_verbs(reader: Reader, version: str, path: str, verbs: tuple[str, ...]) -> None:
    if not verbs:
        reader.fault(path, 'is missing (["*"] for all verbs)')
    if "*" in verbs and len(verbs) > 1:
        reader.fault(path, "* stands alone: other verbs beside it mean nothing")
    if version in ONLY_PODS and verbs != ("*",) and verbs:
        reader.fault(path, f"{version} knows only *; single verbs need version v8")
    for verb in verbs:
        if "{{" in verb:
            _check_pattern(reader, path, verb)
        elif verb not in (*VERBS, "*"):
            hint = " (attach is checked as exec)" if verb == "attach" else ""
            reader.fault(path, f"{verb!r} is no verb{hint}; there are {', '.join(VERBS)}")


def _check_pattern(reader: Reader, path: str, value: str) -> None:
    try:
        template = read_template(value)
        if template is None:
            compose(value, None, "")
        else:
            compose(template.prefix, "x", template.suffix)
    except SyntaxProblem as problem:
        reader.fault(path, str(problem))


def _check_seven(reader: Reader, version: str, place: str, rule: RuleText) -> None:
    if rule.api_group:
        reader.fault(f"{place}.api_group", f"{version} has no api_group; use version v8")
    if version in ONLY_PODS:
        if rule.kind != "pod":
            reader.fault(f"{place}.kind", f"{version} can only limit pod; use version v8")
    elif rule.kind != "*" and rule.kind not in SINGULAR:
        plural = next((one for one, (many, *_) in SINGULAR.items() if many == rule.kind), "")
        hint = f"write {plural} in {version}" if plural else "other kinds need version v8"
        reader.fault(f"{place}.kind", f"{rule.kind!r} is not a kind of {version}: {hint}")
    wide = rule.kind in SINGULAR and SINGULAR[rule.kind][2]
    if not rule.namespace and not wide:
        reader.fault(f"{place}.namespace", 'is missing ("*" for all namespaces)')


def _check_eight(reader: Reader, place: str, rule: RuleText) -> None:
    kind, group = rule.kind, rule.api_group
    _check_pattern(reader, f"{place}.api_group", group)
    if "{{" in kind:
        _check_pattern(reader, f"{place}.kind", kind)
        return
    if not kind:
        reader.fault(f"{place}.kind", 'is missing ("*" for all kinds)')
    elif kind in SINGULAR and group in ("", "*", SINGULAR[kind][1]):
        reader.fault(
            f"{place}.kind", f"v8 uses the plural names of Kubernetes: write {SINGULAR[kind][0]}"
        )
    elif kind != kind.lower() or ("*" in kind and kind != "*") or set(kind) & set("^$/. "):
        reader.fault(f"{place}.kind", "is one plural name as in the API, or *; it is no pattern")
    elif not group and kind not in CORE:
        usual = USUAL_GROUP.get(kind)
        hint = f"write api_group: {usual}" if usual else 'for example "apps", or "*" for any'
        reader.fault(f"{place}.api_group", f"is missing: {kind} is not a core kind; {hint}")
    if not rule.namespace and not group and kind in CORE_NAMESPACED:
        reader.fault(f"{place}.namespace", f'is missing: {kind} live in namespaces ("*" for all)')
