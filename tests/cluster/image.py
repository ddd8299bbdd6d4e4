"""Container images without a registry: the static busybox of this machine in a docker archive."""

import hashlib
import io
import json
import platform
import tarfile
from pathlib import Path

from cluster.paths import program

BUSYBOX = "docker.io/local/busybox:1"
PAUSE = "docker.io/local/pause:1"
_APPLETS = (
    "sh ls cat echo printf sleep tar id env ps top vi nc wget httpd stty tty head tail grep sed awk "
    "date hostname mkdir rm cp mv touch true false dd wc sort seq yes kill tee test md5sum sha256sum"
)
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def static_busybox() -> Path | None:
    """Find a busybox that needs no libraries: the only file in the image."""
    found = program("busybox")
    if found is None:
        return None
    # A dynamic program names its loader at the front of the file; the image has no loader.
    head = Path(found).read_bytes()[:8192]
    return None if b"/ld-linux" in head or b"/ld-musl" in head else Path(found)


def write(folder: Path) -> list[Path]:
    """Write the busybox and the pause image into `folder`, ready for `ctr images import`."""
    busybox = static_busybox()
    assert busybox, "node.missing() asks for busybox-static first"
    content = _layer(busybox.read_bytes())
    archives = {"busybox.tar": BUSYBOX, "pause.tar": PAUSE}
    for file, name in archives.items():
        _archive(folder / file, name, content)
    return [folder / file for file in archives]


def _layer(busybox: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in ("bin", "etc", "root", "home", "var", "proc", "sys", "dev", "tmp"):
            folder = tarfile.TarInfo(name)
            folder.type = tarfile.DIRTYPE
            folder.mode = 0o1777 if name == "tmp" else 0o755
            tar.addfile(folder)
        _add(tar, "bin/busybox", busybox, mode=0o755)
        for applet in _APPLETS.split():
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "/bin/busybox"
            tar.addfile(link)
        _add(tar, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
    return buffer.getvalue()


def _archive(path: Path, name: str, content: bytes) -> None:
    digest = hashlib.sha256(content).hexdigest()
    config = json.dumps(
        {
            "architecture": _ARCHITECTURES[platform.machine()],
            "os": "linux",
            "config": {"Env": ["PATH=/bin"], "Cmd": ["sleep", "1000000"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        }
    ).encode()
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    layer_name = f"{digest}/layer.tar"
    manifest = [{"Config": config_name, "RepoTags": [name], "Layers": [layer_name]}]
    with tarfile.open(path, "w") as tar:
        _add(tar, config_name, config)
        _add(tar, layer_name, content)
        _add(tar, "manifest.json", json.dumps(manifest).encode())


def _add(tar: tarfile.TarFile, name: str, data: bytes, *, mode: int = 0o644) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), mode
    tar.addfile(info, io.BytesIO(data))
