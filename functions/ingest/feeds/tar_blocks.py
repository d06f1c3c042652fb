"""Members of a tar archive (POSIX ustar) from a stream, as cheaply as the format allows.

`tarfile` takes as long for a small member as bz2 takes to unpack it. Here only what archives of killmails need is
read: names, sizes and bodies of regular files; everything else is passed over.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

BLOCK_BYTES = 512
CHUNK_BYTES = 256 * 1024

_REGULAR = frozenset((b"0", b"\0"))
_CHECKSUM_BLANK = 8 * 0x20
"""The checksum's own field counts as blanks."""


class Stream(Protocol):
    """What is unpacked, as it comes."""

    def read1(self, size: int, /) -> bytes:
        """At least one byte and at most `size`; nothing at the end."""


class Member(NamedTuple):
    """A regular file: its name, and at most `body_bytes_max` bytes of it."""

    name: str
    body: bytes


def members(stream: Stream, body_bytes_max: int) -> Iterator[Member]:
    """The regular files, in order.

    Raises:
        EOFError: the stream ends within a member; all whole members came before.
        OSError: there is no header where one must be; and whatever the stream raises.
    """
    blocks = _Blocks(stream)
    while (header := blocks.take_header()) is not None:
        size = _number(header[124:136])
        body = blocks.take(min(size, body_bytes_max))
        blocks.skip(-(-size // BLOCK_BYTES) * BLOCK_BYTES - len(body))
        if header[156:157] in _REGULAR:
            yield Member(_name(header), body)


class _Blocks:
    """Takes exact numbers of bytes from a stream that gives what it has."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._held = b""
        self._at = 0

    def take_header(self) -> bytes | None:
        """The next member's header; None at the end of the archive."""
        if self._at == len(self._held) and not self._more():
            return None
        header = self.take(BLOCK_BYTES)
        if not header.strip(b"\0"):
            return None
        if _number(header[148:156]) != sum(header) - sum(header[148:156]) + _CHECKSUM_BLANK:
            raise OSError("no tar header where one must be")
        return header

    def take(self, size: int) -> bytes:
        while len(self._held) - self._at < size:
            if not self._more():
                raise EOFError("ends within a member")
        start, self._at = self._at, self._at + size
        return self._held[start : self._at]

    def skip(self, size: int) -> None:
        while len(self._held) - self._at < size:
            size -= len(self._held) - self._at
            self._at = len(self._held)
            if not self._more():
                raise EOFError("ends within a member")
        self._at += size

    def _more(self) -> bool:
        """Take in another chunk; whether there was one."""
        chunk = self._stream.read1(CHUNK_BYTES)
        self._held = self._held[self._at :] + chunk
        self._at = 0
        return bool(chunk)


def _number(field: bytes) -> int:
    digits = field.strip(b"\0 ")
    if digits.strip(b"01234567"):  # a minus sign would lead back, and round and round
        raise OSError("no tar header where one must be")
    return int(digits or b"0", 8)


def _name(header: bytes) -> str:
    prefix, name = (
        part.partition(b"\0")[0].decode(errors="replace") for part in (header[345:500], header[:100])
    )
    return f"{prefix}/{name}" if prefix else name
