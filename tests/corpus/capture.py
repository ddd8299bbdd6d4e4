"""Records what kubectl and a real cluster say after a 101: python capture.py KUBECONFIG KUBECTL... .

Needs a node (tests/cluster) with the pod `corpus` of pod.yaml running. Every session becomes one
JSON file beside this one: the chunks in the order they passed, base64, "c" from the client and "s"
from the server, and of the heads only what a tap needs; no address, token or id is kept.
"""

import asyncio
import base64
import contextlib
import json
import os
import pty
import ssl
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import yaml

HERE = Path(__file__).parent
KEPT = {b"upgrade", b"sec-websocket-protocol", b"x-stream-protocol-version"}
KEY = bytes.fromhex("37fa213d")


class Camera:
    """A plaintext listener that splices to the cluster's TLS port with the admin's certificate."""

    def __init__(self, kubeconfig):
        config = yaml.safe_load(Path(kubeconfig).read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.tls = ssl.create_default_context(cafile=cluster["certificate-authority"])
        self.tls.load_cert_chain(user["client-certificate"], user["client-key"])
        self.upstream = urlsplit(cluster["server"])
        self.sessions = []

    async def serve(self, reader, writer):
        up_reader, up_writer = await asyncio.open_connection(
            self.upstream.hostname, self.upstream.port, ssl=self.tls
        )
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            up_writer.write(head)
            upgrade = b"\r\nupgrade:" in head.lower()
            answer = await up_reader.readuntil(b"\r\n\r\n") if upgrade else b""
            writer.write(answer)
            chunks = self.film(head, answer) if answer.startswith(b"HTTP/1.1 101") else []
            async with asyncio.TaskGroup() as group:
                group.create_task(self.pump(reader, up_writer, "c", chunks))
                group.create_task(self.pump(up_reader, writer, "s", chunks))
        up_writer.close()

    async def pump(self, source, sink, side, chunks):
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                chunks.append([side, base64.b64encode(data).decode()])
                sink.write(data)
                await sink.drain()
        sink.close()

    def film(self, head, answer):
        target = urlsplit(head.split(b" ", 2)[1].decode())
        chunks = []
        self.sessions.append(
            {
                "subresource": target.path.rsplit("/", 1)[1],
                "query": parse_qsl(target.query, keep_blank_values=True),
                "request_headers": kept(head),
                "response_headers": kept(answer),
                "chunks": chunks,
            }
        )
        return chunks


def kept(head):
    pairs = [line.partition(b":") for line in head.split(b"\r\n")[1:]]
    return [[n.decode(), v.strip().decode()] for n, _, v in pairs if n.lower() in KEPT]


def in_terminal(command, typed):
    """Run in a pseudo-terminal, typing when something is shown."""
    pid, fd = pty.fork()
    if not pid:
        os.execv(command[0], command)
    with contextlib.suppress(OSError):
        while os.read(fd, 4096):
            if typed:
                os.write(fd, typed.pop(0))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def forward(command, port, path):
    """Fetch once through port-forward."""
    with subprocess.Popen([*command], stdout=subprocess.PIPE, text=True) as process:
        local = process.stdout.readline().split(":")[1].split()[0]
        for _ in range(2):
            subprocess.run(
                ["curl", "-s", "-m", "5", f"http://127.0.0.1:{local}{path}"], check=False
            )
        process.terminate()


def sessions(kubectl):
    """(name, thunk): what every kubectl is asked to do."""
    run = [kubectl, "exec", "-i", "corpus", "--"]
    yield (
        "exec",
        lambda: (
            subprocess.run(
                [*run, "sh", "-c", "cat; echo oops >&2; exit 7"],
                input=b"hello\n\0no newline",
                check=False,
            ).returncode
        ),
    )
    yield (
        "output",
        lambda: (
            subprocess.run(
                [kubectl, "exec", "corpus", "--", "seq", "1", "1500"],
                stdout=subprocess.DEVNULL,
                check=False,
            ).returncode
        ),
    )
    yield (
        "terminal",
        lambda: in_terminal(
            [kubectl, "exec", "-it", "corpus", "--", "sh"], [b"echo $((6*7))\r", b"exit 3\r"]
        ),
    )
    yield (
        "copy",
        lambda: (
            subprocess.run([kubectl, "cp", __file__, "corpus:/tmp/copy"], check=False).returncode
        ),
    )
    for name, port in (("forward", 8099), ("refused", 8098)):
        yield (
            name,
            lambda port=port: forward([kubectl, "port-forward", "corpus", f":{port}"], port, "/"),
        )


class Raw:
    """A client by hand for the protocols that no kubectl speaks."""

    def __init__(self, port):
        self.port = port

    async def speak(self, path, protocol, frames):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(
            f"GET /api/v1/namespaces/default/pods/corpus/{path} HTTP/1.1\r\nHost: x\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://x\r\n"
            f"Sec-WebSocket-Protocol: {protocol}\r\n\r\n".encode()
        )
        await reader.readuntil(b"\r\n\r\n")
        for opcode, payload in frames:
            await asyncio.sleep(0.3)
            masked = bytes(byte ^ KEY[i % 4] for i, byte in enumerate(payload))
            writer.write(bytes([0x80 | opcode, 0x80 | len(payload)]) + KEY + masked)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                while await reader.read(65536):
                    pass
        writer.close()


async def main(kubeconfig, kubectls):
    camera = Camera(kubeconfig)
    server = await asyncio.start_server(camera.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    os.environ["KUBECONFIG"] = str(HERE / "none")
    for kubectl in kubectls:
        version = Path(kubectl).name.removeprefix("kubectl.")
        wrapper = HERE / f".kubectl-{version}"
        wrapper.write_text(f'#!/bin/sh\nexec {kubectl} --server http://127.0.0.1:{port} "$@"\n')
        wrapper.chmod(0o755)
        for name, run in sessions(str(wrapper)):
            code = await asyncio.to_thread(run)
            save(camera, f"kubectl-{version}-{name}", code)
        wrapper.unlink()
    raw, shell = Raw(port), "exec?command=sh&stdin=true&stdout=true&stderr=true"
    for protocol in ("v4.channel.k8s.io", "channel.k8s.io"):
        await raw.speak(shell, protocol, [(2, b"\0echo $((6*7)); exit 7\n")])
        save(camera, f"raw-exec-{protocol}", 7)
    for protocol in ("v4.base64.channel.k8s.io", "base64.channel.k8s.io"):
        line = base64.b64encode(b"echo $((6*7)); exit 7\n")
        await raw.speak(shell, protocol, [(1, b"0" + line)])
        save(camera, f"raw-exec-{protocol}", 7)
    get = b"GET / HTTP/1.0\r\n\r\n"
    await raw.speak(
        "portforward?ports=8099&ports=8098", "v4.channel.k8s.io", [(2, b"\0" + get), (2, b"\2x")]
    )
    save(camera, "raw-forward-v4.channel.k8s.io", None)
    server.close()


def save(camera, name, code):
    for i, session in enumerate(camera.sessions):
        path = HERE / f"{name}{f'-{i}' if i else ''}.json"
        path.write_text(json.dumps({"exit_code": code, **session}) + "\n")
        print(path.name, path.stat().st_size, code)
    camera.sessions.clear()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
