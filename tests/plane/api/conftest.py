from dataclasses import dataclass, field

import pytest
from quart import Quart

from plane.api import audit, clusters, errors, recordings, resources
from plane.api.access import Access
from plane.audit.events import Event
from plane.audit.index import AuditIndex
from plane.errors import EvidenceUnavailable, Unauthenticated
from plane.identity.session import Session
from plane.recording.archive import Archive
from plane.resources.policies import LivePolicies
from plane.resources.registered import Origin, RegisteredCluster
from plane.resources.service import Resources
from plane.store.memory import MemoryStore
from plane.store.secrets import SecretBox

ROLES = """\
kind: role
version: v8
metadata: {name: editor}
spec:
  allow:
    rules: [{resources: ['*'], verbs: ['*']}]
---
kind: role
version: v8
metadata: {name: reader}
spec:
  allow:
    rules: [{resources: [user], verbs: [list, read]}]
---
kind: role
version: v8
metadata: {name: inviter}
spec:
  allow:
    rules: [{resources: [user], verbs: [create]}]
---
kind: role
version: v8
metadata: {name: auditor}
spec:
  allow:
    rules: [{resources: [audit, recording], verbs: [list, read]}]
---
kind: role
version: v8
metadata: {name: dev}
spec:
  allow:
    kubernetes_labels: {env: dev}
    kubernetes_groups: [developers]
    kubernetes_resources: [{kind: pods, api_group: "", namespace: shop, name: "*", verbs: [get]}]
---
kind: role
version: v8
metadata: {name: no-secret}
spec:
  deny:
    kubernetes_labels: {name: [secret]}
"""


@dataclass
class Stage:
    """The application with its services, and one person per role (`Bearer <role>[,<role>]`)."""

    app: Quart
    store: MemoryStore
    service: Resources
    policies: LivePolicies
    clusters: list[RegisteredCluster] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    full: bool = False
    subject: str = "joe"

    def all(self):
        return sorted(self.clusters, key=lambda each: each.name)

    def register(self, name, **labels):
        self.clusters.append(
            RegisteredCluster(
                name=name,
                labels=labels,
                server="https://10.0.0.1:6443",
                token="t",
                origin=Origin.FILE,
            )
        )

    def emit(self, event):
        if self.full:
            raise EvidenceUnavailable("the audit log cannot be written")
        self.events.append(event)

    async def caller(self, request):
        scheme, _, names = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            raise Unauthenticated("log in with: plane login")
        return Session(
            id="s1",
            user="joe",
            connector="local",
            subject=self.subject,
            roles=tuple(names.split(",")),
            created=0,
            expires=9e9,
        )

    async def call(self, method, path, *, role="editor", **how):
        headers = {"Authorization": f"Bearer {role}"} if role else {}
        headers |= how.pop("headers", {})
        client = self.app.test_client()
        return await client.open(path, method=method, headers=headers, **how)

    async def apply(self, text, *, query="", role="editor", kind="application/yaml"):
        return await self.call(
            "POST",
            f"/v1/resources{query}",
            role=role,
            data=text.encode(),
            headers={"Content-Type": kind},
        )


@pytest.fixture
async def stage(tmp_path):
    store = MemoryStore()
    service = Resources(store, SecretBox(b"k" * 32))
    policies = LivePolicies(store, service)
    await service.apply(ROLES, mode="create")
    await policies.start()
    app = Quart("test")
    stage = Stage(app=app, store=store, service=service, policies=policies)
    access = Access(caller=stage.caller, policies=policies, emit=stage.emit)
    errors.install(app)
    app.register_blueprint(resources.blueprint(service, access))
    app.register_blueprint(clusters.blueprint(stage, access, status=lambda name: f"{name} is up"))
    index = AuditIndex(tmp_path / "audit", tmp_path / "audit-index.db")
    app.register_blueprint(audit.blueprint(index, access))
    app.register_blueprint(recordings.blueprint(Archive(tmp_path / "recordings"), access))
    yield stage
    await index.close()
    await policies.close()
    await store.close()
