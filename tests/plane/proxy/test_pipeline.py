"""What reaches the cluster, and what never does, through real sockets on both sides."""

import asyncio
import json

import pytest
from loopback.client import request
from loopback.cluster import answer
from loopback.gate import Gate

PODS = "/api/v1/namespaces/default/pods"
OURS = [
    (b"Impersonate-User", b"joe"),
    (b"Impersonate-Group", b"view"),
    (b"Impersonate-Group", b"system:authenticated"),
]


async def test_the_cluster_sees_exactly_the_user_and_groups_of_the_decision(gate):
    _, token = await gate.login(groups=("blue team", "red"))
    found = await gate.ask(PODS, token=token)

    [asked] = gate.cluster.asked
    assert found.code == 200
    assert asked.impersonated == [
        (b"Impersonate-User", b"joe"),
        (b"Impersonate-Group", b"view"),
        (b"Impersonate-Group", b"blue team"),
        (b"Impersonate-Group", b"red"),
        (b"Impersonate-Group", b"system:authenticated"),
    ]
    assert asked.all(b"authorization") == [b"Bearer plane-own-token"]


@pytest.mark.parametrize("user", ["Impersonate-User", "impersonate-user", "IMPERSONATE-USER"])
async def test_impersonation_by_the_client_is_refused_in_any_casing(gate, user):
    _, token = await gate.login()
    found = await gate.ask(PODS, f"{user}: root".encode(), token=token)

    assert found.code == 403
    assert found.status["reason"] == "Forbidden"
    assert not gate.cluster.got


@pytest.mark.parametrize(
    "lines",
    [
        [b"Impersonate-Group: system:masters"],
        [b"impersonate-group: view", b"Impersonate-Group: system:masters"],
        [b"Impersonate-User: joe", b"impersonate-user: joe"],
        [b"Impersonate-User: joe", b"Impersonate-User: root"],
        [b"Impersonate-Uid: 0"],
        [b"IMPERSONATE-EXTRA-scopes: all"],
        [b"Impersonate_User: root"],
        [b"Impersonate_Group: system:masters"],
        [b"Impersonate-Foo: x"],
        [b"Impersonate-User: \xff"],
        [b"Connection: Impersonate-User", b"Impersonate-User: root"],
        [b"Connection: close, Impersonate-Group", b"Impersonate-Group: system:masters"],
        [b"Connection: impersonate-uid", b"Impersonate-Uid: 0"],
    ],
    ids=lambda lines: b" ".join(lines).decode("latin-1"),
)
async def test_impersonation_outside_the_roles_is_refused_and_nothing_is_forwarded(gate, lines):
    _, token = await gate.login()
    found = await gate.ask(PODS, *lines, token=token)

    assert found.code == 403
    assert found.status
    assert not gate.cluster.got


@pytest.mark.parametrize(
    "connection",
    [
        b"Connection: Impersonate-User, Impersonate-Group",
        b"Connection: impersonate-user\r\nConnection: IMPERSONATE-GROUP, keep-alive",
        b"Connection: Authorization, Impersonate-Group, Audit-Id, Host",
    ],
)
async def test_connection_does_not_strip_our_own_impersonation(gate, connection):
    """CVE-2021-31999, CVE-2022-23652: a hop-by-hop header named after ours."""
    _, token = await gate.login()
    found = await gate.ask(PODS, connection, token=token)

    [asked] = gate.cluster.asked
    assert found.code == 200
    assert asked.impersonated == OURS
    assert asked.all(b"authorization") == [b"Bearer plane-own-token"]
    assert asked.all(b"connection") == []
    assert len(asked.all(b"host")) == len(asked.all(b"audit-id")) == 1


async def test_empty_impersonation_headers_change_nothing(gate):
    """kubectl sends none, but some clients send empty ones."""
    _, token = await gate.login()
    await gate.ask(PODS, b"Impersonate-User: ", b"Impersonate-Group:", token=token)

    [asked] = gate.cluster.asked
    assert asked.impersonated == OURS


async def test_as_is_allowed_inside_the_roles_only(gate):
    _, token = await gate.login(roles=("operator",))
    inside = [b"Impersonate-User: deployer", b"Impersonate-Group: edit"]
    assert (await gate.ask(PODS, *inside, token=token)).code == 200
    outside = await gate.ask(PODS, b"Impersonate-User: alice", token=token)
    unnamed = await gate.ask(PODS, token=token)

    [asked] = gate.cluster.asked
    assert asked.impersonated == [
        (b"Impersonate-User", b"deployer"),
        (b"Impersonate-Group", b"edit"),
        (b"Impersonate-Group", b"system:authenticated"),
    ]
    assert (outside.code, unnamed.code) == (403, 403)
    assert "--as" in unnamed.status["message"]


async def test_a_denied_kubernetes_user_is_denied_though_any_is_allowed(gate):
    _, token = await gate.login(roles=("anybody",))
    assert (await gate.ask(PODS, b"Impersonate-User: alice", token=token)).code == 200
    refused = await gate.ask(PODS, b"Impersonate-User: root", token=token)
    _, token = await gate.login("root", roles=("anybody",))
    own = await gate.ask(PODS, token=token)

    assert (refused.code, own.code) == (403, 403)
    assert len(gate.cluster.asked) == 1


async def test_credentials_and_identity_headers_never_reach_a_cluster(gate):
    _, token = await gate.login()
    lines = [
        b"Cookie: a=secret",
        b"X-Remote-User: root-secret",
        b"x-remote-group: system:secret",
        b"X-Remote-Extra-A: secret",
        b"X_Remote_User: secret",
        b"Plane-Session: secret",
        b"plane-edge: secret",
        b"Proxy-Authorization: Basic secret",
        b"X-Forwarded-For: 10.0.0.secret",
        b"Forwarded: for=secret",
        b"Audit-Id: secret",
        b"Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.secret",
        b"X-HTTP-Method-Override: SECRET",
    ]
    await gate.ask(PODS, *lines, token=token)

    assert b"secret" not in gate.cluster.got.lower()
    assert token.encode() not in gate.cluster.got
    [asked] = gate.cluster.asked
    assert asked.impersonated == OURS
    assert b"secret" not in gate.audit_bytes().lower()


@pytest.mark.parametrize(
    "target",
    [
        PODS + "?labelSelector=a%3Db%2Cc+in+%28d%29&limit=500",
        "/api/v1/namespaces/default/pods/a%20b",
        "/apis/apps/v1/deployments?resourceVersion=0&x=%C3%A9",
        "/version",
        "/api/",
    ],
)
async def test_the_bytes_authorized_are_the_bytes_forwarded(gate, target):
    _, token = await gate.login()
    assert (await gate.ask(target, token=token)).code == 200
    assert gate.cluster.asked[0].line == f"GET {target} HTTP/1.1".encode()


@pytest.mark.parametrize(
    "target",
    [
        "/api/v1/namespaces/a/../kube-system/secrets",
        "/api/v1//secrets",
        "/api/v1/namespaces/default/pods/%2e%2e",
        "/api/v1/namespaces/default%2fpods",
        "/api/v1/namespaces/default/pods/a%00",
        "/api/v1/namespaces/default/pods/%zz",
        "/api/v1/namespaces/default/pods/a%252fb",
        "/api/v1/watch/pods",
        "/api/v1/pods?watch=1&watch=0",
        "/api/v1/pods?a;b",
        "/api/v1/pods/",
    ],
)
async def test_a_path_with_two_readings_is_refused_and_audited(gate, target):
    _, token = await gate.login()
    found = await gate.ask(target, token=token)

    assert found.code == 400
    assert found.status["reason"] == "BadRequest"
    assert not gate.cluster.got
    assert gate.lines()[0]["responseStatus"]["code"] == 400


async def test_a_token_in_the_query_string_is_no_credential_and_is_not_logged(gate):
    _, token = await gate.login()
    for name in ("token", "access_token", "authorization"):
        found = await gate.ask(f"{PODS}?{name}={token}")
        assert found.code == 401
        assert found.status["reason"] == "Unauthorized"
    await gate.ask(f"{PODS}?limit=77&token={token}", token=token)

    assert token.encode() not in gate.audit_bytes()
    assert b"limit=77" not in gate.audit_bytes()
    assert all("?" not in line["path"] for line in gate.lines())
    assert len(gate.cluster.asked) == 1


async def test_a_body_passes_as_it_came(gate):
    _, token = await gate.login()
    body = bytes(range(256)) * 1000
    await gate.ask(PODS, method="POST", token=token, body=body)
    chunked = request(PODS, b"Transfer-Encoding: chunked", method="PATCH", token=token)
    async with gate.connect() as client:
        await client.ask(chunked + b"3\r\nabc\r\n4\r\ndefg\r\n0\r\nImpersonate-User: root\r\n\r\n")

    assert [asked.body for asked in gate.cluster.asked] == [body, b"abcdefg"]
    assert gate.cluster.asked[0].all(b"content-length") == [b"256000"]
    assert gate.cluster.asked[1].impersonated == OURS


async def test_a_change_without_a_body_says_so(gate):
    """Without Content-Length: 0 an API server may wait for a body."""
    _, token = await gate.login()
    await gate.ask(PODS + "/a", method="DELETE", token=token)
    assert gate.cluster.asked[0].all(b"content-length") == [b"0"]


async def test_unknown_and_hidden_clusters_are_refused_in_the_same_words(gate):
    _, token = await gate.login()
    answers = {}
    for name in ("hidden", "absent"):
        found = await gate.ask(PODS, cluster=name, token=token)
        words = found.status["message"].replace(name, "X").rpartition(" (audit ")[0]
        kept = [pair for pair in found.headers if pair[0] not in (b"audit-id", b"content-length")]
        answers[name] = (found.code, found.status["reason"], words, kept)

    assert answers["hidden"] == answers["absent"]
    assert answers["hidden"][0] == 403
    assert not gate.cluster.got


async def test_a_missing_role_does_not_tell_which_clusters_exist(gate):
    _, token = await gate.login(roles=("deleted",))
    words = set()
    for name in ("hidden", "absent"):
        found = await gate.ask(PODS, cluster=name, token=token)
        words.add((found.code, found.status["message"].partition(" (audit ")[0].replace(name, "")))

    assert len(words) == 1


async def test_the_refusals_of_a_role_say_why(gate):
    _, token = await gate.login(roles=("reader",))
    found = await gate.ask(PODS + "/a", method="DELETE", token=token)

    assert found.code == 403
    assert "no role allows delete pods a in namespace default" in found.status["message"]
    [line] = gate.lines()
    assert line["decision"]["allowed"] is False
    assert line["user"]["username"] == "joe"
    assert not gate.cluster.got


@pytest.mark.parametrize("name", ["", "..", "a%2fb", "-a", "a b", "%77est", "a" * 300])
async def test_a_cluster_name_that_is_no_plain_one_is_refused(gate, name):
    _, token = await gate.login()
    data = request(PODS, token=token, cluster=name.replace(" ", "+"))
    async with gate.connect() as client:
        found = await client.ask(data)
    assert found.code == 400
    assert not gate.cluster.got


async def test_too_many_requests_are_told_to_come_back(tmp_path):
    gate = Gate(tmp_path)
    gate.per_session = 1
    release, arrived = asyncio.Event(), asyncio.Event()

    async def hold(asked):
        arrived.set()
        await release.wait()
        asked.writer.write(answer())

    gate.cluster.script = hold
    async with gate.open():
        _, token = await gate.login()
        _, other = await gate.login("ann")
        async with gate.connect() as first:
            first.writer.write(request(PODS, token=token))
            await arrived.wait()
            refused = await gate.ask(PODS, token=token)
            release.set()
            unaffected = await gate.ask(PODS, token=other)
            assert (await first.answered()).code == 200
        assert (await gate.ask(PODS, token=token)).code == 200

    assert refused.code == 429
    assert refused.first(b"retry-after") == b"1"
    assert refused.status["reason"] == "TooManyRequests"
    assert unaffected.code == 200


async def test_a_cluster_that_is_down_is_named_in_a_status(gate):
    gate.register("down", port=1, env="dev")
    _, token = await gate.login()
    found = await gate.ask(PODS, cluster="down", token=token)

    assert found.code == 503
    assert "cluster down cannot be reached" in found.status["message"]
    assert "127.0.0.1" not in found.status["message"]


async def test_a_fault_inside_answers_500_without_its_words(gate, monkeypatch, caplog):
    def broken(_name):
        raise RuntimeError("inner secret")

    monkeypatch.setattr(gate.routes, "find", broken)
    _, token = await gate.login()
    found = await gate.ask(PODS, token=token)

    assert found.code == 500
    assert "inner secret" not in found.status["message"]
    assert "inner secret" in caplog.text
    assert gate.lines()[0]["responseStatus"]["code"] == 500


async def test_two_people_on_pooled_connections_never_become_each_other(gate):
    """2 x 200 requests interleaved over the same connections to the cluster."""

    async def echo(asked):
        await asyncio.sleep(0)
        user = asked.all(b"impersonate-user")[0]
        groups = b",".join(asked.all(b"impersonate-group"))
        asked.writer.write(answer(200, user + b"|" + groups + b"|" + asked.line))

    gate.cluster.script = echo
    wrong = []

    async def work(name, lane):
        _, token = await gate.login(name, groups=(f"group-{name}",))
        async with gate.connect() as client:
            for number in range(50):
                target = f"{PODS}/{name}-{lane}-{number}"
                found = await client.ask(request(target, token=token))
                groups = f"view,group-{name},system:authenticated"
                expected = f"{name}|{groups}|GET {target} HTTP/1.1".encode()
                if found.body != expected:
                    wrong.append(found.body)

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for lane in range(4):
            for name in ("joe", "ann"):
                group.create_task(work(name, lane))

    assert not wrong
    assert len(gate.cluster.asked) == 400
    assert gate.cluster.connections < 50
    audited = {
        (line["user"]["username"], line["impersonatedUser"]["username"])
        for line in gate.lines(type="kube.request")
    }
    assert audited == {("joe", "joe"), ("ann", "ann")}


async def test_one_connection_may_carry_two_people(gate):
    """A front proxy may reuse its connection: identity is read from each request."""
    _, joe = await gate.login()
    _, ann = await gate.login("ann")
    async with gate.connect() as client:
        for token in (joe, ann, joe):
            await client.ask(request(PODS, token=token))

    users = [asked.all(b"impersonate-user")[0] for asked in gate.cluster.asked]
    assert users == [b"joe", b"ann", b"joe"]


async def test_new_roles_and_traits_of_a_person_count_at_once(gate):
    """A decision remembered for a session must not outlive what it was made from."""
    _, token = await gate.login(groups=("old",))
    assert (await gate.ask(PODS, token=token)).code == 200
    await gate.sessions.refresh(
        "joe", connector="local", roles=("access",), traits={"groups": ("new",)}
    )
    assert (await gate.ask(PODS, token=token)).code == 200
    await gate.sessions.refresh("joe", connector="local", roles=(), traits={})
    assert (await gate.ask(PODS, token=token)).code == 403

    groups = [asked.all(b"impersonate-group") for asked in gate.cluster.asked]
    assert [found[1] for found in groups] == [b"old", b"new"]


async def test_a_role_that_was_changed_counts_at_once(gate):
    _, token = await gate.login()
    assert (await gate.ask(PODS, token=token)).code == 200
    await gate.close_role()
    assert (await gate.ask(PODS, token=token)).code == 403
    assert len(gate.cluster.asked) == 1


async def test_a_trait_with_a_line_break_never_becomes_a_header(gate):
    _, token = await gate.login(groups=("x\r\nImpersonate-Group: system:masters",))
    found = await gate.ask(PODS, token=token)
    assert b"masters" not in gate.cluster.got
    assert found.code in (200, 403)


async def test_the_trait_system_masters_is_never_sent(gate):
    _, token = await gate.login(groups=("system:masters",))
    await gate.ask(PODS, token=token)
    assert b"masters" not in gate.cluster.got


@pytest.mark.parametrize(
    "lines",
    [
        [b"Set-Cookie: a=b", b"Audit-Id: theirs"],
        [b"Connection: Content-Type", b"Strict-Transport-Security: max-age=1"],
    ],
)
async def test_a_cluster_cannot_plant_cookies_or_its_own_audit_id(gate, lines):
    async def plant(asked):
        asked.writer.write(answer(200, b"{}", *lines))

    gate.cluster.script = plant
    _, token = await gate.login()
    found = await gate.ask(PODS, token=token)

    names = [name for name, _ in found.headers]
    assert not {b"set-cookie", b"strict-transport-security", b"connection"} & set(names)
    assert names.count(b"audit-id") == 1
    assert found.first(b"audit-id").decode() == gate.lines()[0]["auditID"]


async def test_a_page_of_a_pod_does_not_run_as_plane(gate):
    _, token = await gate.login()
    found = await gate.ask("/api/v1/namespaces/default/services/web/proxy/", token=token)
    assert found.first(b"content-security-policy") == b"sandbox"


@pytest.mark.parametrize(
    "target",
    [
        "/api/v1/namespaces/default/services/web/proxy/ws",
        PODS + "?watch=true",
        PODS,
    ],
)
async def test_an_upgrade_that_nobody_records_is_refused(gate, target):
    _, token = await gate.login()
    lines = [b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Key: a"]
    found = await gate.ask(target, *lines, token=token)

    assert found.code == 400
    assert found.status
    assert not gate.cluster.got


async def test_an_answer_that_breaks_off_does_not_look_whole(gate):
    async def cut(asked):
        asked.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhalf")
        await asked.writer.drain()
        return True

    gate.cluster.script = cut
    _, token = await gate.login()
    async with gate.connect() as client:
        client.writer.write(request(PODS, token=token))
        data = await client.rest()

    if data.startswith(b"HTTP/1.1 200"):
        assert len(data.partition(b"\r\n\r\n")[2]) < 100000
    else:
        assert data.startswith(b"HTTP/1.1 503")
        assert json.loads(data.partition(b"\r\n\r\n")[2])["code"] == 503
