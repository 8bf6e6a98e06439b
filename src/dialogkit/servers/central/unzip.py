"""Opens an archive that came from a server, whatever is wrong with it."""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import IO, Final

#: What reading a file of an archive raises when it is damaged, encrypted, or made to harm.
BROKEN: Final = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError)
#: Python's readers of the others raise what looks like a fault of the disk; no server of ours uses them.
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def open_zip(file: IO[bytes]) -> zipfile.ZipFile:
    """The archive in a file.

    Raises:
        zipfile.BadZipFile: there is none, or not one that can be read.
    """
    try:
        archive = zipfile.ZipFile(file)
    except (OSError, ValueError, OverflowError, struct.error, NotImplementedError) as error:
        # Tables that point to places before the beginning of the file.
        raise zipfile.BadZipFile from error
    if any(one.compress_type not in _METHODS or one.header_offset < 0 for one in archive.infolist()):
        archive.close()
        raise zipfile.BadZipFile
    return archive
