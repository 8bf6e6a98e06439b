"""A made-up submission as files: its XML, marked as synthetic, and the files that its answers name."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

from dialogkit.forms.simulating.breaking import Planted
from dialogkit.instance import write_instance
from dialogkit.model.form import Form
from dialogkit.model.submission import Answers
from dialogkit.model.synthetic import NAMESPACE


def instance_of(form: Form, root: str, planted: Planted) -> bytes:
    """The XML of a submission, with the attribute that says how it was made.

    Args:
        form: its form.
        root: name of the root element.
        planted: the submission, and what is wrong with it.
    """
    one = planted.submission
    data = write_instance(form, one.answers, one.instance_id, root=root)
    mark = f" xmlns:dialogkit={quoteattr(NAMESPACE)} dialogkit:synthetic={quoteattr(planted.kind or 'valid')} "
    data = data.replace(f"<{root} ".encode(), f"<{root}{mark}".encode(), 1)
    if planted.version:
        plain, other = (f"version={quoteattr(version)}".encode() for version in (form.version, planted.version))
        # Behind the declaration of XML, which has a version too.
        head, tag, rest = data.partition(f"<{root} ".encode())
        data = head + tag + rest.replace(plain, other, 1)
    if planted.unknown:
        element = f"<{planted.unknown}>made up</{planted.unknown}><meta>"
        head, _, rest = data.rpartition(b"<meta>")
        data = head + element.encode() + rest
    return data


def files_of(form: Form, answers: Answers) -> dict[str, bytes]:
    """The files that the answers name: the smallest picture there is, or nothing."""
    return {name: _picture() if name.endswith(".png") else b"" for name in _named(form, answers)}


def _named(form: Form, answers: Answers) -> Iterator[str]:
    for path, value in answers.items():
        if not isinstance(value, str):
            for row in value:
                yield from _named(form, row)
        elif path in form.file_paths:
            yield value


def _picture() -> bytes:
    """One grey point as PNG (PNG specification, section 5)."""
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0\x80")),
        (b"IEND", b""),
    ]
    chunks = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
