"""The changes of choice lists: codes that went, came or were written anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from dialogkit.forms.compare_kinds import Change, change
from dialogkit.forms.compare_pairs import Pair, Paired
from dialogkit.forms.compare_questions import texts
from dialogkit.model.form import Choice, Form

_SHOWN: Final = 8
_Codes = Mapping[str, Choice]


def list_change(pair: Pair, old: Form, new: Form) -> Iterator[Change]:
    """A question that takes its choices from another list; it breaks the answers that the new list does not have."""
    before, after = pair.old.list_name, pair.new.list_name
    if before == after or not (before and after):
        return
    lost = [code for code in _codes(old, before) if code not in _codes(new, after)]
    # A list that is read from a file has no codes here.
    known = lost and after in new.choice_lists
    breaks = f"Answers with codes that the new list does not have: {_some(lost)}." if known else ""
    yield change("list", pair.new.path, before, after, breaks)


def choice_changes(old: Form, new: Form, paired: Paired) -> Iterator[Change]:
    """The lists that both forms have, by name."""
    used: dict[str, list[str]] = {}
    for pair in paired.pairs:
        if pair.old.list_name and pair.old.list_name == pair.new.list_name:
            used.setdefault(pair.old.list_name, []).append(pair.new.path)
    for name in old.choice_lists:
        if name in new.choice_lists:
            yield from _list(name, _codes(old, name), _codes(new, name), used.get(name, []))


def _list(name: str, old: _Codes, new: _Codes, used: list[str]) -> Iterator[Change]:
    added = [code for code in new if code not in old]
    questions = f"of {_some(used)} " if used else ""
    for code in old:
        if code in new:
            yield from _same_code(f"{name}/{code}", old[code], new[code])
            continue
        other = next((candidate for candidate in added if _same_label(old[code], new[candidate])), "")
        if other:
            added.remove(other)
            breaks = f"Stored answers {questions}keep the code {code}, which no choice has any more." if used else ""
            yield change("choice_recoded", f"{name}/{other}", code, other, breaks)
        else:
            breaks = f"Stored answers {questions}with this code stand for no choice any more." if used else ""
            yield change("choice_removed", f"{name}/{code}", code, "", breaks)
    for code in added:
        yield change("choice_added", f"{name}/{code}", "", code)
    stayed = [code for code in old if code in new]
    if stayed != [code for code in new if code in old]:
        yield change("choice_order", name, "", "")


def _same_code(path: str, old: Choice, new: Choice) -> Iterator[Change]:
    yield from texts("choice_label", path, old.labels, new.labels)
    for column in sorted(old.extra.keys() | new.extra.keys()):
        before, after = old.extra.get(column, ""), new.extra.get(column, "")
        if before != after:
            yield change("choice_extra", path, f"{column}: {before}", f"{column}: {after}")


def _same_label(one: Choice, other: Choice) -> bool:
    return any(text and other.labels.get(language) == text for language, text in one.labels.items())


def _codes(form: Form, name: str) -> _Codes:
    return {choice.name: choice for choice in form.choice_lists.get(name, ())}


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"
