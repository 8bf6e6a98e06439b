"""What the XForm says of its questions beyond the sheet: who fills them, ranges, what stands in them at first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.etree.ElementTree import Element

from dialogkit import xml
from dialogkit.model.form import BuiltForm

_CONTROLS: Final = frozenset({"input", "select", "select1", "upload", "trigger", "range", "rank", "secret"})


@dataclass(frozen=True)
class Asked:
    """Facts of one XForm, by path without the root.

    Args:
        root: name of the element at the root of an instance.
        shown: questions that a person sees.
        readonly: those that a person cannot change.
        filled: those that the phone fills itself (`jr:preload`).
        calculated: those that are calculated all the time, not only when another answer changes.
        ranges: start, end and step of a range.
        first: what stands in the instance at first.
    """

    root: str
    shown: frozenset[str] = frozenset()
    readonly: frozenset[str] = frozenset()
    filled: frozenset[str] = frozenset()
    calculated: frozenset[str] = frozenset()
    ranges: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    first: Mapping[str, str] = field(default_factory=dict)


def asked(built: BuiltForm) -> Asked:
    """The facts of a built form."""
    tree = xml.parse(built.xml)
    primary = next(one for one in tree.iter() if xml.local(one) == "instance")[0]
    root = xml.local(primary)
    binds = {_path(one.get("nodeset", "")): one for one in tree.iter() if xml.local(one) == "bind"}
    controls = {_path(one.get("ref", "")): one for one in tree.iter() if xml.local(one) in _CONTROLS}
    return Asked(
        root=root,
        shown=frozenset(controls),
        readonly=frozenset(path for path, bind in binds.items() if bind.get("readonly") == "true()"),
        filled=frozenset(path for path, bind in binds.items() if any("preload" in name for name in bind.attrib)),
        calculated=frozenset(path for path, bind in binds.items() if bind.get("calculate")),
        ranges={path: _range(one) for path, one in controls.items() if xml.local(one) == "range"},
        first=dict(_first(primary, "")),
    )


def _path(reference: str) -> str:
    return reference.strip().lstrip("/").partition("/")[2]


def _range(control: Element) -> tuple[float, float, float]:
    start, end, step = (float(control.get(name, plain)) for name, plain in (("start", 1), ("end", 10), ("step", 1)))
    return start, end, step or 1.0


def _first(element: Element, above: str) -> list[tuple[str, str]]:
    found = []
    for child in element:
        path = f"{above}/{xml.local(child)}" if above else xml.local(child)
        if len(child):
            found += _first(child, path)
        elif child.text and child.text.strip():
            found.append((path, child.text))
    return found
