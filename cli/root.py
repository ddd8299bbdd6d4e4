"""The tree of commands: one table, and each command's module is imported when it is used."""

import importlib
from collections.abc import Mapping
from typing import ClassVar

import click


class LazyGroup(click.Group):
    """A group whose commands are named as `module:attribute` and loaded on use.

    An unknown command is answered with the nearest known ones.
    """

    lazy: ClassVar[Mapping[str, str]] = {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command's name, in the order of the table, after those of the module itself."""
        return [*super().list_commands(ctx), *self.lazy]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module and return the command; None when there is none."""
        place = self.lazy.get(cmd_name)
        if place is None:
            return super().get_command(ctx, cmd_name)
        module, attribute = place.split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of these arguments, or suggest what may be meant."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            from difflib import get_close_matches

            near = get_close_matches(args[0], self.list_commands(ctx), n=2)
            meant = f" Did you mean {' or '.join(repr(name) for name in near)}?" if near else ""
            ctx.fail(f"No such command {args[0]!r}.{meant}")
        return super().resolve_command(ctx, args)


class Root(LazyGroup):
    """The commands right under `plane`."""

    lazy: ClassVar[Mapping[str, str]] = {
        "login": "cli.login:login",
        "logout": "cli.login:logout",
        "status": "cli.login:status",
        "whoami": "cli.login:whoami",
        "kube": "cli.kube:kube",
        "recordings": "cli.recordings:recordings",
        "play": "cli.play:play",
        "ctl": "cli.ctl:ctl",
        "start": "cli.start:start",
        "version": "cli.about:version",
        "completion": "cli.about:completion",
    }


@click.group(
    cls=Root,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 ok; 1 failure; 2 usage; 3 not logged in or expired; 4 denied; "
    "5 not found; 6 server unreachable; 130 interrupted.",
)
def cli() -> None:
    """Log in once and use plain kubectl on every cluster you may reach."""
