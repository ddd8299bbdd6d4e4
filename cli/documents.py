"""Gathers the documents of `-f` into one YAML stream and names the faults' places in the files.

One stream, because the server takes or refuses it as a whole: half a folder is never applied.
"""

import bisect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cli.client import ApiError
from cli.errors import CliError, ExitCode
from cli.output import Document, mapping

_SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """The text of all files, and where (1-based line) each of them begins in it."""

    text: str
    names: tuple[str, ...]
    starts: tuple[int, ...]

    def place(self, line: int) -> str:
        """Name a line of the stream as `file:document:line`, all counted from 1."""
        index = max(0, bisect.bisect_right(self.starts, line) - 1)
        own = line - self.starts[index] + 1
        above = self.text.split("\n")[self.starts[index] - 1 : line]
        document = sum(_begins_document(above, at) for at in range(len(above)))
        return f"{self.names[index]}:{max(1, document)}:{own}"


def _begins_document(lines: list[str], at: int) -> bool:
    """Whether a document starts at this line: after `---`, or with the file's first content."""
    content = bool(lines[at].strip()) and not lines[at].lstrip().startswith("#")
    if _separator(lines[at]):
        return True
    return content and not any(
        line.strip() and not line.lstrip().startswith("#") for line in lines[:at]
    )


def _separator(line: str) -> bool:
    return line == "---" or line.startswith(("--- ", "---\t", "---\r"))


def gather(paths: tuple[str, ...]) -> Stream:
    """Read files, folders (recursively, sorted) and `-` into one stream."""
    names: list[str] = []
    starts: list[int] = []
    lines: list[str] = []
    for name, text in _texts(paths):
        if lines and not text.startswith("---"):
            lines.append("---")
        names.append(name)
        starts.append(len(lines) + 1)
        lines += text.removesuffix("\n").split("\n")
    return Stream(text="\n".join(lines) + "\n", names=tuple(names), starts=tuple(starts))


def _texts(paths: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for path in paths:
        if path == "-":
            yield "stdin", _decoded(sys.stdin.buffer.read(), "stdin")
            continue
        for file in _files(Path(path)):
            yield str(file), _decoded(file.read_bytes(), str(file))


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise CliError(f"there is no {path}", code=ExitCode.USAGE)
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES)
    if not found:
        raise CliError(f"{path} holds no {', '.join(_SUFFIXES)} file", code=ExitCode.USAGE)
    return found


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CliError(f"{name} is not UTF-8", code=ExitCode.USAGE) from None


def problems(error: ApiError) -> list[Document]:
    """The faults that a refusal lists: `message`, and `path`, `line`, `document` where known."""
    for key in ("problems", "causes"):
        found = error.details.get(key)
        if isinstance(found, list):
            return [mapping(item) for item in found]
    return []


def explained(error: ApiError, stream: Stream) -> CliError:
    """The refusal with each fault as `file:document:line: path: message`."""
    faults = [_fault(problem, stream) for problem in problems(error)]
    if not faults:
        return error
    message = "\n".join([error.message, *faults])
    return CliError(message, hint="Nothing was changed.", code=error.code)


def _fault(problem: Document, stream: Stream) -> str:
    line, path = problem.get("line"), problem.get("path") or problem.get("field")
    place = stream.place(line) if isinstance(line, int) else stream.names[0]
    return ": ".join(str(part) for part in (place, path, problem.get("message")) if part)
