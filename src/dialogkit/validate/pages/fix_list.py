"""Lists of held submissions for those who sent them: a page to print or share, and the same as text for messengers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final
from unicodedata import bidirectional

from dialogkit.model.fix_list import FixList, HeldSubmission, ToFix
from dialogkit.validate.pages import speech
from dialogkit.validate.pages.fix_words import fix_words, is_of_the_team, what_to_do
from dialogkit.validate.pages.html import NOTHING, Html, el, outside
from dialogkit.validate.pages.page import page, table

_SHORT: Final = 8
#: Signs that would break a line of text or turn the direction of what follows.
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
#: Labels as our messages quote them.
_QUOTED: Final = re.compile(r"[“«]\s?(.+?)\s?[”»]")
#: A text in its own direction: what it holds turns nothing around it.
_AUTO: Final = "\u2068{}\u2069"
#: Classes of letters that are read from right to left.
_TO_THE_LEFT: Final = frozenset({"R", "AL"})
#: A sentence in one of our languages, whatever it quotes.
_LTR: Final = "\u2066{}\u2069"


def fix_files(lists: Sequence[FixList], language: str) -> dict[str, bytes]:
    """File name → content: a page and a text for each list, and `index.html`, which says whose each is.

    The names hold numbers only: labels of senders are often names of people.

    Args:
        lists: each in its language.
        language: of the index.
    """
    files: dict[str, bytes] = {}
    numbered: list[tuple[str, FixList]] = []
    for number, one in enumerate(lists, start=1):
        numbered.append((f"fix-it-{number:03}", one))
        files[f"fix-it-{number:03}.html"] = _Writer.of(one).whole()
        files[f"fix-it-{number:03}.txt"] = _Writer.of(one).as_text().encode()
    return files | {"index.html": _index(numbered, language)}


@dataclass(frozen=True)
class _Writer:
    """One list with the words of its language, and the short id of each of its submissions."""

    one: FixList
    w: Mapping[str, str]
    short: Mapping[str, str]

    @classmethod
    def of(cls, one: FixList) -> _Writer:
        return cls(one, fix_words(one.language), short_ids([held.submission_id for held in one.submissions]))

    @property
    def count(self) -> str:
        found = len(self.one.submissions)
        return self.w["one"] if found == 1 else self.w["many"].format(n=speech.number(found, self.one.language))

    @property
    def whose(self) -> str:
        return _whose(self.one, self.one.language, self.w)

    @property
    def day(self) -> str:
        return self.w["list of"].format(day=speech.day(self.one.made_at.date(), self.one.language))

    def whole(self) -> bytes:
        w = self.w
        head = [
            el("div", outside(self.one.workspace), class_="faint"),
            el("h1", w["title"]),
            el("div", w[self.one.by], " ", outside(self.whose)),
            el("div", self.day, class_="faint"),
        ]
        forms = [
            el("section", el("h2", outside(title)), [self._article(held) for held in some])
            for title, some in groupby(self.one.submissions, key=lambda held: held.title)
        ]
        body = el("div", el("p", el("strong", self.count), " ", w["how"]), forms, class_="list")
        return page(self.one.language, f"{w['title']} – {self.one.workspace}", head, body, "dialogkit held fix-it")

    def as_text(self) -> str:
        """The same in short lines without markup."""
        w = self.w
        lines = [
            f"{w['title']} – {_plain(self.one.workspace)}",
            f"{w[self.one.by]} {_plain(self.whose)}",
            self.day,
            "",
            self.count,
            w["how"],
        ]
        for held in self.one.submissions:
            lines += ["", f"■ {_plain(held.title)}: {self._heading(held)}"]
            for wrong in held.wrong:
                said = _plain(self._said(wrong), _LTR)
                question = _plain(self._question(wrong))
                told = f"{question}{self._row(wrong)}: {said}" if question else f"{said}{self._row(wrong)}"
                lines += [f"☐ {told}", f"   → {what_to_do(w, wrong.rule)}"]
            if _can_be_edited(held):
                lines.append(f"{self._edit(held)}: {held.link}" if held.link else w["no link"])
        return "\n".join(lines) + "\n"

    def _article(self, held: HeldSubmission) -> Html:
        wrong = [
            el(
                "li",
                el("div", class_="box"),
                el(
                    "div",
                    self._told(one),
                    el("div", what_to_do(self.w, one.rule), class_="do"),
                ),
            )
            for one in held.wrong
        ]
        link = el("a", self._edit(held), href=held.link, rel="noopener noreferrer") if held.link else self.w["no link"]
        return el(
            "article",
            el("h3", self._heading(held)),
            el("ul", wrong) if wrong else el("p", self.w["team"]),
            el("p", link) if _can_be_edited(held) else NOTHING,
        )

    def _heading(self, held: HeldSubmission) -> str:
        name = f"{self.w['submission']} {self.short[held.submission_id]}"
        if held.submitted_at is None:
            return name
        return f"{name}, {self.w['sent'].format(day=speech.day(held.submitted_at.date(), self.one.language))}"

    def _told(self, wrong: ToFix) -> list[Html]:
        """The question and what is said of it; only that where it names the question itself."""
        question, said = self._question(wrong), outside(self._said(wrong), "ltr")
        if not question:
            return [el("div", said, self._row(wrong), class_="question")]
        return [el("div", outside(question), self._row(wrong), class_="question"), el("div", said)]

    def _question(self, wrong: ToFix) -> str:
        """What the question is called; empty where the message says it."""
        if not wrong.path:
            return self.w["whole"]
        label = speech.in_language(wrong.labels, self.one.language)
        if quotes_question(self._said(wrong), label, wrong.rule):
            return ""
        return label or wrong.path.rpartition("/")[2]

    def _row(self, wrong: ToFix) -> str:
        return f" ({self.w['row'].format(row=wrong.row)})" if wrong.row else ""

    def _said(self, wrong: ToFix) -> str:
        return speech.in_language(wrong.messages, self.one.language, self.w["gone"])

    def _edit(self, held: HeldSubmission) -> str:
        return self.w["edit"] if held.direct else self.w["edit list"].format(id=self.short[held.submission_id])


def quotes_question(said: str, label: str, rule: str) -> bool:
    """Whether a message has the label of its question in quotation marks.

    A message quotes the beginning of a long label, with `…` at its end. Labels of repeats are not known here (empty):
    the messages of the form's own rules alone have them.
    """
    quoted = _QUOTED.findall(said)
    if not label:
        return bool(quoted) and rule.startswith("FORM-")
    return any(one == label or (one.endswith("…") and label.startswith(one[:-1])) for one in quoted)


def short_ids(ids: Sequence[str]) -> dict[str, str]:
    """The beginnings that are enough to tell these ids apart, at least 8 signs long, without `uuid:`."""
    bare = {one: one.removeprefix("uuid:") for one in ids}
    length = _SHORT
    while len({one[:length] for one in bare.values()}) < len(set(bare.values())):
        length += 1
    return {one: _plain(short[:length]) for one, short in bare.items()}


def _can_be_edited(held: HeldSubmission) -> bool:
    """Whether whoever sent it has something to do, and a place to do it: an import came by no server."""
    return bool(held.server) and any(not is_of_the_team(one.rule) for one in held.wrong)


def _index(numbered: Sequence[tuple[str, FixList]], language: str) -> bytes:
    w = fix_words(language)
    rows = [
        [
            outside(_whose(one, language, w)),
            el("a", f"{name}.html", href=f"{name}.html"),
            el("a", f"{name}.txt", href=f"{name}.txt"),
            speech.number(len(one.submissions), language),
        ]
        for name, one in numbered
    ]
    by = numbered[0][1].by if numbered else "organiser"
    columns = [w[f"whose {by}"], w["file"], w["text"], w["submissions"]]
    body = table(w["index about"], columns, rows, numbers=[3]) if rows else el("p", w["none"])
    workspace = numbered[0][1].workspace if numbered else ""
    head = [el("div", outside(workspace), class_="faint"), el("h1", w["index"])]
    return page(language, w["index"], head, body, "dialogkit held fix-it")


def _whose(one: FixList, language: str, w: Mapping[str, str]) -> str:
    return speech.in_language(one.group_labels, language) or one.group or w[f"no {one.by}"]


def _plain(value: str, isolated: str = _AUTO) -> str:
    """A text from outside on one line of a text file."""
    line = _CONTROLS.sub(" ", value).strip()
    return isolated.format(line) if any(bidirectional(sign) in _TO_THE_LEFT for sign in line) else line
