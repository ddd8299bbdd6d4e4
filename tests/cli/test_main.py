"""Codes, suggestions, errors on one line, and a reference that names every command."""

import json
import os
import re

import click
import pytest

from cli.instant import duration_seconds, rfc3339, since, span
from cli.profile import normalize
from cli.root import cli


def commands(group=cli, path=()):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


ALL = list(commands())


@pytest.mark.parametrize(("path", "command"), ALL, ids=str)
def test_every_command_and_flag_is_in_the_reference(path, command, request):
    page = (request.config.rootpath / "docs/reference/cli.md").read_text()
    section = re.search(
        rf"^### `plane {' '.join(path)}\b.*?(?=^##|\Z)", page, re.MULTILINE | re.DOTALL
    )
    assert section, f"plane {' '.join(path)} is missing"
    for parameter in command.params:
        for flag in parameter.opts if isinstance(parameter, click.Option) else ():
            assert f"`{flag}" in section[0] or f" {flag}" in section[0], flag


@pytest.mark.parametrize(("path", "command"), ALL, ids=str)
def test_every_command_says_what_it_does(path, command):
    assert command.short_help
    assert command.help


def test_the_exit_codes_are_in_the_help(person):
    out = person.ok("--help")
    assert re.search(r"Exit codes: 0 ok; 1 failure; 2 usage; 3 not logged in", out)


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [(["kub"], "'kube'"), (["kube", "lgin"], "'login'"), (["ctl", "users", "ad"], "'add'")],
)
def test_an_unknown_command_suggests_the_nearest(person, arguments, meant):
    result = person.run(*arguments)
    assert (result.code, result.out) == (2, "")
    assert re.fullmatch(
        rf"error: No such command .*Did you mean .*{meant}.*\?\nRun .*\n", result.err
    )


def test_without_a_command_the_help_is_shown_and_the_code_is_2(person):
    result = person.run("kube")
    assert result.code == 2
    assert "credentials" in result.err


def test_who_is_not_logged_in_anywhere_is_told_how(person):
    for command in (["kube", "ls"], ["kube", "credentials"], ["status"], ["whoami"], ["logout"]):
        result = person.run(*command)
        assert (result.code, result.out) == (3, "")
        assert result.err == (
            "error: you are not logged in\nRun `plane login --proxy https://plane.example.com`.\n"
        )


def test_a_reader_that_hangs_up_causes_no_complaint(joe):
    with joe.start("--help") as process:
        process.stdout.close()
        assert process.stderr.read() == ""


def test_version_shows_both_sides(joe):
    shown = json.loads(joe.ok("version", "-o", "json"))
    assert shown["server"] == "9.9"
    assert shown["client"]


def test_version_without_a_server_is_no_error(person):
    assert "server" not in json.loads(person.ok("version", "-o", "json"))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(person, shell):
    if shell == "bash" and not os.path.exists("/bin/bash"):
        pytest.skip("click asks bash for its version")
    assert "_PLANE_COMPLETE" in person.ok("completion", shell)


def test_cluster_names_are_completed_without_the_server(joe, plane):
    joe.ok("kube", "ls")
    before = len(plane.requests)
    env = {
        "_PLANE_COMPLETE": "bash_complete",
        "COMP_WORDS": "plane kube login we",
        "COMP_CWORD": "3",
    }
    assert joe.ok(env=env) == "plain,west\n"
    assert len(plane.requests) == before


def test_kube_ls_shows_what_may_be_used(joe):
    assert joe.ok("kube", "ls") == (
        "NAME   STATUS        LABELS\n"
        "east   unreachable   env=prod,tier=1\n"
        "west   ready         env=dev\n"
    )
    assert "dev,view" in joe.ok("kube", "ls", "-o", "wide")
    assert joe.ok("kube", "ls", env={"PLANE_OUTPUT": "name"}) == "east\nwest\n"


def test_a_hostile_server_cannot_write_to_the_terminal(joe, plane):
    plane.clusters = [{"name": "a\x1b[2J", "labels": {"x\x9b": "\x07"}, "status": "\x1b]0;x\x07"}]
    result = joe.run("kube", "ls", "-o", "wide")
    assert result.code == 0
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", result.out + result.err)


def test_an_answer_that_is_not_planes_is_an_error(joe, plane, monkeypatch):
    monkeypatch.setattr(plane, "clusters", None)
    assert joe.run("kube", "ls").code == 0, "a List without items is empty"
    plane.tokens = dict.fromkeys(plane.tokens)
    assert joe.run("kube", "ls").code == 3


def test_plane_home_holds_everything(joe, plane, tmp_path):
    env = {"PLANE_HOME": str(tmp_path / "elsewhere")}
    joe.ok("login", "--proxy", plane.url, "--ca-pin", plane.ca.pin, "--user", "joe", env=env)
    joe.ok("kube", "ls", env=env)
    assert {path.name for path in (tmp_path / "elsewhere").iterdir()} == {"state", "cache"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("plane.example.com", "https://plane.example.com"),
        ("HTTPS://Plane.Example.COM:443/", "https://plane.example.com"),
        ("https://[::1]:3080", "https://[::1]:3080"),
        ("https://x/plane/", "https://x/plane"),
    ],
)
def test_a_server_has_one_address(written, meant):
    assert normalize(written) == meant
    assert normalize(meant) == meant


def test_times_and_durations():
    assert duration_seconds("1h30m") == 5400
    assert since("1d", now=86400 * 2) == rfc3339(86400)
    assert since("2026-11-24T10:00:00+01:00", now=0) == "2026-11-24T09:00:00Z"
    assert [span(s) for s in (5, 61, 3661, 90000)] == ["5s", "1m", "1h01m", "1d"]
