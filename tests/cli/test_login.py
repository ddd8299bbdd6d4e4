"""Logging in and out, as a person at a terminal does it; command, exit code, stdout, stderr."""

import json
import re
import stat

import pytest
from cryptography import x509


def opened(tmp_path):
    path = tmp_path / "opened"
    return path.read_text().splitlines() if path.exists() else []


def test_a_local_user_logs_in_with_a_password_and_out_again(joe, plane):
    assert re.fullmatch(r"PROXY.*\n\S+ +joe +(59m|1h00m) +\*\n", joe.ok("status"))
    assert json.loads(joe.ok("whoami", "-o", "json"))["roles"] == ["access"]
    assert joe.run("logout").out == f"Logged out of {plane.url}.\n"
    assert plane.tokens == {}
    result = joe.run("status")
    assert (result.code, result.out) == (3, "")
    assert result.err == f"error: you are not logged in\nRun `plane login --proxy {plane.url}`.\n"


def test_after_a_logout_the_way_back_needs_no_pin(joe, plane):
    joe.ok("logout")
    result = joe.run("kube", "ls")
    assert result.code == 3
    assert result.err.startswith(f"error: you are not logged in to {plane.url}\n")
    joe.ok("login", "--user", "joe")


def test_the_profile_is_private_and_holds_no_password(joe):
    folder = joe.profile.parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert "correct horse" not in joe.profile.read_text()


def test_the_key_stays_here_and_only_a_request_for_it_is_sent(joe, plane):
    profile = json.loads(joe.profile.read_text())
    certificate = x509.load_pem_x509_certificate(profile["certificate_pem"].encode())
    request = x509.load_pem_x509_csr(profile["csr_pem"].encode())
    assert certificate.public_key() == request.public_key()
    assert not any("PRIVATE" in path for _, path in plane.requests)


def test_a_wrong_password_is_one_line_and_exit_code_3(person, plane, tmp_path):
    (tmp_path / "wrong").write_text("guess")
    result = person.run(
        *("login", "--proxy", plane.url, "--ca-pin", plane.ca.pin, "--user", "joe"),
        env={"PLANE_PASSWORD_FILE": str(tmp_path / "wrong")},
    )
    assert (result.code, result.out) == (3, "")
    assert result.err == "error: wrong user or password\n"


def test_the_browser_login_comes_back_over_the_loopback(person, plane, browser, tmp_path):
    plane.connectors = [{"name": "sso", "type": "oidc", "display": "SSO"}]
    result = person.run(
        *("login", "--proxy", plane.url, "--ca-pin", plane.ca.pin), env={"BROWSER": browser}
    )
    assert result.code == 0, result
    assert re.fullmatch(rf"Logged in to {plane.url} as ann for \S+\.\n", result.out)
    (url,) = opened(tmp_path)
    assert url in result.err, "the address is printed even when a browser opens"
    assert "redirect_uri=http%3A%2F%2F127.0.0.1%3A" in url
    assert "connector=sso" in url


def test_the_page_after_login_says_close_the_tab_and_nothing_secret(
    person, plane, browser, tmp_path
):
    person.ok("login", "--proxy", plane.url, "--ca-pin", plane.ca.pin, env={"BROWSER": browser})
    page = tmp_path / "page.html"
    assert "You may close this tab" in page.read_text()
    assert "code-1" not in page.read_text()


def test_a_refusal_by_the_identity_provider_is_shown_and_exit_code_4(person, plane, browser):
    plane.login_error = "no group of yours has a role\x1b[2J"
    result = person.run(
        *("login", "--proxy", plane.url, "--ca-pin", plane.ca.pin), env={"BROWSER": browser}
    )
    assert result.code == 4
    assert "error: the login was refused: no group of yours has a role\\x1b[2J\n" in result.err


def test_without_a_browser_the_person_pastes_the_code(person, plane):
    plane.codes["paste-me"] = {"code_challenge": "?"}
    with person.start(
        "login", "--proxy", plane.url, "--ca-pin", plane.ca.pin, "--no-browser"
    ) as process:
        url = next(line.strip() for line in process.stderr if "/v1/login/authorize" in line)
        assert "redirect_uri=urn%3Aietf%3Awg%3Aoauth%3A2.0%3Aoob" in url
        challenge = re.search("code_challenge=([^&]+)", url)[1]
        plane.codes["paste-me"]["code_challenge"] = challenge
        out, err = process.communicate("  paste-me \n", timeout=30)
    assert process.returncode == 0, err
    assert "as ann" in out


def test_over_ssh_without_a_display_no_browser_is_started(person, plane):
    result = person.run(
        *("login", "--proxy", plane.url, "--ca-pin", plane.ca.pin),
        env={"SSH_CONNECTION": "1 2 3 4"},
    )
    assert "Paste the code" in result.err
    assert result.code == 130, "stdin ended: as if interrupted"


def test_an_unknown_connector_names_those_there_are(person, plane):
    result = person.run("login", "--proxy", plane.url, "--ca-pin", plane.ca.pin, "--auth", "oktaa")
    assert result.code == 5
    assert result.err.endswith("has no connector 'oktaa'\nIt has: local.\n")


def test_a_ca_that_nobody_named_is_not_trusted_without_a_terminal(person, plane):
    result = person.run("login", "--proxy", plane.url, "--user", "joe")
    assert result.code == 6
    assert "is not publicly trusted" in result.err
    assert plane.requests == [], "nothing was sent before the server was verified"


def test_a_wrong_pin_stops_the_login_before_anything_is_sent(person, plane):
    pin = "sha256:" + "0" * 64
    result = person.run("login", "--proxy", plane.url, "--ca-pin", pin, "--user", "joe")
    assert result.code == 6
    assert "somebody may stand in between" in result.err
    assert plane.requests == []


def test_a_ca_file_is_trusted_and_remembered(person, plane, tmp_path):
    (tmp_path / "ca.pem").write_text(plane.ca.pem)
    (tmp_path / "pw").write_text("correct horse")
    env = {"PLANE_PASSWORD_FILE": str(tmp_path / "pw")}
    arguments = ("login", "--proxy", plane.url, "--user", "joe")
    person.ok(*arguments, "--ca-file", str(tmp_path / "ca.pem"), env=env)
    person.ok(*arguments, env=env)


def test_a_ca_of_the_system_is_trusted(person, plane, tmp_path):
    (tmp_path / "ca.pem").write_text(plane.ca.pem)
    (tmp_path / "pw").write_text("correct horse")
    env = {"PLANE_PASSWORD_FILE": str(tmp_path / "pw"), "SSL_CERT_FILE": str(tmp_path / "ca.pem")}
    person.ok("login", "--proxy", plane.url, "--user", "joe", env=env)
    assert json.loads(person.profile.read_text())["ca_pem"] == ""


def test_a_server_that_is_not_there_is_exit_code_6(person):
    result = person.run("login", "--proxy", "https://127.0.0.1:9", "--user", "joe")
    assert result.code == 6
    assert result.err.startswith("error: cannot reach https://127.0.0.1:9: connection refused\n")


def test_a_server_that_is_closed_shows_its_message(joe, plane):
    plane.down = True
    result = joe.run("kube", "ls")
    assert (result.code, result.err) == (6, "error: closed for today\n")


def test_a_session_that_was_ended_on_the_server_says_log_in_again(joe, plane):
    plane.tokens.clear()
    result = joe.run("kube", "ls")
    assert result.code == 3
    assert result.err == f"error: you are not logged in\nRun `plane login --proxy {plane.url}`.\n"


def test_logout_removes_the_key_even_when_the_server_is_down(joe, plane):
    plane.down = True
    assert joe.run("logout").code == 6
    assert not re.search("PRIVATE|token-", joe.profile.read_text())


@pytest.mark.parametrize(
    "address",
    ["http://plane.example.com", "https://", "https://a@b", "https://x/?q", "https://a b"],
)
def test_addresses_that_are_not_https_are_usage_errors(person, address):
    result = person.run("login", "--proxy", address)
    assert result.code == 2
    assert "is no server address" in result.err


def test_a_token_in_the_environment_needs_no_login(person, plane, tmp_path):
    plane.tokens["robot"] = {"user": "robot"}
    (tmp_path / "ca.pem").write_text(plane.ca.pem)
    env = {
        "PLANE_TOKEN": "robot",
        "PLANE_PROXY": plane.url,
        "SSL_CERT_FILE": str(tmp_path / "ca.pem"),
    }
    assert person.ok("kube", "ls", "-o", "name", env=env) == "east\nwest\n"
    answer = json.loads(person.ok("kube", "credentials", "--proxy", plane.url, env=env))
    assert answer["status"] == {"token": "robot"}
