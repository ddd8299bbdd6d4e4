"""`plane version` and `plane completion`."""

import importlib.metadata
import platform

import click

from cli.errors import CliError
from cli.output import Document, output_option, show_one


def client_version() -> str:
    """The version of the installed distribution."""
    try:
        return importlib.metadata.version("plane-access")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


@click.command(short_help="Show the versions of this command and of the server.")
@output_option("table", "json", "yaml")
@click.option("--client", "client_only", is_flag=True, help="Do not ask the server.")
def version(output: str, *, client_only: bool) -> None:
    """Show the version of this command, and of the current server if it answers."""
    shown: dict[str, object] = {"client": client_version(), "python": platform.python_version()}
    if not client_only:
        shown |= _server()
    show_one(shown, output=output)


def _server() -> Document:
    from cli.client import Client
    from cli.profile import choose, load

    try:
        proxy = choose(None)
        profile = load(proxy)
        client = Client(proxy=proxy, ca_pem=profile.ca_pem if profile else "", timeout_seconds=3)
        return {"server": client.get("/v1/ping").get("version"), "proxy": proxy}
    except CliError:
        return {}


@click.command(short_help="Print the completion script for a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    r"""Print the completion script for a shell.

    \b
    bash: echo 'source <(plane completion bash)' >> ~/.bashrc
    zsh:  echo 'source <(plane completion zsh)' >> ~/.zshrc
    fish: plane completion fish > ~/.config/fish/completions/plane.fish
    """
    from click.shell_completion import get_completion_class

    from cli.root import cli

    kind = get_completion_class(shell)
    if kind is None:
        raise CliError(f"click cannot complete in {shell}")
    print(kind(cli, {}, "plane", "_PLANE_COMPLETE").source())
