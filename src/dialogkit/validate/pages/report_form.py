"""What the report says of one form: totals, rules, groups, trend, what waits; a part without content is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dialogkit.model.report_page import (
    WAITING,
    Bar,
    Count,
    FormCounts,
    Group,
    Often,
    RuleCounts,
    VersionCounts,
)
from dialogkit.validate.pages import speech
from dialogkit.validate.pages.charts import Stack, scale, share, stacked
from dialogkit.validate.pages.html import NOTHING, Html, Inside, el, join, outside, text
from dialogkit.validate.pages.page import table, tiles

_SHOWN: Final = ("accepted", "held", "refused")
_GONE: Final = ("deleted", "dropped")
#: States of a correction whose words are under another key.
STATE_WORDS: Final = {"waiting": "waiting for it", "kept": "booked"}


@dataclass(frozen=True)
class Section:
    """One form in one language.

    Args:
        form: its counts.
        identity: begins every id in this part of the page.
        language: of the words `w`.
        w: the words.
        smallest: the smallest group of a country whose number is told.
    """

    form: FormCounts
    identity: str
    language: str
    w: Mapping[str, str]
    smallest: int

    def whole(self) -> Html:
        """All its parts."""
        title = join(outside(self.form.title), " ", el("code", outside(self.form.form_id)))
        parts = [
            self._totals(),
            self._refused(),
            self._broken(),
            self._unjudged(),
            self._versions(),
            self._groups("sender", "senders", self.form.senders),
            self._groups("country", "countries", self.form.countries or ()),
            self._trend(),
            self._waiting(),
            self._corrections(),
        ]
        heading = el("h2", title, id_=self.identity)
        return el("section", heading, parts, aria_labelledby=self.identity)

    def _n(self, count: int) -> str:
        return speech.number(count, self.language)

    def _share(self, part: int, whole: int) -> str:
        return speech.percent(part, whole, self.language)

    def _label(self, texts: Mapping[str, str], otherwise: str = "") -> Html:
        return outside(speech.in_language(texts, self.language, otherwise))

    def _totals(self) -> Html:
        form = self.form
        counts = dict(form.states) | {"refused": form.states.get("refused", 0) + form.turned_away}
        facts = [("other", self.w["came"], self._n(form.came), "")]
        for name in (*_SHOWN, *(name for name in _GONE if counts.get(name))):
            count = counts.get(name, 0)
            kind = name if name in _SHOWN else "other"
            facts.append((kind, self.w[name], self._n(count), self._share(count, form.came)))
        return tiles(facts)

    def _refused(self) -> Html:
        rows = [
            [outside(self.w.get(reason, reason)), self._n(count)]
            for reason, count in sorted(self.form.refused.items(), key=lambda item: (-item[1], item[0]))
        ]
        columns = [self.w["reason"], self.w["submissions"]]
        return self._table("why refused", columns, rows, [1])

    def _broken(self) -> Html:
        form, w = self.form, self.w
        most = max((rule.submissions for rule in form.broken), default=0)
        rows = [
            [
                self._rule(rule),
                self._action(rule),
                join(self._n(rule.submissions), share(rule.submissions, most, _kind(rule))),
                self._n(rule.rows),
                self._judged(rule),
            ]
            for rule in form.broken
        ]
        columns = [w["rule"], w["action"], w["submissions"], w["rows"], w["judged"]]
        found = self._table("rules", columns, rows, [2, 3], w["rules about"])
        if not rows:
            found = join(el("h3", w["rules"]), el("p", w["no broken"]))
        quiet = self._quiet()
        return join(found, quiet)

    def _quiet(self) -> Html:
        said = self.w["quiet one" if self.form.quiet == 1 else "quiet"].format(n=self._n(self.form.quiet))
        return el("p", said, class_="faint") if self.form.quiet else NOTHING

    def _unjudged(self) -> Html:
        w = self.w
        rows = [
            [self._rule(rule), self._batches(rule.failed), self._batches(rule.undecided), outside(rule.reason)]
            for rule in self.form.unjudged
        ]
        columns = [w["rule"], w["failed"], w["undecided"], w["reason"]]
        return self._table("unjudged", columns, rows, [], w["unjudged about"])

    def _versions(self) -> Html:
        w = self.w
        rows = [
            [
                outside(one.version) if one.version else w["no version"],
                *(self._n(one.states.get(state, 0)) for state in _SHOWN),
                self._held_share(one),
                self._often(one.often),
            ]
            for one in self.form.versions
        ]
        columns = [w["version"], *(w[state] for state in _SHOWN), w["held share"], w["often"]]
        return self._table("versions", columns, rows, [1, 2, 3, 4])

    def _groups(self, one: str, many: str, groups: Sequence[Group]) -> Html:
        w = self.w
        rows = [
            [
                self._group(group, w[f"no {one}"]),
                self._guarded(group.submissions),
                self._guarded(group.held),
                self._group_share(group),
                join(*(el("div", el("code", outside(rule))) for rule in group.often)),
            ]
            for group in groups
        ]
        columns = [w[one], w["submissions"], w["held"], w["held share"], w["often"]]
        return self._table(many, columns, rows, [1, 2, 3], w[f"{many} about"].format(k=self.smallest))

    def _trend(self) -> Html:
        form, w = self.form, self.w
        if not form.trend:
            return NOTHING
        stacks = [
            Stack(
                self._when(bar, year=False), (("accepted", bar.accepted), ("held", bar.held), ("refused", bar.refused))
            )
            for bar in form.trend
        ]
        top = scale(max(stack.height for stack in stacks))
        legend = [(name, w[name]) for name in _SHOWN]
        title = f"{w['trend']}: {form.title}"
        tops = [self._n(top // 2), self._n(top)]
        drawn = stacked(f"{self.identity}-trend", title, w["trend about"], stacks, legend, tops)
        chart = el("div", drawn, class_="wide", tabindex="0", role="region", aria_label=w["trend"])
        rows = [
            [
                self._when(bar),
                *(self._n(count) for count in (bar.accepted, bar.held, bar.refused)),
                self._share(bar.held, bar.accepted + bar.held),
                self._n(bar.violations),
            ]
            for bar in reversed(form.trend)
        ]
        columns = [w[form.unit], *(w[name] for name in _SHOWN), w["held share"], w["broken rows"]]
        return self._table("trend", columns, rows, [1, 2, 3, 4, 5], w["trend about"], chart)

    def _waiting(self) -> Html:
        w, held = self.w, sum(self.form.waiting)
        rows = [
            [w[f"wait {first}"], join(self._n(count), share(count, held, "held"))]
            for first, count in zip(WAITING, self.form.waiting, strict=True)
        ]
        return self._table("waiting", [w["since"], w["held"]], rows if held else [], [1])

    def _corrections(self) -> Html:
        w = self.w
        rows = [
            [outside(w.get(STATE_WORDS.get(state, state), state)), self._n(count)]
            for state, count in sorted(self.form.corrections.items())
        ]
        return self._table("corrections", [w["state"], w["entries"]], rows, [1])

    def _table(
        self,
        name: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[Inside]],
        numbers: Sequence[int],
        about: str = "",
        above: Html = NOTHING,
    ) -> Html:
        """A table under its heading; nothing when it has no rows."""
        if not rows:
            return NOTHING
        caption = join(el("span", self.w[name], class_="unseen"), " ", about)
        return join(el("h3", self.w[name]), above, table(caption, columns, rows, numbers=numbers))

    def _rule(self, rule: RuleCounts) -> Html:
        """What it says; of a rule that was never broken nobody kept that, so its question is named."""
        said = speech.in_language(rule.messages, self.language)
        shown = outside(said, "ltr") if said else self._label(rule.labels)
        return join(shown, " ", el("code", outside(rule.code)))

    def _action(self, rule: RuleCounts) -> Html:
        return el("span", self.w[rule.action], class_=f"tag {_kind(rule)}") if rule.action in self.w else text("")

    def _judged(self, rule: RuleCounts) -> str:
        judged, landed = rule.evaluated, rule.evaluated + rule.failed + rule.undecided
        if not landed:
            return self.w["in none"]
        if judged == landed:
            return self.w["in all"]
        return self.w["in some"].format(n=self._n(judged), all=self._n(landed))

    def _batches(self, count: int) -> str:
        return f"{self._n(count)} {self.w['batch' if count == 1 else 'batches']}" if count else ""

    def _group_share(self, group: Group) -> str:
        if isinstance(group.submissions, int) and isinstance(group.held, int):
            return self._share(group.held, group.submissions)
        return "–"

    def _held_share(self, one: VersionCounts) -> str:
        held = one.states.get("held", 0)
        return self._share(held, held + one.states.get("accepted", 0))

    def _often(self, rules: Sequence[Often]) -> Html:
        """Codes with how many submissions; what they say stands above."""
        found = [join(el("code", outside(one.rule)), f" {self._n(one.submissions)}") for one in rules]
        return join(*(el("div", one) for one in found))

    def _group(self, group: Group, otherwise: str) -> Html:
        if group.joined:
            return text(self.w["other one" if group.joined == 1 else "others"].format(n=self._n(group.joined)))
        return self._label(group.labels) if group.labels else text(otherwise)

    def _guarded(self, count: Count) -> str:
        if isinstance(count, int):
            return self._n(count)
        return self.w["fewer"].format(k=self.smallest) if count == "fewer" else self.w["not told"]

    def _when(self, bar: Bar, *, year: bool = True) -> str:
        if self.form.unit == "month":
            return speech.month(bar.begins, self.language)
        return speech.day(bar.begins, self.language, year=year)


def _kind(rule: RuleCounts) -> str:
    return "held" if rule.action == "hold" else "other"
