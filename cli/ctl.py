"""`plane ctl`: roles, users, clusters and connectors as documents, for administrators."""

import sys
from typing import ClassVar

import click

from cli.client import ApiError, client_for, segment
from cli.documents import explained, texts_of
from cli.errors import CliError, ExitCode
from cli.login import proxy_option
from cli.output import Column, Document, items_of, mapping, output_option, safe, show_list, to_yaml
from cli.root import LazyGroup


class Ctl(LazyGroup):
    """The commands of `plane ctl`."""

    lazy: ClassVar = {
        "edit": "cli.edit:edit",
        "users": "cli.users:users",
        "audit": "cli.audit:audit",
    }


@click.group(cls=Ctl, short_help="Administer roles, users, clusters, connectors and audit.")
def ctl() -> None:
    """Administer plane: what you may do here is decided by your roles' rules."""


@ctl.command("create", short_help="Create documents from a file, a folder or - (stdin).")
@click.option("-f", "--filename", "source", required=True, metavar="FILE|DIR|-")
@click.option("--force", is_flag=True, help="Replace documents that exist.")
@click.option("--dry-run", is_flag=True, help="Check everything, change nothing.")
@proxy_option
def create(source: str, *, force: bool, dry_run: bool, proxy: str | None) -> None:
    """Create the documents, each file whole or not at all."""
    client = client_for(proxy)
    for name, content in texts_of(source):
        try:
            answer = client.post_yaml(
                "/v1/resources",
                content,
                mode="upsert" if force else "create",
                dryRun="true" if dry_run else None,
            )
        except ApiError as error:
            raise explained(error, name) from None
        for item in items_of(answer):
            _tell(item, dry_run=dry_run)


@ctl.command("get", short_help="Show documents: KIND, KIND/NAME or KIND NAME.")
@click.argument("what", nargs=-1, required=True)
@proxy_option
@output_option("table", "yaml", "json", "name")
def get(what: tuple[str, ...], proxy: str | None, output: str) -> None:
    """Show the documents of a kind, or one."""
    kind, name = kind_and_name(what)
    client = client_for(proxy)
    if name:
        found = [client.get(f"/v1/resources/{segment(kind)}/{segment(name)}")]
    else:
        found = items_of(client.get(f"/v1/resources/{segment(kind)}"))
    if output == "yaml":
        print("---\n".join(to_yaml(item) for item in found), end="")
    else:
        show_list(found, output=output, columns=_COLUMNS)


@ctl.command("rm", short_help="Remove a document: KIND/NAME.")
@click.argument("what", nargs=-1, required=True)
@proxy_option
def rm(what: tuple[str, ...], proxy: str | None) -> None:
    """Remove a document; what it allowed ends at once."""
    kind, name = kind_and_name(what)
    if not name:
        raise CliError("which one? Say KIND/NAME", code=ExitCode.USAGE)
    client_for(proxy).delete(f"/v1/resources/{segment(kind)}/{segment(name)}")
    print(f"{safe(kind)}/{safe(name)} removed")


def kind_and_name(what: tuple[str, ...]) -> tuple[str, str]:
    """Read `role/admin`, `roles/admin`, `role admin` or `role`."""
    parts = what[0].split("/", 1) if len(what) == 1 else list(what)
    if len(parts) > 2 or not parts[0]:
        raise CliError("say KIND, KIND/NAME or KIND NAME", code=ExitCode.USAGE)
    return parts[0], parts[1] if len(parts) == 2 else ""


def _tell(item: Document, *, dry_run: bool) -> None:
    suffix = " (dry run)" if dry_run else ""
    print(f"{safe(item.get('kind'))}/{safe(item.get('name'))} {safe(item.get('action'))}{suffix}")
    warnings = item.get("warnings")
    for warning in warnings if isinstance(warnings, list) else []:
        print(f"warning: {safe(warning)}", file=sys.stderr)


def _meta(item: Document, key: str) -> object:
    return mapping(item.get("metadata")).get(key)


_COLUMNS = (
    Column(title="NAME", value=lambda item: f"{item.get('kind')}/{_meta(item, 'name')}"),
    Column(title="VERSION", value=lambda item: item.get("version")),
    Column(title="REVISION", value=lambda item: _meta(item, "revision")),
    Column(title="LABELS", value=lambda item: _meta(item, "labels")),
)
