"""The exec plugin as kubectl runs it: many at once, without a terminal, with an expired login."""

import json
import os
import time
from datetime import datetime

import pytest

INFO = {
    "kind": "ExecCredential",
    "apiVersion": "client.authentication.k8s.io/v1",
    "spec": {"interactive": True},
}


def asked(*, interactive=True, version="v1"):
    info = INFO | {
        "apiVersion": f"client.authentication.k8s.io/{version}",
        "spec": {"interactive": interactive},
    }
    return {"KUBERNETES_EXEC_INFO": json.dumps(info)}


def credentials(person, plane, **env):
    return person.run("kube", "credentials", "--proxy", plane.url, env=env)


def expire(person):
    """As if the login were of yesterday."""
    profile = json.loads(person.profile.read_text())
    profile |= {"expires": 1.0, "certificate_expires": 1.0}
    profile["exec"]["until"] = 1.0
    person.profile.write_text(json.dumps(profile))


def logged_in_by_browser(person, plane, browser):
    person.url = plane.url
    person.env["BROWSER"] = browser
    person.ok("login", "--proxy", plane.url, "--ca-pin", plane.ca.pin)
    return person


def test_a_warm_answer_is_the_pair_and_asks_no_server(joe, plane):
    before = len(plane.requests)
    result = credentials(joe, plane, **asked())
    answer = json.loads(result.out)
    assert (result.code, result.err) == (0, "")
    assert answer["kind"] == "ExecCredential"
    assert answer["apiVersion"] == "client.authentication.k8s.io/v1"
    assert answer["status"]["clientCertificateData"].startswith("-----BEGIN CERTIFICATE")
    assert answer["status"]["clientKeyData"].startswith("-----BEGIN PRIVATE KEY")
    assert len(plane.requests) == before


def test_the_expiration_is_slightly_before_the_true_one(joe, plane):
    answer = json.loads(credentials(joe, plane, **asked()).out)
    told = datetime.fromisoformat(answer["status"]["expirationTimestamp"]).timestamp()
    true = json.loads(joe.profile.read_text())["certificate_expires"]
    assert 25 <= true - told <= 60


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_the_answer_has_the_version_that_kubectl_asked_for(joe, plane, version):
    answer = json.loads(credentials(joe, plane, **asked(version=version)).out)
    assert answer["apiVersion"] == f"client.authentication.k8s.io/{version}"


@pytest.mark.parametrize("info", ["{", "[]", '{"apiVersion": 1}', "null"])
def test_a_broken_exec_info_is_an_error_without_output(joe, plane, info):
    result = credentials(joe, plane, KUBERNETES_EXEC_INFO=info)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("error: ")


def test_where_the_server_says_token_kubectl_gets_the_token(joe, plane):
    plane.credential = "token"
    joe.ok("login", "--proxy", plane.url, "--user", "joe")
    status = json.loads(credentials(joe, plane, **asked()).out)["status"]
    assert set(status) == {"token", "expirationTimestamp"}
    assert status["token"] in plane.tokens


def test_an_expired_login_without_a_terminal_is_one_hint_and_exit_code_3(joe, plane):
    expire(joe)
    result = credentials(joe, plane, **asked(interactive=False))
    assert (result.code, result.out) == (3, "")
    assert result.err == (
        f"error: your login has expired at {plane.url}\nRun `plane login --proxy {plane.url}`.\n"
    )


@pytest.mark.parametrize("variable", ["CI", "PLANE_NON_INTERACTIVE"])
def test_the_environment_can_say_that_nobody_is_there(joe, plane, variable):
    expire(joe)
    assert credentials(joe, plane, **asked(), **{variable: "1"}).code == 3


def test_an_expired_login_with_a_person_there_logs_in_again(person, plane, browser):
    ann = logged_in_by_browser(person, plane, browser)
    expire(ann)
    result = credentials(ann, plane, **asked())
    assert json.loads(result.out)["status"]["clientCertificateData"]
    assert len(plane.tokens) == 2


def test_ten_at_once_lead_to_one_login(person, plane, browser, tmp_path):
    ann = logged_in_by_browser(person, plane, browser)
    expire(ann)
    (tmp_path / "opened").unlink()
    run = [ann.start("kube", "credentials", "--proxy", plane.url, env=asked()) for _ in range(10)]
    answers = []
    for process in run:
        with process:
            out, err = process.communicate(timeout=120)
            assert process.returncode == 0, err
            answers.append(out)
    assert len(set(answers)) == 1, "all got the same credential"
    assert len((tmp_path / "opened").read_text().splitlines()) == 1, "one browser tab"
    assert len(plane.tokens) == 2


def test_after_a_failed_login_those_who_waited_fail_too(person, plane, browser, tmp_path):
    ann = logged_in_by_browser(person, plane, browser)
    expire(ann)
    plane.login_error = "no"
    (tmp_path / "opened").unlink()
    run = [ann.start("kube", "credentials", "--proxy", plane.url, env=asked()) for _ in range(4)]
    codes = []
    for process in run:
        with process:
            out, _ = process.communicate(timeout=120)
            assert out == ""
            codes.append(process.returncode)
    assert sorted(codes) == [3, 3, 3, 4]
    assert len((tmp_path / "opened").read_text().splitlines()) == 1, "one browser tab"


def test_a_failed_login_is_tried_again_after_a_while_or_by_plane_login(
    person, plane, browser, tmp_path
):
    ann = logged_in_by_browser(person, plane, browser)
    expire(ann)
    plane.login_error = "no"
    assert credentials(ann, plane, **asked()).code == 4
    marker = ann.profile.with_suffix(".failed")
    plane.login_error = ""
    assert credentials(ann, plane, **asked()).code == 3
    os.utime(marker, (time.time() - 31, time.time() - 31))
    assert credentials(ann, plane, **asked()).code == 0
    assert not marker.exists()


def test_a_certificate_shorter_than_the_session_is_renewed_without_the_person(joe, plane):
    plane.certificate_seconds = 0.0
    joe.ok("login", "--proxy", plane.url, "--user", "joe")
    plane.certificate_seconds = 600.0
    result = credentials(joe, plane, **asked(interactive=False))
    assert result.code == 0, result
    assert plane.count("/v1/certificates") == 1
    assert len(plane.tokens) == 2, "no third login"
    assert credentials(joe, plane, **asked()).out == result.out


def test_a_renewal_that_fails_early_still_hands_out_the_valid_certificate(joe, plane):
    profile = json.loads(joe.profile.read_text())
    profile["expires"] += 3600
    profile["certificate_issued"] -= 100 * 3600
    profile["exec"]["until"] = 1.0
    joe.profile.write_text(json.dumps(profile))
    plane.down = True
    result = credentials(joe, plane, **asked(interactive=False))
    assert result.code == 0, result
    assert plane.count("/v1/certificates") == 1


def test_a_session_ended_on_the_server_is_not_renewed_but_logged_in_again(joe, plane):
    plane.certificate_seconds = 0.0
    joe.ok("login", "--proxy", plane.url, "--user", "joe")
    plane.tokens.clear()
    result = credentials(joe, plane, **asked(interactive=False))
    assert (result.code, result.out) == (3, "")


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '{"exec": 1}', '{"exec": {"until": "x"}}']
)
def test_a_damaged_profile_is_no_login_and_no_traceback(joe, plane, content):
    joe.profile.write_text(content)
    result = credentials(joe, plane, **asked(interactive=False))
    assert (result.code, result.out) == (3, "")
    assert "Traceback" not in result.err


def test_a_warm_run_imports_neither_yaml_nor_cryptography_nor_http(joe, plane):
    with joe.start() as warmed:
        warmed.communicate()
    import subprocess
    import sys

    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "cli", "kube", "credentials", "--proxy", plane.url],
        env=joe.env | asked(), cwd=joe.home, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(result.stdout)["status"]
    loaded = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}
    heavy = {"yaml", "cryptography", "http.client", "ssl", "click", "asyncio", "dataclasses"}
    assert loaded & heavy == set()
    assert {"cli.main", "cli.warm"} <= loaded
