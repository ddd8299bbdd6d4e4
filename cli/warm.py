"""The fast lane of `plane kube credentials`: answer from the profile when it is still good.

Everything else (renewal, login, odd arguments, environment tokens) is execcredential.py's. Only
os, sys, time and json are imported here: a whole warm run is mostly Python's own start.
"""

import json
import os
import sys
import time

from cli.paths import profile_path

_VERSION = "client.authentication.k8s.io/v1"
KNOWN = (_VERSION, "client.authentication.k8s.io/v1beta1")


def answer(arguments: list[str]) -> bool:
    """Print the ExecCredential if the profile holds a good one; False sends the caller on."""
    if len(arguments) != 2 or arguments[0] != "--proxy" or _token_in_environment():
        return False
    try:
        with open(profile_path(arguments[1]), encoding="utf-8") as file:  # noqa: PTH123
            ready = json.load(file)["exec"]
        version = api_version()
        if version not in KNOWN or time.time() >= ready["until"]:
            return False
        status = ready["status"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    sys.stdout.write(credential(version, status))
    return True


def credential(version: str, status: object) -> str:
    """Write an ExecCredential in the version that kubectl asked for.

    https://kubernetes.io/docs/reference/config-api/client-authentication.v1/
    """
    return json.dumps({"kind": "ExecCredential", "apiVersion": version, "status": status}) + "\n"


def api_version() -> str:
    """The apiVersion in KUBERNETES_EXEC_INFO, v1 when there is none; ValueError when broken."""
    info = os.environ.get("KUBERNETES_EXEC_INFO")
    if not info:
        return _VERSION
    return str(json.loads(info)["apiVersion"])


def _token_in_environment() -> bool:
    return bool(os.environ.get("PLANE_TOKEN") or os.environ.get("PLANE_TOKEN_FILE"))
