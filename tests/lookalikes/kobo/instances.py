"""Submissions as XML and as KoboToolbox's flat record, both ways."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from dialogkit.xml import local, parse

#: Whether the element at this path is a repeat of the form.
IsRepeat = Callable[[str], bool]

#: Seen: of a text with a CDATA section only that section stays, of one with a comment nothing.
_CDATA = re.compile(rb">[^<]*(<!\[CDATA\[.*?\]\]>)[^<]*<", re.DOTALL)
_COMMENTED = re.compile(rb"(<([\w.:-]+)[^<>]*>)[^<]*<!--.*?-->[^<]*(</\2>)", re.DOTALL)
_BETWEEN = re.compile(r">\s+<")


def read(xml: bytes, is_repeat: IsRepeat) -> tuple[Element, dict[str, Any]]:
    """The root element and the answers: full paths as keys, repeats as lists, blanks left out."""
    seen = _COMMENTED.sub(rb"\1\3", _CDATA.sub(rb">\1<", xml))
    root = parse(_BETWEEN.sub("><", seen.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape"))
    return root, _flat(root, "", is_repeat)


def _flat(element: Element, above: str, is_repeat: IsRepeat) -> dict[str, Any]:
    found: dict[str, Any] = {}
    names = Counter(local(child) for child in element)
    for child in element:
        path = above + local(child)
        if is_repeat(path) or (len(child) and names[local(child)] > 1):
            entry = _flat(child, path + "/", is_repeat)
            if entry:
                found.setdefault(path, []).append(entry)
        elif len(child):
            for key, value in _flat(child, path + "/", is_repeat).items():
                _put(found, key, value)
        elif child.text:
            _put(found, path, child.text)
    return found


def _put(found: dict[str, Any], key: str, value: Any) -> None:
    # An element that comes twice without being a repeat becomes a list of rows of its own name, as on the server.
    if key in found and isinstance(found[key], list):
        found[key].append({key: value})
    elif key in found:
        found[key] = [{key: found[key]}, {key: value}]
    else:
        found[key] = value


def written(root: str, version: str, answers: dict[str, Any]) -> bytes:
    """The XML of a record that came without one."""
    body = _elements(_tree(answers, ""))
    head = f'<{root} id="{root}" version="{escape(version)}" xmlns:jr="http://openrosa.org/javarosa">'
    return f"<?xml version='1.0' ?>{head}{body}</{root}>".encode()


def _tree(answers: dict[str, Any], above: str) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, value in answers.items():
        *groups, name = key.removeprefix(above).split("/")
        branch = tree
        for group in groups:
            branch = branch.setdefault(group, {})
        if isinstance(value, list):
            branch[name] = [_tree(entry, key + "/") if isinstance(entry, dict) else entry for entry in value]
        else:
            branch[name] = value
    return tree


def _elements(tree: dict[str, Any]) -> str:
    parts: list[str] = []
    for name, value in tree.items():
        for entry in value if isinstance(value, list) else [value]:
            inner = _elements(entry) if isinstance(entry, dict) else escape(str(entry))
            parts.append(f"<{name}>{inner}</{name}>")
    return "".join(parts)


def put(answers: dict[str, Any], path: str, value: str) -> None:
    """Sets one answer by a path as a bulk edit has it: `ctx/remark`, `person[1]/pname`."""
    at = answers
    above = ""
    *steps, name = path.split("/")
    for step in steps:
        group, bracket, index = step.partition("[")
        above += group
        if bracket:
            entries = at.setdefault(above, [])
            while len(entries) < int(index[:-1]):
                entries.append({})
            at = entries[int(index[:-1]) - 1]
        above += "/"
    if value:
        at[above + name] = value
    else:
        at.pop(above + name, None)
