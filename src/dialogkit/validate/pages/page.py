"""One whole page: its head, its look on screen, on paper and in the dark. It holds everything that it shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dialogkit.validate.pages.html import Html, Inside, el, join

#: Even if markup came in by a text, a browser would load and run nothing.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

_STYLE: Final = """
:root{color-scheme:light dark;--paper:#fff;--soft:#f3f5f8;--ink:#18202c;--faint:#566072;--rule:#d5dbe4;--link:#0b57a4;
--accepted:#1f7a5a;--held:#b45309;--refused:#7652a8;--other:#6b7687;--head:#12314f;--on-head:#fff}
@media (prefers-color-scheme:dark){:root{--paper:#11161d;--soft:#1a212b;--ink:#e6eaf0;--faint:#a3aebd;--rule:#333d4b;
--link:#7db7f5;--accepted:#4fbf95;--held:#f0a04b;--refused:#b79ae0;--other:#8f9bad;--head:#0b1b2c;--on-head:#eef3f9}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"Noto Sans",sans-serif;overflow-wrap:break-word}
header,main,footer{padding:1rem max(1rem,calc((100% - 68rem)/2))}
header{background:var(--head);color:var(--on-head)}
header a{color:inherit}
h1{font-size:1.7rem;line-height:1.2;margin:.2rem 0}
h2{font-size:1.4rem;line-height:1.25;margin:2.2rem 0 .6rem;padding-top:.8rem;border-top:2px solid var(--rule)}
main>section:first-of-type>h2{margin-top:.6rem}
h3{font-size:1.05rem;margin:1.6rem 0 .4rem}
p{margin:.4rem 0;max-width:46rem}
a{color:var(--link)}
a:focus-visible,[tabindex]:focus-visible{outline:3px solid var(--held);outline-offset:2px}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.85em;overflow-wrap:anywhere}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.faint{color:var(--faint);font-size:.9rem}
header .faint{color:inherit}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;margin:.6rem 0 0;padding:0}
nav [aria-current]{font-weight:700}
dl.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.7rem;margin:.8rem 0}
dl.tiles div{background:var(--soft);border-top:4px solid var(--other);border-radius:4px;padding:.6rem .8rem}
dl.tiles dt{font-size:.9rem;color:var(--faint)}
dl.tiles dd{margin:0;font-size:1.6rem;font-weight:650;line-height:1.25;font-variant-numeric:tabular-nums}
dl.tiles dd small{font-size:.85rem;font-weight:400;color:var(--faint);white-space:nowrap}
dl.tiles .accepted{border-color:var(--accepted)} dl.tiles .held{border-color:var(--held)}
dl.tiles .refused{border-color:var(--refused)}
.wide{overflow-x:auto;margin:.4rem 0}
table{border-collapse:collapse;width:100%;font-size:.94rem}
caption{text-align:start;color:var(--faint);font-size:.9rem;padding-bottom:.3rem}
th,td{text-align:start;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid var(--rule)}
thead th{background:var(--soft);font-weight:600;vertical-align:bottom}
tbody th{font-weight:500}
.n{text-align:end;font-variant-numeric:tabular-nums;white-space:nowrap}
td:last-child:not(.n){min-width:10rem}
td code,th code{color:var(--faint)}
.tag{display:inline-block;border:1px solid currentColor;border-radius:3px;padding:0 .35rem;font-size:.82rem;
white-space:nowrap}
.tag.held{color:var(--held)} .tag.other{color:var(--faint)}
svg{display:block;max-width:100%;height:auto}
svg.chart{min-width:36rem;width:100%;max-width:52rem}
svg text{fill:var(--ink);font:12px system-ui,sans-serif}
svg line{stroke:var(--rule)}
.accepted{fill:var(--accepted)} .held{fill:var(--held)} .refused{fill:var(--refused)} .other{fill:var(--other)}
svg.share{width:7rem;height:.6rem;margin-top:.3rem}
.n svg.share{margin-inline-start:auto}
table.small{max-width:34rem}
svg.share .back{fill:var(--rule)}
.list article{border:1px solid var(--rule);border-inline-start:5px solid var(--held);border-radius:4px;
padding:.5rem .9rem .8rem;margin:1rem 0;break-inside:avoid}
.list h3{margin:.3rem 0}
.list ul{list-style:none;margin:.6rem 0 0;padding:0}
.list li{display:grid;grid-template-columns:1.5rem 1fr;padding:.55rem 0;border-top:1px solid var(--rule)}
.list .box{width:1rem;height:1rem;border:2px solid var(--faint);border-radius:2px;margin-top:.28rem}
.list .question{font-weight:650}
.do{font-style:italic}
@media (max-width:40rem){body{font-size:15px}th,td{padding:.35rem .4rem}h1{font-size:1.4rem}
table.stack thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table.stack,table.stack tbody,table.stack tr,table.stack th,table.stack td{display:block}
table.stack tr{border-bottom:1px solid var(--rule);padding:.4rem 0}
table.stack th,table.stack td{border:0;padding:.1rem .2rem;text-align:start;white-space:normal}
table.stack caption{display:block}
table.stack td:empty{display:none}
table.stack td[data-name]::before{content:attr(data-name) ": ";color:var(--faint)}
:lang(fr) table.stack td[data-name]::before{content:attr(data-name) "\u202f: "}
table.stack svg.share{display:inline-block;margin:0 0 0 .6rem}}
@media print{:root{color-scheme:light;--paper:#fff;--soft:#f3f5f8;--ink:#000;--faint:#444;--rule:#bbb;--link:#000;
--accepted:#1f7a5a;--held:#b45309;--refused:#7652a8;--other:#6b7687;--head:#fff;--on-head:#000}
@page{margin:15mm}body{font-size:10.5pt;print-color-adjust:exact;-webkit-print-color-adjust:exact}
header,main,footer{padding:.3rem 0}nav{display:none}.wide{overflow:visible}svg.chart{min-width:0}
tr,dl.tiles,figure{break-inside:avoid}h2,h3,caption{break-after:avoid;break-inside:avoid}thead{display:table-header-group}
.list a[href^="http"]::after{content:" (" attr(href) ")";overflow-wrap:anywhere;font-size:.85em}}
"""


def page(language: str, title: str, head: Inside, body: Inside, foot: Inside) -> bytes:
    """A whole HTML file.

    Args:
        language: of its words.
        title: in the window's bar.
        head: its name and ways to other pages.
        body: what it says.
        foot: its last line.
    """
    inside = el(
        "html",
        el(
            "head",
            el("meta", charset="utf-8"),
            el("meta", http_equiv="Content-Security-Policy", content=_POLICY),
            el("meta", name="viewport", content="width=device-width, initial-scale=1"),
            el("meta", name="referrer", content="no-referrer"),
            el("meta", name="robots", content="noindex"),
            el("title", title),
            el("style", Html(_STYLE)),
        ),
        el("body", el("header", head), el("main", body), el("footer", foot, class_="faint")),
        lang=language,
        dir="ltr",
    )
    return f"<!DOCTYPE html>\n{inside}\n".encode()


def table(
    caption: Inside, columns: Sequence[str], rows: Sequence[Sequence[Inside]], *, numbers: Sequence[int] = ()
) -> Html:
    """A table whose first column names the row; on a narrow screen each row is a small list.

    Args:
        caption: what it is of.
        columns: headings.
        rows: cells.
        numbers: which columns hold numbers.
    """

    def kind(place: int) -> str | None:
        return "n" if place in numbers else None

    heads = [el("th", name, scope="col", class_=kind(place)) for place, name in enumerate(columns)]
    lines = [
        el(
            "tr",
            el("th", row[0], scope="row"),
            *[el("td", cell, class_=kind(place), data_name=columns[place]) for place, cell in enumerate(row) if place],
        )
        for row in rows
    ]
    looks = "stack small" if len(columns) == 2 else "stack"
    body = el("table", el("caption", caption), el("thead", el("tr", heads)), el("tbody", lines), class_=looks)
    return el("div", body, class_="wide")


def tiles(facts: Sequence[tuple[str, str, str, str]]) -> Html:
    """Large numbers: kind (`accepted`, `held`, `refused` or nothing), name, number, and a small word beside it."""
    return el(
        "dl",
        [
            el("div", el("dt", name), el("dd", figure, join(" ", el("small", beside)) if beside else ""), class_=kind)
            for kind, name, figure, beside in facts
        ],
        class_="tiles",
    )
