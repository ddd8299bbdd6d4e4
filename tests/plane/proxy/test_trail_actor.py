from dataclasses import replace

from plane.identity.session import Session
from plane.proxy.trail import actor

SESSION = Session(
    id="s-1", user="joe", connector="local", subject="7", traits={"team": ("a",)}, created=0, expires=1
)  # fmt: skip


def test_an_actor_is_made_once_for_a_session():
    assert actor(SESSION) is actor(SESSION)


def test_new_roles_or_traits_are_in_the_next_line():
    """A refreshed session keeps its id, so the id alone must not find what is remembered."""
    before = actor(SESSION)
    promoted = actor(replace(SESSION, roles=("admin",), traits={"team": ("b",)}))

    assert promoted.roles == ("admin",)
    assert promoted.traits_digest != before.traits_digest
