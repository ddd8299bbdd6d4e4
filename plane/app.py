"""The composition root: the one file that names concrete classes and wires them together.

`run` is what `plane start` calls. Read `Server.start` for the order in which things come up, and
`Server.stop` for the order in which they end; nobody imports this module but the command line.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from pathlib import Path

import uvloop
from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config as HypercornConfig

from connectors.local import LocalConnector
from plane import __version__, logs, tasks
from plane.audit.events import Event, EventType
from plane.audit.index import AuditIndex
from plane.audit.log import AuditLog
from plane.clock import SYSTEM
from plane.config import Settings, configured_clusters, load
from plane.edge.forwarded import client_address, networks
from plane.edge.listener import Listener
from plane.edge.tls import ReloadingContext, peer_of
from plane.edge.web import WebForwarder
from plane.errors import Invalid, PlaneError
from plane.evidence import RecordingRules, close_interrupted
from plane.fleet import Fleet
from plane.identity.attempts import Attempts
from plane.identity.certificates import HostCA, UserCA
from plane.identity.credentials import Credentials
from plane.identity.invites import Invites
from plane.identity.journal import Journal
from plane.identity.localauth import LocalAuth
from plane.identity.login import Login
from plane.identity.passwords import Passwords
from plane.identity.providers import Providers
from plane.identity.session import Client
from plane.identity.sessions import Sessions
from plane.identity.userchanges import UserChanges
from plane.identity.users import LocalUsers
from plane.proxy.authorize import Authorizer
from plane.proxy.call import Call
from plane.proxy.limits import Limits
from plane.proxy.live import LiveStreams
from plane.proxy.pipeline import Parts, Pipeline
from plane.proxy.route import PREFIX, Routes
from plane.proxy.stream import Streamer
from plane.recording.archive import Archive
from plane.recording.recorder import Recorder
from plane.resources.clusters import LiveClusters
from plane.resources.connectors import LiveConnectors
from plane.resources.policies import LivePolicies
from plane.resources.service import Resources
from plane.store.secrets import SecretBox
from plane.store.sqlite import SqliteStore
from plane.web.application import Services, application
from plane.web.trust import EdgeTrust
from policies.presets import PRESETS

_GRACE_SECONDS = 5.0
_DIAGNOSTICS = frozenset({b"/livez", b"/readyz", b"/healthz"})
_STOPPING = "plane is stopping; run the command again in a moment"


class Server:
    """One plane: made from settings, started, stopped."""

    def __init__(self, settings: Settings, environment: Mapping[str, str]) -> None:
        self._settings = settings
        data = settings.data_dir
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.log = AuditLog(
            settings.audit_folder,
            segment_bytes=settings.audit.segment_bytes,
            segment_seconds=settings.audit.segment_age.total_seconds(),
        )
        self.store = SqliteStore.open(settings.database_file)
        self.resources = Resources(self.store, SecretBox.load_or_make(settings.key_file))
        self.policies = LivePolicies(self.store, self.resources)
        self.connectors = LiveConnectors(self.store, self.resources)
        configured = configured_clusters(settings, environment)
        self.clusters = LiveClusters(self.store, self.resources, configured)
        self.sessions = Sessions(self.store)
        self.user_ca = UserCA.load_or_make(data / "ca")
        self.host_ca = HostCA.load_or_make(data / "ca")
        self.archive = Archive(settings.recording_folder)
        self.index = AuditIndex(settings.audit_folder, data / "audit-index.db")
        self.url = settings.public_url or f"https://{settings.listen.host}:{settings.listen.port}"
        self._trusted = networks(settings.trusted_proxies)
        self._background: list[asyncio.Task[None]] = []
        self._web_stop = asyncio.Event()
        self._identity()
        self._proxy()
        socket_folder = data / "run"
        socket_folder.mkdir(mode=0o700, exist_ok=True)
        socket_folder.chmod(0o700)
        self._socket = socket_folder / "web.sock"
        self.web = WebForwarder(self._socket)

    def _identity(self) -> None:
        settings = self._settings
        journal = Journal(self.log.append)
        invites = Invites(self.store, ttl_seconds=settings.auth_service.invite_ttl.total_seconds())
        passwords = Passwords()
        local = LocalConnector(LocalAuth(self.store, passwords, Attempts()))
        self.providers = Providers(
            self.connectors, local=local if settings.auth_service.local_login else None
        )
        self.credentials = Credentials(
            sessions=self.sessions,
            authority=self.user_ca,
            policies=self.policies,
            journal=journal,
            ttl_seconds=settings.auth_service.session_ttl.total_seconds(),
        )
        self.login = Login(
            connectors=self.providers,
            credentials=self.credentials,
            journal=journal,
            public_url=self.url,
        )
        self.users = LocalUsers(
            store=self.store,
            declarations=self.resources,
            sessions=self.sessions,
            invites=invites,
            journal=journal,
            passwords=passwords,
        )
        self.user_changes = UserChanges(store=self.store, sessions=self.sessions, invites=invites)

    def _proxy(self) -> None:
        settings = self._settings
        self.routes, self.live = Routes(), LiveStreams()
        self.fleet = Fleet(self.clusters, self.routes, self.log.append)
        self.authorizer = Authorizer(self.policies.roles, lambda: self.policies.revision)
        self.recorder = Recorder(
            settings.recording_folder,
            flush_seconds=settings.recording.flush_interval.total_seconds(),
            flush_bytes=settings.recording.flush_bytes,
        )
        rules = RecordingRules(self.policies.roles, keep_input=settings.recording.record_input)
        self.pipeline = Pipeline(
            Parts(
                sessions=self.sessions,
                routes=self.routes,
                authorizer=self.authorizer,
                log=self.log,
                streamer=Streamer(self.recorder, rules, SYSTEM),
                live=self.live,
                limits=Limits(settings.limits.requests_per_session),
            )
        )

    async def start(self) -> None:
        """Load, follow, listen; when this returns the server answers."""
        close_interrupted(self.archive, self.log.append, SYSTEM)
        await self.resources.ensure(PRESETS)
        await self.policies.start()
        await self.connectors.start()
        await self.sessions.load()
        await self.clusters.start()
        self.policies.on_change(lambda _: self.live.review())
        self.clusters.on_change(lambda _: self.live.review())
        self.sessions.on_end(lambda _: self.live.review())
        self.fleet.start()
        self._spawn(self.user_changes.follow(), "user changes")
        self._spawn(self.sessions.keep_swept(), "session sweep")
        self._web_task = self._spawn(self._serve_web(), "web")
        await self._listen()
        self._emit(EventType.SERVER_START, {"version": __version__, "url": self.url})

    async def stop(self) -> None:
        """Refuse newcomers, tell live streams why they end, finish what is under way."""
        self.live.end_all(_STOPPING)
        await self.listener.close(grace_seconds=_GRACE_SECONDS)
        await self.diagnostics.close(grace_seconds=0)
        self.web.close()
        self._web_stop.set()
        # Hypercorn ends by itself once its last connection has; only then is it cut off.
        await asyncio.wait([self._web_task], timeout=_GRACE_SECONDS)
        for task in self._background:
            await tasks.cancel(task)
        self.routes.close()
        for live in (self.policies, self.connectors, self.clusters):
            await live.close()
        self._emit(EventType.SERVER_STOP, {"version": __version__})
        await self.index.close()
        await self.store.close()
        await self.log.close()

    async def first_invite(self) -> str | None:
        """The link for the first administrator, as long as nobody has a password."""
        found = await self.users.first_admin(Client(address="local", agent="plane start"))
        return f"{self.url}/invite/{found[0]}" if found else None

    async def serve(self, call: Call) -> None:
        """Kube paths are served here, everything else by the web application."""
        if self._trusted:
            address = client_address(call.peer.address, call.headers, self._trusted)
            call.peer = replace(call.peer, address=address)
        if call.target.startswith(PREFIX):
            await self.pipeline.serve(call)
        else:
            await self.web.serve(call)

    async def diagnose(self, call: Call) -> None:
        """The diagnostics listener: health and nothing else, whoever asks."""
        call.peer = replace(call.peer, session_id=None)
        path = call.target.partition(b"?")[0]
        call.target = call.target if path in _DIAGNOSTICS else b"/not-found"
        await self.web.serve(call)

    async def _listen(self) -> None:
        settings = self._settings
        self.listener = Listener(
            self.serve, lambda transport: peer_of(transport, self.user_ca.session_id)
        )
        self._tls = ReloadingContext(*self._certificate(), self._user_ca_file())
        self._spawn(self._renew(), "certificate renewal")
        await self.listener.open(settings.listen.host, settings.listen.port, self._tls.context)
        if settings.plaintext_listen is not None:
            plain = settings.plaintext_listen
            await self.listener.open(plain.host, plain.port, None)
        self.diagnostics = Listener(self.diagnose, lambda transport: peer_of(transport, _nobody))
        if settings.diagnostics.listen is not None:
            place = settings.diagnostics.listen
            await self.diagnostics.open(place.host, place.port, None)

    def _certificate(self) -> tuple[Path, Path]:
        tls = self._settings.tls
        if tls.cert_file is not None and tls.key_file is not None:
            return tls.cert_file, tls.key_file
        host = self._settings.listen.host
        names = dict.fromkeys([_host(self.url), host, "localhost", "127.0.0.1", "::1"])
        return self.host_ca.server_certificate(
            [name for name in names if name not in ("0.0.0.0", "::", "")]  # noqa: S104 - not a bind
        )

    def _user_ca_file(self) -> Path:
        path = self._settings.data_dir / "ca" / "user-ca.pem"
        if not path.exists():
            path.write_text(self.user_ca.pem)
        return path

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(60)
            self._certificate()
            self._tls.refresh()

    async def _serve_web(self) -> None:
        app = application(
            Services(
                name=_host(self.url),
                url=self.url,
                settings=self._settings,
                login=self.login,
                users=self.users,
                credentials=self.credentials,
                sessions=self.sessions,
                resources=self.resources,
                policies=self.policies,
                clusters=self.clusters,
                fleet_status=self.fleet.status,
                index=self.index,
                archive=self.archive,
                emit=self.log.append,
                sync=self.log.sync,
                audit_healthy=lambda: self.log.healthy,
                host_ca_pem=None if self._settings.tls.cert_file else self.host_ca.pem,
                pipeline=self.pipeline,
            )
        )
        config = HypercornConfig()
        config.bind = [f"unix:{self._socket}"]
        config.umask = 0o177
        config.keep_alive_timeout = 120.0  # longer than the edge keeps a connection
        config.keep_alive_max_requests = 1_000_000
        config.graceful_timeout = _GRACE_SECONDS
        config.errorlog = None
        await hypercorn_serve(
            EdgeTrust(app, self.web.secret),  # type: ignore[arg-type]  # ASGI, typed by us
            config,
            shutdown_trigger=self._web_stop.wait,
        )

    def _spawn(self, coroutine: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        task = tasks.spawn(coroutine, name=name)
        self._background.append(task)
        return task

    def _emit(self, kind: EventType, details: Mapping[str, object]) -> None:
        now = SYSTEM.now()
        self.log.append(
            Event(type=kind, audit_id=SYSTEM.uuid(), time=now, received=now, details=details)
        )


def run(config: Path | None, flags: Mapping[str, str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; the exit code."""
    os.umask(0o077)
    try:
        settings = load(config, os.environ, flags)
        logs.configure(settings.log)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(settings))
    except Invalid as error:
        print(f"error: {error.message}", file=sys.stderr)  # noqa: T201 - the terminal is the user's
        for problem in error.problems:
            place = f"line {problem.line}: " if problem.line else ""
            print(f"  {place}{problem.path}: {problem.message}", file=sys.stderr)  # noqa: T201
        return 2
    except (PlaneError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - the terminal is the user's
        return 1
    return 0


async def _run(settings: Settings) -> None:
    server = Server(settings, os.environ)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    await server.start()
    try:
        await _greet(server, settings)
        await stopping.wait()
    finally:
        await server.stop()


async def _greet(server: Server, settings: Settings) -> None:
    lines = [f"plane {__version__} is up at {server.url}"]
    if settings.tls.cert_file is None:
        lines.append(f"  CA pin:   {server.host_ca.pin}")
    lines.append(f"  log in:   plane login --proxy {server.url}")
    invite = await server.first_invite()
    if invite is not None:
        lines.append(f"  first administrator, once: {invite}")
    print("\n".join(lines), flush=True)  # noqa: T201 - the terminal is the user's


def _nobody(_certificate: bytes) -> None:
    return None


def _host(url: str) -> str:
    host = url.partition("://")[2].partition("/")[0]
    return host[: host.rindex(":")].strip("[]") if ":" in host.rpartition("]")[2] else host
