"""What people decided on the questions of a form over its versions: `forms/<form_id>.lineage.toml`."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

from dialogkit.errors import FormError
from dialogkit.files import write_whole

_HEAD: Final = "# Which question of one version is which of a later one (docs/lineage.md).\n"
_CORRECT: Final = 'Write lines such as "old/path" = "new/path" under [same] or [different], and nothing else.'


@dataclass(frozen=True)
class Decided:
    """Decisions of people.

    Args:
        same: earlier path → later path of the same question.
        different: (earlier path, later path) of two questions that only look alike.
    """

    same: Mapping[str, str] = field(default_factory=dict)
    different: frozenset[tuple[str, str]] = frozenset()

    def with_same(self, old: str, new: str) -> Decided:
        """One more pair that is the same; it takes the place of what was decided on the two before."""
        return replace(self, same={**self.same, old: new}, different=self.different - {(old, new)})

    def with_different(self, old: str, new: str) -> Decided:
        """One more pair that is not the same; it takes the place of what was decided on the two before."""
        same = {one: other for one, other in self.same.items() if (one, other) != (old, new)}
        return replace(self, same=same, different=self.different | {(old, new)})

    @property
    def paths(self) -> list[str]:
        """Every path that is named."""
        pairs = [*self.same.items(), *sorted(self.different)]
        return list(dict.fromkeys(path for pair in pairs for path in pair))


def read_decided(path: Path) -> Decided:
    """The decisions of a file; none where there is no file.

    Raises:
        FormError: FORM-080 (the file cannot be read), FORM-082 (a question would come after itself), FORM-083 (two are
            said to be the same and different).
    """
    if not path.is_file():
        return Decided()
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FormError("FORM-080", path.name, f"This is not a TOML file: {error}.", "Correct it there.") from None
    except OSError as error:
        message = f"The file cannot be read ({error.strerror})."
        raise FormError("FORM-080", path.name, message, "Check its permissions.") from None
    if unknown := data.keys() - {"same", "different"}:
        raise FormError("FORM-080", path.name, f"{min(unknown)} is nothing that can be decided here.", _CORRECT)
    same = dict(_pairs(path, "same", data.get("same", {})))
    decided = Decided(same, frozenset(_pairs(path, "different", data.get("different", {}))))
    refuse_contradictions(path.name, decided)
    return decided


def write_decided(path: Path, decided: Decided) -> None:
    """Write the decisions, sorted; comments at the top of the file stay."""
    head = _HEAD
    if path.is_file():
        lines = path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
        head = "".join(takewhile(lambda line: line.startswith("#"), lines)) or _HEAD
    several: dict[str, list[str]] = {}
    for old, new in sorted(decided.different):
        several.setdefault(old, []).append(new)
    same = [f"{_quoted(old)} = {_quoted(new)}\n" for old, new in sorted(decided.same.items())]
    different = [f"{_quoted(old)} = {_listed(news)}\n" for old, news in several.items()]
    sections = {"[same]": same, "[different]": different}
    text = head + "".join(f"\n{title}\n{''.join(lines)}" for title, lines in sections.items() if lines)
    write_whole(path, text.encode())


def refuse_contradictions(where: str, decided: Decided) -> None:
    """Decisions that cannot all hold.

    Raises:
        FormError: FORM-082 (a question would come after itself), FORM-083 (the same and different).
    """
    for old, new in decided.different:
        if old == new:
            message = f"{old} is said to be different from itself."
            raise FormError("FORM-083", where, message, "Name two paths, the earlier one first.")
    for old, new in decided.same.items():
        if {(old, new), (new, old)} & decided.different:
            message = f"{old} and {new} are said to be the same question and different ones."
            raise FormError("FORM-083", where, message, "Take one of the two lines out.")
    good: set[str] = set()
    for start in decided.same:
        seen = {start: None}
        path = start
        while path in decided.same and path not in good:
            path = decided.same[path]
            if path in seen:
                message = f"A question would come after itself: {' → '.join([*seen, path])}."
                raise FormError("FORM-082", where, message, "Let each line lead from an earlier path to a later one.")
            seen[path] = None
        good |= seen.keys()


def refuse_unknown(where: str, decided: Decided, known: Collection[str]) -> None:
    """Decisions on paths that no version has.

    Raises:
        FormError: FORM-081, with the path that may be meant.
    """
    for path in decided.paths:
        if path not in known:
            near = [one for one in known if one.rpartition("/")[2] == path.rpartition("/")[2]]
            near = near or difflib.get_close_matches(path, known, 1)
            fix = f"Did you mean {near[0]}?" if near else "Write the whole path: dialogkit form lineage FORM --all"
            raise FormError("FORM-081", where, f"No version of the form asks {path}.", fix)


def _pairs(path: Path, section: str, table: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(table, dict):
        raise FormError("FORM-080", f"{path.name}, {section}", "This must be a section, not a value.", _CORRECT)
    for old, news in table.items():
        several = news if section == "different" and isinstance(news, list) else [news]
        for new in several:
            if not isinstance(new, str):
                message = "This must be the path of one question."
                raise FormError("FORM-080", f"{path.name}, [{section}], {old}", message, _CORRECT)
            yield old, new


def _listed(texts: list[str]) -> str:
    quoted = [_quoted(text) for text in texts]
    return quoted[0] if len(quoted) == 1 else f"[{', '.join(quoted)}]"


def _quoted(text: str) -> str:
    """A TOML text: the escapes of JSON, and DEL, which TOML wants escaped too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
