"""Logging in and out, with a provider that knows nothing of plane, and with a password.

Proves:
- the browser login through the provider's own pages; the pasted code for a machine without browser
- somebody whom no role is for may not log in, and reads why
- an invite link sets a password once; a wrong password is refused
- logout ends the credential at once; ten kubectls at once share one login
- kube ls shows permitted clusters only; kube login keeps foreign entries; kube logout takes only its own
"""

import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml
from world.browser import Browser
from world.person import Person


@pytest.fixture
def newcomer(world, tmp_path):
    """Somebody with an empty machine: newcomer("alice")."""

    def make(name):
        return Person(
            name, tmp_path / name, server=world.server, kubectl=world.admin.kubectl_program
        )

    return make


def test_the_browser_login_gives_the_person_of_the_provider(newcomer):
    alice = newcomer("alice")
    alice.log_in()
    (status,) = alice.plane_json("status")
    assert (status["user"], status["connector"]) == ("alice@example.com", "company")
    assert status["roles"] == ["developer"]


def test_a_code_from_a_browser_elsewhere_can_be_pasted(newcomer, world):
    alice = newcomer("alice")
    words = ("login", "--no-browser", "--auth", "company", "--ca-pin", world.server.pin)
    with subprocess.Popen(
        ["plane", *words], env={**alice.env, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        url = next(line.strip() for line in child.stderr if line.strip().startswith("https://"))
        browser = Browser(answers={"text": "alice"}, ca_file=world.server.ca_file)
        page = browser.visit(url)
        browser.close()
        code = re.search(r'class="code">\s*([^<\s]+)\s*<', page.text)[1]
        out, err = child.communicate(code + "\n", timeout=30)
    assert child.returncode == 0, err
    assert "alice@example.com" in out


def test_somebody_without_a_role_may_not_log_in_and_reads_why(newcomer, world):
    mallory = newcomer("mallory")
    words = ("login", "--no-browser", "--auth", "company", "--ca-pin", world.server.pin)
    with subprocess.Popen(
        ["plane", *words], env={**mallory.env, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        url = next(line.strip() for line in child.stderr if line.strip().startswith("https://"))
        browser = Browser(answers={"text": "mallory"}, ca_file=world.server.ca_file)
        page = browser.visit(url)
        browser.close()
        child.kill()
    assert page.is_error
    assert "role" in page.text
    assert 'class="code"' not in page.text


def test_an_invite_sets_a_password_once(newcomer, admin, world):
    told = admin.plane("ctl", "users", "add", "joe", "--roles=access", "--k8s-groups=developers")
    invite = next(word for word in told.split() if "/invite/" in word)
    browser = Browser(answers={"password": "a long enough secret"}, ca_file=world.server.ca_file)
    assert browser.visit(invite).is_success
    assert browser.visit(invite).is_error
    browser.close()
    joe = newcomer("joe")
    joe.log_in_locally("a long enough secret")
    joe.plane("kube", "login", "west")
    assert joe.kubectl("auth", "can-i", "create", "pods").strip() == "yes"
    wrong = newcomer("joe")
    with pytest.raises(AssertionError, match="exit status"):
        wrong.log_in_locally("another secret altogether")


def test_logout_ends_the_credential_at_once(newcomer, world):
    alice = newcomer("alice")
    alice.log_in(cluster="west")
    alice.kubectl("get", "namespaces")
    credential = json.loads(alice.run("plane", "kube", "credentials").stdout)["status"]
    alice.plane("logout")
    assert alice.run("plane", "status").returncode == 3
    certificate, key = alice.folder / "kept.crt", alice.folder / "kept.key"
    certificate.write_text(credential["clientCertificateData"])
    key.write_text(credential["clientKeyData"])
    words = (
        "--server",
        f"{world.server.url}/k8s/clusters/west",
        "--certificate-authority",
        str(world.server.ca_file),
    )
    kept = (
        "--kubeconfig",
        "/dev/null",
        "--client-certificate",
        str(certificate),
        "--client-key",
        str(key),
    )
    refused = alice.try_kubectl(*kept, *words, "get", "--raw", "/api/v1/namespaces")
    assert refused.returncode == 1
    assert "Unauthorized" in refused.stderr or "logged in" in refused.stderr


def test_ten_kubectls_at_once_share_one_login(newcomer, admin):
    alice = newcomer("alice")
    alice.log_in(cluster="west")
    before = logins(admin)
    with ThreadPoolExecutor(10) as pool:
        done = list(pool.map(lambda _: alice.try_kubectl("get", "namespaces"), range(10)))
    assert [each.returncode for each in done] == [0] * 10
    assert logins(admin) == before


def logins(admin):
    return len(admin.plane_json("ctl", "audit", "search", "--type", "user.login"))


def test_ls_shows_only_permitted_clusters(alice, carol):
    assert [each["name"] for each in alice.plane_json("kube", "ls")] == ["west"]
    assert [each["name"] for each in carol.plane_json("kube", "ls")] == ["east", "west"]


def test_kube_login_and_logout_leave_foreign_entries_alone(newcomer):
    alice = newcomer("alice")
    foreign = {
        "apiVersion": "v1", "kind": "Config", "current-context": "home",
        "clusters": [{"name": "home", "cluster": {"server": "https://192.0.2.1"}}],
        "users": [{"name": "home", "user": {"token": "t"}}],
        "contexts": [{"name": "home", "context": {"cluster": "home", "user": "home"}}],
    }  # fmt: skip
    alice.kubeconfig.write_text("# mine\n" + yaml.safe_dump(foreign))
    alice.kubeconfig.chmod(0o640)
    alice.log_in(cluster="west")
    text = alice.kubeconfig.read_text()
    assert text.startswith("# mine\n")
    assert alice.kubeconfig.stat().st_mode & 0o777 == 0o640
    now = yaml.safe_load(text)
    assert now["current-context"] == "plane-west"
    assert [each["name"] for each in now["contexts"]] == ["home", "plane-west"]
    alice.plane("kube", "logout")
    left = yaml.safe_load(alice.kubeconfig.read_text())
    assert [left[part] for part in ("clusters", "users", "contexts")] == [
        foreign[part] for part in ("clusters", "users", "contexts")
    ]
