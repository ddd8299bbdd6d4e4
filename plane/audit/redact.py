"""Secrets in an exec's argv are masked before anything keeps it; what it does stays readable.

exec's command travels in the query string, so arguments would otherwise end in logs
(kubernetes/kubernetes#97795). This is a net, not a proof: a secret that looks like any other word
is kept. Command substitutions are never masked, or `TOKEN=$(...)` would hide a command.
Every pattern is bounded, so a hostile argument costs linear time.
"""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

MASK = "[redacted]"

# Names of secrets, wherever they stand in a longer name: PGPASSWORD, --db-password, secretKey.
_WORD = (
    r"(?:password|passwd|passphrase|passcode|(?<![a-z])pass(?![a-z])|(?<=[_-])pwd|secret|token|"
    r"api[_-]?key|access[_-]?key|private[_-]?key|signing[_-]?key|credential)"
)
# A file's name is no secret: --password-file, TOKEN_PATH.
_NAME = rf"{_WORD}(?![\w.-]{{0,64}}(?:file|path))[\w.-]{{0,64}}"
_QUOTED = r"\"(?:[^\"\\]|\\.)*(?:\"|\Z)|'[^']*(?:'|\Z)"
_VALUE = rf"(?:{_QUOTED}|(?:\\.|[^\s\"'&;|])+)"

_FLAG = re.compile(rf"--?[\w.-]{{0,64}}?{_NAME}", re.IGNORECASE)
_FLAG_WITH_VALUE = re.compile(rf"(--?[\w.-]{{0,64}}?{_NAME}=).+", re.IGNORECASE | re.DOTALL)
_KEEP = re.compile(r"\$\(|`|^[\"']?\$\{?\w+\}?[\"']?$")

# (pattern, what stays): group 1 stays, the rest is masked unless it is a substitution.
_SHAPES: tuple[re.Pattern[str], ...] = (
    re.compile(
        r"()-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END[^\n]{0,60}|\Z)", re.DOTALL
    ),
    re.compile(
        r"(\b(?:proxy-)?authorization\s{0,8}:\s{0,8}|\bcookie\s{0,8}:\s{0,8})[^\"'\n]+",
        re.IGNORECASE,
    ),
    re.compile(r"(\b(?:bearer|basic|token)\s{1,8})[\w.~+/=-]{6,}", re.IGNORECASE),
    re.compile(r"(\b[a-z][a-z0-9+.-]{0,30}://[^\s:/@]{0,256}:)[^\s/@]+(?=@)", re.IGNORECASE),
    re.compile(rf"({_NAME}[\"']?\s{{0,8}}[=:]\s{{0,8}}){_VALUE}", re.IGNORECASE),
    re.compile(rf"((?<!\S)--[\w-]{{0,64}}?{_NAME}\s{{1,8}})(?!-){_VALUE}", re.IGNORECASE),
    re.compile(r"((?<!\S)(?:-u|--user|--proxy-user)[\s=]{0,8}[^\s:=]{1,128}:)\S+"),
    re.compile(r"(\b(?:mysql|mariadb)[\w-]{0,32}(?:\s[^\n|;&]{0,128}?)?\s-p)[^\s-]\S*"),
    re.compile(r"(\bsshpass\s{1,8}-p\s{0,8})\S+"),
    re.compile(r"(\bredis-cli\s(?:[^\n|;&]{0,128}?\s)?-a\s{0,8})\S+"),
    re.compile(
        r"()\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abeprs]-[\w-]{10,}|"
        r"(?:AKIA|ASIA)[0-9A-Z]{16}|eyJ[\w-]{10,}\.[\w-]{5,}(?:\.[\w-]*)?|sk-[\w-]{20,}|"
        r"AIza[\w-]{30,}|hvs\.[\w-]{20,}|npm_\w{30,}|dckr_pat_[\w-]{20,}|sha256~[\w-]{30,})"
    ),
)

# Programs whose short flag carries a password: the flag, and whether its value may be separate.
_SHORT_FLAGS = {
    "mysql": ("-p", False),
    "mysqldump": ("-p", False),
    "mysqladmin": ("-p", False),
    "mariadb": ("-p", False),
    "mariadb-dump": ("-p", False),
    "sshpass": ("-p", True),
    "redis-cli": ("-a", True),
}
_LOGIN_FLAGS = ("-u", "--user", "--proxy-user")


def command(argv: Sequence[str]) -> tuple[str, ...]:
    """The argv with passwords, tokens and keys masked; as many words as before."""
    program = PurePosixPath(argv[0]).name if argv else ""
    short, separate = _SHORT_FLAGS.get(program, ("", False))
    result = []
    before = ""
    for word in argv:
        if _is_secret_flag(before) and not word.startswith("-"):
            result.append(_masked(word))
        elif separate and before == short:
            result.append(MASK)
        elif short and word.startswith(short) and word != short:
            result.append(short + MASK)
        elif before in _LOGIN_FLAGS and ":" in word:
            result.append(f"{word.partition(':')[0]}:{MASK}")
        else:
            result.append(text(word))
        before = word
    return tuple(result)


def text(word: str) -> str:
    """One argument, perhaps a whole shell script, with what looks like a secret masked."""
    if match := _FLAG_WITH_VALUE.fullmatch(word):
        return match[1] + _masked(word[match.end(1) :])
    for shape in _SHAPES:
        word = shape.sub(_mask, word)
    return word


def _is_secret_flag(word: str) -> bool:
    return word.startswith("-") and len(word) < 128 and _FLAG.fullmatch(word) is not None


def _mask(match: re.Match[str]) -> str:
    return match[1] + _masked(match[0][len(match[1]) :])


def _masked(value: str) -> str:
    return value if _KEEP.search(value) else MASK
