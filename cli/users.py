"""`plane ctl users`: local users, who come in by an invite link."""

import click

from cli.client import client_for, segment
from cli.login import proxy_option
from cli.output import Column, Document, items_of, mapping, output_option, safe, show_list, show_one


@click.group(short_help="Add, list, reset and remove local users.")
def users() -> None:
    """Add, list, reset and remove local users."""


@users.command("add", short_help="Add a user and print the invite link.")
@click.argument("name")
@click.option("--roles", required=True, metavar="A,B", help="The user's roles.")
@click.option("--k8s-groups", metavar="A,B", default="", help="Trait kubernetes_groups.")
@click.option("--k8s-users", metavar="A,B", default="", help="Trait kubernetes_users.")
@output_option("table", "json", "yaml")
@proxy_option
def add(
    name: str, *, roles: str, k8s_groups: str, k8s_users: str, output: str, proxy: str | None
) -> None:
    """Add a local user and print the link with which the person sets a password."""
    traits = {"kubernetes_groups": _split(k8s_groups), "kubernetes_users": _split(k8s_users)}
    body = {
        "name": name,
        "roles": _split(roles),
        "traits": {trait: values for trait, values in traits.items() if values},
    }
    _show_invite(name, client_for(proxy).post("/v1/users", body), output=output)


@users.command("reset", short_help="Print a new invite link; the old password stops working.")
@click.argument("name")
@output_option("table", "json", "yaml")
@proxy_option
def reset(name: str, *, output: str, proxy: str | None) -> None:
    """Print a new invite link for a user; the old password stops working."""
    answer = client_for(proxy).post(f"/v1/users/{segment(name)}/reset")
    _show_invite(name, answer, output=output)


def _show_invite(name: str, answer: Document, *, output: str) -> None:
    if output != "table":
        show_one(answer, output=output)
        return
    print(f"Give this link to {name}; it works once, until {safe(answer.get('expires'))}:")
    print(f"  {safe(answer.get('invite'))}")


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


@users.command("ls", short_help="List the local users.")
@output_option("table", "wide", "json", "yaml", "name")
@proxy_option
def ls(output: str, *, proxy: str | None) -> None:
    """List the local users with their roles."""
    found = items_of(client_for(proxy).get("/v1/resources/user"))
    show_list(found, output=output, columns=_COLUMNS)


_COLUMNS = (
    Column(title="NAME", value=lambda item: mapping(item.get("metadata")).get("name")),
    Column(title="ROLES", value=lambda item: mapping(item.get("spec")).get("roles")),
    Column(title="TRAITS", value=lambda item: mapping(item.get("spec")).get("traits"), wide=True),
)


@users.command("rm", short_help="Remove a user; the user's sessions end.")
@click.argument("name")
@proxy_option
def rm(name: str, *, proxy: str | None) -> None:
    """Remove a local user; the user's sessions end within two seconds."""
    client_for(proxy).delete(f"/v1/resources/user/{segment(name)}")
    print(f"user/{name} removed")
