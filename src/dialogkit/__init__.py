"""dialogkit: from a form on a phone to a finding that is comparable and safe to publish."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dialogkit.reading import Reader
    from dialogkit.reading import open_reader as open

__version__ = "0.1.0"
__all__ = ["Reader", "__version__", "open"]

#: Brought when they are asked for: the command line must not wait for pandas.
_LAZY = {"open": "open_reader", "Reader": "Reader"}


def __getattr__(name: str) -> object:
    if name in _LAZY:
        return getattr(import_module("dialogkit.reading"), _LAZY[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
