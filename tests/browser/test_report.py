"""The report and the lists in a real browser with the network cut: styled, readable, and nothing is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dialogkit.steps.fix_it import fix_it
from dialogkit.steps.report import report
from tests.browser.chromium import CHROMIUM, Browser, browser
from tests.report_site import NOW, report_site

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium")
LANGUAGES = ("en", "fr", "es")
#: Text under 4.5 : 1 against what lies behind it (WCAG 2.2, 1.4.3), each once.
TOO_FAINT = """(() => {
  const parts = c => { const n = c.match(/[\\d.]+/g).map(Number); return n.length > 3 ? n : [...n, 1] };
  const light = c => { const [r, g, b] = parts(c).slice(0, 3).map(v => v / 255)
    .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b };
  const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (parts(c)[3] > 0) return c } return 'rgb(255,255,255)' };
  const found = new Set();
  for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || e.closest('.unseen,title,desc')) continue;
    const style = getComputedStyle(e), svg = e.namespaceURI.endsWith('svg');
    const [a, b] = [light(svg ? style.fill : style.color), light(behind(e))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) found.add(`${e.tagName}.${e.getAttribute('class')}`) }
  return [...found] })()"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    workspace = report_site(tmp_path_factory.mktemp("site"))
    files = report(workspace, (), LANGUAGES, None, NOW)
    lists, _ = fix_it(workspace, (), "", "organiser", None, NOW)
    return {path.name: path for path in (*files, *lists)}


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


def names_of(pages: dict[str, Path]) -> list[str]:
    return [name for name in pages if name.endswith(".html")]


def test_a_page_that_asks_for_something_outside_is_caught(chromium: Browser, tmp_path: Path) -> None:
    (tmp_path / "bad.html").write_text(
        '<title>x</title><img src="http://outside.example/i.png"><script src=x.js></script>'
    )
    chromium.open((tmp_path / "bad.html").as_uri())
    assert [one.rpartition("/")[2] for one in chromium.requests] == ["bad.html", "i.png", "x.js"]
    assert chromium.complaints


def test_pages_ask_for_nothing_but_themselves(chromium: Browser, pages: dict[str, Path]) -> None:
    for name in names_of(pages):
        chromium.open(pages[name].as_uri())
        assert chromium.requests == [pages[name].as_uri()]
        assert chromium.complaints == []
        assert chromium.ask("document.querySelectorAll('script, img, link, iframe, object, base').length") == 0


def test_pages_are_styled_without_a_network(chromium: Browser, pages: dict[str, Path]) -> None:
    chromium.look()
    for name in names_of(pages):
        chromium.open(pages[name].as_uri())
        assert chromium.ask("getComputedStyle(document.querySelector('header')).backgroundColor") == "rgb(18, 49, 79)"
        assert "sans-serif" in chromium.ask("getComputedStyle(document.body).fontFamily")
    chromium.open(pages["report.en.html"].as_uri())
    assert chromium.ask("getComputedStyle(document.querySelector('dl.tiles')).display") == "grid"
    assert (
        chromium.ask("getComputedStyle(document.querySelector('svg.chart rect.accepted')).fill") == "rgb(31, 122, 90)"
    )


def test_text_can_be_read_in_the_light_in_the_dark_and_on_paper(chromium: Browser, pages: dict[str, Path]) -> None:
    for name in ("report.fr.html", "fix-it-003.html", "index.html"):
        chromium.open(pages[name].as_uri())
        papers = []
        for looks in ({}, {"dark": True}, {"dark": True, "medium": "print"}):
            chromium.look(**looks)
            papers.append(chromium.ask("getComputedStyle(document.body).backgroundColor"))
            assert chromium.ask(TOO_FAINT) == []
        assert papers == ["rgb(255, 255, 255)", "rgb(17, 22, 29)", "rgb(255, 255, 255)"]


def test_faint_text_would_be_found(chromium: Browser, pages: dict[str, Path]) -> None:
    chromium.look()
    chromium.open(pages["report.en.html"].as_uri())
    chromium.ask("document.querySelector('h1').style.color = '#456'")
    assert chromium.ask(TOO_FAINT) == ["H1.null"]


def test_a_phone_shows_every_page_without_scrolling_sideways(chromium: Browser, pages: dict[str, Path]) -> None:
    chromium.look(width=360)
    for name in names_of(pages):
        chromium.open(pages[name].as_uri())
        assert chromium.ask("document.documentElement.scrollWidth") <= 360


def test_a_link_leads_to_the_same_report_in_another_language(chromium: Browser, pages: dict[str, Path]) -> None:
    chromium.look()
    chromium.open(pages["report.en.html"].as_uri())
    chromium.loaded = 0
    chromium.ask("document.querySelector('nav a[lang=es]').click()")
    chromium.wait_loaded()
    assert chromium.ask("document.documentElement.lang") == "es"
    assert chromium.requests[1:] == [pages["report.es.html"].as_uri()]


def test_a_label_that_is_read_from_right_to_left_stands_so(chromium: Browser, pages: dict[str, Path]) -> None:
    chromium.open(pages["fix-it-002.html"].as_uri())
    assert chromium.ask("getComputedStyle(document.querySelector('.question bdi')).direction") == "rtl"
    assert chromium.ask("getComputedStyle(document.querySelector('.question')).direction") == "ltr"
    first = "(() => { const r = document.createRange(), t = document.querySelector('.question bdi').firstChild;"
    assert chromium.ask(
        first + "r.setStart(t, 0); r.setEnd(t, 1); const a = r.getBoundingClientRect().left;"
        "r.setStart(t, 9); r.setEnd(t, 10); return a > r.getBoundingClientRect().left })()"
    )
