"""Answers → the instance of a built form, as a phone would have saved it; and what JavaRosa holds → answers."""

from __future__ import annotations

import re
from typing import Final

from dialogkit import xml
from dialogkit.instance import write_instance
from dialogkit.model.form import BuiltForm, Form
from dialogkit.model.submission import Answers
from tests.oracle.harness import Told

_ROW: Final = re.compile(r"\[(\d+)\]$")


def instance_of(built: BuiltForm, answers: Answers, instance_id: str = "uuid:1") -> bytes:
    """The XML of `answers` under the root that the form has."""
    return write_instance(built.form, answers, instance_id, root=root_of(built))


def root_of(built: BuiltForm) -> str:
    """The name of the element at the root of an instance."""
    instance = next(one for one in xml.parse(built.xml).iter() if xml.local(one) == "instance")
    return xml.local(instance[0])


def answers_of(form: Form, told: Told) -> Answers:
    """The answers that JavaRosa holds, those that are not relevant too: a fixpoint of the form's calculations."""
    top: dict[str, str | list[Answers]] = {}
    levels: dict[str, dict[str, str | list[Answers]]] = {"": top}
    for place, node in told.nodes.items():
        path = plain(place)
        level = levels[_row_of(place.rpartition("/")[0])]
        if path in form.repeats:
            row: dict[str, str | list[Answers]] = {}
            rows = level.setdefault(path, [])
            assert isinstance(rows, list)
            rows.append(row)
            levels[place] = row
        elif not node.group and node.value and path in form.by_path:
            level[path] = node.value
    return top


def place_of(form: Form, path: str, row: str) -> str:
    """The place of a node as JavaRosa's answers name it: `rep/q` in row `2` is `rep[2]/q`."""
    numbers = iter(row.split("/") if row else ())
    parts: list[str] = []
    above = ""
    for name in path.split("/"):
        above = f"{above}/{name}" if above else name
        number = next(numbers, "") if above in form.repeats else ""
        parts.append(f"{name}[{number}]" if number else name)
    return "/".join(parts)


def plain(place: str) -> str:
    """The path of a place: `g/rep[2]/q` is `g/rep/q`."""
    return re.sub(r"\[\d+\]", "", place)


def _row_of(place: str) -> str:
    """The innermost row at or above a place, empty outside of repeats."""
    parts = place.split("/")
    while parts and not _ROW.search(parts[-1]):
        parts.pop()
    return "/".join(parts)
