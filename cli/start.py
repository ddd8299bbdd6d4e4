"""`plane start`: hands over to the server's composition root."""

from pathlib import Path

import click

from cli.errors import CliError, ExitCode


@click.command(short_help="Run the server.")
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="PLANE_CONFIG",
    help="Configuration file; without one, plane starts with its defaults.",
)
@click.option("--data-dir", metavar="FOLDER", help="Where the server keeps its data.")
@click.option("--listen", metavar="HOST:PORT", help="Address to listen on.")
@click.option("--public-url", metavar="URL", help="Address that people use.")
@click.option("--set", "settings", metavar="KEY=VALUE", multiple=True, help="Any other setting.")
def start(
    config_path: Path | None,
    *,
    data_dir: str | None,
    listen: str | None,
    public_url: str | None,
    settings: tuple[str, ...],
) -> int:
    """Run the server. Flags win over PLANE_* variables, these over the file."""
    named = {"data_dir": data_dir, "listen": listen, "public_url": public_url}
    overrides = dict(_pair(setting) for setting in settings)
    overrides |= {key: value for key, value in named.items() if value is not None}
    try:
        from plane.app import run
    except ModuleNotFoundError as error:
        hint = "Install the server: pip install 'plane-access[server]'."
        raise CliError(f"the server is not installed ({error})", hint=hint) from None
    code: int = run(config_path, overrides)
    return code


def _pair(setting: str) -> tuple[str, str]:
    key, separator, value = setting.partition("=")
    if not separator or not key:
        raise CliError(f"--set {setting!r} is not KEY=VALUE", code=ExitCode.USAGE)
    return key, value
