"""The probe against a fake API server that speaks HTTP."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from plane.resources.registered import Origin, RegisteredCluster
from plane.resources.selftest import Probe, probe

VERSION = {
    "major": "1",
    "minor": "34",
    "gitVersion": "v1.34.4",
    "gitCommit": "c",
    "gitTreeState": "clean",
    "buildDate": "2026-01-01T00:00:00Z",
    "goVersion": "go1.24",
    "compiler": "gc",
    "platform": "linux/amd64",
}
KUBE_SYSTEM = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "kube-system", "uid": "7f27f645"},
}


@asynccontextmanager
async def api_server(*, refused=(), code=200, silent=False, answer=None):
    """Yields the address and the list of requests it got: (line, headers, attributes)."""
    requests = []

    async def serve(reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")
                headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
                body = await reader.readexactly(int(headers.get("Content-Length", 0)))
                path = lines[0].split(" ")[1]
                if silent:
                    await asyncio.sleep(60)
                value = answered(path, json.loads(body) if body else {})
                requests.append((lines[0], headers, value))
                text = answer or json.dumps(value).encode()
                writer.write(
                    b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                    % (code, len(text))
                    + text
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def answered(path, body):
        if path.startswith("/version"):
            return VERSION
        if path.endswith("/namespaces/kube-system"):
            return KUBE_SYSTEM
        asked = body["spec"]["resourceAttributes"]
        allowed = f"{asked['verb']} {asked['resource']}" not in refused
        return body | {"status": {"allowed": allowed}}

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", requests
    finally:
        server.close()


def cluster(server, **more):
    return RegisteredCluster(
        name="west", server=server, origin=Origin.FILE, **({"token": "t0ken"} | more)
    )


async def test_a_cluster_with_all_rights():
    async with api_server() as (server, requests):
        result = await probe(cluster(server))
    assert result == Probe(cluster="west", version="v1.34.4", uid="7f27f645")
    assert (result.status, "has the rights" in str(result)) == ("ok", True)
    asked = [value["spec"]["resourceAttributes"] for _, _, value in requests if "spec" in value]
    assert [(each["verb"], each["resource"]) for each in asked] == [
        ("impersonate", "users"),
        ("impersonate", "groups"),
        ("impersonate", "serviceaccounts"),
        ("get", "namespaces"),
    ]
    assert {headers["Authorization"] for _, headers, _ in requests} == {"Bearer t0ken"}


async def test_missing_rights_are_named_with_the_manifest_that_grants_them():
    async with api_server(refused=("impersonate groups", "get namespaces")) as (server, _):
        result = await probe(cluster(server))
    assert result.missing == ("impersonate groups", "get namespaces/kube-system")
    assert (result.status, result.uid) == ("missing-rights", "")
    assert "kubectl apply -f examples/rbac/impersonator.yaml" in str(result)


async def test_a_token_file_is_read_at_each_probe(tmp_path):
    path = tmp_path / "token"
    async with api_server() as (server, requests):
        for token in ("one", "two"):
            path.write_text(token + "\n")
            await probe(cluster(server, token=None, token_file=path))
    assert {headers["Authorization"] for _, headers, _ in requests} == {"Bearer one", "Bearer two"}


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"code": 401}, "refuses plane's credential"),
        ({"code": 503}, "HTTP 503"),
        ({"answer": b"<html>hello"}, "did not answer as Kubernetes does"),
        ({"silent": True}, "no answer within"),
    ],
)
async def test_a_cluster_that_fails_is_told_not_raised(how, error):
    async with api_server(**how) as (server, _):
        result = await probe(cluster(server), deadline_seconds=1)
    assert error in result.error
    assert result.status == "unreachable"
    assert "t0ken" not in str(result)


async def test_a_cluster_that_is_down():
    result = await probe(cluster("http://127.0.0.1:1"))
    assert "cannot be reached" in result.error


async def test_a_token_file_that_is_gone(tmp_path):
    result = await probe(cluster("http://127.0.0.1:1", token=None, token_file=tmp_path / "gone"))
    assert "gone" in result.error
