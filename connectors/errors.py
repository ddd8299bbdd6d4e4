"""What can go wrong while a provider is asked who somebody is.

::

    ConnectorError
    ├── SettingsInvalid       the connector's document; for its admin
    ├── ProviderUnavailable   down, slow, or talking nonsense: try again later
    └── LoginRefused          the provider answered, and the answer is not good enough
"""


class ConnectorError(Exception):
    """`message` may be shown to whoever logs in; `detail` is for the log of the admin only."""

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail


class SettingsInvalid(ConnectorError):
    """The connector cannot be built from its document."""


class ProviderUnavailable(ConnectorError):
    """The provider cannot be reached, or answers what it must not."""


class LoginRefused(ConnectorError):
    """The provider's answer proves nobody whom plane may let in."""
