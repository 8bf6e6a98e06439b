"""Published exports of Ona and Briefcase, compared cell by cell with what was landed.

The mapping. Ona: a heading is the full path, with `[n]` behind a repeat for its row; `q/choice` is a choice that was
ticked (True) or not; `_q_latitude`, `_q_longitude`, `_q_altitude`, `_q_precision` are parts of a point; `n/a` and
nothing mean no answer. Briefcase: `-` joins groups; `q-Latitude`… are parts of a point, `q/choice` 1 or 0; a file a
repeat, whose rows are named by KEY (`<submission>/g1[1]/g2[2]`); dates and times in American English, in UTC.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import duckdb

from dialogkit.model.form import Form
from tests.accounting import Key, cells_of, rows_of_tables
from tests.accounting_values import fits
from tests.corpus.material import CORPUS

#: Columns that the server makes of its own clock, settings and accounts: no submission holds them.
SERVER: Final = frozenset(
    {"_id", "_submission_time", "_tags", "_notes", "_version", "_duration", "_submitted_by", "_total_media"}
    | {"_media_count", "_media_all_received", "_index", "_parent_table_name", "_parent_index", "isValidated"}
)
_EMPTY: Final = ("", "n/a")
_PARTS: Final = {"latitude": "lat", "longitude": "lon", "altitude": "altitude", "precision": "accuracy"}
_PARTS_BRIEFCASE: Final = {"Latitude": "lat", "Longitude": "lon", "Altitude": "altitude", "Accuracy": "accuracy"}
_TICKED: Final = {"True": True, "1": True, "False": False, "0": False}


@dataclass
class Comparison:
    """One export beside the warehouse.

    Args:
        name: of the export, for the list of differences.
        form: the form, for its paths and repeats.
        cells: as `tests.accounting.cells_of` gives them.
        instances: submission → its instanceID.
        times: submission → when it came, in seconds.
        rows: as `tests.accounting.rows_of_tables` gives them.
        differences: what differs: `name: heading` (the first row with it).
        compared: how many cells were equal.
    """

    name: str
    form: Form
    cells: Mapping[Key, tuple[str, Any]]
    instances: Mapping[str, str]
    times: Mapping[str, float]
    rows: Set[tuple[str, str, str]]
    differences: set[str] = field(default_factory=set)
    shown: set[Key] = field(default_factory=set)
    compared: int = 0

    def differs(self, what: str) -> None:
        """Note a difference."""
        self.differences.add(f"{self.name}: {what}")

    def cell(self, submission: str, path: str, row: str) -> tuple[str, Any]:
        """Kind and value; no kind where nothing stands."""
        key = (submission, self.form.repeat_of(path), row, path)
        self.shown.add(key)
        return self.cells.get(key, ("", None))

    def check(self, heading: str, said: bool) -> None:
        """One cell of the export was found equal, or not."""
        self.compared += said
        if not said:
            self.differs(heading)

    def check_rest(self, levels: set[str]) -> None:
        """What was landed at these levels and the export does not show."""
        for submission, level, row, path in self.cells.keys() - self.shown:
            if level in levels and submission in self.instances:
                self.differs(f"not shown there: {path}{f' in row {row}' if row else ''}")


def expected_rows(path: str) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of an export of the corpus."""
    with (CORPUS / path).open(encoding="utf-8", newline="") as file:
        headings, *rows = list(csv.reader(file))
    return headings, rows


def open_comparison(db: duckdb.DuckDBPyConnection, path: str, set_name: str, form: Form) -> Comparison:
    """The landed cells of a set, to be compared with an export."""
    query = "SELECT submission_id, instance_id, epoch(submitted_at) FROM ops.submissions WHERE form_id = ? ORDER BY ALL"
    rows = db.execute(query, [set_name]).fetchall()
    instances, times = {key: one for key, one, _ in rows}, {key: at for key, _, at in rows}
    return Comparison(path, form, cells_of(db, set_name), instances, times, rows_of_tables(db, set_name))


def compare_ona(found: Comparison, *, row_of_repeat: str = "") -> None:
    """Compare an export of Ona.

    Args:
        found: what to compare.
        row_of_repeat: the repeat that each line is a row of, for exports that have a line a row.
    """
    headings, rows = expected_rows(found.name)
    by_instance = {instance: submission for submission, instance in found.instances.items()}
    own = next((n for n, one in enumerate(headings) if one.endswith("instanceID")), None)
    seen = []
    for number, row in enumerate(rows, start=1):
        submission = by_instance.get(row[own], "") if own is not None else next(iter(found.instances))
        seen.append(submission)
        if not submission:
            found.differs(f"line {number}")
            continue
        times: dict[str, int] = {}
        for heading, said in zip(headings, row, strict=True):
            times[heading] = times.get(heading, 0) + 1
            place = str(number) if row_of_repeat and heading.startswith(f"{row_of_repeat}/") else str(times[heading])
            _compare_ona(found, submission, heading, said, place)
    if set(seen) != set(found.instances) or (not row_of_repeat and len(seen) != len(found.instances)):
        found.differs("other submissions")
    found.check_rest({row_of_repeat} if own is None else {"", *found.form.repeats})


def _compare_ona(found: Comparison, submission: str, heading: str, said: str, place: str) -> None:
    instance = found.instances[submission]
    if heading in SERVER:
        return
    if heading in ("_uuid", "meta/instanceID", "instanceID"):
        found.check(heading, said in (instance, instance.removeprefix("uuid:")) or (heading == "_uuid" and not said))
        return
    row = "/".join(re.findall(r"\[(\d+)\]", heading))
    path = _whole_path(found.form, re.sub(r"\[\d+\]", "", heading))
    above = found.form.repeat_of(path)
    row = row or (place if above else "")
    asked = found.form.by_path
    before, _, leaf = path.rpartition("/")
    part = re.fullmatch(r"_(.+)_(latitude|longitude|altitude|precision)", leaf)
    point = f"{before}/{part[1]}" if part and before else part[1] if part else ""
    if path in asked:
        kind, cell = found.cell(submission, path, row)
        found.check(heading, _same(kind, cell, said))
    elif point in asked and part:
        cell = found.cell(submission, point, row)[1]
        found.check(heading, _same_part(cell, _PARTS[part[2]], said))
    elif before in asked and asked[before].type == "select_multiple":
        found.check(heading, _same_tick(found.cell(submission, before, row)[1], leaf, said))
    else:
        found.differs(heading)


def _whole_path(form: Form, heading: str) -> str:
    """Ona can leave the groups out of its headings."""
    named = [question.path for question in form.named(heading)]
    return named[0] if heading not in form.by_path and len(named) == 1 else heading


def _same(kind: str, cell: Any, said: str) -> bool:
    if said in _EMPTY or not kind:
        return cell is None and said in _EMPTY
    return fits(kind, cell, said)


def _same_part(point: Any, part: str, said: str) -> bool:
    here = point[part] if point else None
    return here is None if said in _EMPTY else here == float(said)


def _same_tick(chosen: Any, choice: str, said: str) -> bool:
    return chosen is None if said in _EMPTY else chosen is not None and (choice in chosen) is _TICKED.get(said)


def compare_briefcase(found: Comparison, repeat: str = "") -> None:
    """Compare an export of Briefcase: the main file, or that of one repeat."""
    headings, rows = expected_rows(found.name)
    names = dict(_briefcase_names(found.form, repeat))
    seen = []
    for row in rows:
        cells = dict(zip(headings, row, strict=True))
        submission, place = _placed(cells["KEY"])
        seen.append((submission, place))
        for heading, said in cells.items():
            if heading not in SERVER:
                _compare_briefcase(found, names, (submission, place), heading, said, cells["KEY"])
    here = {(submission, row) for submission, level, row in found.rows if level == repeat}
    if len(set(seen)) != len(seen) or set(seen) != here:
        found.differs("other rows")
    found.check_rest({repeat})


def _compare_briefcase(
    found: Comparison,
    names: Mapping[str, str],
    place: tuple[str, str],
    heading: str,
    said: str,
    key: str,
) -> None:
    submission, row = place
    name, _, part = heading.rpartition("-")
    question, _, choice = heading.rpartition("/")
    if heading in ("KEY", "PARENT_KEY", "meta-instanceID", "SubmissionDate") or heading.startswith("SET-OF-"):
        found.check(heading, _same_envelope(found, place, heading, said, key))
    elif heading in names:
        kind, cell = found.cell(submission, names[heading], row)
        found.check(heading, _same(kind, cell, _iso(kind, said)))
    elif name in names and part in _PARTS_BRIEFCASE:
        cell = found.cell(submission, names[name], row)[1]
        found.check(heading, _same_part(cell, _PARTS_BRIEFCASE[part], said))
    elif question in names:
        kind, cell = found.cell(submission, names[question], row)
        found.check(heading, _same_tick([cell] if kind == "select_one" else cell, choice, said))
    else:
        found.differs(heading)


def _same_envelope(found: Comparison, place: tuple[str, str], heading: str, said: str, key: str) -> bool:
    submission, row = place
    if heading == "KEY":
        return True  # the row was found by it
    if heading == "PARENT_KEY":
        return said == key.rpartition("/")[0]
    if heading == "meta-instanceID":
        return said in ("", found.instances.get(submission))
    if heading == "SubmissionDate":
        return int(found.times.get(submission, 0)) == moment(said).timestamp()
    below = heading.removeprefix("SET-OF-")
    if key.rpartition("/")[2].partition("[")[0] == below:
        return said == key.rpartition("[")[0]
    inside = f"{row}/" if row else ""
    has = any(
        one[0] == submission and one[1].rpartition("/")[2] == below and one[2].startswith(inside) for one in found.cells
    )
    return said == (f"{key}/{below}" if has else "")


def _briefcase_names(form: Form, repeat: str) -> Iterator[tuple[str, str]]:
    """Heading → path."""
    for path in form.by_path:
        if form.repeat_of(path) == repeat:
            yield path.removeprefix(f"{repeat}/" if repeat else "").replace("/", "-"), path


def _placed(key: str) -> tuple[str, str]:
    """Submission and row: `uuid:1/g1[1]/g2[2]` is row `1/2` of `uuid:1`."""
    submission, *above = key.split("/")
    return submission, "/".join(part.partition("[")[2].rstrip("]") for part in above)


def moment(said: str, way: str = "%b %d, %Y %I:%M:%S %p") -> datetime:
    """A date and time as Briefcase writes it, in UTC.

    Raises:
        ValueError: it is none.
    """
    return datetime.strptime(said, way).replace(tzinfo=UTC)


def _iso(kind: str, said: str) -> str:
    """American dates and times as they were typed; what is none stays."""
    try:
        if kind == "date":
            return moment(said, "%b %d, %Y").date().isoformat()
        if kind == "time":
            return moment(said, "%I:%M:%S %p").time().isoformat() + "Z"
        if kind == "datetime":
            return moment(said).isoformat()
    except ValueError:
        pass
    return said
