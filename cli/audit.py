"""`plane ctl audit`: what happened, as it happens or by question."""

import time
from collections.abc import Callable

import click

from cli.client import client_for
from cli.completion import complete_cluster
from cli.instant import since as instant_since
from cli.login import proxy_option
from cli.output import Column, Document, items_of, mapping, output_option, show_list, text, to_json


@click.group(short_help="Read the audit log.")
def audit() -> None:
    """Read the audit log: every request, login, session and change."""


def _filters(command: Callable[..., None]) -> Callable[..., None]:
    """The questions that tail and search share."""
    for option in (
        click.option("--type", "kind", metavar="TYPE", help="Event type, e.g. kube.request."),
        click.option("--verb", help="Kubernetes verb, or exec, attach, portforward."),
        click.option("--cluster", shell_complete=complete_cluster, help="Cluster name."),
        click.option("--user", help="User name."),
    ):
        command = option(command)
    return command


@audit.command("tail", short_help="Show the latest events, and new ones with -f.")
@click.option("-f", "--follow", is_flag=True, help="Go on until interrupted.")
@click.option("-n", "--lines", default=10, show_default=True, help="Events to begin with.")
@_filters
@output_option("table", "json")
@proxy_option
def tail(  # noqa: PLR0913 - one parameter per flag
    *, follow: bool, lines: int, user: str | None, cluster: str | None, verb: str | None,
    kind: str | None, output: str, proxy: str | None,
) -> None:  # fmt: skip
    """Show the latest events, one a line, and with -f those that come."""
    client = client_for(proxy)
    query = {"user": user, "cluster": cluster, "verb": verb, "type": kind}
    for event in _in_order(items_of(client.get("/v1/audit", **query, limit=lines))):
        _print_line(event, output=output)
    if follow:
        for event in client.lines("/v1/audit/follow", **query):
            _print_line(event, output=output)


@audit.command("search", short_help="Find events.")
@_filters
@click.option("--namespace", help="Namespace of the object.")
@click.option("--resource", help="Resource of the object, e.g. pods.")
@click.option("--since", "begin", default="24h", show_default=True, help="Duration or time.")
@click.option("--until", "end", default="", help="Duration or time.")
@click.option("--limit", default=1000, show_default=True, help="At most this many.")
@output_option("table", "wide", "json", "yaml")
@proxy_option
def search(
    *, kind: str | None, begin: str, end: str, output: str, proxy: str | None, **question: object,
) -> None:  # fmt: skip
    """Find events by user, cluster, verb, type and time, oldest first."""
    now = time.time()
    since, until = instant_since(begin, now=now), instant_since(end, now=now) if end else None
    query = {**question, "type": kind, "since": since, "until": until}
    answer = client_for(proxy).get("/v1/audit", **query)
    show_list(_in_order(items_of(answer)), output=output, columns=_COLUMNS)


def _in_order(events: list[Document]) -> list[Document]:
    return sorted(events, key=lambda event: str(event.get("requestReceivedTimestamp") or ""))


def _print_line(event: Document, *, output: str) -> None:
    if output == "json":
        print(to_json(event, indent=None), flush=True)
        return
    cells = [text(column.value(event)) for column in _COLUMNS if not column.wide]
    print("  ".join(cell for cell in cells if cell), flush=True)


def _object(event: Document) -> str:
    """The object as `namespace/resource/name/subresource`."""
    reference = mapping(event.get("objectRef"))
    parts = (reference.get(key) for key in ("namespace", "resource", "name", "subresource"))
    return "/".join(str(part) for part in parts if part) or str(event.get("path") or "")


def _result(event: Document) -> object:
    """The answer's code, or what plane decided when nothing was answered yet."""
    if event.get("state") == "interrupted":  # the server died in the middle
        return "interrupted"
    code = mapping(event.get("responseStatus")).get("code")
    if code is not None:
        return code
    allowed = mapping(event.get("decision")).get("allowed")
    return {True: "allowed", False: "denied"}.get(allowed) if isinstance(allowed, bool) else None


def _reason(event: Document) -> object:
    decision = mapping(event.get("decision"))
    if decision.get("allowed") is False:
        return decision.get("reason")
    return mapping(event.get("responseStatus")).get("message")


_COLUMNS = (
    Column(title="TIME", value=lambda event: event.get("requestReceivedTimestamp")),
    Column(title="TYPE", value=lambda event: event.get("type")),
    Column(title="USER", value=lambda event: mapping(event.get("user")).get("username")),
    Column(title="CLUSTER", value=lambda event: event.get("cluster")),
    Column(title="VERB", value=lambda event: event.get("verb")),
    Column(title="OBJECT", value=_object),
    Column(title="RESULT", value=_result),
    Column(title="REASON", value=_reason),
    Column(title="AUDIT ID", value=lambda event: event.get("auditID"), wide=True),
    Column(title="FROM", value=lambda event: event.get("sourceIPs"), wide=True),
)
