from zlib import adler32

from plane.kube.spdy_dictionary import DICTIONARY


def test_the_dictionary_is_the_one_whose_id_every_spdy_3_stream_names():
    """The bytes after `78 bb` in the first header block of any kubectl are e3 c6 a7 c2."""
    assert len(DICTIONARY) == 1423
    assert adler32(DICTIONARY) == 0xE3C6A7C2
