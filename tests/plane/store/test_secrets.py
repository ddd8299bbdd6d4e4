import base64
import os
import stat

import pytest

from plane.errors import PlaneError
from plane.store.secrets import SecretBox, is_sealed

PLACE = "oidc/okta spec.client_secret"


def test_what_was_sealed_opens_at_its_place(tmp_path):
    box = SecretBox.load_or_make(tmp_path / "key")
    sealed = box.seal("s3cret ä", place=PLACE)
    assert is_sealed(sealed)
    assert "s3cret" not in sealed
    assert box.open(sealed, place=PLACE) == "s3cret ä"
    assert sealed != box.seal("s3cret ä", place=PLACE)


def test_the_key_survives_a_restart(tmp_path):
    sealed = SecretBox.load_or_make(tmp_path / "key").seal("x", place=PLACE)
    assert SecretBox.load_or_make(tmp_path / "key").open(sealed, place=PLACE) == "x"


def test_a_secret_moved_to_another_document_does_not_open(tmp_path):
    box = SecretBox.load_or_make(tmp_path / "key")
    sealed = box.seal("x", place=PLACE)
    with pytest.raises(PlaneError, match="cannot be decrypted"):
        box.open(sealed, place="oidc/evil spec.client_secret")


def test_a_tampered_or_foreign_secret_does_not_open(tmp_path):
    box = SecretBox.load_or_make(tmp_path / "key")
    other = SecretBox.load_or_make(tmp_path / "other")
    sealed = box.seal("x", place=PLACE)
    flipped = sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:]
    for bad in (other.seal("x", place=PLACE), flipped, "sealed:v1:!!", "sealed:v1:", "plain"):
        with pytest.raises(PlaneError):
            box.open(bad, place=PLACE)


def test_the_key_file_is_for_the_owner_only(tmp_path):
    umask = os.umask(0)
    try:
        SecretBox.load_or_make(tmp_path / "new" / "key")
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "new" / "key").stat().st_mode) == 0o600


def test_a_key_file_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "key"
    SecretBox.load_or_make(path)
    path.chmod(0o640)
    with pytest.raises(PlaneError, match="chmod 600"):
        SecretBox.load_or_make(path)


@pytest.mark.parametrize("content", [b"", b"short", base64.b64encode(b"x" * 16), b"\xff\xff"])
def test_a_damaged_key_file_is_refused_not_replaced(tmp_path, content):
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(PlaneError, match="key file"):
        SecretBox.load_or_make(path)
    assert path.read_bytes() == content


def test_repr_shows_no_key():
    assert repr(SecretBox(b"k" * 32)) == "<SecretBox>"
