"""`plane ctl edit`: a document in your editor, again and again until it is right or unchanged."""

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

import click

from cli.client import ApiError, Client, client_for, segment
from cli.ctl import kind_and_name
from cli.documents import problems
from cli.errors import CliError, ExitCode
from cli.login import proxy_option
from cli.output import safe, to_yaml


@click.command("edit", short_help="Edit a document in $EDITOR: KIND/NAME.")
@click.argument("what", nargs=-1, required=True)
@proxy_option
def edit(what: tuple[str, ...], proxy: str | None) -> None:
    """Open a document in $EDITOR and store it when it was changed.

    When it is refused, the editor opens again with the reasons as comments at the top.
    """
    kind, name = kind_and_name(what)
    if not name:
        raise CliError("which one? Say KIND/NAME", code=ExitCode.USAGE)
    client = client_for(proxy)
    original = to_yaml(client.get(f"/v1/resources/{segment(kind)}/{segment(name)}"))
    text, refusal = original, ""
    while True:
        edited = _in_editor(refusal + text)
        if edited in (text, original):
            print("edit cancelled, nothing changed")
            return
        fault = _store(client, edited)
        if not fault:
            print(f"{safe(kind)}/{safe(name)} updated")
            return
        text, refusal = edited, fault


def _store(client: Client, text: str) -> str:
    """Store the text; the refusal as comment lines, "" when it was taken."""
    try:
        client.post_yaml("/v1/resources", text, mode="upsert")
    except ApiError as error:
        if error.status not in (400, 409, 422):
            raise
        lines = ["# It was not stored:", f"# {safe(error.message)}"]
        lines += [f"# {problem}" for problem in problems(error)]
        return "\n".join([*lines, ""])
    return ""


def _in_editor(text: str) -> str:
    """What the person makes of `text`; leading comments are taken off again."""
    handle, name = tempfile.mkstemp(prefix="plane-edit-", suffix=".yaml")
    path = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
        done = subprocess.run([*shlex.split(editor), name], check=False)  # noqa: S603 - theirs
        if done.returncode:
            raise CliError(f"the editor {editor!r} failed with status {done.returncode}")
        lines = path.read_text("utf-8").splitlines(keepends=True)
    finally:
        path.unlink()
    while lines and lines[0].startswith("#"):
        lines.pop(0)
    return "".join(lines)
