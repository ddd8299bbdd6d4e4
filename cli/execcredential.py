"""`plane kube credentials`: the plugin that kubectl runs, when warm.py has no ready answer.

Read input, lock, look again, renew or log in, store, answer. stdout carries the ExecCredential
only. https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from cli import warm
from cli.errors import CliError, ExitCode
from cli.paths import profile_path
from cli.profile import Profile, choose, environment_token, load, login_lock, not_logged_in, save

_FAILED_FOR_SECONDS = 30.0


@click.command("credentials", short_help="Print a credential for kubectl (exec plugin).")
@click.option("--proxy", metavar="URL", help="The plane server (default: the current one).")
def credentials(proxy: str | None) -> None:
    """Print an ExecCredential for kubectl, logging in first when needed and possible.

    kubectl runs this; the kubeconfig entries of `plane kube login` say so. Ten at once lead to one
    login. Without a terminal it fails with exit code 3 and says what to run.
    """
    version = _version()
    place = choose(proxy)
    token = environment_token()
    if token:
        print(warm.credential(version, {"token": token}), end="")
        return
    profile = load(place)
    if not _good(profile):
        with login_lock(place):
            # Whoever had the lock before may have done the work.
            profile = load(place)
            if not _good(profile):
                profile = _renewed(profile) or _logged_in(place, profile)
    if profile is not None:
        print(warm.credential(version, profile.exec_status()), end="")


def _version() -> str:
    try:
        version = warm.api_version()
    except (ValueError, KeyError, TypeError):
        raise CliError("KUBERNETES_EXEC_INFO is not what kubectl writes") from None
    if version not in warm.KNOWN:
        raise CliError(
            f"kubectl asks for {version}",
            hint="plane knows client.authentication.k8s.io/v1 and v1beta1; update one of the two.",
        )
    return version


def _good(profile: Profile | None) -> bool:
    return profile is not None and time.time() < profile.fresh_until


def _renewed(profile: Profile | None) -> Profile | None:
    now = time.time()
    if profile is None or profile.uses_token or not profile.live(now):
        return None
    from cli.client import ApiError
    from cli.signin import renew

    try:
        fresh = renew(profile)
    except ApiError as error:
        if error.status == 401:  # the session was ended on the server
            return None
        return _still_usable(profile, error)
    except CliError as error:
        return _still_usable(profile, error)
    save(fresh, current=False)
    return fresh


def _still_usable(profile: Profile, error: CliError) -> Profile:
    """An early renewal that fails is no reason to refuse a certificate that is still valid."""
    if time.time() < profile.usable_until:
        return profile
    raise error


def _logged_in(place: str, profile: Profile | None) -> Profile:
    if not _interactive():
        raise not_logged_in(place, profile)
    from cli.signin import Wish, again, sign_in

    with _one_failure_for_all(place):
        wish = again(profile) if profile else Wish(proxy=place)
        fresh = sign_in(wish, known=profile)
    save(fresh, current=False)
    return fresh


def _interactive() -> bool:
    """Whether kubectl says that a person is there (spec.interactive); by hand, whether stdin is."""
    if os.environ.get("PLANE_NON_INTERACTIVE") or os.environ.get("CI"):
        return False
    info = os.environ.get("KUBERNETES_EXEC_INFO")
    if not info:
        return sys.stdin.isatty()
    spec = json.loads(info).get("spec")
    return isinstance(spec, dict) and spec.get("interactive") is True


@contextmanager
def _one_failure_for_all(place: str) -> Iterator[None]:
    """Leave a marker when a login fails: those who wait shall not open a browser tab each."""
    marker = failure_marker(place)
    try:
        age = time.time() - marker.stat().st_mtime
    except OSError:
        age = _FAILED_FOR_SECONDS
    if 0 <= age < _FAILED_FOR_SECONDS:
        raise CliError(
            f"the login at {place} failed {int(age)} s ago",
            hint=f"Run `plane login --proxy {place}`.",
            code=ExitCode.NOT_LOGGED_IN,
        )
    try:
        yield
    except BaseException:
        marker.touch(mode=0o600)
        os.utime(marker)
        raise
    marker.unlink(missing_ok=True)


def failure_marker(place: str) -> Path:
    """The file whose age says when a login from the plugin failed last."""
    return Path(profile_path(place)).with_suffix(".failed")
