"""How a mapping's value is compared with a claim's: always the whole of it.

`admin` is literal, `team-*` a glob, `^team-(.+)$` a regular expression; captures (also what a
`*` stood for) may be used in role names as `$1` or `${1}`, as in Teleport's claims_to_roles.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from connectors.errors import SettingsInvalid

_REFERENCE = re.compile(r"\$(?:(\d+)|\{(\w+)\})")
_ROLE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@:/-]{0,127}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimMapping:
    """People whose `claim` has a value that matches get `roles`."""

    claim: str
    pattern: re.Pattern[str]
    roles: tuple[str, ...]

    def grants(self, value: str) -> tuple[str, ...]:
        """The roles for one value of the claim; none when it does not match as a whole."""
        # fullmatch: neither a forgotten anchor, nor `^a|b$`, nor a trailing newline lets more in.
        match = self.pattern.fullmatch(value)
        if match is None:
            return ()
        expanded = (_expand(role, match) for role in self.roles)
        return tuple(role for role in expanded if _ROLE_NAME.fullmatch(role))


def mapping(document: Mapping[str, object], *, place: str) -> ClaimMapping:
    """Read `{claim, value, roles}`; SettingsInvalid names what is wrong at `place`."""
    claim, value, roles = document.get("claim"), document.get("value"), document.get("roles")
    if isinstance(roles, str):
        roles = [roles]
    if not (isinstance(claim, str) and claim and isinstance(value, str) and value):
        raise SettingsInvalid(f"{place} needs the texts claim and value")
    if not isinstance(roles, list | tuple) or not all(isinstance(r, str) and r for r in roles):
        raise SettingsInvalid(f"{place}.roles must be a list of role names")
    pattern = compile_pattern(value, place=f"{place}.value")
    names = tuple(str(role) for role in roles)
    _check_references(names, pattern, place=f"{place}.roles")
    return ClaimMapping(claim=claim, pattern=pattern, roles=names)


def compile_pattern(value: str, *, place: str) -> re.Pattern[str]:
    """Literal, glob or ^regex$; half an anchor is an error, for it means something else."""
    starts, ends = value.startswith("^"), value.endswith("$")
    if starts != ends:
        raise SettingsInvalid(f"{place}: a regular expression starts with ^ and ends with $")
    if not starts:
        return re.compile("(.*)".join(re.escape(part) for part in value.split("*")), re.DOTALL)
    try:
        return re.compile(value)
    except re.error as error:
        raise SettingsInvalid(f"{place} is no regular expression: {error}") from error


def _check_references(roles: tuple[str, ...], pattern: re.Pattern[str], *, place: str) -> None:
    for role in roles:
        for number, name in _REFERENCE.findall(role):
            known = {str(n) for n in range(pattern.groups + 1)} | set(pattern.groupindex)
            if (number or name) not in known:
                raise SettingsInvalid(f"{place}: the value has no capture {number or name}")


def _expand(role: str, match: re.Match[str]) -> str:
    def capture(reference: re.Match[str]) -> str:
        key = reference[1] or reference[2]
        return match[int(key) if key.isdigit() else key] or ""

    return _REFERENCE.sub(capture, role)
