"""kubectl cp through plane, oldest and newest.

Proves:
- files arrive byte for byte in both directions (a tar stream inside exec)
- what was copied is on the record: who, where, how many bytes and their digest
"""

import hashlib
import random

import pytest

pytestmark = [pytest.mark.usefixtures("real_node"), pytest.mark.node]
SIZE = 8 << 20


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "data.bin"
    path.write_bytes(random.Random(1).randbytes(SIZE))
    return path


def test_up_and_down_are_the_same_bytes(alice, kubectl, namespace, pod, file, tmp_path):
    alice.kubectl("cp", str(file), f"{namespace}/{pod}:/tmp/copied", program=kubectl)
    there = alice.kubectl("-n", namespace, "exec", pod, "--", "md5sum", "/tmp/copied")
    expected = hashlib.md5(file.read_bytes()).hexdigest()
    assert there.split()[0] == expected
    back = tmp_path / "back.bin"
    alice.kubectl("cp", f"{namespace}/{pod}:/tmp/copied", str(back), program=kubectl)
    assert hashlib.md5(back.read_bytes()).hexdigest() == expected


def test_a_copy_is_on_the_record(alice, admin, kubectl, namespace, pod, file):
    alice.kubectl("cp", str(file), f"{namespace}/{pod}:/tmp/recorded", program=kubectl)
    newest = next(
        each for each in admin.plane_json("recordings", "ls") if "tar" in each["command"][0]
    )
    assert newest["user"] == "alice@example.com"
    assert (newest["namespace"], newest["pod"]) == (namespace, pod)
    assert newest["streams"]["stdin"]["bytes"] >= SIZE
    assert len(newest["streams"]["stdin"]["sha256"]) == 64
