import base64

import pytest

from plane.resources import kubeconfig
from plane.resources.fields import Faults
from plane.resources.registered import Origin


def b64(text):
    return base64.b64encode(text.encode()).decode()


def config(cluster=None, user=None, **more):
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "west",
        "clusters": [
            {"name": "c", "cluster": {"server": "https://10.0.0.1:6443"} | (cluster or {})}
        ],
        "users": [{"name": "u", "user": {"token": "t0ken"} if user is None else user}],
        "contexts": [{"name": "west", "context": {"cluster": "c", "user": "u"}}],
    } | more


def parse(value, folder=None):
    return kubeconfig.parse(value, folder=folder, origin=Origin.FILE)


def refusal(value, folder=None):
    read = parse(value, folder)
    assert read.clusters == {}
    return read.refused["west"]


def test_every_context_is_a_cluster():
    contexts = [
        {"name": "west", "context": {"cluster": "c", "user": "u"}},
        {"name": "east", "context": {"cluster": "d", "user": "u", "namespace": "x"}},
    ]
    clusters = [
        {"name": "c", "cluster": {"server": "https://10.0.0.1:6443"}},
        {"name": "d", "cluster": {"server": "https://east.example.com"}},
    ]
    read = parse(config(contexts=contexts, clusters=clusters))
    assert {name: each.server for name, each in read.clusters.items()} == {
        "west": "https://10.0.0.1:6443",
        "east": "https://east.example.com",
    }
    assert (read.current, read.refused) == ("west", {})


def test_inline_data(pems):
    read = parse(
        config(
            {"certificate-authority-data": b64(pems.ca), "tls-server-name": "kubernetes"},
            {"client-certificate-data": b64(pems.certificate), "client-key-data": b64(pems.key)},
        )
    )
    west = read.clusters["west"]
    assert (west.ca_pem, west.client_certificate_pem, west.client_key_pem) == (
        pems.ca,
        pems.certificate,
        pems.key,
    )
    assert (west.tls_server_name, west.token, west.insecure_skip_tls_verify) == (
        "kubernetes",
        None,
        False,
    )


def test_files_are_found_beside_a_kubeconfig_of_this_machine(pems, tmp_path):
    for name, text in (("ca", pems.ca), ("crt", pems.certificate), ("key", pems.key)):
        (tmp_path / name).write_text(text)
    (tmp_path / "token").write_text("t1\n")
    value = config(
        {"certificate-authority": "ca"},
        {
            "client-certificate": str(tmp_path / "crt"),
            "client-key": "key",
            "tokenFile": "token",
        },
    )
    west = parse(value, tmp_path).clusters["west"]
    assert (west.ca_pem, west.client_key_pem) == (pems.ca, pems.key)
    assert west.bearer() == "t1"
    (tmp_path / "token").write_text("t2\n")
    assert west.bearer() == "t2", "service account tokens are rewritten in place"


@pytest.mark.parametrize(
    ("cluster", "user"),
    [
        ({"certificate-authority": "/etc/shadow"}, None),
        ({}, {"tokenFile": "/etc/shadow"}),
        ({}, {"client-certificate": "/etc/shadow", "client-key": "/etc/shadow"}),
    ],
)
def test_an_uploaded_kubeconfig_cannot_read_files_of_the_server(cluster, user):
    assert "names a file on the server" in refusal(config(cluster, user))


@pytest.mark.parametrize("key", ["exec", "auth-provider"])
def test_a_kubeconfig_cannot_make_plane_run_a_program(key, tmp_path):
    value = config(user={key: {"command": "touch", "args": [str(tmp_path / "ran")]}})
    message = refusal(value, tmp_path)
    assert key in message
    assert "service account token" in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key", ["as", "as-groups", "username", "password"])
def test_other_kinds_of_credentials_are_refused_by_name(key):
    assert repr(key) in refusal(config(user={"token": "t", key: "x"}))


def test_a_proxy_url_is_refused():
    assert "proxy-url" in refusal(config({"proxy-url": "http://proxy:3128"}))


def test_one_bad_context_does_not_spoil_the_others():
    users = [{"name": "u", "user": {"token": "t"}}, {"name": "x", "user": {"exec": {}}}]
    users[1]["user"]["exec"] = {"command": "aws"}
    contexts = [
        {"name": "good", "context": {"cluster": "c", "user": "u"}},
        {"name": "west", "context": {"cluster": "c", "user": "x"}},
        {"name": "lost", "context": {"cluster": "gone", "user": "u"}},
    ]
    read = parse(config(users=users, contexts=contexts))
    assert list(read.clusters) == ["good"]
    assert "'gone' is not in the file" in read.refused["lost"]


@pytest.mark.parametrize(
    ("cluster", "user", "message"),
    [
        ({"server": "10.0.0.1:6443"}, None, "must be a URL"),
        ({"server": "ftp://x"}, None, "must be a URL"),
        ({"server": "https://x:99999"}, None, "not a URL"),
        ({"server": "https://rancher/k8s/clusters/c-1"}, None, "paths are not supported"),
        ({"server": "https://u:p@host"}, None, "paths are not supported"),
        ({}, {}, "no credential"),
        ({}, {"token": "a b"}, "one word"),
        ({}, {"token": "a\r\nX-Evil: 1"}, "one word"),
        ({"certificate-authority-data": "!!!"}, None, "not base64"),
        ({"certificate-authority-data": b64("hello")}, None, "not a PEM certificate"),
        ({}, {"client-certificate-data": b64("x")}, "needs its key"),
    ],
)
def test_what_cannot_work_is_refused_with_its_reason(cluster, user, message):
    assert message in refusal(config(cluster, user))


def test_a_key_of_another_certificate_is_refused(pems):
    user = {
        "client-certificate-data": b64(pems.certificate),
        "client-key-data": b64(pems.other_key),
    }
    assert "not the key of" in refusal(config(user=user))


def test_a_ca_that_would_not_be_used_is_refused(pems):
    cluster = {"insecure-skip-tls-verify": True, "certificate-authority-data": b64(pems.ca)}
    assert "switched off" in refusal(config(cluster))


def test_a_file_that_is_not_there_is_named(tmp_path):
    assert "cannot be read" in refusal(config({"certificate-authority": "gone"}), tmp_path)


@pytest.mark.parametrize("value", [None, [], "x", {}, {"contexts": []}, {"contexts": [{}]}])
def test_what_is_no_kubeconfig_is_refused_whole(value):
    with pytest.raises(Faults):
        parse(value)


def test_repr_shows_no_credential(pems):
    user = {
        "token": "t0ken",
        "client-certificate-data": b64(pems.certificate),
        "client-key-data": b64(pems.key),
    }
    text = repr(parse(config(user=user)))
    assert "t0ken" not in text
    assert "PRIVATE" not in text
