"""Rules as suites of Great Expectations' own JSON, with the views that they judge, over a snapshot.

A suite judges one table, so there is one for each view: `<form_id>.check_<n>.json`. `<form_id>.sql` makes the views
under the names that a landing gives them, over accepted answers instead of a batch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Any, Final

import duckdb
import great_expectations as gx

from dialogkit import sql
from dialogkit.files import write_whole
from dialogkit.model.staged import Staged
from dialogkit.model.table import Table
from dialogkit.validate.gate import build
from dialogkit.validate.rule import Rule
from dialogkit.validate.statement import for_sqlalchemy, placed

#: Rules of a form that judge what a snapshot does not hold.
_NOT_IN_SNAPSHOT: Final[Mapping[str, str]] = {
    "FORM-VERSION": "submissions of an unknown version are not accepted",
    "FORM-SEALED": "encrypted answers are not accepted",
    "FORM-DRIFT": "answers at unknown paths stand apart from accepted answers",
    "FORM-TYPE": "answers that are not of their type stand apart from accepted answers",
}
_SEVERITY: Final = {"hold": "critical", "note": "info"}
_VIEW: Final = "check_"
_README: Final = '''# Rules for Great Expectations

Suites of Great Expectations {version}, written by `dialogkit rules export`: for each form a file `<form_id>.sql`, which
makes the views `check_<n>` over a snapshot, and for each view a suite `<form_id>.check_<n>.json`. `meta` holds
`rule` (its code), `action`, `mostly` and `path` of each. Great Expectations does not know DuckDB, so dialogkit lends it
the connection. Start Python in this folder and paste; it prints each rule that is not met in the newest snapshot, with
the number of rows that break it, or its figure.

```python
import json
from pathlib import Path

import duckdb
import great_expectations as gx

from dialogkit.validate.lent import lent


SNAPSHOTS = {snapshots}


def run(form_id, snapshot, folder="."):
    """Every suite of a form over a snapshot: a list of Great Expectations' own results."""
    db = duckdb.connect(str(snapshot), read_only=True)
    db.execute(Path(folder, f"{{form_id}}.sql").read_text(encoding="utf-8"))
    found = []
    with lent(db) as address:
        context = gx.get_context(mode="ephemeral")
        source = context.data_sources.add_sql("snapshot", connection_string=address, create_temp_table=False)
        for path in sorted(Path(folder).glob(f"{{form_id}}.check_*.json")):
            suite = gx.ExpectationSuite(**json.loads(path.read_text(encoding="utf-8")))
            view = suite.name.rpartition(".")[2]
            asset = source.add_table_asset(view, table_name=view)
            batch = asset.add_batch_definition_whole_table("all").get_batch()
            found.append(batch.validate(suite, result_format="COMPLETE"))
    return found


def told(snapshot, folder="."):
    """A line for each rule that is not met, and one for each form."""
    for form_id in sorted(path.stem for path in Path(folder).glob("*.sql")):
        try:
            results = [result for found in run(form_id, snapshot, folder) for result in found.results]
        except duckdb.CatalogException:
            yield f"{{form_id}}: not in this snapshot"
            continue
        broken = [result for result in results if not result.success]
        yield f"{{form_id}}: {{len(results)}} rules, {{len(broken)}} not met"
        for result in broken:
            found = result.result.get("unexpected_count", result.result.get("observed_value"))
            yield f"  {{result.expectation_config.meta['rule']}}: {{found}}"


if __name__ == "__main__":
    newest = max(Path(SNAPSHOTS).glob("*.duckdb"), default=None)
    print(*(told(newest) if newest else ["There is no snapshot yet."]), sep="\\n")
```

- A snapshot holds accepted answers only. Rules that judge something else are left out; `<form_id>.sql` names each at
  its end with the reason.
- `mostly` of a rule in SQL is dialogkit's own: Great Expectations says that such a rule failed with its first row.
- `today()` is the day on which the views are made; a landing takes the day of the pull.
'''


@dataclass(frozen=True)
class Exported:
    """What was written of one form: files, rules in them, and rules left out with the reason."""

    form_id: str
    files: tuple[str, ...]
    rules: int
    left_out: Mapping[str, str]


def export_suites(
    db: duckdb.DuckDBPyConnection,
    snapshot: duckdb.DuckDBPyConnection,
    staged: Staged,
    rules: Sequence[Rule],
    to: Path,
    snapshots: str,
) -> Exported:
    """Write the rules of a form as `<to>.sql`, `<to>.check_<n>.json` and a README beside them.

    Args:
        db: holds `staged`, and no accepted tables.
        snapshot: has empty `accepted` tables of the form; the views are tried there.
        staged: a batch without submissions.
        rules: as a landing would run them.
        to: the folder, and in it what the names of the files begin with: a safe name of the form.
        snapshots: where the snapshots are, as seen from that folder: the program in the README takes the newest.
    """
    relations = [*_relations(staged), *_over_form(db)]
    for statement in relations:
        snapshot.execute(statement)
    people = [rule for rule in rules if rule.expectation]
    made, left_out = _sayable(snapshot, [rule for rule in rules if not rule.expectation])
    texts = dict.fromkeys(text for rule in people if rule.expectation for text in rule.expectation.others.values())
    texts |= dict.fromkeys(rule.expectation.view for rule in people if rule.expectation)
    views = {text: f"{_VIEW}{number}" for number, text in enumerate(texts, 1)}
    statements = [*relations, *(f"CREATE OR REPLACE TEMP VIEW {name} AS {text}" for text, name in views.items())]
    statements += _violations(made)
    suites = {f"{_VIEW}0": [_of_form(rule) for rule in made]} if made else {}
    for rule in people:
        if rule.expectation:
            view = views[rule.expectation.view]
            arguments = placed(rule.expectation, views)
            suites.setdefault(view, []).append(_expectation(rule, rule.expectation.type, arguments))
    write_whole(to.parent / "README.md", _README.format(version=gx.__version__, snapshots=repr(snapshots)).encode())
    return _write(staged.form_id, statements, suites, left_out, to)


def _relations(staged: Staged) -> Iterator[str]:
    """What a landing calls the tables of a batch, over accepted answers."""
    yield "SET TimeZone = 'UTC'"
    yield "SET VARIABLE dialogkit_today = current_date"
    for table in staged.tables:
        yield f"CREATE OR REPLACE TEMP VIEW {sql.name(staged.relations[table.name])} AS {_accepted(table)}"
    main = sql.name("accepted", staged.tables[0].name)
    yield (
        f"CREATE OR REPLACE TEMP VIEW {sql.name(staged.submissions)} AS "
        f"SELECT _submission_id AS submission_id, _form_version AS form_version, 'new' AS state FROM {main}"
    )
    yield (
        f"CREATE OR REPLACE TEMP VIEW {sql.name(staged.issues)} AS SELECT '' AS submission_id, '' AS table_name, "
        "'' AS row, '' AS path, '' AS kind, '' AS raw WHERE false"
    )


def _accepted(table: Table) -> str:
    """Identifiers stand apart from accepted answers: here they are empty."""
    identifiers = {column.name for column in table.identifiers}
    cells = [sql.name(name) for name in table.own_columns]
    cells += [
        f"CAST(NULL AS {column.sql_type}) AS {sql.name(column.name)}"
        if column.name in identifiers
        else sql.name(column.name)
        for column in table.columns
    ]
    return f"SELECT {', '.join(cells)} FROM {sql.name('accepted', table.name)}"


def _over_form(db: duckdb.DuckDBPyConnection) -> list[str]:
    """The views of rules over the whole form: all that is accepted is the whole form here."""
    rows = db.execute("SELECT sql FROM duckdb_views() WHERE temporary AND starts_with(view_name, 'stage_form_')")
    return [str(text).rstrip("; \n") for (text,) in rows.fetchall()]


def _sayable(snapshot: duckdb.DuckDBPyConnection, rules: Sequence[Rule]) -> tuple[list[Rule], dict[str, str]]:
    """The rules of the form whose SQL runs over accepted answers, and the others with the reason."""
    sayable, left_out = [], {}
    for rule in rules:
        reason = _NOT_IN_SNAPSHOT.get(rule.code.partition(":")[0], "")
        if not reason and not rule.query:
            reason = "; ".join(rule.undecided) or "it is judged by Python"
        if not reason and not _runs(snapshot, rule.query):
            reason = "it judges more than accepted answers"
        if reason:
            left_out[rule.code] = reason
        else:
            sayable.append(rule)
    return sayable, left_out


def _runs(snapshot: duckdb.DuckDBPyConnection, query: str) -> bool:
    try:
        snapshot.execute(query)
    except duckdb.Error:
        return False
    return True


def _violations(rules: Sequence[Rule]) -> Iterator[str]:
    """The violation table of the form's own rules, made once: many rules ask it."""
    table = f"{_VIEW}0"
    yield f"CREATE OR REPLACE TEMP TABLE {table} (_submission_id VARCHAR, _row VARCHAR, rule VARCHAR)"
    for rule in rules:
        cells = f"SELECT v.id, coalesce(v.row, ''), {sql.text(rule.code)}"
        yield f"INSERT INTO {table} {cells} FROM ({rule.query}) AS v(id, row)"


def _of_form(rule: Rule) -> Any:
    code = sql.text(rule.code).replace("{", "{{").replace("}", "}}")
    query = f"SELECT _submission_id, _row FROM {{batch}} WHERE rule = {code}"
    return _expectation(rule, "unexpected_rows_expectation", {"unexpected_rows_query": query})


def _expectation(rule: Rule, kind: str, arguments: Mapping[str, Any]) -> Any:
    meta = {"rule": rule.code, "action": rule.action, "mostly": rule.mostly, "path": rule.path}
    facts = {"meta": meta, "description": rule.messages["en"], "severity": _SEVERITY[rule.action]}
    return build(kind, {**for_sqlalchemy(arguments), **facts})


def _write(
    form_id: str, statements: Sequence[str], suites: Mapping[str, Sequence[Any]], left_out: Mapping[str, str], to: Path
) -> Exported:
    for old in to.parent.glob(
        f"{escape(to.name)}.check_*.json"
    ):  # of an earlier export: another view may have its number now
        old.unlink()
    # Any kind of line end would end the comment.
    told = [" ".join(f"-- not here: {code}: {reason}".split()) for code, reason in left_out.items()]
    files = {f"{to.name}.sql": "\n".join([*(f"{one};" for one in statements), *told]) + "\n"}
    for view, expectations in suites.items():
        suite = gx.ExpectationSuite(f"{to.name}.{view}", expectations=list(expectations))
        files[f"{to.name}.{view}.json"] = json.dumps(suite.to_json_dict(), ensure_ascii=False, indent=2) + "\n"
    for name, text in files.items():
        write_whole(to.parent / name, text.encode())
    return Exported(form_id, tuple(files), sum(map(len, suites.values())), left_out)
