"""`plane recordings`: recorded exec and attach sessions. `plane play` shows one (play.py)."""

import sys
import time
from pathlib import Path

import click

from cli.client import client_for, segment
from cli.completion import complete_cluster
from cli.errors import CliError, ExitCode
from cli.instant import since as instant_since
from cli.instant import span
from cli.login import proxy_option
from cli.output import Column, Document, items_of, output_option, show_list, show_one


@click.group(short_help="List and fetch recorded sessions.")
def recordings() -> None:
    """List and fetch recorded exec and attach sessions; `plane play ID` shows one."""


@recordings.command("ls", short_help="List recordings, newest first.")
@click.option("--user", help="User name.")
@click.option("--cluster", shell_complete=complete_cluster, help="Cluster name.")
@click.option("--since", "begin", default="", metavar="TIME", help="Duration (7d) or time.")
@output_option("table", "wide", "json", "yaml", "name")
@proxy_option
def ls(
    *, user: str | None, cluster: str | None, begin: str, output: str, proxy: str | None
) -> None:
    """List the recordings that you may see, newest first."""
    since = instant_since(begin, now=time.time()) if begin else None
    answer = client_for(proxy).get("/v1/recordings", user=user, cluster=cluster, since=since)
    show_list(items_of(answer), output=output, columns=_COLUMNS)


def _target(item: Document) -> str:
    parts = (item.get("namespace"), item.get("pod"), item.get("container"))
    return "/".join(str(part) for part in parts if part)


def _length(item: Document) -> str:
    seconds = item.get("durationSeconds")
    return span(seconds) if isinstance(seconds, int | float) else ""


def _command(item: Document) -> str:
    argv = item.get("command")
    return " ".join(str(part) for part in argv) if isinstance(argv, list) else ""


_COLUMNS = (
    Column(title="ID", value=lambda item: item.get("id")),
    Column(title="STARTED", value=lambda item: item.get("started")),
    Column(title="USER", value=lambda item: item.get("user")),
    Column(title="CLUSTER", value=lambda item: item.get("cluster")),
    Column(title="POD", value=_target),
    Column(title="LENGTH", value=_length),
    Column(title="STATE", value=lambda item: item.get("state")),
    Column(title="COMMAND", value=_command),
    Column(title="PROTOCOL", value=lambda item: item.get("protocol"), wide=True),
    Column(title="AUDIT ID", value=lambda item: item.get("auditID"), wide=True),
)


@recordings.command("get", short_help="Show what is known of a recording, or save it.")
@click.argument("recording", metavar="ID")
@click.option("--cast", "path", metavar="FILE", help="Save the asciicast here (- for stdout).")
@output_option("table", "json", "yaml")
@proxy_option
def get(recording: str, *, path: str | None, output: str, proxy: str | None) -> None:
    """Show what is known of a recording: who, where, when, digest. --cast saves the asciicast."""
    client = client_for(proxy)
    if path is None:
        show_one(client.get(f"/v1/recordings/{segment(recording)}"), output=output)
        return
    if path == "-" and sys.stdout.isatty():
        # It may hold raw control characters of whatever ran in the pod.
        hint = "Use `plane play`, or redirect stdout."
        raise CliError("not writing a recording to a terminal", hint=hint, code=ExitCode.USAGE)
    cast = client.get_bytes(f"/v1/recordings/{segment(recording)}/cast")
    if path == "-":
        sys.stdout.buffer.write(cast)
    else:
        Path(path).write_bytes(cast)
        print(f"Saved {len(cast)} bytes to {path}.")
