"""The fake server, and `plane` as a person runs it: a process with its own home."""

import importlib.util
import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location(
    "plane_cli_fake", Path(__file__).with_name("fake.py")
)
fake = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(fake)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def plane(tmp_path):
    """A running fake server."""
    folder = tmp_path / "server"
    folder.mkdir()
    server = fake.FakePlane(folder)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass(kw_only=True)
class Result:
    code: int
    out: str
    err: str


@dataclass(kw_only=True)
class Person:
    """Runs `plane` with a home of its own; `env` may be changed by tests."""

    home: Path
    url: str = ""
    env: dict[str, str] = field(default_factory=dict)

    @property
    def kubeconfig(self) -> Path:
        return self.home / ".kube" / "config"

    @property
    def profile(self) -> Path:
        return next((self.home / ".local/state/plane/profiles").glob("*.json"))

    def start(self, *arguments: str, env: dict[str, str] | None = None, **options):
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "cli", *arguments],
            env=self.env | (env or {}),
            cwd=self.home,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            **options,
        )

    def run(self, *arguments: str, stdin: str = "", env: dict[str, str] | None = None) -> Result:
        with self.start(*arguments, env=env) as process:
            out, err = process.communicate(stdin, timeout=60)
        return Result(code=process.returncode, out=out, err=err)

    def ok(self, *arguments: str, stdin: str = "", env: dict[str, str] | None = None) -> str:
        result = self.run(*arguments, stdin=stdin, env=env)
        assert result.code == 0, result
        return result.out


@pytest.fixture
def person(tmp_path):
    """Somebody who never used plane before, on a machine without a display."""
    home = tmp_path / "home"
    home.mkdir()
    env = {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    return Person(home=home, env=env)


@pytest.fixture
def joe(person, plane):
    """A person who is logged in at the fake server."""
    password = person.home / "password"
    password.write_text("correct horse\n")
    person.url = plane.url
    person.env["PLANE_PASSWORD_FILE"] = str(password)
    person.ok("login", "--proxy", plane.url, "--ca-pin", plane.ca.pin, "--user", "joe")
    return person


@pytest.fixture
def browser(tmp_path):
    """A BROWSER that fetches the page and follows the redirect, as a browser that is logged in."""
    script = tmp_path / "browser.py"
    script.write_text(
        "import ssl, sys, urllib.request as u\n"
        "context = ssl._create_unverified_context()\n"
        "handlers = u.ProxyHandler({}), u.HTTPSHandler(context=context)\n"
        "try: page = u.build_opener(*handlers).open(sys.argv[1]).read()\n"
        "except u.HTTPError as error: page = error.read()\n"
        f"open({str(tmp_path / 'page.html')!r}, 'wb').write(page)\n"
        f"open({str(tmp_path / 'opened')!r}, 'a').write(sys.argv[1] + chr(10))\n"
    )
    return f"{sys.executable} {script} %s"
