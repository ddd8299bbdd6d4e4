"""The login session: the unit of identity; every credential only names one."""

from dataclasses import dataclass, field

from policies.model import Subject, Traits


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A person as a connector vouches for them, before a session exists.

    `subject` is the connector's stable id of the person, `user` only what people read.
    """

    user: str
    connector: str
    subject: str
    traits: Traits = field(default_factory=dict)
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Where a login comes from: the peer's address and what it calls itself, for audit."""

    address: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A live login. Instants are UTC epoch seconds; `roles` are role names, read live each time.

    `subject` is the connector's stable id of the person, `user` only what people read.
    """

    id: str
    user: str
    connector: str
    subject: str
    traits: Traits = field(default_factory=dict)
    roles: tuple[str, ...] = ()
    created: float
    expires: float
    client: str = ""

    @property
    def person(self) -> Subject:
        """The session's owner in the words of policies."""
        return Subject(name=self.user, traits=self.traits)
