"""A person's kubeconfig: ours is written and removed, every other byte of it stays."""

import base64
import os
import shutil
import stat
import subprocess

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.errors import CliError
from cli.kubeconfig import Target, entries, owned, removal
from cli.yamledit import SECTIONS, Changes, apply

FOREIGN = """\
# my clusters, do not touch
apiVersion: v1
kind: Config
preferences: {}
clusters:
# the old one
- cluster:
    server: "https://old.example.com"   # retired soon
  name: old

- name: kind-dev
  cluster: {server: https://127.0.0.1:6443, insecure-skip-tls-verify: true}
contexts:
  - context:
      cluster: old
      user: me
      namespace: '007'
    name: old
current-context: old # for now
users:
- name: me
  user:
    token: 012345
# the end
"""


def target(cluster="west", **changes):
    values = {
        "context": f"plane-{cluster}", "cluster": cluster, "proxy": "https://plane.example.com",
        "kube_path": "/k8s/clusters/", "ca_pem": "CA",
    }  # fmt: skip
    return Target(**(values | changes))


def put(text, *targets, current=None):
    return apply(text, entries(targets or (target(),), current=current))


def taken_out(text):
    return apply(text, removal(owned(text), proxy="https://plane.example.com"))


def added_lines(before, after):
    """The lines of `after` without those of `before`, which must all be there, in order."""
    rest, found = after.split("\n"), []
    for line in before.split("\n"):
        while rest and rest[0] != line:
            found.append(rest.pop(0))
        assert rest, f"lost: {line!r}"
        rest.pop(0)
    return found + rest


def test_our_entries_are_added_and_every_line_of_the_others_stays():
    after = put(FOREIGN)
    added = added_lines(FOREIGN, after)
    assert sum("plane-west" in line for line in added) == 3
    assert yaml.safe_load(after)["contexts"][0]["name"] == "old"


def test_adding_twice_changes_nothing():
    once = put(FOREIGN)
    assert put(once) == once


def test_removing_ours_gives_back_the_file_as_it_was():
    assert taken_out(put(FOREIGN, target("west"), target("east"))) == FOREIGN


def test_only_the_value_of_current_context_changes():
    after = put(FOREIGN, current="plane-west")
    assert "current-context: plane-west # for now\n" in after


def test_an_entry_of_ours_is_replaced_in_place():
    old = put(FOREIGN, target("west"), target("east"))
    new = put(old, target("west", ca_pem="NEW"))
    names = [item["name"] for item in yaml.safe_load(new)["clusters"]]
    assert names == ["old", "kind-dev", "plane-west", "plane-east"]
    assert base64.b64encode(b"NEW").decode() in new


def test_a_new_file_is_a_whole_kubeconfig():
    document = yaml.safe_load(put("", current="plane-west"))
    assert document["apiVersion"] == "v1"
    assert document["kind"] == "Config"
    assert document["current-context"] == "plane-west"
    assert document["clusters"] == [
        {
            "name": "plane-west",
            "cluster": {
                "server": "https://plane.example.com/k8s/clusters/west",
                "certificate-authority-data": base64.b64encode(b"CA").decode(),
                "extensions": [
                    {
                        "name": "plane.dev/cluster",
                        "extension": {"cluster": "west", "proxy": "https://plane.example.com"},
                    }
                ],
            },
        }
    ]
    plugin = document["users"][0]["user"]["exec"]
    assert plugin["apiVersion"] == "client.authentication.k8s.io/v1"
    assert (plugin["command"], plugin["args"][:2]) == ("plane", ["kube", "credentials"])
    assert plugin["env"] is None
    assert plugin["interactiveMode"] == "IfAvailable"
    assert plugin["provideClusterInfo"] is False
    assert "plane login" in plugin["installHint"]


@pytest.mark.parametrize(
    "text",
    [
        "# only a comment",
        "apiVersion: v1\nclusters: []\ncontexts: []\nusers: []\n",
        "apiVersion: v1\nclusters: null\ncontexts:\nusers: ~\ncurrent-context:\n",
        "kind: Config\ncurrent-context: ''",
        '{"apiVersion": "v1", "clusters": [{"name": "a", "cluster": {"server": "x"}}]}',
        "clusters: &c\n- &a {name: a, cluster: {server: x}}\nother: *a\n",
        "clusters:\n-\n  name: a\n  cluster: {server: x}\n",
        "---\nusers:\n- name: a\n  user: {}\n...\n",
        FOREIGN.replace("\n", "\r\n"),
        FOREIGN.rstrip("\n"),
        "users:\n- name: a\n  user:\n    token: |\n      # no comment\n\n      x\n\nclusters:\n",
    ],
)
def test_odd_layouts_keep_their_data(text):
    before = yaml.safe_load(text) or {}
    after = yaml.safe_load(put(text, current="plane-west"))
    assert after["current-context"] == "plane-west"
    for section in SECTIONS:
        others = [item for item in after[section] if not item["name"].startswith("plane-")]
        assert others == (before.get(section) or [])
        assert len(after[section]) == len(others) + 1
    for key in set(before) - {*SECTIONS, "current-context"}:
        assert after[key] == before[key]


@pytest.mark.parametrize("text", ["- a list\n", "just text\n", "a: [\n", "a: *nowhere\n", "\x00"])
def test_what_is_no_kubeconfig_is_refused(text):
    with pytest.raises(CliError, match="kubeconfig"):
        put(text)


NAMES = st.sampled_from(["a", "b", "plane-old", "kind-x", "007", "yes", "ü", "x: y", "#"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("line\n\n# two\n"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=5,
)
SECTION = st.lists(
    st.fixed_dictionaries({"name": NAMES, "x": VALUES}), max_size=3, unique_by=lambda i: i["name"]
)
CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(SECTIONS, SECTION | st.none()),
        "current-context": NAMES,
        "preferences": VALUES,
        "apiVersion": st.just("v1"),
    },
)


@given(
    config=CONFIGS,
    order=st.permutations([*SECTIONS, "current-context", "preferences", "apiVersion"]),
    flow=st.sampled_from([None, True, False]),
    indent=st.integers(2, 4),
    comment=st.booleans(),
    unicode=st.booleans(),
    current=st.sampled_from([None, "plane-new"]),
)
@settings(max_examples=100, deadline=None)
def test_whatever_the_file_holds_the_others_entries_stay(
    config, order, flow, indent, comment, unicode, current
):
    ordered = {key: config[key] for key in order if key in config}
    text = yaml.safe_dump(
        ordered, sort_keys=False, default_flow_style=flow, indent=indent, allow_unicode=unicode
    )
    ordered = yaml.safe_load(text)  # PyYAML itself may lose a U+0085
    if comment and flow is False:
        text = "# kept\n" + text + "# also kept\n"
    after = put(text, target("new"), current=current)
    read = yaml.safe_load(after)
    expected = {**ordered}
    for section in SECTIONS:
        ours = list(entries([target("new")], current=None).put[section].values())
        expected[section] = [*(ordered.get(section) or []), *ours]
    if current:
        expected["current-context"] = current
    for key, value in expected.items():
        assert read[key] == value
    assert set(read) - set(expected) <= {"apiVersion", "kind", "current-context"}
    again = yaml.safe_load(taken_out(after))
    for section in SECTIONS:
        assert again[section] == (ordered.get(section) or [])


@given(names=st.lists(st.sampled_from(["west", "east", "north"]), min_size=1, unique=True))
def test_put_and_take_out_is_nothing(names):
    assert taken_out(put(FOREIGN, *map(target, names))) == FOREIGN


def test_a_renamed_context_is_still_found_by_its_cluster():
    text = apply(
        put(FOREIGN),
        Changes(
            drop={"contexts": frozenset({"plane-west"})},
            put={
                "contexts": {
                    "mine": {
                        "name": "mine",
                        "context": {"cluster": "plane-west", "user": "plane-plane.example.com"},
                    }
                }
            },
        ),
    )
    assert owned(text).names["contexts"] == {"mine"}
    assert taken_out(text) == FOREIGN


# Through the command.


def test_login_writes_a_context_and_makes_it_current(joe, plane):
    out = joe.ok("kube", "login", "west")
    document = yaml.safe_load(joe.kubeconfig.read_text())
    assert document["current-context"] == "plane-west"
    assert document["clusters"][0]["cluster"]["server"] == f"{plane.url}/k8s/clusters/west"
    ca = base64.b64decode(document["clusters"][0]["cluster"]["certificate-authority-data"])
    assert ca.decode() == plane.ca.pem
    assert out.startswith(f"Wrote context plane-west to {joe.kubeconfig}.\n")


def test_login_all_writes_every_context_and_leaves_the_current_one(joe):
    joe.kubeconfig.parent.mkdir()
    joe.kubeconfig.write_text(FOREIGN)
    joe.ok("kube", "login", "--all")
    document = yaml.safe_load(joe.kubeconfig.read_text())
    assert document["current-context"] == "old"
    assert [item["name"] for item in document["contexts"]] == ["old", "plane-east", "plane-west"]
    assert len(document["users"]) == 2, "one user entry per server"


def test_no_set_current_and_another_name(joe):
    joe.ok("kube", "login", "west", "--set-context-name", "w", "--no-set-current")
    document = yaml.safe_load(joe.kubeconfig.read_text())
    assert [item["name"] for item in document["contexts"]] == ["w"]
    assert document["current-context"] == ""


def test_print_changes_no_file(joe):
    printed = yaml.safe_load(joe.ok("kube", "login", "west", "--print"))
    assert printed["contexts"][0]["name"] == "plane-west"
    assert not joe.kubeconfig.exists()


def test_the_first_file_of_kubeconfig_is_used(joe, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    second.write_text(FOREIGN)
    joe.ok("kube", "login", "west", env={"KUBECONFIG": f"{first}:{second}"})
    assert "plane-west" in first.read_text()
    assert second.read_text() == FOREIGN


def test_a_new_file_is_0600_and_an_old_one_keeps_its_mode(joe):
    joe.ok("kube", "login", "west")
    assert stat.S_IMODE(joe.kubeconfig.stat().st_mode) == 0o600
    joe.kubeconfig.chmod(0o640)
    joe.ok("kube", "login", "east")
    assert stat.S_IMODE(joe.kubeconfig.stat().st_mode) == 0o640


def test_a_link_stays_a_link(joe, tmp_path):
    real = tmp_path / "dotfiles"
    real.write_text(FOREIGN)
    joe.kubeconfig.parent.mkdir()
    joe.kubeconfig.symlink_to(real)
    joe.ok("kube", "login", "west")
    assert joe.kubeconfig.is_symlink()
    assert "plane-west" in real.read_text()


def test_logout_removes_only_what_plane_wrote(joe):
    joe.kubeconfig.parent.mkdir()
    joe.kubeconfig.write_text(FOREIGN)
    joe.ok("kube", "login", "--all")
    out = joe.ok("kube", "logout")
    assert out.count("Removed context") == 2
    assert joe.kubeconfig.read_text() == FOREIGN


def test_logout_of_one_cluster_keeps_the_others(joe):
    joe.ok("kube", "login", "--all")
    joe.ok("kube", "logout", "west")
    document = yaml.safe_load(joe.kubeconfig.read_text())
    assert [item["name"] for item in document["contexts"]] == ["plane-east"]
    assert len(document["users"]) == 1
    assert joe.run("kube", "logout", "west").code == 5


def test_a_foreign_context_of_our_name_is_not_overwritten(joe):
    joe.kubeconfig.parent.mkdir()
    text = FOREIGN.replace("name: old", "name: plane-west")
    joe.kubeconfig.write_text(text)
    result = joe.run("kube", "login", "west")
    assert result.code == 1
    assert "that plane did not write" in result.err
    assert joe.kubeconfig.read_text() == text


def test_a_broken_kubeconfig_is_left_as_it_is(joe):
    joe.kubeconfig.parent.mkdir()
    joe.kubeconfig.write_text("a: [\n")
    result = joe.run("kube", "login", "west")
    assert result.code == 1
    assert result.err.endswith("It is left as it is.\n")
    assert joe.kubeconfig.read_text() == "a: [\n"
    assert os.listdir(joe.kubeconfig.parent) == ["config"]


def test_parallel_logins_lose_no_entry(joe, plane):
    names = [f"c{number}" for number in range(6)]
    plane.clusters = [{"name": name, "labels": {}} for name in names]
    run = [joe.start("kube", "login", name) for name in names]
    for process in run:
        with process:
            _, err = process.communicate(timeout=60)
            assert process.returncode == 0, err
    document = yaml.safe_load(joe.kubeconfig.read_text())
    assert {item["name"] for item in document["contexts"]} == {f"plane-{name}" for name in names}
    assert not joe.kubeconfig.with_name("config.lock").exists()


def test_an_unknown_cluster_is_exit_code_5_and_a_suggestion(joe):
    result = joe.run("kube", "login", "wst")
    assert result.code == 5
    assert result.err == "error: no cluster 'wst' that you may use\nDid you mean 'west'?\n"


def test_a_cluster_with_a_hostile_name_gets_no_context(joe, plane):
    plane.clusters.append({"name": "../../x\x1b[2J", "labels": {}})
    result = joe.run("kube", "login", "--all")
    assert result.code == 0
    assert "\x1b" not in result.err + result.out + joe.kubeconfig.read_text()
    assert "unusable name" in result.err


@pytest.mark.skipif(not shutil.which("kubectl"), reason="needs kubectl on the PATH")
def test_kubectl_reads_what_was_written(joe):
    joe.ok("kube", "login", "--all")
    env = joe.env | {"KUBECONFIG": str(joe.kubeconfig)}
    names = subprocess.run(
        ["kubectl", "config", "get-contexts", "-o", "name"],
        env=env, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert names.split() == ["plane-east", "plane-west"]
    subprocess.run(["kubectl", "config", "use-context", "plane-east"], env=env, check=True,
                   capture_output=True)  # fmt: skip
    assert joe.ok("kube", "logout").count("Removed") == 2, "kubectl's rewriting keeps extensions"
