"""A mapping that could mean something else is refused when it is written."""

import pytest

from connectors.errors import SettingsInvalid
from connectors.matching import mapping


@pytest.mark.parametrize("value", ["^admin", "admin$", "^ad(min$", "^[a$"])
def test_half_an_anchor_or_a_broken_expression_is_an_error(value):
    with pytest.raises(SettingsInvalid, match=r"m\.value"):
        mapping({"claim": "g", "value": value, "roles": ["r"]}, place="m")


@pytest.mark.parametrize("role", ["$1", "${1}", "${team}", "x-$2"])
def test_a_capture_that_does_not_exist_is_an_error(role):
    with pytest.raises(SettingsInvalid, match="no capture"):
        mapping({"claim": "g", "value": "literal", "roles": [role]}, place="m")


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"claim": "g", "value": "x"},
        {"claim": "", "value": "x", "roles": ["r"]},
        {"claim": "g", "value": 1, "roles": ["r"]},
        {"claim": "g", "value": "x", "roles": [1]},
        {"claim": "g", "value": "x", "roles": {"r": 1}},
    ],
)
def test_an_incomplete_mapping_is_an_error(document):
    with pytest.raises(SettingsInvalid):
        mapping(document, place="m")
