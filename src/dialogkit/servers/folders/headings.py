"""Which question a heading of a table means: its path, its path below the repeat, or its name where that is unique."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from dialogkit.model.form import Form

#: Questions that stand in `meta`, which a form does not list.
_META: Final = ("meta/instanceID", "meta/instanceName", "meta/audit", "meta/deprecatedID", "meta/rootUuid")


def paths_of(form: Form, repeat: str, separator: str) -> Mapping[str, str]:
    """Heading → path for the questions of one table; headings that could mean two questions are left out.

    Args:
        form: a version.
        repeat: the table; `""` for the main one.
        separator: between the parts of a path: `/` (KoboToolbox) or `-` (ODK Central).
    """
    paths = [question.path for question in form.questions if form.repeat_of(question.path) == repeat]
    paths += [path for path in _META if not repeat and path not in form.by_path]
    found: dict[str, set[str]] = {}
    for path in paths:
        below = path.removeprefix(f"{repeat}/") if repeat else path
        for heading in {path.replace("/", separator), below.replace("/", separator), path.rpartition("/")[2]}:
            found.setdefault(heading, set()).add(path)
    exact = {path.removeprefix(f"{repeat}/").replace("/", separator) if repeat else path.replace("/", separator): path
             for path in paths}  # fmt: skip
    alone = {heading: next(iter(some)) for heading, some in found.items() if len(some) == 1}
    return {**alone, **exact} if len(exact) == len(paths) else alone


def is_part(heading: str, known: Iterable[str]) -> bool:
    """Whether it is the column of one choice of a select, beside the column of the select: `topics/land`."""
    parts = heading.split("/")
    known = set(known)
    return any("/".join(parts[:at]) in known for at in range(1, len(parts)))
