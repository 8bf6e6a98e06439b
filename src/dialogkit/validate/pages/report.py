"""The report as one page a language: counts and labels, no answer, no id; read without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dialogkit.model.report_page import ReportFacts
from dialogkit.validate.pages import speech
from dialogkit.validate.pages.html import NOTHING, Html, el, join, outside
from dialogkit.validate.pages.page import page
from dialogkit.validate.pages.report_form import Section
from dialogkit.validate.pages.words import NAMES, words


def report_pages(facts: ReportFacts, languages: Sequence[str]) -> dict[str, bytes]:
    """File name → HTML of the report, one for each language, each with links to the others."""
    names = {language: f"report.{language}.html" for language in languages}
    return {name: _Page(facts, language, names).whole() for language, name in names.items()}


@dataclass(frozen=True)
class _Page:
    """The report in one language. `names`: language → file, for the switch."""

    facts: ReportFacts
    language: str
    names: Mapping[str, str]

    def whole(self) -> bytes:
        w, made = words(self.language), self.facts.made_at
        when = w["made"].format(day=speech.day(made.date(), self.language), time=f"{made:%H:%M}")
        head = [
            el("div", outside(self.facts.workspace), class_="faint"),
            el("h1", w["report"]),
            el("div", when, class_="faint"),
            self._switch(w["languages"]),
        ]
        sections = [
            Section(form, f"f{place}", self.language, w, self.facts.smallest).whole()
            for place, form in enumerate(self.facts.forms, start=1)
        ]
        body = join(el("p", w["staff"], class_="faint"), self._contents(w), sections or el("p", w["nothing"]))
        title = f"{w['report']} – {self.facts.workspace}"
        return page(self.language, title, head, body, "dialogkit report")

    def _switch(self, name: str) -> Html:
        links = [
            el(
                "li",
                el(
                    "a",
                    NAMES[language],
                    href=file,
                    lang=language,
                    hreflang=language,
                    aria_current="page" if language == self.language else None,
                ),
            )
            for language, file in self.names.items()
        ]
        return el("nav", el("ul", links), aria_label=name) if len(links) > 1 else NOTHING

    def _contents(self, w: Mapping[str, str]) -> Html:
        if len(self.facts.forms) < 2:
            return NOTHING
        forms = [
            el("li", el("a", outside(form.title), href=f"#f{place}"))
            for place, form in enumerate(self.facts.forms, start=1)
        ]
        return el("nav", el("ul", forms), aria_label=w["forms"])
