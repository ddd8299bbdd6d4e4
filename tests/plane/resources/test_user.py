import pytest
import yaml

from plane.errors import Invalid


def document(spec, kind="user"):
    return yaml.safe_dump(
        {"kind": kind, "version": "v2", "metadata": {"name": "joe"}, "spec": spec}
    )


async def test_roles_and_traits(resources):
    spec = {"roles": ["access"], "traits": {"kubernetes_groups": ["dev"], "logins": None, "x": "y"}}
    await resources.apply(document(spec), mode="create")
    user = (await resources.reveal("user", "joe")).spec
    assert user.roles == ("access",)
    assert user.traits == {"kubernetes_groups": ("dev",), "logins": (), "x": ("y",)}


async def test_an_export_of_teleport_is_accepted(resources):
    spec = {
        "roles": ["access"],
        "traits": {"kubernetes_groups": ["dev"]},
        "created_by": {"user": {"name": "admin"}},
        "expires": "0001-01-01T00:00:00Z",
        "status": {"is_locked": False},
    }
    (result,) = await resources.apply(document(spec), mode="create")
    assert "spec.status does nothing here" in result.warnings


async def test_a_user_without_roles_is_a_warning(resources):
    (result,) = await resources.apply(document({}), mode="create")
    assert "may do nothing" in result.warnings[0]


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"local_auth": {"password_hash": "x"}}, "spec.local_auth"),
        ({"password": "x"}, "spec.password"),
        ({"roles": [1]}, "spec.roles[0]"),
        ({"traits": {"a": [1]}}, "spec.traits.a[0]"),
        ({"traits": ["a"]}, "spec.traits"),
        (["roles"], "spec"),
    ],
)
async def test_what_is_wrong_is_told_by_its_path(resources, spec, path):
    with pytest.raises(Invalid) as caught:
        await resources.apply(document(spec), mode="create")
    assert [each.path for each in caught.value.problems] == [path]
