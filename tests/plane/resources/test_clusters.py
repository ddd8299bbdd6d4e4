import asyncio

import pytest
import yaml

from plane.errors import Invalid
from plane.resources import clusters as module
from plane.resources.clusters import Configured, ContextSettings, LiveClusters
from plane.resources.registered import Origin


def kubeconfig(*contexts, **servers):
    return yaml.safe_dump(
        {
            "clusters": [
                {"name": name, "cluster": {"server": servers.get(name, "https://10.0.0.1:6443")}}
                for name in contexts
            ],
            "users": [{"name": "u", "user": {"token": "t"}}],
            "contexts": [
                {"name": name, "context": {"cluster": name, "user": "u"}} for name in contexts
            ],
        }
    )


def document(name):
    return yaml.safe_dump(
        {
            "kind": "cluster",
            "version": "v1",
            "metadata": {"name": name, "labels": {"from": "document"}},
            "spec": {"server": "https://10.0.0.9:6443", "token": "t"},
        }
    )


@pytest.fixture
async def start(store, resources):
    started = []

    async def start(**configured):
        live = LiveClusters(store, resources, Configured(**configured))
        await live.start()
        started.append(live)
        return live

    yield start
    for live in started:
        await live.close()


async def test_every_context_is_a_cluster_with_its_labels(start, tmp_path):
    (tmp_path / "config").write_text(kubeconfig("east", "west"))
    live = await start(
        kubeconfig_file=tmp_path / "config",
        labels={"team": "platform", "env": "dev"},
        contexts={"east": ContextSettings(labels={"env": "prod"})},
    )
    assert [(each.name, dict(each.labels), each.origin) for each in live.all()] == [
        ("east", {"team": "platform", "env": "prod"}, Origin.FILE),
        ("west", {"team": "platform", "env": "dev"}, Origin.FILE),
    ]
    assert live.get("east").token == "t"
    assert live.get("north") is None


async def test_documents_join_and_leave(start, resources):
    live = await start()
    heard = []
    live.on_change(heard.append)
    await resources.apply(document("west"), mode="create")
    await asyncio.sleep(0)
    assert live.get("west").origin is Origin.RESOURCE
    await resources.delete("cluster", "west")
    await asyncio.sleep(0)
    assert live.all() == []
    assert heard == ["west", "west"]


async def test_a_document_cannot_take_the_name_of_a_configured_cluster(
    start, resources, tmp_path, caplog
):
    (tmp_path / "config").write_text(kubeconfig("west"))
    live = await start(kubeconfig_file=tmp_path / "config")
    heard = []
    live.on_change(heard.append)
    await resources.apply(document("west"), mode="create")
    await asyncio.sleep(0)
    assert live.get("west").origin is Origin.FILE
    assert [each.origin for each in live.all()] == [Origin.FILE]
    assert heard == []
    assert "hidden by the configuration" in caplog.text


async def test_a_context_whose_name_cannot_stand_in_a_path_asks_for_another(start, tmp_path):
    arn = "arn:aws:eks:eu-west-1:1:cluster/prod"
    (tmp_path / "config").write_text(kubeconfig(arn, "admin@kubernetes"))
    live = await start(
        kubeconfig_file=tmp_path / "config", contexts={arn: ContextSettings(name="prod")}
    )
    assert [each.name for each in live.all()] == ["prod"]
    assert "kubernetes_service.contexts['admin@kubernetes'].name" in str(live.refused)


async def test_two_contexts_cannot_have_one_name(start, tmp_path):
    (tmp_path / "config").write_text(kubeconfig("a", "b"))
    live = await start(
        kubeconfig_file=tmp_path / "config", contexts={"b": ContextSettings(name="a")}
    )
    assert [each.name for each in live.all()] == ["a"]
    assert "taken by another context" in live.refused["b"]


async def test_a_refused_context_is_logged_with_its_reason(start, tmp_path, caplog):
    value = yaml.safe_load(kubeconfig("a"))
    value["users"][0]["user"] = {"exec": {"command": "aws"}}
    (tmp_path / "config").write_text(yaml.safe_dump(value))
    live = await start(kubeconfig_file=tmp_path / "config")
    assert live.all() == []
    assert "runs a program" in caplog.text


async def test_labels_for_a_context_that_is_not_there_are_logged(start, tmp_path, caplog):
    (tmp_path / "config").write_text(kubeconfig("west"))
    contexts = {"wset": ContextSettings(labels={"env": "prod"})}
    await start(kubeconfig_file=tmp_path / "config", contexts=contexts)
    assert "'wset'" in caplog.text


@pytest.mark.parametrize("text", [None, "a: [", "{}", "- x", "a: 1\na: 2"])
async def test_a_kubeconfig_that_cannot_be_read_stops_the_start(start, tmp_path, text):
    if text is not None:
        (tmp_path / "config").write_text(text)
    with pytest.raises(Invalid, match="config"):
        await start(kubeconfig_file=tmp_path / "config")


async def test_a_changed_kubeconfig_is_read_again(start, tmp_path, monkeypatch):
    path = tmp_path / "config"
    path.write_text(kubeconfig("east", "west", "same"))
    monkeypatch.setattr(module, "RELOAD_SECONDS", 0.01)
    live = await start(kubeconfig_file=path)
    heard, changed = [], asyncio.Event()
    live.on_change(lambda name: (heard.append(name), changed.set()))
    path.write_text(kubeconfig("west", "north", "same", west="https://10.0.0.2:6443"))
    async with asyncio.timeout(5):
        await changed.wait()
    assert heard == ["east", "north", "west"]
    assert [each.name for each in live.all()] == ["north", "same", "west"]
    assert live.get("west").server == "https://10.0.0.2:6443"


async def test_a_kubeconfig_that_breaks_while_running_changes_nothing(start, tmp_path, caplog):
    path = tmp_path / "config"
    path.write_text(kubeconfig("west"))
    live = await start(kubeconfig_file=path)
    path.write_text("half a fi: [")
    await live.reload()
    path.unlink()
    await live.reload()
    assert [each.name for each in live.all()] == ["west"]
    assert "kept as it was" in caplog.text


async def test_the_cluster_that_plane_runs_in(start, tmp_path, monkeypatch):
    (tmp_path / "ca.crt").write_text("CA")
    (tmp_path / "token").write_text("t1\n")
    monkeypatch.setattr(module, "POD_FOLDER", tmp_path)
    environment = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}
    live = await start(pod_name="home", labels={"env": "prod"}, environment=environment)
    (home,) = live.all()
    assert (home.name, home.server, home.bearer(), home.origin) == (
        "home",
        "https://[fd00::1]:6443",
        "t1",
        Origin.POD,
    )


async def test_what_is_there_at_the_start_is_told_too(store, resources, tmp_path):
    (tmp_path / "config").write_text(kubeconfig("east"))
    await resources.apply(document("west"), mode="create")
    live = LiveClusters(store, resources, Configured(kubeconfig_file=tmp_path / "config"))
    heard = []
    live.on_change(heard.append)
    await live.start()
    assert heard == ["east", "west"]
    assert repr(live).startswith("<LiveClusters 1 configured")
    await live.close()
