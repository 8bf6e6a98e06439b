"""A reader of one snapshot: tables, codebook, pandas, Arrow, Parquet and SQL, read only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import duckdb
import pandas as pd

from dialogkit import sql
from dialogkit.errors import WarehouseError
from dialogkit.model.table import Column, Table
from dialogkit.reading.codebook import Codebook, TableFacts, said
from dialogkit.reading.frames import Raw, array_of, categories, frame_of, raw_of, relabelled
from dialogkit.reading.parquet import write_tables
from dialogkit.reading.places import at_home, open_shut_off, snapshot_at
from dialogkit.reading.selection import Cell, Rows, cells_of, joined, rows_of
from dialogkit.steps.query import in_words, refused
from dialogkit.warehouse.connect import reading

if TYPE_CHECKING:
    import pyarrow as pa


def open_reader(path: str | PathLike[str] = ".") -> Reader:
    """Open the newest snapshot of a workspace for reading.

    Use it in a `with` block, or call `close()` when done. It goes on with the same data when newer snapshots come.

    Args:
        path: of a workspace (or a folder in it), of a folder of snapshots, or of one snapshot.

    Raises:
        ConfigError: the folder is in no workspace.
        WarehouseError: nothing is there, there is no snapshot yet, or it is the warehouse file itself.
    """
    return Reader(snapshot_at(at_home(path)))


class Reader:
    """One snapshot: what was accepted, without identifiers. Nothing can be changed through it.

    Args:
        snapshot: the file.
    """

    def __init__(self, snapshot: Path) -> None:
        self.snapshot = snapshot
        with ExitStack() as stack:
            # Two from the start: statements of others are shut off from all files, and the file may be gone later.
            self._shut = open_shut_off(stack, snapshot)
            self._db = stack.enter_context(reading(snapshot))
            # With one thread the order of rows, and so every byte of a file, is the same each time.
            self._db.execute("SET threads = 1")
            self._codebook = Codebook(self._db)
            self._closing: ExitStack | None = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Reader of {self.snapshot.name}{'' if self._closing else ', closed'}>"

    def close(self) -> None:
        """Let go of the file. Closing twice does no harm."""
        if self._closing:
            self._closing.close()
        self._closing = None

    def tables(self) -> list[TableFacts]:
        """Every table with its form, its repeat, the table that its rows belong to, and the number of rows."""
        with self._in_words():
            return self._codebook.facts()

    def columns(self, table: str, language: str = "") -> pd.DataFrame:
        """The codebook of a table, a row for each column.

        Args:
            table: its name, as `tables()` gives it.
            language: of labels, as the form names it or its code (`fr`); the form's first when empty.

        Returns:
            name, alias, label, kind, path, concept, disclosure, hxl, list_name, choices ({code: label}), was.
        """
        with self._in_words():
            one = self._codebook.table(table)
            spoken = self._codebook.language(one.form_id, language)
            rows = [
                (*_facts(column, spoken), self._labels(one, column, spoken), list(column.was)) for column in one.columns
            ]
        frame = pd.DataFrame(rows, columns=[*_FACTS, "choices", "was"])
        return frame.astype(dict.fromkeys(_FACTS, "string"))

    def sql(self, query: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> pd.DataFrame:
        """A question in SQL (DuckDB), as pandas with types that know blanks. It reaches nothing but the snapshot.

        Args:
            query: tables are `accepted.<table>`, `concepts.…`, `findings.…`, `ops.columns`.
            parameters: values for `?` (a list) or `$name` (a dict) in the query.
        """
        with self._in_words():
            if any(statement.type in _STATEFUL for statement in self._shut.extract_statements(query)):
                raise refused("This changes the connection; it does not ask for anything.", "Ask with SELECT.")
            relation = self._shut.sql(query, params=parameters or None)
            return frame_of([(raw.name, array_of(raw)) for raw in raw_of(relation)]) if relation else pd.DataFrame()

    def to_pandas(
        self, table: str, *, labels: bool | str = False, aliases: bool = False, where: str = ""
    ) -> pd.DataFrame:
        """A table as pandas, in the order of its keys. The labels of columns are in `frame.attrs["labels"]`.

        Integers are `Int64`, decimals `Float64`, texts `string`, yes/no of ours `boolean`, dates `datetime64[s]`,
        moments `datetime64[us, UTC]`, times of day `datetime.time`; a select_one is a category (in the order of its
        list, with codes that the list no longer has), a select_multiple a list; a point is four columns, `q__lat`,
        `q__lon`, `q__altitude`, `q__accuracy`; a line or area is a list of points.

        Args:
            table: its name, as `tables()` gives it.
            labels: True for labels of choices in place of codes, in the form's first language; or a language.
            aliases: name columns as statistics packages can (at most 32 characters).
            where: a condition in SQL, such as `country = 'ZMB'`.
        """
        with self._in_words():
            one = self._codebook.table(table)
            return self._frame(one, rows_of(one), labels, aliases=aliases, where=where)

    def join(self, table: str, *, labels: bool | str = False, aliases: bool = False, where: str = "") -> pd.DataFrame:
        """A repeat as `to_pandas` gives it, each row with the answers of the rows that it belongs to.

        A name that the repeat and a table above share is led, for the table above, by that table's name.

        Args:
            table: of the repeat.
            labels: as for `to_pandas`.
            aliases: as for `to_pandas`.
            where: as for `to_pandas`, with any column of the result.
        """
        with self._in_words():
            one = self._codebook.table(table)
            rows = joined(one, self._codebook.ancestors(one))
            return self._frame(one, rows, labels, aliases=aliases, where=where)

    def to_arrow(self, table: str) -> pa.Table:
        """A table for Arrow, in the order of its keys: codes, lists and points as the warehouse has them.

        Raises:
            WarehouseError: pyarrow is not installed, or there is no such table.
        """
        with self._in_words():
            rows = rows_of(self._codebook.table(table))
            if find_spec("pyarrow") is None:
                raise WarehouseError(
                    "WAREHOUSE-056",
                    "to_arrow",
                    "Arrow tables need the package pyarrow, which is not installed.",
                    'Install it: pip install "dialogkit[arrow]". Parquet files need nothing more: to_parquet(FOLDER).',
                )
            return self._db.sql(f"{rows.query} ORDER BY {rows.order}").to_arrow_table()

    def to_parquet(self, folder: str | PathLike[str], *, tables: Iterable[str] | None = None) -> list[Path]:
        """Write tables as `<table>.parquet` into a folder; the same data give the same bytes.

        Args:
            folder: made when it is not there; files of these names are replaced.
            tables: their names; all when None.

        Returns:
            The files.
        """
        with self._in_words():
            names = self._codebook.tables if tables is None else tables
            return write_tables(self._db, [self._codebook.table(name) for name in names], at_home(folder))

    def _frame(self, table: Table, rows: Rows, labels: bool | str, *, aliases: bool, where: str) -> pd.DataFrame:
        spoken = self._codebook.language(table.form_id, labels if isinstance(labels, str) else "")
        cells = cells_of(rows, aliases=aliases)
        chosen = ", ".join(f"{cell.expression} AS {sql.name(str(number))}" for number, cell in enumerate(cells))
        only = f"WHERE (\n{where}\n)" if where.strip() else ""
        # A condition is somebody's own SQL.
        relation = (self._shut if only else self._db).sql(
            f"SELECT {chosen} FROM ({rows.query}) {only} ORDER BY {rows.order}"
        )
        shown = [
            (cell.name, self._shown(cell, raw, spoken if labels else None))
            for cell, raw in zip(cells, raw_of(relation), strict=True)
        ]
        frame = frame_of(shown)
        frame.attrs = {
            "table": table.name,
            "labels": {cell.name: _label(cell, spoken) for cell in cells if cell.field.column},
        }
        return frame

    def _shown(self, cell: Cell, raw: Raw, language: str | None) -> Any:
        """Codes of choices as categories or lists, with labels when a language is named."""
        column = cell.field.column
        if column and column.kind == "select_one":
            return categories(raw, self._codebook.choices(cell.field.table, column), language)
        if column and column.kind == "select_multiple" and language is not None:
            return relabelled(raw, self._codebook.choices(cell.field.table, column), language)
        return array_of(raw)

    def _labels(self, table: Table, column: Column, language: str) -> dict[str, str]:
        choices = self._codebook.choices(table, column)
        return {code: said(labels, language, code) for code, labels in choices.items()}

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        if not self._closing:
            raise WarehouseError(
                "WAREHOUSE-055", self.snapshot.name, "This reader is closed.", "Open another: dialogkit.open(FOLDER)"
            )
        try:
            yield
        except duckdb.Error as error:
            raise in_words(error) from None


#: Statements after which the next question would mean something else.
_STATEFUL = frozenset({duckdb.StatementType.SET, duckdb.StatementType.TRANSACTION, duckdb.StatementType.PREPARE})
_FACTS = ("name", "alias", "label", "kind", "path", "concept", "disclosure", "hxl", "list_name")


def _facts(column: Column, language: str) -> tuple[str, ...]:
    label = said(column.labels, language)
    kinds = (column.kind, column.path, column.concept, column.disclosure, column.hxl, column.list_name)
    return (column.name, column.alias, label, *kinds)


def _label(cell: Cell, language: str) -> str:
    column = cell.field.column
    label = said(column.labels, language, column.name) if column else ""
    return f"{label} ({cell.part})" if cell.part else label
