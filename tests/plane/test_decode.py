from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plane.decode import Decoder, Endpoint, duration, endpoint, from_text
from plane.resources.fields import Faults


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("1.5s", 1.5), ("30m", 1800), ("12h", 43200), ("1h30m", 5400), ("7d", 604800)],
)
def test_durations(text, seconds):
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "s", "1h 30m", "-1h", "1y", "30m1h", "1e3s"])
def test_what_is_no_duration(text):
    with pytest.raises(ValueError, match="duration"):
        duration(text)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:3080", "127.0.0.1", 3080),
        ("[::1]:80", "::1", 80),
        (":443", "0.0.0.0", 443),
        ("plane.example.com:0", "plane.example.com", 0),
    ],
)
def test_addresses(text, host, port):
    assert endpoint(text) == Endpoint(host=host, port=port)


@pytest.mark.parametrize("text", ["", "x", "x:", "x:y", "::1:80", "x:-1", "x:65536", "x:٣"])
def test_what_is_no_address(text):
    with pytest.raises(ValueError, match="host:port"):
        endpoint(text)


@given(st.ip_addresses().map(str), st.integers(0, 65535))
def test_an_address_is_read_as_it_is_written(host, port):
    address = Endpoint(host=host, port=port)
    assert endpoint(str(address)) == address


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    number: int = 5
    secret: str = field(default="", metadata={"internal": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    inner: Inner = field(default_factory=Inner)
    path: Path | None = None
    names: tuple[str, ...] = ()


def decode(value):
    faults = Faults()
    return Decoder(faults=faults, folder=Path("/etc/plane")).tree(Outer, value), faults.problems


def test_a_fault_in_one_place_leaves_the_others_readable():
    outer, problems = decode({"inner": {"number": "x"}, "path": "a", "names": "one"})
    assert outer == Outer(path=Path("/etc/plane/a"), names=("one",))
    assert problems == [("inner.number", "must be a number, zero or more")]


def test_what_is_internal_cannot_be_set():
    assert decode({"inner": {"secret": "x"}})[1] == [("inner.secret", "unknown field")]


def test_null_is_the_default():
    assert decode({"inner": None, "path": None, "names": None}) == (Outer(), [])


def test_texts_of_the_environment_become_the_values_they_stand_for():
    assert from_text(tuple[str, ...], "a, b,") == ["a", "b"]
    assert from_text(int, "5") == 5
    assert from_text(float, "1.5") == 1.5
    assert from_text(int, "x") == "x"
