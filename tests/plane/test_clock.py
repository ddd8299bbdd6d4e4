import uuid

from plane.clock import random_uuid


def test_a_random_uuid_is_a_version_4_uuid_in_its_usual_spelling():
    texts = {random_uuid() for _ in range(1000)}

    assert len(texts) == 1000
    for text in texts:
        parsed = uuid.UUID(text)
        assert (str(parsed), parsed.version, parsed.variant) == (text, 4, uuid.RFC_4122)
