"""Small forms whose logic makes rules of every kind, as rows of a survey sheet."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from dialogkit.forms.build import build_form
from dialogkit.model.form import BuiltForm

GATES = """
|  | text | key | K |  |  |  |  |  |  |
|  | integer | n | N | yes | regex(${key}, '^(?!no).*$') | . < 10 |  |  |  |
|  | text | after | A |  | ${n} > 3 |  |  |  |  |
|  | begin repeat | row | R |  | regex(${key}, '^(?!no).*$') |  |  |  |  |
|  | text | t | T | yes |  |  |  |  |  |
|  | end repeat |  |  |  |  |  |  |  |  |
"""
IMPORTED = """
|  | text | source_ref | S |  |  |  |  |  |  |
|  | integer | from | F |  |  |  |  |  |  |
|  | integer | to | T | yes |  | . > ${from} |  |  |  |
|  | integer | last | L |  |  | . > ${from} and regex(., '^(?!0).*$') |  |  |  |
|  | select_one town | basis | B |  |  |  |  | of = if(${source_ref} = '', 'm', 'n') |  |
"""
HEAD = """
| survey |  |  |  |  |  |  |  |  |  |
|  | type | name | label | required | relevant | constraint | calculation | choice_filter | repeat_count |
"""
TAIL = """
| choices |  |  |  |  |
|  | list_name | name | label | of |
|  | yn | yes | Yes |  |
|  | yn | no | No |  |
|  | land | m | M |  |
|  | land | n | N |  |
|  | town | m1 | M1 | m |
|  | town | m2 | M2 | m |
|  | town | n1 | N1 | n |
| settings |  |  |  |  |
|  | form_id | version | form_title |  |
|  | f | {version} | F |  |
"""
#: Nested repeats, groups in them, counts, places, sums, and lists that follow from other answers.
ROWS = """
|  | end | end |  |  |  |  |  |  |  |
|  | integer | n | N | yes |  | . >= 0 and . < 5 |  |  |  |
|  | select_one land | land | L |  |  |  |  |  |  |
|  | begin repeat | a | A |  | ${n} > 0 |  |  |  | ${n} |
|  | integer | age | Age | ${n} > 1 |  | . < 120 and . >= position(..) |  |  |  |
|  | begin group | g | G |  | ${age} >= 18 |  |  |  |  |
|  | select_one town | town | T | yes |  |  |  | of = ${land} |  |
|  | select_multiple town | towns | T |  | ${town} != '' | count-selected(.)<3 |  | of = ${land} or name = ${town} |  |
|  | begin repeat | b | B |  | ${town} = 'm1' |  |  |  |  |
|  | date | day | D | yes |  | . <= today() |  |  |  |
|  | integer | pay | P |  | position(..) < 3 | . <= ${age} |  |  |  |
|  | calculate | twice |  |  | ${pay} > 0 |  | ${pay} * 2 + ${age} |  |  |
|  | end repeat |  |  |  |  |  |  |  |  |
|  | calculate | paid |  |  |  |  | sum(${pay}) + count(${b}) |  |  |
|  | end group |  |  |  |  |  |  |  |  |
|  | end repeat |  |  |  |  |  |  |  |  |
|  | calculate | ages |  |  |  |  | sum(${age}) |  |  |
|  | calculate | first |  |  |  |  | indexed-repeat(${age}, ${a}, 1) |  |  |
|  | text | why | W | ${ages} > 100 | ${first} > 20 | string-length(.) > 1 |  |  |  |
|  | select_one yn | more | M |  | ${ages} > 0 |  |  |  |  |
|  | begin group | h | H |  | ${more} = 'yes' |  |  |  |  |
|  | begin repeat | gated | G |  | ${more} = 'yes' |  |  |  |  |
|  | text | said | S | yes |  |  |  |  |  |
|  | end repeat |  |  |  |  |  |  |  |  |
|  | end group |  |  |  |  |  |  |  |  |
"""
#: Each answer hides or shows the next, calculations too; and a file with places.
CHAIN = """
|  | select_one yn | a | A | yes |  |  |  |  |  |
|  | select_one yn | b | B | yes | ${a} = 'yes' |  |  |  |  |
|  | select_one yn | c | C | yes | ${b} != 'yes' |  |  |  |  |
|  | select_one yn | d | D | yes | ${c} = 'yes' or ${b} = '' |  |  |  |  |
|  | calculate | k |  |  | ${d} = 'yes' |  | if(${b} = '', 3, 7) |  |  |
|  | calculate | l |  |  |  |  | concat(${k}, ${d}) |  |  |
|  | integer | e | E | ${k} = 3 | ${k} != 7 | . > 2 and . != ${k} |  |  |  |
|  | begin repeat | r | R |  | ${e} > 3 |  |  |  |  |
|  | integer | x | X | yes |  | . < ${e} |  |  |  |
|  | begin repeat | s | S |  | ${x} > 1 |  |  |  |  |
|  | text | t | T | yes | ${x} > 2 |  |  |  |  |
|  | end repeat |  |  |  |  |  |  |  |  |
|  | end repeat |  |  |  |  |  |  |  |  |
|  | calculate | m |  |  |  |  | count(${r}) + count-non-empty(${t}) |  |  |
|  | select_one_from_file places.csv | p | P |  | ${m} < 9 |  |  | zone = ${d} |  |
|  | text | q | Q | ${p} = 'one' | ${p} != '' and ${m} >= 0 |  | pulldata('places', 'zone', 'name', ${p}) |  |  |
"""
PLACES: Final = "name,label,zone\none,One,yes\ntwo,Two,no\nthree,Three,yes\n"
#: What SQL cannot say (look-ahead): all kinds of rules by Python, beside rules by SQL that rest on the same answers.
PYTHON = """
|  | text | key | Key |  |  | regex(., '^(?=.*[a-z])[a-z0-9]+$') |  |  |  |
|  | integer | n | N | yes | regex(${key}, '^(?!no).*$') | . < 10 |  |  |  |
|  | text | must | Must | regex(${key}, '^(?!no).*$') |  |  |  |  |  |
|  | calculate | c |  |  |  |  | if(regex(${key}, '^(?!no).*$'), 'x', 'y') |  |  |
|  | select_one yn | one | One |  |  |  |  | regex(name, concat('^(?!', ${key}, ').*$')) |  |
|  | text | after | After | yes | ${n} > 3 | . != ${must} |  |  |  |
|  | begin repeat | row | Rows |  | regex(${key}, '^(?!no).*$') |  |  |  |  |
|  | integer | k | K | yes |  | . > 0 |  |  |  |
|  | begin repeat | in | In |  | ${k} > 1 |  |  |  | ${k} |
|  | text | t | T | yes |  |  |  |  |  |
|  | end repeat |  |  |  |  |  |  |  |  |
|  | end repeat |  |  |  |  |  |  |  |  |
|  | begin group | g | G |  | regex(${key}, '^(?!no).*$') |  |  |  |  |
|  | select_one yn | has | Has |  |  |  |  |  |  |
|  | begin repeat | gated | Gated |  | ${has} = 'yes' |  |  |  |  |
|  | text | gt | T | yes |  |  |  |  |  |
|  | end repeat |  |  |  |  |  |  |  |  |
|  | end group |  |  |  |  |  |  |  |  |
|  | calculate | sum |  |  |  |  | count(${row}) |  |  |
|  | text | last | Last | ${sum} > 1 | ${has} != 'no' |  |  |  |  |
"""
#: The day on the phone by other questions than `end`.
DAYS = """
|  | today | today |  |  |  |  |  |  |  |
|  | date | from | F | yes |  | . <= today() |  |  |  |
|  | date | to | T |  | ${from} < today() - 1 | . > ${from} |  |  |  |
|  | calculate | days |  |  |  |  | int(decimal-date-time(${to}) - decimal-date-time(${from})) |  |  |
|  | text | long | L | ${days} > 30 | ${days} != '' |  |  |  |  |
"""


def made(folder: Path, rows: str, version: str = "1") -> BuiltForm:
    """The form of markdown rows."""
    (folder / "places.csv").write_text(PLACES, encoding="utf-8")
    path = folder / f"v{version}.md"
    path.write_text(f"{HEAD.strip()}\n{rows.strip()}\n{TAIL.format(version=version).strip()}\n", encoding="utf-8")
    return build_form(path)
