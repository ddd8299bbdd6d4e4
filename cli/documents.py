"""Documents in files: finding them, and saying which line of which file is wrong."""

import sys
from collections.abc import Iterator
from pathlib import Path

from cli.client import ApiError
from cli.errors import CliError, ExitCode
from cli.output import Document, mapping, safe

_SUFFIXES = (".yaml", ".yml", ".json")


def texts_of(source: str) -> Iterator[tuple[str, str]]:
    """(name, text) of a file, of each document file in a folder, or of standard input."""
    if source == "-":
        yield "<stdin>", sys.stdin.read()
        return
    path = Path(source)
    if path.is_dir():
        found = sorted(each for each in path.rglob("*") if each.suffix in _SUFFIXES)
        if not found:
            raise CliError(f"{source} holds no {' or '.join(_SUFFIXES)} file")
    else:
        found = [path]
    for each in found:
        yield str(each), _text(each)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise CliError(f"{path}: {error.strerror}", code=ExitCode.USAGE) from None
    except UnicodeDecodeError:
        raise CliError(f"{path} is not UTF-8 text", code=ExitCode.USAGE) from None


def problems(error: ApiError) -> list[str]:
    """Each cause of a refusal as `document:line: path: message`."""
    causes = error.details.get("causes")
    return [_problem(mapping(cause)) for cause in causes] if isinstance(causes, list) else []


def explained(error: ApiError, name: str) -> CliError:
    """The refusal with its places in the file of that name."""
    lines = [f"{name}:{problem}" for problem in problems(error)]
    if not lines:
        return error
    return CliError("\n  ".join([error.message, *lines]), code=error.code)


def _problem(told: Document) -> str:
    place = ":".join(safe(told[key]) for key in ("document", "line") if told.get(key))
    field = safe(told.get("field") or "")
    message = safe(told.get("message") or "")
    return f"{place}: {field}: {message}" if field else f"{place}: {message}"
