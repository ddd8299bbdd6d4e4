"""The proxy of plane as app.py wires it, around a store in memory and a fake cluster."""

import asyncio
import contextlib
import errno
import json
import os
from unittest import mock

from loopback.client import connected, request
from loopback.cluster import Cluster, ok
from plane.audit.log import AuditLog
from plane.audit.segment import segments
from plane.clock import SYSTEM
from plane.edge.listener import Listener
from plane.evidence import RecordingRules
from plane.identity.session import Identity
from plane.identity.sessions import Sessions
from plane.proxy.authorize import Authorizer
from plane.proxy.call import Peer
from plane.proxy.limits import Limits
from plane.proxy.live import LiveStreams
from plane.proxy.pipeline import Parts, Pipeline
from plane.proxy.route import Route, Routes
from plane.proxy.stream import Streamer
from plane.recording.recorder import Recorder
from plane.resources.policies import LivePolicies
from plane.resources.service import Resources
from plane.store.memory import MemoryStore
from plane.store.secrets import SecretBox
from policies import model

ROLES = """\
kind: role
version: v8
metadata: {name: access}
spec:
  allow:
    kubernetes_labels: {env: dev}
    kubernetes_groups: [view, "{{external.groups}}"]
---
kind: role
version: v8
metadata: {name: operator}
spec:
  allow:
    kubernetes_labels: {env: dev}
    kubernetes_groups: [view, edit]
    kubernetes_users: [joe, deployer]
---
kind: role
version: v8
metadata: {name: anybody}
spec:
  allow:
    kubernetes_labels: {env: dev}
    kubernetes_groups: [view]
    kubernetes_users: ['*']
  deny:
    kubernetes_users: [root]
---
kind: role
version: v8
metadata: {name: reader}
spec:
  allow:
    kubernetes_labels: {env: dev}
    kubernetes_groups: [view]
    kubernetes_resources:
    - {kind: pods, api_group: '', name: '*', namespace: '*', verbs: [get, list, watch]}
---
kind: role
version: v8
metadata: {name: relaxed}
spec:
  options: {record_session: {default: best_effort}}
  allow:
    kubernetes_labels: {env: dev}
    kubernetes_groups: [view]
"""
CLOSED = """\
kind: role
version: v8
metadata: {name: access}
spec: {allow: {kubernetes_labels: {env: none}}}
"""


class Gate:
    """A proxy; `cluster` is what is behind it, `folder` holds its evidence."""

    def __init__(self, folder, script=ok):
        self.folder = folder
        self.cluster = Cluster(script)
        self.certificate = None
        self.per_session = 1000

    @contextlib.asynccontextmanager
    async def open(self, *, keep_input=False):
        store = MemoryStore()
        self.resources = Resources(store, SecretBox(b"k" * 32))
        await self.resources.apply(ROLES, mode="create")
        self.policies = LivePolicies(store, self.resources)
        await self.policies.start()
        self.sessions = Sessions(store)
        self.log = AuditLog(self.folder / "audit")
        self.recorder = Recorder(self.folder / "recordings", flush_seconds=0.01)
        self.routes, self.live = Routes(), LiveStreams()
        self.limits = Limits(self.per_session)
        self.authorizer = Authorizer(self.policies.roles, lambda: self.policies.revision)
        rules = RecordingRules(self.policies.roles, keep_input=keep_input)
        self.streamer = Streamer(self.recorder, rules, SYSTEM)
        self.pipeline = Pipeline(
            Parts(
                sessions=self.sessions,
                routes=self.routes,
                authorizer=self.authorizer,
                log=self.log,
                streamer=self.streamer,
                live=self.live,
                limits=self.limits,
            )
        )
        self.policies.on_change(lambda _: self.live.review())
        self.sessions.on_end(lambda _: self.live.review())
        self.listener = Listener(self.pipeline.serve, self._peer)
        async with self.cluster.serving():
            self.register("west", env="dev")
            self.register("hidden", env="prod")
            self.port = await self.listener.open("127.0.0.1", 0, None)
            try:
                yield self
            finally:
                await self.listener.close(grace_seconds=0)
                await self.quiet()
                self.routes.close()
                await self.policies.close()
                await store.close()
                await self.log.close()

    def register(self, name, *, port=None, **labels):
        cluster = model.Cluster(name=name, labels=labels)
        self.routes.put(Route(cluster=cluster, upstream=self.cluster.pool(name, port=port)))

    def _peer(self, transport):
        return Peer(address="127.0.0.1", session_id=self.certificate)

    async def login(self, user="joe", *, roles=("access",), ttl_seconds=3600, **traits):
        identity = Identity(
            user=user, connector="local", subject=f"{user}-1", roles=roles, traits=traits
        )
        return await self.sessions.start(identity, ttl_seconds=ttl_seconds)

    def connect(self):
        return connected(self.port)

    async def ask(self, *arguments, **options):
        """One request on a connection of its own."""
        async with self.connect() as client:
            return await client.ask(request(*arguments, **options))

    async def close_role(self):
        """Take from the role `access` what it gives."""
        await self.resources.apply(CLOSED, mode="upsert")

    def lines(self, **wanted):
        """The audit log, or those of its lines that have these values."""
        raw = self.audit_bytes().splitlines()
        return [line for line in map(json.loads, raw) if wanted.items() <= line.items()]

    def audit_bytes(self):
        return b"".join(path.read_bytes() for path in segments(self.folder / "audit"))

    async def ended(self, **wanted):
        """The first line that matches, waited for: evidence of what ends after its answer."""
        async with asyncio.timeout(10):
            while not (found := self.lines(**wanted)):
                await asyncio.sleep(0.005)
        return found[0]

    def casts(self):
        return sorted((self.folder / "recordings").glob("*/*.cast"))

    def cast(self):
        """(header, events) of the only recording."""
        (path,) = self.casts()
        header, *events = map(json.loads, path.read_bytes().splitlines())
        return header, events

    def sidecar(self):
        (path,) = (self.folder / "recordings").glob("*/*.json")
        return json.loads(path.read_text())

    @contextlib.contextmanager
    def full_disk(self, name="audit"):
        """Every write(2) below the folder fails with ENOSPC, as the kernel says it."""
        real, below = os.write, str(self.folder / name)

        def write(fd, data):
            if os.readlink(f"/proc/self/fd/{fd}").startswith(below):
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(fd, data)

        with mock.patch.object(os, "write", write):
            yield

    async def quiet(self):
        """Wait until no call is under way."""
        async with asyncio.timeout(10):
            while any(task.get_name() == "call" for task in asyncio.all_tasks()):
                await asyncio.sleep(0.005)
