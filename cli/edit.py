"""`plane ctl edit`: one document in the person's editor, again with the error until it is taken."""

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

import click

from cli.client import ApiError, Client, client_for, segment
from cli.ctl import kind_and_name
from cli.documents import problems
from cli.errors import CliError
from cli.login import proxy_option
from cli.output import Document, items_of, safe, safe_lines, to_yaml

_HEAD = "# Edit, save and leave the editor. An unchanged file changes nothing.\n"


@click.command("edit", short_help="Edit a document in your editor.")
@click.argument("what", metavar="KIND/NAME")
@proxy_option
def edit(what: str, *, proxy: str | None) -> None:
    """Edit one document in $VISUAL or $EDITOR.

    When the server refuses it, the editor opens again with the reason on top. Somebody else's
    change in between is never overwritten: metadata.revision guards it.
    """
    kind, name = kind_and_name(what, name_needed=True)
    client = client_for(proxy)
    document = client.get(f"/v1/resources/{segment(kind)}/{segment(name)}")
    with tempfile.TemporaryDirectory(prefix="plane-edit-") as folder:
        # The folder is 0700: a document may hold a connector's secret.
        file = Path(folder) / f"{kind}.yaml"
        applied = _until_taken(client, document, file)
    if applied is None:
        print("Edit cancelled, no changes made.")
        return
    for item in applied:
        print(f"{safe(item.get('kind'))}/{safe(item.get('name'))} {safe(item.get('action'))}")


def _until_taken(client: Client, document: Document, file: Path) -> list[Document] | None:
    """Edit and send until the server takes it; None when the person leaves it unchanged."""
    body, head, failure = to_yaml(document), _HEAD, None
    while True:
        file.write_text(head + body, "utf-8")
        _open_editor(file)
        text = _without_head(file.read_text("utf-8"))
        if text == body or not text.strip():
            if failure is None:
                return None
            raise CliError(f"{failure.message}", hint=_kept(body), code=failure.code)
        body = text
        try:
            return items_of(client.post_yaml("/v1/resources", text, mode="upsert"))
        except ApiError as error:
            if error.status not in (400, 409, 422):
                raise CliError(error.message, hint=_kept(text), code=error.code) from None
            failure, head = error, _HEAD + _commented(error)


def _open_editor(file: Path) -> None:
    wish = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        code = subprocess.run([*shlex.split(wish), str(file)], check=False).returncode  # noqa: S603
    except OSError as error:
        hint = "Set EDITOR to your editor."
        raise CliError(f"the editor {wish!r} does not start: {error.strerror}", hint=hint) from None
    if code:
        raise CliError(f"the editor {wish!r} ended with code {code}", hint="Nothing was changed.")


def _without_head(text: str) -> str:
    """The text without the comments on top, which are ours."""
    lines = text.split("\n")
    while lines and lines[0].startswith("#"):
        del lines[0]
    return "\n".join(lines)


def _commented(error: ApiError) -> str:
    faults = [
        ": ".join(str(fault[key]) for key in ("path", "field", "message") if fault.get(key))
        for fault in problems(error)
    ]
    lines = safe_lines("\n".join([error.message, *faults])).split("\n")
    return "# It was refused:\n" + "".join(f"#   {line}\n" for line in lines) + "#\n"


def _kept(text: str) -> str:
    """Keep what the person wrote; nobody types a role twice."""
    fd, name = tempfile.mkstemp(prefix="plane-edit-", suffix=".yaml")
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(text)
    return f"Your text is kept in {name}."
