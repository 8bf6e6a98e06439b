"""Counts of what was not kept, by form and reason: hashes of instanceIDs and nothing else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Final

from dialogkit.errors import UnexpectedReply
from dialogkit.files import write_whole
from dialogkit.serve.facts import folder_of

UNKNOWN_FORM: Final = "unknown form"
UNKNOWN_VERSION: Final = "unknown version"
#: Submissions of forms that nobody here knows are counted under this name: theirs is a text from outside.
NO_FORM: Final = ""


class Refused:
    """One file, written whole at each change. A phone that tries again is not counted twice.

    Raises:
        UnexpectedReply: SERVER-023, the file is there but cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._guard = path, Lock()
        self._forms = _read(path)

    def count(self, form_id: str, instance_id: str, reason: str) -> None:
        """One submission more that was not kept; the last reason holds."""
        with self._guard:
            reasons = self._forms.setdefault(form_id, {})
            if reasons.get(folder_of(instance_id)) != reason:
                reasons[folder_of(instance_id)] = reason
                self._write()

    def forget(self, form_id: str, instance_id: str) -> None:
        """It was kept after all: its form or version has become known since."""
        name = folder_of(instance_id)
        with self._guard:
            held = [form for form in (form_id, NO_FORM) if name in self._forms.get(form, {})]
            for form in held:
                del self._forms[form][name]
            if held:
                self._write()

    def counts(self, form_id: str) -> Mapping[str, int]:
        """Reason → how many."""
        with self._guard:
            return dict(sorted(Counter(self._forms.get(form_id, {}).values()).items()))

    def _write(self) -> None:
        write_whole(self._path, json.dumps(self._forms, ensure_ascii=False, indent=0).encode(), mode=0o600)


def _read(path: Path) -> dict[str, dict[str, str]]:
    try:
        forms = json.loads(path.read_bytes())
        return {str(form): dict(reasons) for form, reasons in forms.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, TypeError):
        raise UnexpectedReply(
            "SERVER-023",
            f"server/{path.name}",
            "The counts of refused submissions cannot be read.",
            "Put a copy of the file back, or move it away: counting then begins again at 0.",
        ) from None
