"""What is kept of one stream: text as it is, bulk binary data as count, digest and first KiB."""

import base64
import hashlib

from plane.recording.asciicast import Text

FULL_BYTES = 1 << 20
HEAD_BYTES = 1024


class Content:
    """One stream. `bulk`: binary chunks after the first MiB are left out and only counted."""

    def __init__(self, *, bulk: bool, digest: bool = True) -> None:
        self.bytes = 0
        self._bulk = bulk
        self._digest = hashlib.sha256() if digest else None
        self._text = Text()
        self._head = b""
        self._binary = False
        self._left_out = 0
        self._told = 0

    def count(self, data: bytes, *, size: int) -> None:
        """Count and digest bytes of which the content is not kept."""
        self.bytes += size
        if self._digest is not None:
            self._digest.update(data)

    def keep(self, data: bytes) -> str:
        """The text to write for these bytes, empty when they wait or are left out."""
        if len(self._head) < HEAD_BYTES:
            self._head += data[: HEAD_BYTES - len(self._head)]
        over = self._bulk and self.bytes >= FULL_BYTES
        self.count(data, size=len(data))
        text = self._text.decode(data)
        if text is not None:
            return text
        self._binary = True
        if not over:
            return self._text.lossy(data)
        self._left_out += len(data) + self._text.forget()
        return ""

    def is_cut(self) -> bool:
        """Whether the stream ended inside a character; forgets it."""
        return self._text.forget() > 0

    def take_left_out(self) -> int:
        """How many bytes were left out since the last call."""
        fresh, self._told = self._left_out - self._told, self._left_out
        return fresh

    def summary(self) -> dict[str, object]:
        """What the sidecar says of the stream; digest and head are of the bytes as they were."""
        told: dict[str, object] = {"bytes": self.bytes}
        if self._digest is not None:
            told["sha256"] = self._digest.hexdigest()
        if self._left_out:
            told["leftOut"] = self._left_out
        if self._binary:
            told["head"] = base64.b64encode(self._head).decode()
        return told
