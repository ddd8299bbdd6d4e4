"""`plane ctl users`: local users, invited by a link that works once."""

import click

from cli.client import client_for, segment
from cli.login import proxy_option
from cli.output import Column, items_of, mapping, output_option, safe, show_list


@click.group(short_help="Invite and remove local users.")
def users() -> None:
    """Manage local users; people of an identity provider need no entry here."""


@users.command("add", short_help="Make a user and print an invite link.")
@click.argument("name")
@click.option("--roles", required=True, metavar="ROLE,...", help="The user's roles.")
@click.option("--k8s-groups", metavar="GROUP,...", help="Trait kubernetes_groups.")
@click.option("--k8s-users", metavar="USER,...", help="Trait kubernetes_users.")
@proxy_option
def add(
    name: str, *, roles: str, k8s_groups: str | None, k8s_users: str | None, proxy: str | None
) -> None:
    """Make a local user; they set their password by the link."""
    given = {"kubernetes_groups": _split(k8s_groups), "kubernetes_users": _split(k8s_users)}
    traits = {trait: values for trait, values in given.items() if values}
    body = {"name": name, "roles": _split(roles), "traits": traits}
    answer = client_for(proxy).post("/v1/users", body)
    _show_link(name, answer)


@users.command("reset", short_help="End a user's sessions and password; print a new link.")
@click.argument("name")
@proxy_option
def reset(name: str, proxy: str | None) -> None:
    """Give a user a new start."""
    _show_link(name, client_for(proxy).post(f"/v1/users/{segment(name)}/reset"))


@users.command("ls", short_help="List local users.")
@proxy_option
@output_option("table", "json", "yaml", "name")
def ls(proxy: str | None, output: str) -> None:
    """List local users."""
    found = items_of(client_for(proxy).get("/v1/resources/user"))
    show_list(found, output=output, columns=_COLUMNS)


@users.command("rm", short_help="Remove a user; their sessions end at once.")
@click.argument("name")
@proxy_option
def rm(name: str, proxy: str | None) -> None:
    """Remove a local user."""
    client_for(proxy).delete(f"/v1/resources/user/{segment(name)}")
    print(f"user/{safe(name)} removed")


_COLUMNS = (
    Column(title="NAME", value=lambda item: mapping(item.get("metadata")).get("name")),
    Column(title="ROLES", value=lambda item: mapping(item.get("spec")).get("roles")),
    Column(title="TRAITS", value=lambda item: mapping(item.get("spec")).get("traits")),
)


def _split(given: str | None) -> list[str]:
    return [part.strip() for part in (given or "").split(",") if part.strip()]


def _show_link(name: str, answer: object) -> None:
    told = mapping(answer)
    print(f"Give {safe(name)} this link; it works once, until {safe(told.get('expires'))}:")
    print(safe(told.get("invite")))
