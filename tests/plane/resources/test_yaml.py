import contextlib
import time

import pytest
import yaml as pyyaml
from hypothesis import given
from hypothesis import strategies as st

from plane.errors import Invalid
from plane.resources import yaml


def one(text):
    (source,) = yaml.read(text)
    return source


def refused(text):
    with pytest.raises(Invalid) as caught:
        yaml.read(text)
    return caught.value


def test_every_path_has_the_line_it_was_written_on():
    source = one('a: 1\nb:\n- x: y\n  "p.q/r": z\n- [2,\n   3]\n')
    assert source.value == {"a": 1, "b": [{"x": "y", "p.q/r": "z"}, [2, 3]]}
    assert {path: source.problem("", path).line for path in ("a", "b", "b[0].x")} == {
        "a": 1,
        "b": 2,
        "b[0].x": 3,
    }
    assert source.lines['b[0]["p.q/r"]'] == 4
    assert source.lines["b[1][1]"] == 6


@pytest.mark.parametrize(
    ("path", "line"),
    [("b[0].missing", 3), ('b[0].missing["x.y"]', 3), ("b[7].x", 2), ("none.such", 1), ("", 1)],
)
def test_a_path_that_was_not_written_has_the_line_of_its_nearest_parent(path, line):
    assert one("a: 1\nb:\n- x: y\n").problem("", path).line == line


def test_documents_are_numbered_as_people_count_them():
    sources = yaml.read("---\na: 1\n---\n# only a comment\n---\nb: 2\n---\n")
    assert [(each.number, each.value, each.lines[""]) for each in sources] == [
        (1, {"a": 1}, 2),
        (2, {"b": 2}, 6),
    ]
    assert yaml.read("") == yaml.read("# nothing\n") == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True),
        ("Off", False),
        ("~", None),
        ("12", 12),
        ("-3", -3),
        ("0x1f", 31),
        ("0b11", 3),
        ("1.5", 1.5),
        ("1.0e+3", 1000.0),
        ("1e5", "1e5"),
        ("0o17", "0o17"),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ("! 12", "12"),
        ("0123", "0123"),
        ("12:30:45", "12:30:45"),
        ("2026-01-01", "2026-01-01"),
        ("1_000", "1_000"),
        ("1.2.3", "1.2.3"),
        ("9" * 400, "9" * 400),
        ("1e999", "1e999"),
        ("=", "="),
    ],
)
def test_scalars_are_what_kubernetes_reads_without_the_traps_of_yaml_1_1(text, value):
    assert one(f"a: {text}").value == {"a": value}


def test_keys_are_texts():
    assert one("1: a\non: b\n2026-01-01: c\n").value == {"1": "a", "on": "b", "2026-01-01": "c"}


def test_a_key_written_twice_is_an_error_with_its_place():
    error = refused("a:\n  b: 1\n  c: 2\n  b: 3\n---\nx: 1\nx: 2\n")
    assert [(each.path, each.line, each.document) for each in error.problems] == [
        ("a.b", 4, 1),
        ("x", 7, 2),
    ]


def test_an_alias_bomb_is_refused_quickly():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    started = time.monotonic()
    assert "aliases counted in full" in refused("\n".join(lines)).problems[0].message
    assert time.monotonic() - started < 5


def test_ordinary_aliases_work():
    assert one("a: &x [1, 2]\nb: *x\n").value == {"a": [1, 2], "b": [1, 2]}


def test_an_alias_inside_of_its_own_anchor_is_refused():
    assert "no finished anchor" in refused("a: &x [1, *x]").problems[0].message


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object/apply:os.system [id]",
        "a: !!python/name:os.system",
        "a: !custom x",
        "!!set {a, b}",
        "a: !!int 'x'",
    ],
)
def test_a_tag_that_would_make_objects_is_refused(text):
    assert "not accepted" in refused(text).problems[0].message


def test_merge_keys_are_refused_but_may_be_quoted():
    assert "merge keys" in refused("a: &x {k: 1}\nb: {<<: *x}").problems[0].message
    assert one('"<<": 1').value == {"<<": 1}


@pytest.mark.parametrize("text", ["? [a]\n: b", "{[a]: b}", "? {a: b}\n: c"])
def test_a_key_that_is_no_text_is_refused(text):
    assert "must be a text" in refused(text).problems[0].message


@pytest.mark.parametrize("text", [".nan", ".inf", "-.INF"])
def test_a_number_that_json_lacks_is_refused(text):
    assert refused(f"a: {text}").problems[0].path == "a"


@pytest.mark.parametrize("text", ["[" * 50_000, "{a: " * 500, "- " * 100 + "x"])
def test_nesting_without_end_is_refused(text):
    assert refused(text)


def test_a_text_that_is_too_long_is_refused():
    assert "longer than" in refused("#" * (yaml.TEXT_LIMIT + 1)).message


@pytest.mark.parametrize("text", ["a: [", "a: b: c", "\ta: 1", "a: 'x", "%BAD\n---\na", "a: \x00"])
def test_what_is_no_yaml_is_refused(text):
    assert "not YAML" in refused(text).message


def test_the_place_of_a_syntax_error_is_told():
    assert refused("a: 1\nb: [\n").problems[0].line == 3


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co"))),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc.é", max_size=5), inner)
    ),
    max_leaves=15,
)


@given(st.dictionaries(st.text("abcxyz", min_size=1, max_size=5), json_values, min_size=1))
def test_what_a_yaml_writer_wrote_is_read_back(value):
    for style in (None, True):
        text = pyyaml.safe_dump(value, default_flow_style=style, allow_unicode=True)
        assert one(text).value == value


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(Invalid):
        yaml.read(text)


@pytest.mark.parametrize(
    ("path", "key", "expected"),
    [
        ("", "spec", "spec"),
        ("spec", "allow", "spec.allow"),
        ("metadata.labels", "plane.dev/x", 'metadata.labels["plane.dev/x"]'),
        ("a", 'q"x\\', 'a["q\\"x\\\\"]'),
        ("a", "", 'a[""]'),
    ],
)
def test_paths_are_unambiguous(path, key, expected):
    assert yaml.child(path, key) == expected
