"""Names for shell completion, remembered from the last answer: completing asks no server."""

import contextlib
import json
from pathlib import Path

import click

from cli.errors import CliError
from cli.files import private_folder, write_atomically
from cli.paths import cache_folder, file_name


def remember_clusters(proxy: str, names: list[str]) -> None:
    """Keep the names of clusters for completion; failing to is no error."""
    with contextlib.suppress(OSError):
        path = _path(proxy)
        private_folder(path.parent)
        write_atomically(path, json.dumps(names).encode())


def complete_cluster(
    ctx: click.Context,
    param: click.Parameter,  # noqa: ARG001 - click's signature
    incomplete: str,
) -> list[str]:
    """The remembered clusters that begin so."""
    from cli.profile import choose

    try:
        names = json.loads(_path(choose(ctx.params.get("proxy"))).read_bytes())
    except (OSError, ValueError, CliError):
        return []
    return [name for name in names if isinstance(name, str) and name.startswith(incomplete)]


def _path(proxy: str) -> Path:
    return Path(cache_folder()) / "clusters" / f"{file_name(proxy)}.json"
