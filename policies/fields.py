"""The field names of a role: ours, and those of Teleport that do nothing here.

docs/reference/roles.md documents every one of the first kind; a test holds the two together.
"""

ROLE = frozenset({"kind", "version", "sub_kind", "metadata", "spec"})
METADATA = frozenset({"name", "description", "labels", "expires", "revision", "id", "namespace"})
SPEC = frozenset({"allow", "deny", "options"})

CONDITIONS = frozenset(
    {
        "kubernetes_labels",
        "kubernetes_labels_expression",
        "kubernetes_groups",
        "kubernetes_users",
        "kubernetes_resources",
        "impersonate",
        "rules",
        "request",
        "review_requests",
    }
)
RESOURCE = frozenset({"kind", "api_group", "namespace", "name", "verbs"})
RULE = frozenset({"resources", "verbs", "where", "actions"})
IMPERSONATE = frozenset({"users", "roles", "where"})
REQUEST = frozenset(
    {
        "roles",
        "claims_to_roles",
        "suggested_reviewers",
        "thresholds",
        "annotations",
        "search_as_roles",
        "max_duration",
        "kubernetes_resources",
        "reason",
    }
)
REASON = frozenset({"mode", "prompt"})
THRESHOLD = frozenset({"name", "approve", "deny", "filter"})
REVIEW_REQUESTS = frozenset({"roles", "claims_to_roles", "preview_as_roles", "where"})
OPTIONS = frozenset(
    {
        "max_session_ttl",
        "client_idle_timeout",
        "disconnect_expired_cert",
        "max_kubernetes_connections",
        "max_sessions",
        "pin_source_ip",
        "record_session",
        "require_session_mfa",
        "mfa_verification_interval",
        "lock",
        "request_access",
        "request_prompt",
    }
)
RECORD_SESSION = frozenset({"default", "ssh", "desktop"})

# Teleport's fields for other protocols: read over, with one warning that lists them.
FOREIGN_CONDITIONS = frozenset(
    {
        "namespaces",
        "logins",
        "node_labels",
        "node_labels_expression",
        "app_labels",
        "app_labels_expression",
        "cluster_labels",
        "cluster_labels_expression",
        "db_labels",
        "db_labels_expression",
        "db_service_labels",
        "db_service_labels_expression",
        "db_names",
        "db_users",
        "db_roles",
        "db_permissions",
        "windows_desktop_labels",
        "windows_desktop_labels_expression",
        "windows_desktop_logins",
        "desktop_groups",
        "host_groups",
        "host_sudoers",
        "aws_role_arns",
        "azure_identities",
        "gcp_service_accounts",
        "group_labels",
        "group_labels_expression",
        "join_sessions",
        "spiffe",
        "saml_idp_service_provider_labels",
        "github_permissions",
        "git_server_labels",
        "account_assignments",
        "workload_identity_labels",
        "workload_identity_labels_expression",
        "mcp",
    }
)
FOREIGN_OPTIONS = frozenset(
    {
        "forward_agent",
        "port_forwarding",
        "ssh_port_forwarding",
        "ssh_file_copy",
        "permit_x11_forwarding",
        "cert_format",
        "cert_extensions",
        "max_connections",
        "enhanced_recording",
        "desktop_clipboard",
        "desktop_directory_sharing",
        "create_host_user",
        "create_host_user_mode",
        "create_host_user_default_shell",
        "create_desktop_user",
        "create_db_user",
        "create_db_user_mode",
        "idp",
    }
)

# Restrictions that plane cannot hold: a role with them is refused rather than quietly weakened.
MODERATION = "require_session_join"
DEVICE_TRUST = "device_trust_mode"

# plane's own resources, and Teleport's names for them.
API_RESOURCES = (
    "role",
    "user",
    "cluster",
    "oidc",
    "token",
    "session",
    "recording",
    "audit",
    "lock",
)
API_ALIASES = {
    "event": "audit",
    "kube_cluster": "cluster",
    "kube_server": "cluster",
    "auth_connector": "oidc",
    "connectors": "oidc",
}
API_VERBS = ("list", "read", "create", "update", "delete")
FOREIGN_VERBS = ("readnosecrets", "use", "rotate", "enroll", "create_enroll_token")
