"""The Quart application: every blueprint, put together from the services they need."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from quart import Quart, Request

from plane.api import audit as audit_api
from plane.api import clusters as clusters_api
from plane.api import errors, health
from plane.api import login as login_api
from plane.api import recordings as recordings_api
from plane.api import resources as resources_api
from plane.api import session as session_api
from plane.api import users as users_api
from plane.api.access import Access
from plane.api.caller import caller_of
from plane.audit.events import Event
from plane.audit.index import AuditIndex
from plane.config import Settings
from plane.identity.credentials import Credentials
from plane.identity.login import Login
from plane.identity.sessions import Sessions
from plane.identity.users import LocalUsers
from plane.proxy.pipeline import Pipeline
from plane.recording.archive import Archive
from plane.resources.clusters import LiveClusters
from plane.resources.policies import LivePolicies
from plane.resources.service import Resources
from plane.web import kube, pages

_MAX_BODY_BYTES = 4 * 1024 * 1024  # documents; kube requests do not come this way
_SMALL_BODY_BYTES = 64 * 1024  # the rest, logins too: what anybody may have us hold in memory
_LARGE = ("/v1/resources", "/k8s/")


class _Request(Request):
    """A request whose body may only be large where documents are sent."""

    # method, scheme, path and the rest as Quart calls its request_class.
    def __init__(
        self,
        method: str,
        scheme: str,
        path: str,
        *rest: Any,
        max_content_length: int | None = None,
        **named: Any,
    ) -> None:
        if not path.startswith(_LARGE):
            max_content_length = _SMALL_BODY_BYTES
        super().__init__(
            method, scheme, path, *rest, max_content_length=max_content_length, **named
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the application serves."""

    name: str
    url: str
    settings: Settings
    login: Login
    users: LocalUsers
    credentials: Credentials
    sessions: Sessions
    resources: Resources
    policies: LivePolicies
    clusters: LiveClusters
    fleet_status: Callable[[str], str]
    index: AuditIndex
    archive: Archive
    emit: Callable[[Event], object]
    sync: Callable[[], Awaitable[None]]
    audit_healthy: Callable[[], bool]
    host_ca_pem: str | None
    pipeline: Pipeline


def application(services: Services) -> Quart:
    """The application; it believes `Plane-*` headers, so serve it inside web.trust.EdgeTrust."""
    app = Quart("plane.web")
    # A redirect for `//` would carry whatever Host a client sends.
    app.url_map.merge_slashes = False
    app.request_class = _Request
    app.config["MAX_CONTENT_LENGTH"] = _MAX_BODY_BYTES
    access = Access(
        caller=caller_of(services.sessions),
        policies=services.policies,
        emit=services.emit,
        sync=services.sync,
    )
    checks = {"audit": lambda: "" if services.audit_healthy() else "the audit log is not writable"}
    for blueprint in (
        health.blueprint(checks),
        resources_api.blueprint(services.resources, access),
        clusters_api.blueprint(services.clusters, access, status=services.fleet_status),
        audit_api.blueprint(services.index, access),
        recordings_api.blueprint(services.archive, access),
        login_api.blueprint(services.login, _about(services)),
        session_api.blueprint(services.credentials, access.caller),
        users_api.blueprint(services.users, access, url=services.url),
        pages.blueprint(
            services.login,
            services.users,
            url=services.url,
            default_connector=services.settings.auth_service.default_connector or "",
        ),
        kube.blueprint(services.pipeline),
    ):
        app.register_blueprint(blueprint)
    errors.install(app)
    return app


def _about(services: Services) -> login_api.About:
    return login_api.About(
        name=services.name,
        credential=services.settings.auth_service.credential.value,
        ca_pem=services.host_ca_pem,
    )
