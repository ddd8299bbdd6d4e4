import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import SyntaxProblem
from policies.templates import email_local, parse_template, replacer


def expand(source, **traits):
    template = parse_template(source)
    assert template is not None
    return template.expand(lambda name: traits.get(name, ()))


def test_text_without_braces_is_no_template():
    assert parse_template("plain") is None


def test_lists_expand_and_missing_traits_give_nothing():
    assert expand("x-{{external.a}}-y", a=("1", "2")) == ("x-1-y", "x-2-y")
    assert expand("x-{{ external.a }}-y") == ()


@given(st.lists(st.text(max_size=5)))
def test_an_empty_value_never_comes_out(values):
    assert "" not in expand("{{external.a}}", a=tuple(values))


@pytest.mark.parametrize(
    "source",
    [
        "{{external.a}}{{external.b}}",
        "{{external.a",
        "external.a}}",
        "{{}}",
        "{{external}}",
        "{{external.a.b}}",
        "{{other.a}}",
        "{{internal.secrets}}",
        '{{"literal"',
        "{{email.local(external.a, external.b)}}",
        "{{exec(external.a)}}",
        "{{email.local()}}",
        '{{regexp.replace(external.a, external.b, "x")}}',
        '{{regexp.replace(external.a, "(", "x")}}',
        '{{regexp.replace(external.a, "(a)", "$1x")}}',
        "{{external.a == external.b}}",
        "{{" + "email.local(" * 50 + "external.a" + ")" * 50 + "}}",
        "}}{{",
        "{{{{external.a}}}}",
    ],
)
def test_what_is_no_template_is_refused(source):
    with pytest.raises(SyntaxProblem):
        parse_template(source)


def test_python_is_never_evaluated():
    for source in ("{{__import__('os')}}", "{{external.__class__.__mro__}}", "{{1+1}}"):
        with pytest.raises(SyntaxProblem):
            parse_template(source)


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("dave.smith@acme.com", "dave.smith"),
        (" dave@acme.com ", "dave"),
        ("dave", None),
        ("@acme.com", None),
        ("a@b@c", None),
        ("Dave <dave@acme.com>", None),
        ("a b@c.d", None),
    ],
)
def test_the_local_part_is_of_one_plain_address(address, local):
    assert email_local(address) == local


def test_replacements_name_their_groups():
    assert replacer("^(?P<team>[a-z]+)-(.*)$", "${team}_$2$$")("ops-x") == "ops_x$"
    assert replacer("^a$", "b")("c") is None
    with pytest.raises(SyntaxProblem, match="no group"):
        replacer("(a)", "$team")


def test_a_group_number_beyond_the_groups_gives_nothing():
    assert replacer("(a)", "[$7]")("a") == "[]"


def test_a_value_too_long_for_a_regex_is_dropped():
    source = '{{regexp.replace(external.a, "^(.*)$", "x-$1")}}'
    assert expand(source, a=("ok", "a" * 5000)) == ("x-ok",)
