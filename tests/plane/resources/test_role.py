import pytest

from plane.errors import Invalid
from policies.model import Role

# From Teleport's guide: version 3, a trait of the identity provider.
ADMIN = """\
# NOTE: the role definition is edited to remove the unnecessary fields
kind: role
version: v3
metadata:
  name: admin
  id: 1600000000000000000
  revision: 43e96231-faaf-43c3-b9b8-15cf91813389
spec:
  allow:
    logins: [root]
    kubernetes_labels: {'*': '*'}
    kubernetes_groups: ["system:masters", "{{external.trait_name}}"]
  deny: {}
"""


async def test_teleports_role_is_accepted_as_it_is(resources):
    (result,) = await resources.apply(ADMIN, mode="create")
    assert any("metadata.revision" in warning for warning in result.warnings)
    assert isinstance((await resources.reveal("role", "admin")).spec, Role)
    shown = await resources.get("roles", "admin")
    assert "id" not in shown["metadata"]


@pytest.mark.parametrize("version", ["v3", "v4", "v5", "v6", "v7", "v8"])
async def test_every_version_of_the_language(resources, version):
    await resources.apply(ADMIN.replace("v3", version), mode="create")


@pytest.mark.parametrize(
    ("old", "new", "path", "line"),
    [
        ("kubernetes_groups", "kubernetes_gruops", "spec.allow.kubernetes_gruops", 12),
        ("version: v3", "version: v9", "version", 3),
        ("{'*': '*'}", "{'*': 'x'}", "spec.allow.kubernetes_labels", 11),
    ],
)
async def test_a_bad_role_is_refused_with_its_place(resources, old, new, path, line):
    with pytest.raises(Invalid) as caught:
        await resources.apply(ADMIN.replace(old, new), mode="create")
    problem = caught.value.problems[0]
    assert problem.path.startswith(path)
    assert problem.line == line
    assert await resources.list("role") == []
