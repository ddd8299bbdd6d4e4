"""The roles that exist from the first start; ordinary documents, to be edited like any other.

The groups `plane:view`, `plane:edit` and `plane:cluster-admin` are bound to the cluster roles of
those names by bindings that you make in the cluster; plane ships none yet.
"""

_EVERYWHERE = {"*": "*"}
_ALL = ["list", "read", "create", "update", "delete"]


def _role(name: str, description: str, allow: dict[str, object]) -> dict[str, object]:
    return {
        "kind": "role",
        "version": "v8",
        "metadata": {"name": name, "description": description},
        "spec": {"allow": allow},
    }


def _kubernetes(groups: list[str], **more: object) -> dict[str, object]:
    return {"kubernetes_labels": dict(_EVERYWHERE), "kubernetes_groups": groups, **more}


PRESETS: tuple[dict[str, object], ...] = (
    _role(
        "access",
        "All clusters, as the Kubernetes users and groups that the person's own traits name",
        _kubernetes(
            ["{{internal.kubernetes_groups}}"], kubernetes_users=["{{internal.kubernetes_users}}"]
        ),
    ),
    _role(
        "editor",
        "Administers plane: roles, users, clusters, connectors, tokens, sessions and locks",
        {
            "rules": [
                {
                    "resources": ["role", "user", "cluster", "oidc", "token", "session", "lock"],
                    "verbs": list(_ALL),
                }
            ]
        },
    ),
    _role(
        "auditor",
        "Reads the audit log, the recordings and who is logged in; reaches no cluster",
        {
            "rules": [
                {
                    "resources": ["audit", "recording", "session", "role", "user", "cluster"],
                    "verbs": ["list", "read"],
                }
            ]
        },
    ),
    _role("reviewer", "Decides on requests for access", {"review_requests": {"roles": ["access"]}}),
    _role("requester", "May ask for the role access", {"request": {"roles": ["access"]}}),
    _role("kube-access", "Edits workloads on all clusters", _kubernetes(["plane:edit"])),
    _role("kube-editor", "Administers all clusters", _kubernetes(["plane:cluster-admin"])),
    _role(
        "kube-auditor",
        "Looks at all clusters, changes nothing",
        _kubernetes(
            ["plane:view"],
            kubernetes_resources=[
                {
                    "kind": "*",
                    "api_group": "*",
                    "namespace": "*",
                    "name": "*",
                    "verbs": ["get", "list", "watch"],
                }
            ],
        ),
    ),
)
