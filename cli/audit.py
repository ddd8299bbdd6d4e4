"""`plane ctl audit`: who did what, from the audit log."""

import time

import click

from cli.client import Client, client_for
from cli.instant import duration_seconds, from_rfc3339, rfc3339
from cli.login import proxy_option
from cli.output import Column, Document, items_of, mapping, output_option, show_list, text, to_json


@click.group(short_help="Search and follow the audit log.")
def audit() -> None:
    """Search and follow the audit log; reading it is itself audited."""


@audit.command("search", short_help="Find requests, one row each, the newest first.")
@click.option("--user", help="Who.")
@click.option("--cluster", help="Where.")
@click.option("--verb", help="Kubernetes verb: get, list, create, ...")
@click.option("--type", "kind", help="Event type: kube.request, session.end, user.login, ...")
@click.option("--namespace", "-n", help="Namespace of the object.")
@click.option("--resource", help="Kind of the object: pods, deployments, ...")
@click.option("--since", metavar="1h|7d|TIME", help="Not older than this.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@proxy_option
@output_option("table", "wide", "json", "yaml")
def search(
    since: str | None, kind: str | None, proxy: str | None, output: str, **query: object
) -> None:
    """Find requests, sessions and logins."""
    found = client_for(proxy).get("/v1/audit", since=_since(since), type=kind, **query)
    show_list(items_of(found), output=output, columns=_COLUMNS)


@audit.command("tail", short_help="Show the newest events; -f goes on as they come.")
@click.option("-f", "--follow", is_flag=True, help="Go on until interrupted.")
@click.option("-n", "--lines", "count", type=click.IntRange(0, 10_000), default=20)
@proxy_option
def tail(*, follow: bool, count: int, proxy: str | None) -> None:
    """Show events as JSON lines."""
    client = client_for(proxy)
    if count:
        for item in reversed(items_of(client.get("/v1/audit", limit=count))):
            print(to_json(item, indent=None), flush=True)
    if follow:
        _follow(client)


def _follow(client: Client) -> None:
    for item in client.lines("/v1/audit/follow"):
        print(to_json(item, indent=None), flush=True)


def _since(given: str | None) -> str | None:
    """`1h` as an instant; an instant stays as it is."""
    if given is None:
        return None
    try:
        return rfc3339(from_rfc3339(given))
    except ValueError:
        return rfc3339(time.time() - duration_seconds(given))


def _object(item: Document) -> str:
    ref = mapping(item.get("objectRef"))
    parts = [text(ref.get(key)) for key in ("resource", "subresource", "namespace", "name")]
    return "/".join(part for part in parts if part) or text(item.get("path"))


_COLUMNS = (
    Column(title="TIME", value=lambda item: item.get("requestReceivedTimestamp")),
    Column(title="TYPE", value=lambda item: item.get("type")),
    Column(title="USER", value=lambda item: mapping(item.get("user")).get("username")),
    Column(title="CLUSTER", value=lambda item: item.get("cluster")),
    Column(title="VERB", value=lambda item: item.get("verb")),
    Column(title="OBJECT", value=_object),
    Column(title="CODE", value=lambda item: mapping(item.get("responseStatus")).get("code")),
    Column(
        title="REASON", value=lambda item: mapping(item.get("decision")).get("reason"), wide=True
    ),
    Column(title="AUDIT ID", value=lambda item: item.get("auditID"), wide=True),
)
