import base64
import json

import pytest
import yaml

from plane.errors import Invalid
from plane.resources.registered import Origin
from plane.store.secrets import is_sealed


def document(spec, **metadata):
    return yaml.safe_dump(
        {
            "kind": "cluster",
            "version": "v1",
            "metadata": {"name": "west", "labels": {"env": "dev"}} | metadata,
            "spec": spec,
        }
    )


def kubeconfig(**user):
    return {
        "clusters": [{"name": "c", "cluster": {"server": "https://10.0.0.1:6443"}}],
        "users": [{"name": "u", "user": user or {"token": "t0ken"}}],
        "contexts": [
            {"name": "a", "context": {"cluster": "c", "user": "u"}},
            {"name": "b", "context": {"cluster": "c", "user": "u"}},
        ],
        "current-context": "a",
    }


async def applied(resources, spec, **metadata):
    await resources.apply(document(spec, **metadata), mode="create")
    return (await resources.reveal("cluster", "west")).spec


async def refusal(resources, spec, **metadata):
    with pytest.raises(Invalid) as caught:
        await resources.apply(document(spec, **metadata), mode="create")
    return [(each.path, each.message) for each in caught.value.problems]


async def test_a_cluster_by_address_and_token(resources, pems):
    spec = {"server": "https://10.0.0.1:6443", "ca": pems.ca, "token": "t0ken"}
    cluster = await applied(resources, spec)
    assert (cluster.name, cluster.labels, cluster.origin) == (
        "west",
        {"env": "dev"},
        Origin.RESOURCE,
    )
    assert (cluster.server, cluster.ca_pem, cluster.bearer()) == (spec["server"], pems.ca, "t0ken")


async def test_a_cluster_by_client_certificate_in_base64(resources, pems):
    spec = {
        "server": "https://10.0.0.1:6443",
        "ca": base64.b64encode(pems.ca.encode()).decode(),
        "client_certificate": pems.certificate,
        "client_key": pems.key,
        "tls_server_name": "kubernetes",
    }
    cluster = await applied(resources, spec)
    assert (cluster.ca_pem, cluster.client_key_pem, cluster.tls_server_name) == (
        pems.ca,
        pems.key,
        "kubernetes",
    )


@pytest.mark.parametrize("form", ["mapping", "text", "base64"])
async def test_a_kubeconfig_in_every_form(resources, form):
    value = kubeconfig()
    if form != "mapping":
        value = yaml.safe_dump(value)
    if form == "base64":
        value = base64.b64encode(value.encode()).decode()
    cluster = await applied(resources, {"kubeconfig": value, "context": "b"})
    assert (cluster.name, cluster.bearer()) == ("west", "t0ken")


async def test_teleports_kube_cluster_is_accepted(resources):
    text = document({"kubeconfig": kubeconfig()}).replace("kind: cluster", "kind: kube_cluster")
    text = text.replace("version: v1", "version: v3")
    await resources.apply(text, mode="create")
    assert (await resources.get("cluster", "west"))["kind"] == "cluster"


async def test_credentials_are_sealed_and_redacted(resources, store, pems):
    await applied(resources, {"kubeconfig": kubeconfig()})
    spec = {
        "server": "https://10.0.0.1:6443",
        "client_certificate": pems.certificate,
        "client_key": pems.key,
        "token": "t0ken",
    }
    await resources.apply(document(spec, name="east"), mode="create")
    for name, secrets in (("west", ["kubeconfig"]), ("east", ["client_key", "token"])):
        stored = (await store.get("cluster", name)).body
        shown = await resources.get("cluster", name)
        for secret in secrets:
            assert is_sealed(stored["spec"][secret])
            assert shown["spec"][secret] == "<redacted>"
        assert "t0ken" not in json.dumps([stored, shown])
        assert "PRIVATE" not in json.dumps([stored, shown])


async def test_get_then_create_of_a_kubeconfig_changes_nothing(resources):
    await applied(resources, {"kubeconfig": kubeconfig()})
    shown = yaml.safe_dump(await resources.get("cluster", "west"))
    (result,) = await resources.apply(shown, mode="create")
    assert result.action == "unchanged"


@pytest.mark.parametrize(
    ("key", "value"),
    [("server", "https://evil:6443"), ("ca", None), ("insecure_skip_tls_verify", True)],
)
async def test_a_stored_token_never_goes_to_a_new_address(resources, pems, key, value):
    await applied(resources, {"server": "https://10.0.0.1", "ca": pems.ca, "token": "t0ken"})
    shown = await resources.get("cluster", "west")
    if value is None:
        del shown["spec"][key]
    else:
        shown["spec"][key] = value
    with pytest.raises(Invalid) as caught:
        await resources.apply(yaml.safe_dump(shown), mode="upsert")
    assert caught.value.problems[0].path == "spec.token"


async def test_a_kubeconfig_that_runs_a_program_is_refused(resources):
    problems = await refusal(resources, {"kubeconfig": kubeconfig(exec={"command": "aws"})})
    ((path, message),) = problems
    assert (path, "runs a program" in message) == ("spec.kubeconfig", True)


async def test_a_kubeconfig_that_names_files_of_the_server_is_refused(resources):
    problems = await refusal(resources, {"kubeconfig": kubeconfig(tokenFile="/etc/shadow")})
    assert "names a file on the server" in problems[0][1]


async def test_a_kubeconfig_with_several_contexts_needs_a_choice(resources):
    value = kubeconfig()
    del value["current-context"]
    assert await refusal(resources, {"kubeconfig": value}) == [
        ("spec.context", "must name one of the contexts of the kubeconfig: a, b")
    ]


async def test_what_a_broken_kubeconfig_holds_is_not_repeated(resources):
    problems = await refusal(resources, {"kubeconfig": "token: [s3cret"})
    assert "s3cret" not in str(problems)


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({}, "spec.server"),
        ({"server": "https://x"}, "spec.token"),
        ({"server": "https://x", "token": "a\nb"}, "spec.token"),
        ({"server": "https://x/path", "token": "t"}, "spec.server"),
        ({"server": "https://x", "token": "t", "ca": "no"}, "spec.ca"),
        ({"server": "https://x", "token": "t", "tokn": "t"}, "spec.tokn"),
        ({"server": "https://x", "token": "t", "context": "a"}, "spec.context"),
        ({"kubeconfig": kubeconfig(), "server": "https://x"}, "spec.server"),
        ({"kubeconfig": "x"}, "spec.kubeconfig"),
        ({"aws": {"region": "x"}}, "spec.aws"),
        ({"server": "https://x", "token": "t", "dynamic_labels": {"a": {}}}, "spec.dynamic_labels"),
    ],
)
async def test_what_is_wrong_is_told_by_its_path(resources, spec, path):
    assert path in [where for where, _ in await refusal(resources, spec)]


@pytest.mark.parametrize("name", ["a/b", "admin@kubernetes", ".a", "a..", "-a"])
async def test_a_name_that_could_not_stand_in_a_path_is_refused(resources, name):
    problems = await refusal(resources, {"server": "https://x", "token": "t"}, name=name)
    assert problems[0][0] == "metadata.name"


@pytest.mark.parametrize("spec", [{"insecure_skip_tls_verify": True}, {"server": "http://x:80"}])
async def test_an_unprotected_connection_is_a_warning(resources, spec):
    whole = {"server": "https://x", "token": "t"} | spec
    (result,) = await resources.apply(document(whole), mode="create")
    assert "sees all" in result.warnings[0]
