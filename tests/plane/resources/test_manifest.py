import pytest

from plane.errors import Invalid
from plane.resources import manifest

USER = "kind: user\nversion: v2\nmetadata:\n  name: joe\nspec: {roles: [access]}\n"


def problems(text):
    with pytest.raises(Invalid) as caught:
        manifest.read(text)
    return [(each.path, each.line) for each in caught.value.problems]


def test_the_envelope_is_read():
    text = USER.replace(
        "joe",
        "joe\n  labels: {team: a}\n  description: d\n  revision: '7'\n  expires: 2030-01-01T00:00:00Z",
    )
    (read,) = manifest.read(text)
    assert (read.kind.name, read.name, read.revision, read.expires) == (
        "user",
        "joe",
        7,
        1893456000.0,
    )
    assert read.body == {
        "kind": "user",
        "version": "v2",
        "metadata": {
            "name": "joe",
            "description": "d",
            "labels": {"team": "a"},
            "expires": "2030-01-01T00:00:00Z",
        },
        "spec": {"roles": ["access"]},
    }


def test_a_number_as_revision_is_one_too():
    (read,) = manifest.read(USER.replace("joe", "joe\n  revision: 7"))
    assert read.revision == 7


def test_a_revision_of_another_program_is_a_warning():
    (read,) = manifest.read(USER.replace("joe", "joe\n  revision: 43e96231-faaf"))
    assert read.revision is None
    assert "metadata.revision" in read.warnings[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (USER.replace("kind: user", "kind: pod"), [("kind", 1)]),
        (USER.replace("version: v2", "version: v9"), [("version", 2)]),
        (USER.replace("version: v2\n", ""), [("version", 1)]),
        (USER.replace("joe", "a/b"), [("metadata.name", 4)]),
        (USER.replace("joe", "..."), [("metadata.name", 4)]),
        (USER.replace("joe", "5"), [("metadata.name", 4)]),
        (USER.replace("joe", "x" * 300), [("metadata.name", 4)]),
        (USER.replace("joe", "joe\n  lables: {}"), [("metadata.lables", 5)]),
        (USER.replace("joe", "joe\n  labels: {a: 1}"), [("metadata.labels.a", 5)]),
        (USER.replace("joe", "joe\n  expires: tomorrow"), [("metadata.expires", 5)]),
        (USER.replace("joe", "joe\n  expires: 2030-01-01T00:00:00"), [("metadata.expires", 5)]),
        (USER + "status: {}\n", [("status", 6)]),
        ("just a text\n", [("", 1), ("kind", 1), ("version", 1), ("metadata.name", 1)]),
        ("[1]\n", [("", 1), ("kind", 1), ("version", 1), ("metadata.name", 1)]),
    ],
)
def test_a_bad_envelope_is_refused_with_its_places(text, expected):
    assert problems(text) == expected


def test_a_text_without_a_document_is_refused():
    with pytest.raises(Invalid, match="holds no document"):
        manifest.read("# nothing\n---\n")


@pytest.mark.parametrize(
    "text",
    ["---\na: 1\n" * 5000, "".join(f"k{number}: 1\n" for number in range(5000))],
    ids=["documents", "fields"],
)
def test_a_text_of_nothing_but_faults_is_not_searched_to_its_end(text):
    """Anybody with a login may send one; 50,000 documents took 11 seconds."""
    assert 100 <= len(problems(text)) < 200
