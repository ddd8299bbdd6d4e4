"""Somebody with a machine of their own: a home, a kubeconfig, `plane` and kubectl on the PATH."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cluster.kubectls import Kubectl

from world.server import PLANE, PlaneServer

Done = subprocess.CompletedProcess[str]


class Person:
    """Runs commands as one person; nothing of the real home is read or written."""

    def __init__(self, name: str, folder: Path, *, server: PlaneServer, kubectl: Kubectl) -> None:
        self.name = name
        self.folder = folder
        self.server = server
        self.kubectl_program = kubectl
        self.kubeconfig = folder / "kubeconfig"
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def env(self) -> dict[str, str]:
        """Return the environment of this person's shell."""
        browser = [
            sys.executable, "-m", "world.browser", "--as", self.name,
            "--ca", str(self.server.ca_file), "--log", str(self.folder / "browser.log"), "%s",
        ]  # fmt: skip
        kept = ("LANG", "TERM", "TMPDIR", "PYTHONPATH", "PLANE_CACHE", "SSL_CERT_FILE")
        return {
            **{name: os.environ[name] for name in kept if name in os.environ},
            "PATH": f"{PLANE.parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "HOME": str(self.folder),
            "PLANE_HOME": str(self.folder / "plane"),
            "PLANE_PROXY": self.server.url,
            "KUBECONFIG": str(self.kubeconfig),
            "BROWSER": shlex.join(browser),
            "NO_COLOR": "1",
        }

    def run(
        self,
        *command: str | Path,
        stdin: str | bytes | None = None,
        timeout: float = 60,
        env: Mapping[str, str] | None = None,
    ) -> Done:
        """Run a command to its end; the outcome is the caller's to judge."""
        data = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            [str(word) for word in command],
            input=data if data is not None else b"",
            capture_output=True, timeout=timeout, check=False, env={**self.env, **(env or {})},
        )  # fmt: skip
        out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)

    def plane(
        self, *words: str, stdin: str | None = None, env: Mapping[str, str] | None = None
    ) -> str:
        """Run plane, which must succeed, and return what it printed."""
        return succeeded(self.run(PLANE, *words, stdin=stdin, env=env))

    def plane_json(self, *words: str) -> list[dict[str, Any]]:
        """Run plane with -o json and return the items."""
        found = json.loads(self.plane(*words, "-o", "json"))
        return list(found["items"]) if isinstance(found, dict) else list(found)

    def kubectl_command(self, *words: str, program: Kubectl | None = None) -> list[str]:
        """Return the command line of a kubectl, for those who start it themselves."""
        return [str((program or self.kubectl_program).path), *words]

    def try_kubectl(
        self,
        *words: str,
        program: Kubectl | None = None,
        stdin: str | bytes | None = None,
        timeout: float = 60,
    ) -> Done:
        """Run a kubectl to its end; the outcome is the caller's to judge."""
        chosen = program or self.kubectl_program
        command = self.kubectl_command(*words, program=chosen)
        return self.run(*command, stdin=stdin, timeout=timeout, env=chosen.env)

    def kubectl(
        self, *words: str, program: Kubectl | None = None, stdin: str | bytes | None = None
    ) -> str:
        """Run a kubectl, which must succeed, and return what it printed."""
        return succeeded(self.try_kubectl(*words, program=program, stdin=stdin))

    def log_in(self, *, cluster: str | None = None) -> None:
        """Log in through the provider's pages, and set kubectl up for a cluster."""
        self.plane("login", "--ca-pin", self.server.pin, "--auth", "company")
        if cluster:
            self.plane("kube", "login", cluster)

    def log_in_locally(self, password: str) -> None:
        """Log in with a password."""
        secret = self.folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(password)
        words = ("login", "--ca-pin", self.server.pin, "--auth", "local", "--user", self.name)
        self.plane(*words, env={"PLANE_PASSWORD_FILE": str(secret)})


def succeeded(done: Done) -> str:
    """Return what a command printed; raise AssertionError with all of it when it failed."""
    command: Sequence[str] = done.args
    said = f"$ {shlex.join(command)}\nexit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, said
    return done.stdout
