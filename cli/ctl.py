"""`plane ctl`: roles, users, clusters, connectors and the audit log, for admins."""

from typing import ClassVar

import click

from cli.client import ApiError, Client, client_for, segment
from cli.documents import Stream, explained, gather
from cli.errors import CliError, ExitCode
from cli.login import proxy_option
from cli.output import (
    Column,
    Document,
    items_of,
    mapping,
    output_option,
    safe,
    show_list,
    show_one,
    to_yaml,
)
from cli.root import LazyGroup


class Ctl(LazyGroup):
    """The commands of `plane ctl`."""

    lazy: ClassVar = {
        "edit": "cli.edit:edit",
        "users": "cli.users:users",
        "audit": "cli.audit:audit",
    }


@click.group(cls=Ctl, short_help="Administer roles, users, clusters, connectors, audit.")
def ctl() -> None:
    """Administer plane: roles, users, clusters, identity providers, and the audit log."""


@ctl.command("create", short_help="Create documents from files.")
@click.option("-f", "--file", "paths", multiple=True, required=True, metavar="FILE|FOLDER|-")
@click.option("--force", "--upsert", "force", is_flag=True, help="Replace what exists already.")
@click.option("--dry-run", is_flag=True, help="Check everything and change nothing.")
@output_option("table", "json", "yaml", "name")
@proxy_option
def create(
    paths: tuple[str, ...], *, force: bool, dry_run: bool, output: str, proxy: str | None
) -> None:
    """Create the documents in files, folders or stdin (-); all of them or none.

    What `plane ctl get -o yaml` printed may be created again: it changes nothing while the stored
    document has the same revision. A fault is named as file:document:line: field: what is wrong.
    """
    stream = gather(paths)
    applied = _apply(client_for(proxy), stream, mode="upsert" if force else "create", dry=dry_run)
    for item in applied:
        for warning in _texts(item.get("warnings")):
            click.echo(f"warning: {_label(item)}: {safe(warning)}", err=True)
    if output != "table":
        show_list(applied, output=output, columns=(Column(title="NAME", value=_label),))
        return
    for item in applied:
        suffix = " (dry run)" if dry_run else ""
        click.echo(f"{_label(item)} {safe(item.get('action'))}{suffix}")


def _apply(client: Client, stream: Stream, *, mode: str, dry: bool) -> list[Document]:
    try:
        answer = client.post_yaml(
            "/v1/resources", stream.text, mode=mode, dryRun="true" if dry else None
        )
    except ApiError as error:
        raise explained(error, stream) from None
    return items_of(answer)


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _label(item: Document) -> str:
    return f"{safe(item.get('kind'))}/{safe(item.get('name'))}"


@ctl.command("get", short_help="Show documents of a kind, or one.")
@click.argument("what", metavar="KIND[/NAME]")
@output_option("table", "wide", "yaml", "json", "name")
@proxy_option
def get(what: str, *, output: str, proxy: str | None) -> None:
    """Show the documents of a kind, or one (KIND/NAME).

    With -o yaml they are printed as `plane ctl create -f` takes them.
    """
    kind, name = kind_and_name(what, name_needed=False)
    client = client_for(proxy)
    path = f"/v1/resources/{segment(kind)}"
    found = [client.get(f"{path}/{segment(name)}")] if name else items_of(client.get(path))
    if output == "yaml":
        print("---\n".join(to_yaml(item) for item in found), end="")
    elif output == "json" and name:
        show_one(found[0], output="json")
    else:
        show_list(found, output=output, columns=_COLUMNS)


def _metadata(item: Document, key: str) -> object:
    return mapping(item.get("metadata")).get(key)


_COLUMNS = (
    Column(title="NAME", value=lambda item: f"{item.get('kind')}/{_metadata(item, 'name')}"),
    Column(title="REVISION", value=lambda item: _metadata(item, "revision")),
    Column(title="DESCRIPTION", value=lambda item: _metadata(item, "description")),
    Column(title="LABELS", value=lambda item: _metadata(item, "labels"), wide=True),
    Column(title="EXPIRES", value=lambda item: _metadata(item, "expires"), wide=True),
)


@ctl.command("rm", short_help="Remove a document.")
@click.argument("what", metavar="KIND/NAME")
@click.option("--revision", help="Only if it still has this revision.")
@proxy_option
def rm(what: str, *, revision: str | None, proxy: str | None) -> None:
    """Remove one document. What depended on it ends within two seconds."""
    kind, name = kind_and_name(what, name_needed=True)
    path = f"/v1/resources/{segment(kind)}/{segment(name)}"
    client_for(proxy).delete(path, revision=revision)
    print(f"{kind}/{name} removed")


def kind_and_name(what: str, *, name_needed: bool) -> tuple[str, str]:
    """Split KIND/NAME; `roles` is understood as `role`. A usage error when the name is missing."""
    kind, _, name = what.partition("/")
    kind = kind.lower()
    if len(kind) > 1 and kind.endswith("s"):
        kind = kind[:-1]
    if not kind or (name_needed and not name):
        raise CliError(
            f"{what!r} is not KIND/NAME", hint="Write for example role/admin.", code=ExitCode.USAGE
        )
    return kind, name
