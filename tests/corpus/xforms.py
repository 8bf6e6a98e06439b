"""An XForm → a `Form`, for old forms that nobody has the workbook of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final
from xml.etree.ElementTree import Element

from dialogkit import xml
from dialogkit.model.form import BuiltForm, Choice, Form, Question, Section

_TYPES: Final[Mapping[str, str]] = {
    "int": "integer",
    "dateTime": "datetime",
    "binary": "image",
    "select1": "select_one",
    "select": "select_multiple",
    "string": "text",
    "": "text",
}
#: What a control asks for, whatever the bind says.
_CONTROLS: Final[Mapping[str, str]] = {"select1": "select_one", "select": "select_multiple", "upload": "image"}


def read_xform(data: bytes) -> BuiltForm | None:
    """The form of an XForm; None when the XML is something else."""
    html = xml.parse(data)
    if xml.local(html) != "html":
        return None
    root = next(element for element in html.iter() if xml.local(element) == "instance")[0]
    top = f"/{xml.local(root)}/"
    binds = {_path(one.get("nodeset", ""), top): one.get("type", "") for one in _all(html, "bind")}
    repeats = {_path(one.get("nodeset", ""), top) for one in _all(html, "repeat")}
    controls = {_path(one.get("ref", ""), top): one for name in _CONTROLS for one in _all(html, name)}
    questions: list[Question] = []
    sections: list[Section] = []
    for path, element in _nodes(root):
        name = xml.local(element)
        if len(element):
            sections.append(Section("repeat" if path in repeats else "group", name, path, {}))
            continue
        control = controls.get(path)
        kind = _CONTROLS[xml.local(control)] if control is not None else ""
        written = binds.get(path, "").rpartition(":")[2]
        list_name = path if kind.startswith("select") else ""
        questions.append(Question(name, path, kind or _TYPES.get(written, written), list_name, disclosure="none"))
    lists = {path: _choices(one) for path, one in controls.items() if xml.local(one) != "upload"}
    version = root.get("version", "")
    form = Form(root.get("id", ""), version, "", (), "", tuple(questions), tuple(sections), lists)
    return BuiltForm(form, data)


def _all(element: Element, name: str) -> Iterator[Element]:
    return (one for one in element.iter() if xml.local(one) == name)


def _path(nodeset: str, top: str) -> str:
    return nodeset.removeprefix(top)


def _nodes(element: Element, above: str = "") -> Iterator[tuple[str, Element]]:
    for child in element:
        name = xml.local(child)
        path = f"{above}/{name}" if above else name
        if path != "meta":
            yield path, child
            yield from _nodes(child, path)


def _choices(control: Element) -> tuple[Choice, ...]:
    values = [(one.text or "").strip() for item in _all(control, "item") for one in _all(item, "value")]
    return tuple(Choice(value, {}) for value in values)
