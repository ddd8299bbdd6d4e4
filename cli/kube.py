"""`plane kube`: which clusters there are, and their contexts in the kubeconfig."""

import re
import sys
import time
from pathlib import Path
from typing import ClassVar

import click

from cli import kubeconfig
from cli.client import Client
from cli.completion import complete_cluster, remember_clusters
from cli.errors import CliError, ExitCode
from cli.kubeconfig import Owned, Target
from cli.login import proxy_option
from cli.output import Column, Document, items_of, output_option, safe, show_list
from cli.profile import Profile, choose, require
from cli.root import LazyGroup
from cli.yamledit import Changes, apply

# What a context or a path could not carry safely; the server's own rule is stricter.
_USABLE = re.compile(r"[^\x00-\x20\x7f-\xa0/\\%?#'\"\u2000-\u206f\ufeff]+")


class Kube(LazyGroup):
    """The commands of `plane kube`."""

    lazy: ClassVar = {"credentials": "cli.execcredential:credentials"}


@click.group(cls=Kube, short_help="List clusters and set up kubectl for them.")
def kube() -> None:
    """List the clusters that you may use and set up kubectl for them."""


@kube.command("ls", short_help="List the clusters you may use.")
@proxy_option
@output_option("table", "wide", "json", "yaml", "name")
def ls(proxy: str | None, output: str) -> None:
    """List the clusters that your roles permit."""
    found = _clusters(require(proxy, now=time.time()))
    show_list(found, output=output, columns=_COLUMNS)


_COLUMNS = (
    Column(title="NAME", value=lambda item: item.get("name")),
    Column(title="STATUS", value=lambda item: item.get("status")),
    Column(title="LABELS", value=lambda item: item.get("labels")),
    Column(title="USERS", value=lambda item: item.get("kubernetesUsers"), wide=True),
    Column(title="GROUPS", value=lambda item: item.get("kubernetesGroups"), wide=True),
)


def _clusters(profile: Profile) -> list[Document]:
    client = Client(proxy=profile.proxy, ca_pem=profile.ca_pem, token=profile.token)
    found = items_of(client.get("/v1/clusters"))
    found.sort(key=lambda item: str(item.get("name")))
    remember_clusters(profile.proxy, [str(item.get("name")) for item in found])
    return found


kubeconfig_option = click.option(
    "--kubeconfig",
    "path",
    type=click.Path(path_type=Path),
    help="The file to change (default: the first of $KUBECONFIG, else ~/.kube/config).",
)


@kube.command("login", short_help="Write a context for a cluster, or for all.")
@click.argument("cluster", required=False, shell_complete=complete_cluster)
@click.option("--all", "everything", is_flag=True, help="Every cluster that you may use.")
@click.option("--set-context-name", "name", metavar="NAME", help="Instead of plane-CLUSTER.")
@click.option(
    "--set-current/--no-set-current",
    default=None,
    help="Make it the current context (default: yes for a named cluster, no with --all).",
)
@kubeconfig_option
@click.option("--print", "printed", is_flag=True, help="Print a kubeconfig and change no file.")
@click.option("--exec-path", metavar="PATH", default="plane", help="The plane that kubectl runs.")
@proxy_option
def login(  # noqa: PLR0913 - one parameter per flag
    cluster: str | None,
    *,
    everything: bool,
    name: str | None,
    set_current: bool | None,
    path: Path | None,
    printed: bool,
    exec_path: str,
    proxy: str | None,
) -> None:
    """Write a context for CLUSTER into your kubeconfig and make it the current one.

    Everything else in the file stays as it is, comments included. kubectl then runs
    `plane kube credentials`, so the context stays good after your login has expired.
    """
    if bool(cluster) == everything:
        raise click.UsageError("Give a cluster or --all.")
    if everything and (name or set_current):
        raise click.UsageError("--all takes neither --set-context-name nor --set-current.")
    profile = require(proxy, now=time.time())
    names = [str(item.get("name")) for item in _clusters(profile)]
    if cluster and cluster not in names:
        raise _unknown(cluster, names)
    targets = [
        Target(
            context=name or f"plane-{each}",
            cluster=each,
            proxy=profile.proxy,
            kube_path=profile.kube_path,
            ca_pem=profile.ca_pem,
            command=exec_path,
        )
        for each in ([cluster] if cluster else names)
        if _usable(each)
    ]
    current = targets[0].context if targets and cluster and set_current is not False else None
    changes = kubeconfig.entries(targets, current=current)
    if printed:
        print(apply("", changes), end="")
        return
    file = path or kubeconfig.default_path()
    kubeconfig.update(file, lambda found: _checked(changes, found, proxy=profile.proxy))
    _say_written(targets, current=current, file=file)


def _usable(name: str) -> bool:
    if _USABLE.fullmatch(name) and name not in (".", ".."):
        return True
    print(f"left out a cluster with an unusable name: {safe(name)}", file=sys.stderr)
    return False


def _unknown(cluster: str, names: list[str]) -> CliError:
    from difflib import get_close_matches

    near = get_close_matches(cluster, names, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else "`plane kube ls` shows those you may use."
    return CliError(f"no cluster {cluster!r} that you may use", hint=hint, code=ExitCode.NOT_FOUND)


def _checked(changes: Changes, found: Owned, *, proxy: str) -> Changes:
    """Refuse to overwrite what somebody else wrote; say so when it was for another server."""
    for section, put in changes.put.items():
        for name in put:
            if name in found.foreign[section]:
                raise CliError(
                    f"the kubeconfig has an entry {name!r} that plane did not write",
                    hint="Choose another name with --set-context-name.",
                )
            before = found.proxies.get(name, proxy)
            if section == "contexts" and before != proxy:
                print(f"{safe(name)} was for {safe(before)} before", file=sys.stderr)
    return changes


def _say_written(targets: list[Target], *, current: str | None, file: Path) -> None:
    for target in targets:
        print(f"Wrote context {safe(target.context)} to {file}.")
    if current:
        print(f"It is the current context; try `kubectl --context {safe(current)} get pods`.")
    elif targets:
        print(f"Use one with `kubectl config use-context {safe(targets[0].context)}`.")


@kube.command("logout", short_help="Remove plane's contexts from the kubeconfig.")
@click.argument("cluster", required=False, shell_complete=complete_cluster)
@kubeconfig_option
@proxy_option
def logout(cluster: str | None, *, path: Path | None, proxy: str | None) -> None:
    """Remove what plane wrote for a server (or for one CLUSTER) from the kubeconfig.

    The login itself stays; `plane logout` ends it.
    """
    place = choose(proxy)
    file = path or kubeconfig.default_path()
    if not file.exists():
        print(f"Nothing to remove: there is no {file}.")
        return
    changes = kubeconfig.update(
        file, lambda found: kubeconfig.removal(found, proxy=place, cluster=cluster or "")
    )
    removed = sorted(changes.drop["contexts"])
    if cluster and not removed:
        raise CliError(f"{file} has no context for {cluster}", code=ExitCode.NOT_FOUND)
    for name in removed:
        print(f"Removed context {safe(name)} from {file}.")
    if not removed:
        print(f"{file} has nothing of {place}.")
