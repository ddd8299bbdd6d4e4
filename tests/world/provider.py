"""An OpenID provider that plane did not bring: PyPI's oidc-provider-mock in a process of its own."""

import json
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from cluster.cluster import free_ports
from cluster.process import Processes
from cluster.wait import wait_for

# Who can log in there: the name typed on its page -> claims.
PEOPLE: Mapping[str, Mapping[str, object]] = {
    "alice": {"email": "alice@example.com", "email_verified": True, "groups": ["developers"]},
    "carol": {"email": "carol@example.com", "email_verified": True, "groups": ["oncall"]},
    # Known to the company, but no role of plane is for her groups.
    "mallory": {"email": "mallory@example.com", "email_verified": True, "groups": ["guests"]},
}


class Provider:
    """The identity provider of the pretended company."""

    def __init__(self, folder: Path) -> None:
        (port,) = free_ports(1)
        self.issuer = f"http://127.0.0.1:{port}"
        self._processes = Processes(folder)
        self._port = port

    def start(self) -> None:
        """Start it and wait until its discovery document is there."""
        people = [json.dumps({"sub": name, **claims}) for name, claims in PEOPLE.items()]
        command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(self._port)]
        for person in people:
            command += ["--user-claims", person]
        self._processes.start("provider", command)
        wait_for(
            "the OpenID provider", self._answers, evidence=lambda: self._processes.tail("provider")
        )

    def stop(self) -> None:
        """End it."""
        self._processes.stop("provider", now=True)

    def document(self) -> dict[str, object]:
        """Return plane's `oidc` document for this provider."""
        return {
            "kind": "oidc",
            "version": "v3",
            "metadata": {"name": "company"},
            "spec": {
                "issuer_url": self.issuer,
                "client_id": "plane",
                "client_secret": "any: this provider takes every client",
                "display": "Company login",
                "claims_to_roles": [
                    {"claim": "groups", "value": "developers", "roles": ["developer"]},
                    {"claim": "groups", "value": "oncall", "roles": ["oncall"]},
                ],
            },
        }

    def _answers(self) -> bool:
        self._processes.check("provider")
        try:
            url = f"{self.issuer}/.well-known/openid-configuration"
            with urllib.request.urlopen(url, timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
