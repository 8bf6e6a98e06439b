"""Where the forms, rules and SQL that come with dialogkit lie: inside the wheel, or in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def bundled(folder: str) -> Path:
    """The folder `forms`, `validations`, `warehouse/findings` or `warehouse/migrations` that came with this version.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    for base in (_PACKAGE / "bundle", _PACKAGE.parent.parent):
        if (base / folder).is_dir():
            return base / folder
    raise FileNotFoundError(f"dialogkit was installed without its folder {folder}: install it again")


def data_file(name: str) -> Path:
    """A file of reference data that is part of the package, such as `first_dialogues.json`."""
    return _PACKAGE / "data" / name
