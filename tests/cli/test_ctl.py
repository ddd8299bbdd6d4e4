"""`plane ctl`: documents in and out, faults with their places, the editor, users."""

import json
import sys

import yaml

ROLE = """\
kind: role
version: v8
metadata:
  name: {name}
spec:
  allow:
    kubernetes_labels:
      env: dev
"""


def write(folder, name, text):
    path = folder / name
    path.write_text(text)
    return str(path)


def test_what_get_prints_may_be_created_again_and_changes_nothing(joe):
    printed = joe.ok("ctl", "get", "role", "-o", "yaml")
    assert yaml.safe_load(printed)["metadata"]["revision"] == "3"
    assert joe.ok("ctl", "create", "-f", "-", stdin=printed) == "role/admin unchanged\n"


def test_several_documents_of_a_kind_are_one_stream(joe, tmp_path):
    joe.ok("ctl", "create", "-f", write(tmp_path, "r.yaml", ROLE.format(name="dev")))
    printed = joe.ok("ctl", "get", "roles", "-o", "yaml")
    assert [item["metadata"]["name"] for item in yaml.safe_load_all(printed)] == ["admin", "dev"]
    assert joe.ok("ctl", "create", "-f", "-", stdin=printed).count("unchanged") == 2


def test_a_folder_is_created_whole(joe, tmp_path, plane):
    folder = tmp_path / "roles"
    folder.mkdir()
    write(folder, "b.yml", "---\n" + ROLE.format(name="b") + "---\n" + ROLE.format(name="c"))
    write(folder, "a.yaml", "# first\n" + ROLE.format(name="a"))
    write(folder, "notes.txt", "no document")
    out = joe.ok("ctl", "create", "-f", str(folder))
    assert out == "role/a created\nrole/b created\nrole/c created\n"
    assert plane.count("/v1/resources") == 1


def test_a_fault_is_named_by_file_document_line_and_field_and_nothing_is_created(
    joe, tmp_path, plane
):
    good = write(tmp_path, "good.yaml", "# a comment\n" + ROLE.format(name="a"))
    bad = write(
        tmp_path, "bad.yaml", ROLE.format(name="b") + "---\n# note\nkind: rolle\nmetadata: {}\n"
    )
    result = joe.run("ctl", "create", "-f", good, "-f", bad)
    assert (result.code, result.out) == (1, "")
    assert result.err == (
        "error: the documents are refused\n"
        f"{bad}:2:11: kind: unknown kind 'rolle'\n"
        "Nothing was changed.\n"
    )
    assert ("role", "a") not in plane.resources


def test_dry_run_says_what_would_happen(joe, tmp_path, plane):
    file = write(tmp_path, "r.yaml", ROLE.format(name="dev"))
    assert joe.ok("ctl", "create", "-f", file, "--dry-run") == "role/dev created (dry run)\n"
    assert ("role", "dev") not in plane.resources


def test_an_existing_document_is_replaced_with_force_only(joe, tmp_path):
    file = write(tmp_path, "r.yaml", ROLE.format(name="admin"))
    result = joe.run("ctl", "create", "-f", file)
    assert (result.code, result.err) == (1, "error: role/admin exists already; use --force\n")
    assert joe.ok("ctl", "create", "-f", file, "--force") == "role/admin updated\n"


def test_a_lost_update_is_refused(joe, plane):
    printed = joe.ok("ctl", "get", "role/admin", "-o", "yaml")
    plane.resources["role", "admin"]["metadata"]["revision"] = "4"
    result = joe.run("ctl", "create", "-f", "-", "--force", stdin=printed)
    assert (result.code, result.err) == (1, "error: role/admin was changed by somebody else\n")


def test_files_that_are_no_documents_are_usage_errors(joe, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "latin.yaml").write_bytes(b"\xff\xfe\xe9")
    for path in ("missing.yaml", str(tmp_path / "empty"), str(tmp_path / "latin.yaml")):
        assert joe.run("ctl", "create", "-f", path).code == 2


def test_get_as_table_names_and_json(joe):
    assert joe.ok("ctl", "get", "role") == (
        "NAME         REVISION   DESCRIPTION\nrole/admin   3          all of it\n"
    )
    assert joe.ok("ctl", "get", "role", "-o", "name") == "role/admin\n"
    assert json.loads(joe.ok("ctl", "get", "role", "-o", "json"))["kind"] == "List"
    assert json.loads(joe.ok("ctl", "get", "role/admin", "-o", "json"))["kind"] == "role"


def test_codes_of_what_is_not_there_and_what_is_forbidden(joe):
    assert joe.run("ctl", "get", "role/none").code == 5
    assert joe.run("ctl", "rm", "role/none").code == 5
    assert joe.run("ctl", "rm", "role/locked").code == 4
    assert joe.run("ctl", "rm", "role").code == 2
    assert joe.ok("ctl", "rm", "roles/admin") == "role/admin removed\n"


def editor(joe, tmp_path, *steps):
    """An EDITOR that does one step per call: Python statements on `text`."""
    script = tmp_path / "editor.py"
    script.write_text(
        "import pathlib, sys\n"
        f"calls = pathlib.Path({str(tmp_path / 'calls')!r}); n = len(calls.read_text()) "
        "if calls.exists() else 0\n"
        "calls.write_text('x' * (n + 1))\n"
        "path = pathlib.Path(sys.argv[1]); text = path.read_text()\n"
        f"pathlib.Path({str(tmp_path)!r}, f'seen{{n}}').write_text(text)\n"
        f"steps = {list(steps)!r}\n"
        "scope = {'text': text}; exec(steps[n], scope); path.write_text(scope['text'])\n"
    )
    joe.env["EDITOR"] = f"{sys.executable} {script}"


def test_edit_sends_what_the_editor_left(joe, tmp_path, plane):
    editor(joe, tmp_path, "text = text.replace('all of it', 'nearly all')")
    assert joe.ok("ctl", "edit", "role/admin") == "role/admin updated\n"
    assert plane.resources["role", "admin"]["metadata"]["description"] == "nearly all"


def test_edit_without_a_change_sends_nothing(joe, tmp_path, plane):
    editor(joe, tmp_path, "pass")
    assert joe.ok("ctl", "edit", "role/admin") == "Edit cancelled, no changes made.\n"
    assert not [
        path for method, path in plane.requests if (method, path[:13]) == ("POST", "/v1/resources")
    ]


def test_edit_opens_again_with_the_error_on_top(joe, tmp_path):
    editor(
        joe, tmp_path,
        "text = text.replace('kind: role', 'kind: rolle')",
        "text = text.replace('kind: rolle', 'kind: role').replace('all of it', 'less')",
    )  # fmt: skip
    assert joe.ok("ctl", "edit", "role/admin") == "role/admin updated\n"
    again = (tmp_path / "seen1").read_text()
    assert "#   kind: unknown kind 'rolle'\n" in again
    assert "\nkind: rolle\n" in again


def test_edit_left_with_the_error_keeps_the_text(joe, tmp_path):
    editor(joe, tmp_path, "text = text.replace('kind: role', 'kind: rolle')", "pass")
    result = joe.run("ctl", "edit", "role/admin", env={"TMPDIR": str(tmp_path)})
    assert result.code == 1
    (kept,) = tmp_path.glob("plane-edit-*.yaml")
    assert "kind: rolle" in kept.read_text()
    assert str(kept) in result.err


def test_an_editor_that_fails_changes_nothing(joe):
    result = joe.run("ctl", "edit", "role/admin", env={"EDITOR": "false"})
    assert (result.code, "Nothing was changed" in result.err) == (1, True)
    assert joe.run("ctl", "edit", "role/admin", env={"EDITOR": "no-such-editor"}).code == 1


def test_users_are_added_listed_reset_and_removed(joe, plane):
    out = joe.ok(
        "ctl", "users", "add", "ann", "--roles=access,editor", "--k8s-groups=dev, view",
        "--k8s-users=ann",
    )  # fmt: skip
    assert f"  {plane.url}/invite/i1\n" in out
    assert plane.resources["user", "ann"]["spec"] == {
        "roles": ["access", "editor"],
        "traits": {"kubernetes_groups": ["dev", "view"], "kubernetes_users": ["ann"]},
    }
    assert joe.ok("ctl", "users", "ls") == "NAME   ROLES\nann    access,editor\n"
    assert json.loads(joe.ok("ctl", "users", "reset", "ann", "-o", "json"))["invite"]
    assert joe.ok("ctl", "users", "rm", "ann") == "user/ann removed\n"
    assert joe.run("ctl", "users", "rm", "ann").code == 5
