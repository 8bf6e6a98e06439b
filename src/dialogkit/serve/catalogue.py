"""The forms that the server offers, and the older versions that it still takes submissions of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dialogkit.files import md5_of
from dialogkit.model.form import BuiltForm, Form

#: The form of an id and version, or None when this workspace does not know it.
FindVersion = Callable[[str, str], Form | None]


@dataclass(frozen=True, slots=True)
class Offered:
    """A form as phones load it. `xml_hash` and `media_hashes` are MD5, as OpenRosa wants them."""

    built: BuiltForm
    xml_hash: str
    media_hashes: Mapping[str, str]


class Catalogue:
    """Current forms by form_id.

    Args:
        forms: what phones may load.
        find_version: older versions; the current ones are found without it.
    """

    def __init__(self, forms: Sequence[BuiltForm], find_version: FindVersion) -> None:
        self.offered: Mapping[str, Offered] = {built.form.form_id: _offered(built) for built in forms}
        self._find_version = find_version

    def find_form(self, form_id: str, version: str) -> Form | None:
        """The form of this version, when this workspace knows it. No form but the offered ones is looked for."""
        offered = self.offered.get(form_id)
        if offered is None:
            return None
        if offered.built.form.version == version:
            return offered.built.form
        return self._find_version(form_id, version)


def _offered(built: BuiltForm) -> Offered:
    return Offered(built, _md5(built.xml), {name: md5_of(path) for name, path in sorted(built.media.items())})


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
