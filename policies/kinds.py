"""What roles must know of Kubernetes' own kinds: names, groups, scope.

Sources: https://kubernetes.io/docs/reference/kubernetes-api/ and, for the singular names of role
versions up to v7, Teleport's role reference.
"""

VERBS = (
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "exec",
    "portforward",
    "proxy",
)

CORE_NAMESPACED = frozenset(
    {
        "bindings",
        "configmaps",
        "endpoints",
        "events",
        "limitranges",
        "persistentvolumeclaims",
        "pods",
        "podtemplates",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "serviceaccounts",
        "services",
    }
)
CORE_CLUSTER_WIDE = frozenset({"componentstatuses", "namespaces", "nodes", "persistentvolumes"})
CORE = CORE_NAMESPACED | CORE_CLUSTER_WIDE

# (group, kind) of the built-in kinds that live outside namespaces.
CLUSTER_WIDE = frozenset({("", kind) for kind in CORE_CLUSTER_WIDE}) | {
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
    ("admissionregistration.k8s.io", "validatingadmissionpolicies"),
    ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
    ("apiregistration.k8s.io", "apiservices"),
    ("certificates.k8s.io", "certificatesigningrequests"),
    ("flowcontrol.apiserver.k8s.io", "flowschemas"),
    ("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations"),
    ("metrics.k8s.io", "nodes"),
    ("networking.k8s.io", "ingressclasses"),
    ("node.k8s.io", "runtimeclasses"),
    ("rbac.authorization.k8s.io", "clusterrolebindings"),
    ("rbac.authorization.k8s.io", "clusterroles"),
    ("scheduling.k8s.io", "priorityclasses"),
    ("storage.k8s.io", "csidrivers"),
    ("storage.k8s.io", "csinodes"),
    ("storage.k8s.io", "storageclasses"),
    ("storage.k8s.io", "volumeattachments"),
}

# The same objects under several groups: a deny of one name is a deny of all of them.
ALIASES: dict[str, frozenset[str]] = {
    "events": frozenset({"", "events.k8s.io"}),
    "ingresses": frozenset({"extensions", "networking.k8s.io"}),
    "networkpolicies": frozenset({"extensions", "networking.k8s.io"}),
    "deployments": frozenset({"extensions", "apps"}),
    "daemonsets": frozenset({"extensions", "apps"}),
    "replicasets": frozenset({"extensions", "apps"}),
    "podsecuritypolicies": frozenset({"extensions", "policy"}),
}

# Singular names of roles up to v7: (plural, group, cluster-wide).
SINGULAR: dict[str, tuple[str, str, bool]] = {
    "pod": ("pods", "", False),
    "secret": ("secrets", "", False),
    "configmap": ("configmaps", "", False),
    "namespace": ("namespaces", "", True),
    "service": ("services", "", False),
    "serviceaccount": ("serviceaccounts", "", False),
    "kube_node": ("nodes", "", True),
    "persistentvolume": ("persistentvolumes", "", True),
    "persistentvolumeclaim": ("persistentvolumeclaims", "", False),
    "deployment": ("deployments", "apps", False),
    "replicaset": ("replicasets", "apps", False),
    "statefulset": ("statefulsets", "apps", False),
    "daemonset": ("daemonsets", "apps", False),
    "clusterrole": ("clusterroles", "rbac.authorization.k8s.io", True),
    "kube_role": ("roles", "rbac.authorization.k8s.io", False),
    "clusterrolebinding": ("clusterrolebindings", "rbac.authorization.k8s.io", True),
    "rolebinding": ("rolebindings", "rbac.authorization.k8s.io", False),
    "cronjob": ("cronjobs", "batch", False),
    "job": ("jobs", "batch", False),
    "certificatesigningrequest": ("certificatesigningrequests", "certificates.k8s.io", True),
    "ingress": ("ingresses", "networking.k8s.io", False),
}

# Groups of plural kinds that people often forget, for the hint in an error.
USUAL_GROUP = {plural: group for plural, group, _ in SINGULAR.values()}

# kubectl asks these of itself; every person who may see the cluster may ask them.
SELF_REVIEWS = frozenset(
    {
        ("authentication.k8s.io", "selfsubjectreviews"),
        ("authorization.k8s.io", "selfsubjectaccessreviews"),
        ("authorization.k8s.io", "selfsubjectrulesreviews"),
    }
)

# Non-resource paths that kubectl needs to talk to a cluster at all; "/x/" means everything below.
DISCOVERY = frozenset({"/api", "/apis", "/version", "/healthz", "/livez", "/readyz", "/openapi"})
DISCOVERY_BELOW = ("/api/", "/apis/", "/openapi/", "/healthz/", "/livez/", "/readyz/", "/version/")
