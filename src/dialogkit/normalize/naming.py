"""Names and aliases that no other table or column has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dialogkit import sql
from dialogkit.model.table import Column
from dialogkit.normalize.alias import alias_of


class Names:
    """Names that are taken, compared without case: DuckDB's names have none."""

    def __init__(self, taken: Iterable[str], aliases: Iterable[str] = ()) -> None:
        self._taken = {name.lower() for name in taken}
        self._aliases = {alias.lower() for alias in aliases}

    def has(self, name: str) -> bool:
        """Whether a name is taken."""
        return name.lower() in self._taken

    def free(self, name: str) -> str:
        """`name`, or with `__2`, `__3`… when another has it; it is taken from now on."""
        return sql.free_name(name, self._taken)

    def named(self, column: Column) -> Column:
        """The column with a name and an alias that no other has."""
        return self.aliased(replace(column, name=self.free(column.name), alias=""))

    def aliased(self, column: Column) -> Column:
        """The column with an alias; one that it has already stays."""
        return column if column.alias else replace(column, alias=alias_of(column.name, self._aliases))
