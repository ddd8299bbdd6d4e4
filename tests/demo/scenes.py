"""The scenes: every command is printed as typed, then its real output."""

import shlex
from pathlib import Path

from world import Person, World
from world.person import Done

_POD = Path(__file__).with_name("shop.yaml")


def play(world: World) -> None:
    """Play all scenes; raises AssertionError when one does not go as told."""
    alice, admin = world.person("alice"), world.admin
    _say(
        "Alice logs in once, through the company's identity provider (a scripted browser fills its form)."
    )
    _type(alice, "plane", "login", "--auth", "company", "--ca-pin", world.server.pin)
    _type(alice, "plane", "status")
    _say("She sees the clusters that her roles permit: west (env=dev), not east (env=prod).")
    _type(alice, "plane", "kube", "ls")
    _type(alice, "plane", "kube", "login", "west")
    _say(
        "From here on plain kubectl. The cluster sees her name and groups, plane's account only impersonates."
    )
    _type(alice, "kubectl", "auth", "whoami")
    _type(alice, "kubectl", "apply", "-f", str(_POD))
    _type(alice, "kubectl", "wait", "--for=condition=Ready", "pod/shop", "--timeout=60s")
    _type(alice, "kubectl", "get", "pods", "-o", "wide")
    _say("An exec. It is recorded whether she wants it or not.")
    _type(
        alice, "kubectl", "exec", "shop", "--", "sh", "-c", "echo who am I here; id; ps | head -3"
    )
    if world.clusters["west"].node == "real":
        _say("Exit statuses survive the way.")
        _type(alice, "kubectl", "exec", "shop", "--", "sh", "-c", "exit 42", expect=42)
    else:
        _say(
            "(The node is played by kwok, which loses exec's exit status; root on Linux gets a real one.)"
        )
    _say(
        "east is production: her roles do not reach it, and plane does not even admit that it exists."
    )
    _refused_on_east(alice)
    _say("The administrator reads who did what.")
    _type(admin, "plane", "ctl", "audit", "search", "--user", "alice@example.com")
    _type(admin, "plane", "recordings", "ls")
    newest = admin.plane_json("recordings", "ls")[-1]
    _say("And replays the first recording.")
    _type(admin, "plane", "play", str(newest["id"]))


def _refused_on_east(alice: Person) -> None:
    _type(alice, "plane", "kube", "login", "east", expect=None)
    # Someone stubborn goes there by hand. Raw, because kubectl drops the reason when it is refused
    # while it asks which resources there are, which `get pods` would do first.
    server = f"{alice.server.url}/k8s/clusters/east"
    _type(
        alice,
        "kubectl",
        "--server",
        server,
        "get",
        "--raw",
        "/api/v1/namespaces/default/pods",
        expect=1,
    )


def _say(text: str) -> None:
    print(f"\n# {text}", flush=True)


def _type(person: Person, *words: str, expect: int | None = 0) -> Done:
    print(f"$ {shlex.join(words)}", flush=True)
    done = person.try_kubectl(*words[1:]) if words[0] == "kubectl" else person.run(*words)
    print(done.stdout + done.stderr, end="", flush=True)
    if expect is None:
        assert done.returncode != 0, f"{shlex.join(words)} should have been refused"
    else:
        said = f"{shlex.join(words)} ended with {done.returncode}, not {expect}"
        assert done.returncode == expect, said
    return done
