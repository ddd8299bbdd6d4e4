"""The arrows: which room may import which. A new arrow is a decision; it gets its line here."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("plane", "connectors", "policies", "cli")
SMALL = "plane.errors plane.clock plane.tasks plane.__version__"
SERVICES = "plane.identity plane.resources plane.audit plane.recording policies"

# Module or room -> what it may import beside itself and the standard library; the longest name that
# fits counts. Whoever is not here may import nothing.
ARROWS = {
    "policies": "",
    "connectors": "authlib joserfc httpx",
    "cli": "click yaml",
    "plane": "",
    "plane.kube": "policies.model",
    "plane.audit.events": "policies.model",
    "plane.recording.asciicast": "",
    "plane.audit": f"{SMALL} policies.model msgspec",
    # Recordings grow by whole pieces with private modes, as the log does: one file knows how.
    "plane.recording": f"{SMALL} plane.audit.file msgspec",
    "plane.store": f"{SMALL} sqlite_utils cryptography",
    "plane.resources": f"{SMALL} plane.store policies yaml cryptography",
    # A provider's settings are checked by the connector's own code, not by a copy of its rules.
    "plane.resources.oidc": "connectors",
    # The self-test of a cluster speaks through a client that we did not write.
    "plane.resources.selftest": "kubernetes_asyncio",
    "plane.identity": f"{SMALL} plane.store plane.audit.events policies connectors"
    " cryptography argon2",
    # A local user is a document; who checks its password must read it as `plane ctl` does.
    "plane.identity.localauth": f"{SMALL} plane.store plane.resources connectors",
    "plane.upstream": f"{SMALL} plane.kube plane.tunnel httptools",
    "plane.proxy": f"{SMALL} plane.kube plane.identity plane.upstream plane.audit plane.recording"
    " policies",
    # Hypercorn behind the edge is reached as a cluster is: through upstream's pool.
    "plane.edge": f"{SMALL} plane.kube plane.proxy plane.upstream httptools",
    "plane.api": f"{SMALL} {SERVICES} plane.kube.status quart werkzeug",
    "plane.web": f"{SMALL} {SERVICES} plane.api quart werkzeug",
    # The proxy as a Quart route: the same pipeline under any ASGI server.
    "plane.web.kube": f"{SMALL} plane.kube plane.proxy quart",
    "plane.web.application": f"{SERVICES} plane.api plane.config plane.proxy.pipeline quart",
    "plane.tunnel": "",
    "plane.agent": "plane.tunnel plane.upstream plane.kube",
    "plane.config": f"{SMALL} plane.config_teleport plane.decode plane.resources",
    "plane.config_teleport": "plane.resources",
    "plane.decode": "plane.resources",
    "plane.logs": f"{SMALL} plane.config",
    # Wiring that app.py would otherwise hold: between the proxy and what lies around it.
    "plane.evidence": f"{SMALL} plane.audit plane.proxy plane.recording policies",
    "plane.fleet": f"{SMALL} plane.audit plane.proxy plane.resources plane.upstream policies.model",
    "plane.app": "plane connectors policies uvloop hypercorn",
}
# Only inside a function: kubectl runs the credential plugin at every call.
LAZY = {"cli": "cryptography", "cli.start": "plane.app"}
PURE = ("policies", "plane.kube", "plane.audit.events", "plane.recording.asciicast", "cli.terminal")
IMPURE = ("asyncio", "socket", "time", "os", "threading", "random", "secrets")


def within(name, room):
    return name == room or name.startswith(f"{room}.")


def row(table, module):
    """The room of the table that the module belongs to: the longest name that fits."""
    return max((room for room in table if within(module, room)), key=len, default="")


def imports(tree):
    """Every (imported name, whether it is lazy) in a module."""
    lazy = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in lazy) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name their room"
            yield from ((f"{node.module}.{alias.name}", id(node) in lazy) for alias in node.names)


def modules():
    for path in sorted(path for top in PACKAGES for path in (ROOT / top).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        yield name, ast.parse(path.read_text())


def room_of(module):
    """`plane.kube.request` is at home in `plane.kube`, `cli.login` in `cli`."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "plane" else parts[0]


MODULES = dict(modules())


def may(module, name, *, lazy):
    """Whether the module may import the name."""
    if name.split(".")[0] in sys.stdlib_module_names:
        return not (row(PURE, module) and name.split(".")[0] in IMPURE)
    allowed = [room_of(module), *ARROWS[row(ARROWS, module)].split()]
    if lazy and row(LAZY, module):
        allowed += LAZY[row(LAZY, module)].split()
    return any(within(name, room) for room in allowed)


@pytest.mark.parametrize("module", MODULES)
def test_arrows(module):
    bent = [name for name, lazy in imports(MODULES[module]) if not may(module, name, lazy=lazy)]
    assert bent == [], f"{module} may not import {bent}"


@pytest.mark.parametrize(
    ("module", "name", "lazy"),
    [
        ("policies.decide", "plane.errors.Forbidden", False),
        ("policies.decide", "os", False),
        ("plane.kube.request", "policies.decide.decide", False),
        ("plane.api.users", "plane.store.sqlite.SqliteStore", True),
        ("plane.web.pages", "plane.proxy.pipeline", False),
        ("cli.keys", "cryptography.x509", False),
        ("cli.kube", "plane.app", True),
        ("plane.agent.dial", "plane.identity.session", False),
    ],
)
def test_the_table_refuses(module, name, lazy):
    assert not may(module, name, lazy=lazy)


def test_nobody_imports_app_but_plane_start():
    importers = {
        module
        for module, tree in MODULES.items()
        for name, _ in imports(tree)
        if within(name, "plane.app")
    }
    assert importers == {"cli.start"}


def test_every_row_of_the_tables_is_somebodys():
    """A row that nobody needs any more would let somebody in unseen."""
    for table in (ARROWS, LAZY, PURE):
        assert [room for room in table if not any(within(name, room) for name in MODULES)] == []


def test_every_package_says_what_it_owns():
    silent = [
        path.relative_to(ROOT).as_posix()
        for top in PACKAGES
        for path in (ROOT / top).rglob("__init__.py")
        if not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_background_tasks_have_one_door():
    """A bare create_task can be collected in mid-flight; plane.tasks.spawn keeps it."""
    doors = {
        module
        for module, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("create_task", "ensure_future")
    }
    assert doors <= {"plane.tasks"}
