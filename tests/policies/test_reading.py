import pytest

from policies.errors import PolicyError
from policies.reading import Reader


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("8h", 28800), ("1h30m0s", 5400), ("90s", 90), ("never", 0), ("0s", 0), (None, None)],
)
def test_durations(text, seconds):
    reader = Reader()
    assert reader.seconds("at", text) == seconds
    reader.check()


@pytest.mark.parametrize(
    "text", ["", "8", "h", "1d", "-1h", "1h ", "30m1h", 3600, True, "1.5h", "٣h"]
)
def test_what_is_no_duration_is_refused(text):
    reader = Reader()
    reader.seconds("at", text)
    with pytest.raises(PolicyError, match="duration"):
        reader.check()


def test_yaml_words_for_truths():
    reader = Reader()
    assert [reader.truth("at", word) for word in ("yes", "On", True, "no", False, None)] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]
    reader.check()


def test_a_list_without_end_is_refused():
    reader = Reader()
    assert reader.items("at", ["x"] * 1001) == []
    with pytest.raises(PolicyError, match="1001 entries"):
        reader.check()
