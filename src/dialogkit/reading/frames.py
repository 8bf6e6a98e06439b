"""Results of DuckDB as pandas, column by column and never row by row, with types that know blanks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import duckdb
import numpy as np
import pandas as pd
from duckdb.sqltypes import DuckDBPyType

from dialogkit.reading.codebook import Choices, said

Values = np.ndarray[Any, np.dtype[Any]]
_INTEGERS: Final = frozenset(
    {"tinyint", "smallint", "integer", "bigint", "utinyint", "usmallint", "uinteger", "ubigint"}
)
#: DuckDB hands these on as floats; sums of integers are of this type.
_WIDE: Final = frozenset({"hugeint", "uhugeint"})
_EXACT: Final = 2.0**53
#: Lists of these are lists in Python as they come.
_FLAT: Final = _INTEGERS | {"varchar", "double", "boolean"}
_NESTED: Final = "list of others"


class Raw(NamedTuple):
    """One column of a result as DuckDB gives it: name, type, values, and which of them are blank."""

    name: str
    kind: str
    values: Values
    blank: Values


def raw_of(relation: duckdb.DuckDBPyRelation) -> list[Raw]:
    """Every column of a result."""
    kinds = [_kind(of_column) for of_column in relation.types]
    found = relation.fetchnumpy().items()
    return [
        Raw(name, kind, np.ma.getdata(values), np.ma.getmaskarray(values))
        for kind, (name, values) in zip(kinds, found, strict=True)
    ]


def array_of(raw: Raw) -> Any:
    """The values in a type of pandas that knows blanks."""
    if raw.kind in _INTEGERS:
        return pd.arrays.IntegerArray(raw.values.astype("uint64" if raw.kind == "ubigint" else "int64"), raw.blank)
    return _MAKERS.get(raw.kind, _objects)(raw.values, raw.blank)


def frame_of(columns: Sequence[tuple[str, Any]]) -> pd.DataFrame:
    """A frame of these columns, in one go: a form may have a thousand."""
    frame = pd.DataFrame(dict(enumerate(array for _, array in columns)), copy=False)
    frame.columns = pd.Index([name for name, _ in columns], dtype="str")
    return frame


def categories(raw: Raw, choices: Choices, language: str | None) -> Any:
    """Codes as categories in the order of the list, then codes that the list does not have.

    Args:
        raw: the codes.
        choices: of all versions.
        language: the categories are labels in it; codes when None.
    """
    found = pd.Series(raw.values[~raw.blank], dtype="object")
    codes = _codes(found.unique(), choices)
    numbers = np.full(len(raw.values), -1)
    numbers[~raw.blank] = pd.Index(codes, dtype="object").get_indexer(pd.Index(found))
    shown = codes if language is None else list(labels_of(codes, choices, language).values())
    return pd.Categorical.from_codes(numbers, categories=pd.Index(shown, dtype="str"))


def relabelled(raw: Raw, choices: Choices, language: str) -> Any:
    """Lists of codes as lists of labels."""
    lists = array_of(raw)
    codes = _codes({code for some in lists if some is not None for code in some}, choices)
    labels = labels_of(codes, choices, language)
    return pd.Series([some and [labels.get(code) for code in some] for some in lists], dtype="object").array


def _codes(found: Iterable[str | None], choices: Choices) -> list[str]:
    return [*choices, *sorted({code for code in found if code is not None} - choices.keys())]


def labels_of(codes: Sequence[str], choices: Choices, language: str) -> dict[str, str]:
    """Code → label. Codes that share a label get their code in brackets: two choices never become one."""
    labels = [said(choices.get(code, {}), language, code) for code in codes]
    times = Counter(labels)
    marked = [f"{label} ({code})" if times[label] > 1 else label for code, label in zip(codes, labels, strict=True)]
    return dict(zip(codes, marked if len(set(marked)) == len(marked) else codes, strict=True))


def _texts(values: Values, blank: Values) -> Any:
    return pd.array(_emptied(values, blank), dtype="string")


def _objects(values: Values, blank: Values) -> Any:
    """What pandas has no type for stays as Python has it."""
    return pd.Series(_emptied(values, blank), dtype="object").array


def _emptied(values: Values, blank: Values) -> Values:
    if not blank.any():
        return values
    values = values.astype("object")
    values[blank] = None
    return values


def _floats(values: Values, blank: Values) -> Any:
    return pd.arrays.FloatingArray(values.astype("float64"), blank)


def _booleans(values: Values, blank: Values) -> Any:
    return pd.arrays.BooleanArray(values.astype("bool"), blank)


def _wide(values: Values, blank: Values) -> Any:
    """Whole numbers where a float holds them exactly."""
    known = values[~blank]
    if (np.abs(known) <= _EXACT).all():
        return pd.arrays.IntegerArray(np.where(blank, 0, values).astype("int64"), blank)
    return pd.arrays.FloatingArray(values.astype("float64"), blank)


def _days(values: Values, blank: Values) -> Any:
    return _moments(values.astype("datetime64[s]"), blank)


def _moments(values: Values, blank: Values) -> Any:
    values[blank] = np.datetime64("NaT")
    return pd.DatetimeIndex(values).array


def _instants(values: Values, blank: Values) -> Any:
    return pd.DatetimeIndex(_moments(values, blank)).tz_localize("UTC").array


def _lists(values: Values, blank: Values) -> Any:
    lists = [None if empty else value.tolist() for value, empty in zip(values, blank, strict=True)]
    return pd.Series(lists, dtype="object").array


def _nested(values: Values, blank: Values) -> Any:
    lists = [None if empty else _plain(value) for value, empty in zip(values, blank, strict=True)]
    return pd.Series(lists, dtype="object").array


def _plain(value: object) -> object:
    """A list of lists as Python has them, with None for blanks."""
    return [_plain(part) for part in value.tolist()] if isinstance(value, np.ndarray) else value


def _kind(of_column: DuckDBPyType) -> str:
    if of_column.id != "list":
        return of_column.id
    inside = of_column.children[0][1]
    return "list" if isinstance(inside, DuckDBPyType) and inside.id in _FLAT else _NESTED


_MAKERS: Final[Mapping[str, Callable[[Values, Values], Any]]] = {
    **dict.fromkeys(_WIDE, _wide),
    **dict.fromkeys(("float", "double", "decimal"), _floats),
    **dict.fromkeys(("varchar", "enum"), _texts),
    "boolean": _booleans,
    "date": _days,
    "timestamp": _moments,
    "timestamp with time zone": _instants,
    "list": _lists,
    _NESTED: _nested,
}
