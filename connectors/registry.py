"""The providers that plane knows: the kind of a document, and who builds a connector from it.

A new provider is its file in this package, a line here, and a kind among plane's resources.
"""

from collections.abc import Callable, Mapping
from typing import Any

from connectors import oidc
from connectors.base import CallbackConnector
from connectors.errors import SettingsInvalid

# From the connector's name and its document's spec, secrets open; raises SettingsInvalid.
Factory = Callable[[str, Mapping[str, Any]], CallbackConnector]

REGISTRY: Mapping[str, Factory] = {
    "oidc": oidc.from_spec,
}


def build(kind: str, name: str, spec: Mapping[str, Any]) -> CallbackConnector:
    """The connector of a document; SettingsInvalid when its kind or its spec is wrong."""
    factory = REGISTRY.get(kind)
    if factory is None:
        raise SettingsInvalid(f"there is no connector of kind {kind}")
    return factory(name, spec)
