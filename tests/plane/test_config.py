import re
from dataclasses import MISSING
from datetime import timedelta
from pathlib import Path

import pytest

from plane import config
from plane.config import Credential, LogLevel, Settings, load, variable
from plane.decode import Endpoint, leaves
from plane.errors import Invalid
from plane.resources.clusters import Configured, ContextSettings

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "plane.yaml"
REFERENCE = ROOT / "docs" / "reference" / "config.md"
ENV = {"HOME": "/home/joe"}


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "plane.yaml"
        path.write_text(text)
        return path

    return write


def problems(path, env=ENV, flags=None):
    with pytest.raises(Invalid) as caught:
        load(path, env, flags)
    return [(each.path, each.line) for each in caught.value.problems]


def test_without_a_file_everything_has_a_default():
    settings = load(None, ENV)
    assert settings.listen == Endpoint(host="127.0.0.1", port=3080)
    assert settings.auth_service.session_ttl == timedelta(hours=12)
    assert settings.database_file == settings.data_dir / "plane.db"
    assert settings.audit_folder == settings.data_dir / "audit"
    assert settings.recording_folder == settings.data_dir / "recordings"
    assert settings.key_file == settings.data_dir / "secrets.key"
    assert settings.warnings == ()


@pytest.mark.parametrize(
    ("env", "root", "folder"),
    [
        ({"HOME": "/home/joe"}, False, "/home/joe/.local/share/plane"),
        ({"HOME": "/home/joe", "XDG_DATA_HOME": "/data"}, False, "/data/plane"),
        ({"HOME": "/root", "XDG_DATA_HOME": "/data"}, True, "/var/lib/plane"),
    ],
)
def test_the_default_data_folder(env, root, folder):
    assert config.data_dir(env, root=root) == Path(folder)


def test_flag_over_environment_over_file_over_default(write):
    path = write("listen: 127.0.0.1:1\nlog: {level: error}\n")
    env = ENV | {"PLANE_LISTEN": "127.0.0.1:2", "PLANE_LOG_LEVEL": ""}
    assert load(path, ENV).listen.port == 1
    assert load(path, env).listen.port == 2
    assert load(path, env, {"listen": "127.0.0.1:3"}).listen.port == 3
    assert load(path, env).log.level is LogLevel.ERROR


def test_every_type_can_come_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    settings = load(
        None,
        {
            "PLANE_DATA_DIR": "data",
            "PLANE_TRUSTED_PROXIES": "10.0.0.0/8, ::1",
            "PLANE_AUTH_SERVICE_SESSION_TTL": "1h30m",
            "PLANE_AUTH_SERVICE_CREDENTIAL": "token",
            "PLANE_AUTH_SERVICE_LOCAL_LOGIN": "no",
            "PLANE_KUBERNETES_SERVICE_LABELS": "env=dev,team=a=b",
            "PLANE_RECORDING_FLUSH_BYTES": "1024",
            "PLANE_DIAGNOSTICS_LISTEN": "[::1]:9",
        },
    )
    assert settings.data_dir == tmp_path / "data"
    assert settings.trusted_proxies == ("10.0.0.0/8", "::1")
    assert settings.auth_service.session_ttl == timedelta(minutes=90)
    assert settings.auth_service.credential is Credential.TOKEN
    assert not settings.auth_service.local_login
    assert settings.kubernetes_service.labels == {"env": "dev", "team": "a=b"}
    assert settings.recording.flush_bytes == 1024
    assert str(settings.diagnostics.listen) == "[::1]:9"


def test_paths_start_at_the_file(write, tmp_path):
    settings = load(write("data_dir: d\nkubernetes_service: {kubeconfig_file: /k}\n"), ENV)
    assert settings.data_dir == tmp_path / "d"
    assert settings.kubernetes_service.kubeconfig_file == Path("/k")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lisen: x\n", [("lisen", 1)]),
        ("log:\n  level: info\n  colour: red\n", [("log.colour", 3)]),
        ("log: {level: loud}\n", [("log.level", 1)]),
        ("log: text\n", [("log", 1)]),
        ("listen: localhost\n", [("listen", 1)]),
        ("listen: ':99999'\n", [("listen", 1)]),
        ("listen: '::1:80'\n", [("listen", 1)]),
        ("listen: 3080\n", [("listen", 1)]),
        ("tls: {cert_file: x}\n", [("tls", 1)]),
        ("public_url: plane.example.com\n", [("public_url", 1)]),
        ("public_url: https://plane.example.com/x\n", [("public_url", 1)]),
        ("public_url: https://plane:x\n", [("public_url", 1)]),
        ("trusted_proxies: [10.0.0.1, everyone]\n", [("trusted_proxies[1]", 1)]),
        ("auth_service: {session_ttl: 10s}\n", [("auth_service.session_ttl", 1)]),
        ("auth_service: {session_ttl: 12}\n", [("auth_service.session_ttl", 1)]),
        ("auth_service: {session_ttl: 12x}\n", [("auth_service.session_ttl", 1)]),
        ("recording: {flush_interval: 1h}\n", [("recording.flush_interval", 1)]),
        ("recording: {flush_bytes: 1.5}\n", [("recording.flush_bytes", 1)]),
        ("recording: {flush_bytes: -1}\n", [("recording.flush_bytes", 1)]),
        ("recording: {flush_bytes: yes}\n", [("recording.flush_bytes", 1)]),
        ("recording: {record_input: 1}\n", [("recording.record_input", 1)]),
        ("recording: {folder: [a]}\n", [("recording.folder", 1)]),
        ("kubernetes_service:\n  labels: {a: 1}\n", [("kubernetes_service.labels.a", 2)]),
        ("kubernetes_service:\n  labels: a\n", [("kubernetes_service.labels", 2)]),
        (
            "kubernetes_service:\n  contexts:\n    west: {lables: {}}\n",
            [("kubernetes_service.contexts.west.lables", 3)],
        ),
        ("- a\n", [("", 1)]),
        ("warnings: [x]\n", [("warnings", 1)]),
        ("a: 1\na: 2\n", [("a", 2)]),
    ],
)
def test_what_is_wrong_is_told_with_path_and_line(write, text, expected):
    assert problems(write(text)) == expected


def test_every_fault_is_told_at_once(write):
    text = "listen: x\nlog: {level: x, format: x}\nunknown: 1\n"
    assert [path for path, _ in problems(write(text))] == [
        "listen",
        "log.level",
        "log.format",
        "unknown",
    ]


def test_a_bad_environment_variable_is_told_by_its_key():
    assert problems(None, ENV | {"PLANE_LISTEN": "x"}) == [("listen", None)]


def test_a_file_that_cannot_be_read_is_named(tmp_path, write):
    with pytest.raises(Invalid, match=r"gone\.yaml cannot be read"):
        load(tmp_path / "gone.yaml", ENV)
    with pytest.raises(Invalid, match="more than one document"):
        load(write("a: 1\n---\nb: 1\n"), ENV)


def test_an_empty_file_is_no_settings(write):
    assert load(write("# nothing\n"), ENV) == load(None, ENV)


def test_teleports_file_from_the_guide_is_understood(write):
    settings = load(
        write(
            """\
auth_service:
  enabled: "yes"
  listen_addr: 0.0.0.0:3025
  cluster_name: example.com
  tokens:
  - kube:866c6c114724a0fa4d4d73216afd99fb1a2d6bfde8e13a19
proxy_service:
  public_addr: proxy.example.com:3080
  kube_listen_addr: 0.0.0.0:3027
  kube_public_addr: kube.example.com:3027
kubernetes_service:
  enabled: "yes"
  public_addr: [k8s.example.com:3027]
  listen_addr: 0.0.0.0:3026
  kubeconfig_file: /secrets/kubeconfig
  kube_cluster_name: kube.example.com
  labels:
    env: "prod"
"""
        ),
        ENV,
    )
    assert settings.public_url == "https://proxy.example.com:3080"
    assert str(settings.listen) == "0.0.0.0:3026"
    assert settings.kubernetes_service.enabled
    assert settings.kubernetes_service.kubeconfig_file == Path("/secrets/kubeconfig")
    assert settings.auth_service.tokens == (
        "kube:866c6c114724a0fa4d4d73216afd99fb1a2d6bfde8e13a19",
    )
    assert settings.warnings == (
        "kubernetes_service.public_addr is not used: public_url is set already",
        "proxy_service.kube_public_addr is not used: public_url is set already",
        "proxy_service.kube_listen_addr is not used: listen is set already",
        "auth_service.enabled does nothing here",
        "auth_service.listen_addr does nothing here",
        "auth_service.cluster_name does nothing here",
    )


def test_planes_own_keys_win_over_teleports(write):
    settings = load(write("listen: ':1'\nproxy_service: {web_listen_addr: ':2'}\n"), ENV)
    assert settings.listen.port == 1
    assert "proxy_service.web_listen_addr is not used" in settings.warnings[0]


def test_an_unknown_key_of_a_section_of_teleport_is_still_unknown(write):
    assert problems(write("proxy_service:\n  public_adr: x\n")) == [("proxy_service.public_adr", 2)]


def test_what_the_clusters_need_of_the_settings(write):
    text = """\
kubernetes_service:
  kubeconfig_file: /k
  kube_cluster_name: home
  labels: {a: b}
  contexts: {west: {name: w, labels: {c: d}}}
"""
    configured = config.configured_clusters(load(write(text), ENV), ENV)
    assert configured == Configured(
        kubeconfig_file=Path("/k"),
        labels={"a": "b"},
        contexts={"west": ContextSettings(labels={"c": "d"}, name="w")},
        pod_name="home",
        environment=ENV,
    )
    off = load(write(text + "  enabled: 'no'\n"), ENV)
    assert config.configured_clusters(off, ENV) == Configured()


def test_join_tokens_are_not_shown():
    settings = load(None, ENV | {"PLANE_AUTH_SERVICE_TOKENS": "kube:s3cret"})
    assert "s3cret" not in repr(settings)


def test_the_example_loads():
    settings = load(EXAMPLE, ENV)
    assert settings.data_dir == Path("/var/lib/plane")
    assert settings.kubernetes_service.contexts["east"].labels == {"env": "prod"}
    assert settings.warnings == ()


def test_the_example_shows_every_key_and_every_default(tmp_path):
    text = re.sub(r"(?m)^(\s*)#(?=[a-z])", r"\1", EXAMPLE.read_text())
    path = tmp_path / "plane.yaml"
    path.write_text(text)
    settings = load(path, ENV)
    assert settings.warnings == ()
    from plane.resources import yaml

    written = set(yaml.read(text)[0].lines)
    missing = [
        key for key, _, _ in leaves(Settings) if not any(fits(key, each) for each in written)
    ]
    assert missing == []


def test_the_reference_describes_every_key_with_its_default_and_no_other():
    rows = re.findall(r"(?m)^\| `([a-z_.*]+)` \| .*? \| (.*?) \|", REFERENCE.read_text())
    described = dict(rows)
    settings = {key: default for key, _, default in leaves(Settings)}
    assert list(described) == list(settings)
    for key, default in settings.items():
        assert described[key].startswith(shown(default)), key


def test_every_key_has_a_variable_of_its_own():
    names = [variable(key) for key, _, _ in leaves(Settings)]
    assert len(names) == len(set(names))
    assert variable("recording.flush_bytes") == "PLANE_RECORDING_FLUSH_BYTES"


def fits(key, path):
    return re.fullmatch(re.escape(key).replace(r"\*", "[a-z]+"), path)


def shown(default):
    """How the reference writes a default; those made from other settings are in words."""
    if default is MISSING or default in (None, (), {}):
        return ""
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, timedelta):
        hours = default // timedelta(hours=1)
        return f"`{hours}h`" if hours else f"`{default.seconds}s`"
    return f"`{default}`"
