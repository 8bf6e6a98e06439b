"""Instance XML of a submission ↔ canonical answers: every answer as the text that was typed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from dialogkit import xml
from dialogkit.model.form import Form
from dialogkit.model.submission import Answers

#: What tells which form and submission it is: no answers. KoboToolbox and Ona write the id that they gave the form.
_ENVELOPE: Final = frozenset({"meta/instanceID", "meta/deprecatedID", "meta/rootUuid", "formhub/uuid"})
#: ODK Central writes it behind the version of its own copy of a form with a managed key.
_SUFFIX: Final = re.compile(r"\[encrypted:[A-Za-z0-9+/=]{8}\]$")


@dataclass(frozen=True, slots=True)
class Instance:
    """What an instance says of itself, and its answers.

    Args:
        form_id, form_version: the attributes `id` and `version` of the root; empty when missing.
        instance_id, deprecated_id, root_id: from its `meta` block; empty when missing.
        encrypted: whether the answers are in an encrypted file beside it.
        answers: canonical; the identifiers above are not repeated in it, blanks are left out.
    """

    form_id: str
    form_version: str
    instance_id: str
    deprecated_id: str
    root_id: str
    encrypted: bool
    answers: Answers = field(default_factory=dict)

    def sealed(self, form: Form) -> bool:
        """Whether its answers are encrypted, so that nobody can read a refusal in them yet.

        An instance that only says so, and still holds an answer in the open, is not sealed.
        """
        return self.encrypted and not in_the_open(form, self.answers)


def in_the_open(form: Form, answers: Answers) -> bool:
    """Whether an answer to a question or section of the form can be read."""
    return not answers.keys().isdisjoint({*form.by_path, *(section.path for section in form.sections)})


def read_instance(data: bytes, repeats: Iterable[str] = ()) -> Instance:
    """The instance in `data`.

    Args:
        data: the XML as received.
        repeats: paths of the repeats of its form. Other elements that occur more than once are kept
            together as a list, so that nothing is lost.

    Raises:
        xml.UnsafeXml: it is not XML that we read.
    """
    root = xml.parse(data)
    known = frozenset(repeats)
    answers = _read(root, "", known)
    found = {path: answers.pop(path, "") for path in _ENVELOPE}
    # One that stands twice names nothing.
    ids = {path: text.strip() if isinstance(text, str) else "" for path, text in found.items()}
    return Instance(
        form_id=root.get("id", ""),
        form_version=root.get("version", ""),
        instance_id=ids["meta/instanceID"] or root.get("instanceID", ""),
        deprecated_id=ids["meta/deprecatedID"],
        root_id=ids["meta/rootUuid"],
        encrypted=root.get("encrypted") == "yes",
        answers=answers,
    )


def plain_version(version: str) -> str:
    """The version without what ODK Central adds to its own copy of an encrypted form: `7[encrypted:AaH48+PY]` is 7."""
    return _SUFFIX.sub("", version)


def write_instance(
    form: Form, answers: Answers, instance_id: str, *, deprecated_id: str = "", root: str = "data"
) -> bytes:
    """The XML of a submission of `form`, in the order of the form, blanks as empty elements.

    Raises:
        ValueError: an answer holds a character that XML cannot hold (its path is named, not its text).
    """
    top = Element(root, {"id": form.form_id, "version": form.version})
    _write(top, form, answers, "")
    meta = SubElement(top, "meta")
    SubElement(meta, "instanceID").text = instance_id
    if deprecated_id:
        SubElement(meta, "deprecatedID").text = deprecated_id
    written: bytes = tostring(top, encoding="utf-8", xml_declaration=True)
    # A bare carriage return is read as a line feed.
    return written.replace(b"\r", b"&#13;")


def _read(element: Element, above: str, repeats: frozenset[str]) -> dict[str, str | list[Answers]]:
    answers: dict[str, str | list[Answers]] = {}
    beside = "".join([element.text or "", *(child.tail or "" for child in element)])
    if above and beside.strip():
        # No form asks for text beside elements; it is kept under the path of the section all the same.
        answers[above] = beside
    for path, group in _by_path(element, above).items():
        if path in repeats:
            answers[path] = [_read(row, path, repeats) for row in group]
        elif len(group) == 1 and len(group[0]):
            answers.update(_read(group[0], path, repeats))
        elif len(group) == 1:
            text = group[0].text or ""
            if text.strip():
                answers[path] = text
        else:
            # Nobody said that this repeats: keep every one of them under its own path.
            answers[path] = [_read(row, path, repeats) if len(row) else {path: row.text or ""} for row in group]
    return answers


def _by_path(element: Element, above: str) -> dict[str, list[Element]]:
    found: dict[str, list[Element]] = {}
    for child in element:
        tag = xml.local(child)
        found.setdefault(f"{above}/{tag}" if above else tag, []).append(child)
    return found


def _write(element: Element, form: Form, answers: Answers, above: str) -> None:
    for name, path, is_section in _children(form, above):
        if not is_section:
            value = answers.get(path, "")
            _put(SubElement(element, name), path, value)
        elif path in form.repeats:
            for row in _rows(answers.get(path, ())):
                _write(SubElement(element, name), form, row, path)
        else:
            _write(SubElement(element, name), form, answers, path)


def _put(element: Element, path: str, value: object) -> None:
    if not isinstance(value, str) or not xml.writable(value):
        raise ValueError(f"the answer to {path} cannot be written as XML")
    element.text = value or None


def _rows(value: str | Sequence[Answers]) -> Sequence[Answers]:
    return () if isinstance(value, str) else value


def _children(form: Form, above: str) -> list[tuple[str, str, bool]]:
    """Name, path and "is a section" of what stands directly below `above`, in the order of the form."""
    inside = [(item.row, item.name, item.path, True) for item in form.sections if _parent(item.path) == above]
    inside += [(item.row, item.name, item.path, False) for item in form.questions if _parent(item.path) == above]
    return [(name, path, is_section) for _, name, path, is_section in sorted(inside, key=lambda item: item[0])]


def _parent(path: str) -> str:
    return path.rpartition("/")[0]
