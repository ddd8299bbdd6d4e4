"""`plane login`, `logout`, `status`, `whoami`."""

import sys
import time
from pathlib import Path

import click

from cli import profile as profiles
from cli.errors import CliError, ExitCode
from cli.instant import duration_seconds, rfc3339, span
from cli.output import Column, Document, output_option, safe, show_list, show_one
from cli.profile import Profile

proxy_option = click.option(
    "--proxy", metavar="URL", help="The plane server (default: PLANE_PROXY, else the current one)."
)


@click.command(short_help="Log in; the credential is good for all clusters you may use.")
@proxy_option
@click.option("--auth", "connector", metavar="NAME", default="", help="Identity provider to use.")
@click.option("--user", metavar="NAME", default="", envvar="PLANE_USER", help="Local user.")
@click.option("--no-browser", is_flag=True, help="Print the address and ask for the code.")
@click.option("--ca-pin", metavar="sha256:HEX", default="", help="Trust the CA with this pin.")
@click.option("--ca-file", type=click.Path(path_type=Path), help="Trust the CA in this file.")
@click.option("--ttl", metavar="TIME", default="", help="Ask for a shorter login, e.g. 1h.")
def login(  # noqa: PLR0913 - one parameter per flag
    proxy: str | None,
    *,
    connector: str,
    user: str,
    no_browser: bool,
    ca_pin: str,
    ca_file: Path | None,
    ttl: str,
) -> None:
    """Log in once; what you get is good for every cluster that your roles permit.

    The browser opens at your identity provider. Without a browser on this machine (or with
    --no-browser) open the printed address anywhere and paste the code. Local users log in with
    --user NAME and a password.
    """
    from cli.execcredential import failure_marker
    from cli.signin import Wish, sign_in

    place = profiles.choose(proxy)
    wish = Wish(
        proxy=place,
        connector=connector,
        user=user,
        no_browser=no_browser,
        ca_file=ca_file,
        ca_pin=ca_pin,
        ttl_seconds=duration_seconds(ttl) if ttl else None,
    )
    with profiles.login_lock(place):
        fresh = sign_in(wish, known=profiles.load(place))
        profiles.save(fresh)
        failure_marker(place).unlink(missing_ok=True)
    if ttl and fresh.expires > time.time() + duration_seconds(ttl) + 60:
        print("warning: this server gives no shorter logins", file=sys.stderr)
    left = span(fresh.expires - time.time())
    print(f"Logged in to {place} as {safe(fresh.user)} for {left}.")
    print("See your clusters with `plane kube ls`.", file=sys.stderr)


@click.command(short_help="End the login, on the server too.")
@proxy_option
def logout(proxy: str | None) -> None:
    """End the login on the server and remove its key and token from this machine.

    Contexts in your kubeconfig stay (`plane kube logout` removes them).
    """
    from cli.client import Client

    place = profiles.choose(proxy)
    profile = profiles.load(place)
    profiles.forget(place)
    if profile is None or not profile.live(time.time()):
        print(f"Not logged in to {place}.")
        return
    client = Client(proxy=place, ca_pem=profile.ca_pem, token=profile.token, timeout_seconds=10)
    try:
        client.post("/v1/logout")
    except CliError as error:
        if error.code != ExitCode.NOT_LOGGED_IN:
            error.hint = "The key and token are removed from this machine."
            raise
    print(f"Logged out of {place}.")


@click.command(short_help="Show where you are logged in, and for how long.")
@output_option("table", "wide", "json", "yaml", "name")
def status(output: str) -> None:
    """Show every server you logged in to; nothing is asked over the network.

    Exit code 3 when the current one is not logged in.
    """
    now = time.time()
    try:
        current = profiles.choose(None)
    except CliError:
        current = ""
    found = profiles.known()
    shown = [_described(profile, current=current, now=now) for profile in found]
    if shown or output in ("json", "yaml"):
        show_list(shown, output=output, columns=_COLUMNS)
    if not any(profile.proxy == current and profile.live(now) for profile in found):
        target = f" --proxy {current}" if current else " --proxy https://plane.example.com"
        hint = f"Run `plane login{target}`."
        raise CliError("you are not logged in", hint=hint, code=ExitCode.NOT_LOGGED_IN)


_COLUMNS = (
    Column(title="PROXY", value=lambda item: item["proxy"]),
    Column(title="USER", value=lambda item: item["user"]),
    Column(title="LEFT", value=lambda item: item["left"]),
    Column(title="CURRENT", value=lambda item: "*" if item["current"] else ""),
    Column(title="CONNECTOR", value=lambda item: item["connector"], wide=True),
    Column(title="ROLES", value=lambda item: item["roles"], wide=True),
    Column(title="EXPIRES", value=lambda item: item["expires"], wide=True),
)


def _described(profile: Profile, *, current: str, now: float) -> Document:
    live = profile.live(now)
    return {
        "proxy": profile.proxy,
        "user": profile.user,
        "connector": profile.connector,
        "roles": list(profile.roles),
        "expires": rfc3339(profile.expires),
        "left": span(profile.expires - now) if live else "expired",
        "loggedIn": live,
        "current": profile.proxy == current,
    }


@click.command(short_help="Show who you are to the server: user, roles, traits.")
@proxy_option
@output_option("table", "json", "yaml")
def whoami(proxy: str | None, output: str) -> None:
    """Ask the server who you are: user, connector, roles, traits and when the login ends."""
    from cli.client import client_for

    show_one(client_for(proxy).get("/v1/session"), output=output)
