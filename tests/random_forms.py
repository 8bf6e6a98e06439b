"""Random forms in several versions, with what real forms do to a warehouse: the same seed gives the same forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from dialogkit.model.form import Form
from tests.builders import make_form

#: Every type that has a column of its own kind, and some that are text.
TYPES: Final = (
    *("text", "integer", "decimal", "range", "date", "today", "time", "datetime", "start", "end"),
    *("select_one", "select_multiple", "rank", "geopoint", "geotrace", "geoshape"),
    *("image", "audio", "barcode", "calculate", "hidden", "note"),
)
_SELECTS: Final = frozenset({"select_one", "select_multiple", "rank"})
_LONG: Final = "a_name_of_sixty_characters_that_somebody_wrote_into_a_sheet_x"
#: Leaves as people write them: twins in case, keywords, dots and hyphens, our own names, other scripts.
_NAMES: Final = (
    *("a", "A", "b", "B", "name", "Name", "NAME", "age", "g", "G", "rep", "Rep", "other", "n1", "_1"),
    *("select", "from", "order", "group", "table", "end", "null", "x.y", "x-y", "x_y", "X.y", "x.y-z"),
    *("_row", "_submission_id", "_Position", "_valid_from", "__system", "id", "meta", "rows", "a__2", "a__offset"),
    *("é", "ñ_ü", "السؤال", "题", _LONG, _LONG.upper(), _LONG + "y"),
)
_CHOICES: Final = ("yes", "no", "1", "2", "a-b", "Yes", "other", "é", "don't", "x.y", "0")
_DEEPEST: Final = 4


@dataclass
class _Node:
    """One row of a sheet; `inside` are the rows of a group or repeat."""

    type: str
    name: str
    facts: dict[str, Any] = field(default_factory=dict)
    inside: list[_Node] = field(default_factory=list)

    @property
    def is_section(self) -> bool:
        return self.type in ("group", "repeat")


def random_versions(rng: Random, form_id: str = "f", most: int = 4) -> list[Form]:
    """The versions of one form, oldest first: one to `most`."""
    # The seed of a list of choices is in its name: lists differ between questions, never between runs.
    top = _level(rng, 1)
    removed: list[tuple[str, _Node]] = []
    found = [_form(form_id, "1", top)]
    for number in range(2, rng.randint(1, most) + 1):
        for _ in range(rng.randint(1, 4)):
            _change(rng, top, removed)
        found.append(_form(form_id, str(number), top))
    return found


def _level(rng: Random, depth: int) -> list[_Node]:
    most = {1: 7, 2: 5, 3: 4}.get(depth, 2)
    return [_node(rng, name, depth) for name in rng.sample(_NAMES, rng.randint(1, most))]


def _node(rng: Random, name: str, depth: int) -> _Node:
    if depth < _DEEPEST and rng.random() < 0.35:
        return _Node(rng.choice(("group", "repeat", "repeat")), name, {}, _level(rng, depth + 1))
    return _question(rng, name)


def _question(rng: Random, name: str) -> _Node:
    node = _Node(rng.choice(TYPES), name)
    node.facts["disclosure"] = rng.choice(("none", "none", "indirect", "free_text", "direct", ""))
    if rng.random() < 0.1:
        node.facts["labels"] = {"fr": "L'âge ?", "en": 'What"s; --'}
    _with_choices(rng, node)
    return node


def _with_choices(rng: Random, node: _Node) -> None:
    node.facts.pop("choices", None)
    if node.type in _SELECTS:
        node.facts["choices"] = rng.sample(_CHOICES, rng.randint(1, 5))
        if rng.random() < 0.1:
            node.facts["choices"].append("two words")


def _change(rng: Random, top: list[_Node], removed: list[tuple[str, _Node]]) -> None:
    """One thing that a team does to its form between two versions."""
    change = rng.choice((_add, _remove, _bring_back, _rename, _retype, _recode, _turn, _swap, _regroup))
    where, level = rng.choice(_levels(top))
    for node in level:
        node.facts.pop("was", None)  # what was renamed in the version before is the same in this one
    change(rng, where, level, removed)


def _add(rng: Random, where: str, level: list[_Node], _removed: list[tuple[str, _Node]]) -> None:
    free = [name for name in _NAMES if all(node.name != name for node in level)]
    depth = where.count("/") + 2 if where else 1
    level.insert(rng.randint(0, len(level)), _node(rng, rng.choice(free), depth))


def _remove(rng: Random, where: str, level: list[_Node], removed: list[tuple[str, _Node]]) -> None:
    if len(level) > 1:
        removed.append((where, level.pop(rng.randrange(len(level)))))


def _bring_back(_rng: Random, where: str, level: list[_Node], removed: list[tuple[str, _Node]]) -> None:
    here = [item for item in removed if item[0] == where and all(node.name != item[1].name for node in level)]
    for item in here[:1]:
        removed.remove(item)
        level.append(item[1])


def _rename(rng: Random, where: str, level: list[_Node], _removed: list[tuple[str, _Node]]) -> None:
    questions = [node for node in level if not node.is_section and node.type != "note"]
    free = [name for name in _NAMES if all(node.name != name for node in level)]
    if questions:
        node = rng.choice(questions)
        node.facts["was"] = f"{where}/{node.name}" if where and rng.random() < 0.5 else node.name
        node.name = rng.choice(free)


def _retype(rng: Random, _where: str, level: list[_Node], _removed: list[tuple[str, _Node]]) -> None:
    questions = [node for node in level if not node.is_section]
    if questions:
        node = rng.choice(questions)
        node.type = rng.choice(TYPES)
        _with_choices(rng, node)


def _recode(rng: Random, _where: str, level: list[_Node], _removed: list[tuple[str, _Node]]) -> None:
    for node in level:
        if node.type in _SELECTS and len(node.facts["choices"]) > 1 and rng.random() < 0.7:
            # A new list: the old version keeps its own.
            node.facts["choices"] = node.facts["choices"][1:] + (["two words"] if rng.random() < 0.2 else [])


def _turn(rng: Random, _where: str, level: list[_Node], _removed: list[tuple[str, _Node]]) -> None:
    """A group becomes a repeat or the other way, whatever stands in it."""
    sections = [node for node in level if node.is_section]
    if sections:
        node = rng.choice(sections)
        node.type = "group" if node.type == "repeat" else "repeat"


def _swap(rng: Random, where: str, level: list[_Node], _removed: list[tuple[str, _Node]]) -> None:
    """A question becomes a section of its name, or the other way."""
    node = rng.choice(level)
    depth = where.count("/") + 2 if where else 1
    if node.is_section:
        node.type, node.inside, node.facts = "text", [], {"disclosure": "none"}
    elif depth < _DEEPEST:
        node.type, node.inside, node.facts = rng.choice(("group", "repeat")), _level(rng, depth + 1), {}


def _regroup(rng: Random, _where: str, level: list[_Node], _removed: list[tuple[str, _Node]]) -> None:
    """A question moves into a section beside it."""
    sections = [node for node in level if node.is_section]
    questions = [node for node in level if not node.is_section]
    if sections and questions and len(level) > 1:
        section, node = rng.choice(sections), rng.choice(questions)
        if all(other.name != node.name for other in section.inside):
            level.remove(node)
            section.inside.append(node)


def _levels(top: list[_Node], above: str = "") -> list[tuple[str, list[_Node]]]:
    found = [(above, top)]
    for node in top:
        if node.is_section:
            found += _levels(node.inside, f"{above}/{node.name}" if above else node.name)
    return found


def _form(form_id: str, version: str, top: list[_Node]) -> Form:
    return make_form(form_id, version, [*_rows(top, "")])


def _rows(level: list[_Node], above: str) -> list[tuple[str, str, Mapping[str, Any]]]:
    rows: list[tuple[str, str, Mapping[str, Any]]] = []
    for node in level:
        path = f"{above}/{node.name}" if above else node.name
        if node.is_section:
            rows += [(node.type, path, {}), *_rows(node.inside, path)]
        else:
            facts = dict(node.facts)
            if "choices" in facts:
                facts["list_name"] = f"list of {path}"
            rows.append((node.type, path, facts))
    return rows
