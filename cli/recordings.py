"""`plane recordings`: the recorded sessions that you may see."""

import click

from cli.client import client_for, segment
from cli.login import proxy_option
from cli.output import Column, Document, items_of, output_option, show_list, show_one, text


@click.group(short_help="List recorded sessions.")
def recordings() -> None:
    """List recorded sessions; `plane play ID` shows one."""


@recordings.command("ls", short_help="List recorded sessions, the newest first.")
@proxy_option
@click.option("--user", help="Only of this user.")
@click.option("--cluster", help="Only on this cluster.")
@output_option("table", "wide", "json", "yaml", "name")
def ls(proxy: str | None, user: str | None, cluster: str | None, output: str) -> None:
    """List the sessions that you may see: your own, or all for an auditor."""
    found = client_for(proxy).get("/v1/recordings", user=user, cluster=cluster)
    show_list(items_of(found), output=output, columns=_COLUMNS)


@recordings.command("get", short_help="Show what is known of one session.")
@click.argument("recording")
@proxy_option
@output_option("table", "json", "yaml")
def get(recording: str, proxy: str | None, output: str) -> None:
    """Show who recorded what, where and when."""
    show_one(client_for(proxy).get(f"/v1/recordings/{segment(recording)}"), output=output)


def _pod(item: Document) -> str:
    return f"{text(item.get('namespace'))}/{text(item.get('pod'))}"


_COLUMNS = (
    Column(title="ID", value=lambda item: item.get("id")),
    Column(title="STARTED", value=lambda item: item.get("started")),
    Column(title="USER", value=lambda item: item.get("user")),
    Column(title="CLUSTER", value=lambda item: item.get("cluster")),
    Column(title="POD", value=_pod),
    Column(title="STATE", value=lambda item: item.get("state")),
    Column(title="COMMAND", value=lambda item: " ".join(map(str, _command(item)))),
    Column(title="EXIT", value=lambda item: item.get("exit_code"), wide=True),
    Column(title="SECONDS", value=lambda item: item.get("duration"), wide=True),
)


def _command(item: Document) -> list[object]:
    found = item.get("command")
    return list(found) if isinstance(found, list) else []
