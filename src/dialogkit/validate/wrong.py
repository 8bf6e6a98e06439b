"""Everything that is wrong with one `[[rule]]`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dialogkit.errors import ConfigError
from dialogkit.logic.parse import NotDecidable
from dialogkit.validate import gate, statement
from dialogkit.validate.entry import OVER_FORM, Entry
from dialogkit.validate.refused import ARGUMENTS, NOT_HERE, QUERY_TYPE
from dialogkit.validate.texts import LANGUAGES
from dialogkit.validate.words import foreign, is_share, listed, near, refusal

#: Codes of rules that dialogkit makes begin so; those of people must not meet them.
_TAKEN: Final = ("FORM-", "QUALITY-", "CORRECTION-")
_TEXTS: Final = ("text", "select_one", "select_multiple", "file")
#: Types that compare the answers themselves with min_value and max_value.
_COMPARING: Final = frozenset(
    {
        "expect_column_values_to_be_between",
        *(f"expect_column_{figure}_to_be_between" for figure in ("max", "mean", "median", "min", "stdev", "sum")),
    }
)


def problems_of(entry: Entry) -> list[ConfigError]:
    """All that is wrong with a rule; what can be told only when something else is right waits for that."""
    checks = _Checks(entry)
    found = [*checks.ours(), *checks.said(), *checks.kind()] or [*checks.places(), *checks.arguments()]
    return found or [*checks.kinds(), *checks.statement(), *checks.condition()]


@dataclass(frozen=True)
class _Checks:
    """The checks of one rule."""

    entry: Entry

    def refuse(self, code: str, message: str, fix: str) -> ConfigError:
        return refusal(code, message, fix, self.entry.path, self.entry.code)

    def ours(self) -> Iterator[ConfigError]:
        for key in ("code", "type", "action"):
            if not isinstance(self.entry.written.get(key), str) or not self.entry.written[key]:
                yield self.refuse("CONFIG-021", f"It has no {key}.", f'Write {key} = "…".')
        if self.entry.written.get("action", "hold") not in ("hold", "note"):
            yield self.refuse("CONFIG-021", "The action is not known.", 'Write action = "hold" or action = "note".')
        if self.entry.code.upper().startswith(_TAKEN):
            fix = f"Begin it with a word of your own: {', '.join(_TAKEN)} are for the rules that dialogkit makes."
            yield self.refuse("CONFIG-058", "The code begins as those of other rules do.", fix)
        if not all(isinstance(self.entry.written.get(key, ""), str) for key in ("when", "table", "fix")):
            yield self.refuse("CONFIG-021", "when, table and fix are texts.", "Put them in quotation marks.")
        if self.entry.written.get("scope", "batch") not in ("batch", "form"):
            fix = 'Write scope = "form" for all rows of the form, or leave it out for those of each batch.'
            yield self.refuse("CONFIG-053", "The scope is not known.", fix)
        if not is_share(self.entry.written.get("mostly", 1.0)):
            yield self.refuse("CONFIG-052", "mostly is not a share from 0 to 1.", "Write for example mostly = 0.95.")

    def said(self) -> Iterator[ConfigError]:
        """What it says to people, by language."""
        message = self.entry.written.get("message")
        for language in foreign(message):
            fix = f"Take message.{language} out, or write it in one of them."
            yield self.refuse("CONFIG-021", f"The language {language} is not one of {', '.join(LANGUAGES)}.", fix)
        if not isinstance(message, dict) or "en" not in message:
            yield self.refuse("CONFIG-021", "It has no message.", 'Write message.en = "…", message.fr and message.es.')
        elif not all(isinstance(text, str) and text for text in message.values()):
            yield self.refuse("CONFIG-021", "A message is no text.", 'Write message.en = "…", in quotation marks.')

    def kind(self) -> Iterator[ConfigError]:
        kind = self.entry.written.get("type")
        if not isinstance(kind, str) or not kind:
            return
        if kind not in gate.types():
            yield self.refuse("CONFIG-022", f"{kind} is not a type of Great Expectations.", near(kind, gate.types()))
            return
        if kind in NOT_HERE:
            yield self.refuse("CONFIG-025", f"{kind} does not work here.", NOT_HERE[kind])
            return
        names_rows = gate.names_rows(kind)
        if self.entry.written.get("action") == "hold" and not names_rows:
            fix = 'Write action = "note", or a type that judges each row.'
            yield self.refuse("CONFIG-026", f"{kind} does not say which submissions break it.", fix)
        if "mostly" in self.entry.written and not names_rows:
            yield self.refuse("CONFIG-052", f"{kind} counts no rows, so it has no mostly.", "Leave mostly out.")
        if self.entry.over_form and names_rows and kind not in OVER_FORM:
            fix = f'Leave scope out, or write the rule as type = "{QUERY_TYPE}".'
            yield self.refuse("CONFIG-053", f"{kind} is not judged over the whole form.", fix)
        if "by" in self.entry.written and not (self.entry.over_form and kind == QUERY_TYPE):
            fix = 'by says which accepted rows an SQL rule with scope = "form" looks at; leave it out here.'
            yield self.refuse("CONFIG-053", "by has no meaning here.", fix)

    def places(self) -> Iterator[ConfigError]:
        wanted = self.entry.written.get("table", "")
        if self.entry.find(wanted) is None:
            repeats = [table.repeat.rsplit("/", 1)[-1] for table in self.entry.staged.tables[1:]]
            yield self.refuse("CONFIG-024", f"The form has no repeat {wanted}.", near(wanted, repeats))
            return
        table = self.entry.table
        known = {column.name for column in self.entry.open(table)}
        for name in [*self.entry.names(), *listed(self.entry.written.get("by"))]:
            if not isinstance(name, str):
                yield self.refuse("CONFIG-024", "The name of a column is a text.", 'Write for example column = "age".')
                continue
            if name in known:
                continue
            if self.entry.over_form and any(column.name == name for column in table.identifiers):
                fix = "Leave scope out: what is accepted of an identifier stands apart, and no rule reads it there."
                yield self.refuse("CONFIG-053", f"{name} is an identifier.", fix)
                continue
            fix = f"{near(name, known)} A question of a repeat needs table = the repeat's name."
            yield self.refuse("CONFIG-024", f"{name} is not a column of {table.name}.", fix)
        if not isinstance(self.entry.written.get("by", []), list):
            yield self.refuse("CONFIG-053", "by is not a list.", 'Write for example by = ["country", "date_start"].')

    def arguments(self) -> Iterator[ConfigError]:
        known = gate.arguments_of(self.entry.kind)
        wrong = False
        for key in self.entry.arguments:
            if key in ARGUMENTS:
                yield self.refuse("CONFIG-023", f"{key} may not be set.", ARGUMENTS[key])
            elif key not in known and not (key == "mostly" and self.entry.as_query):
                yield self.refuse("CONFIG-023", f"{self.entry.kind} has no argument {key}.", near(key, known))
            else:
                continue
            wrong = True
        if wrong:
            return
        try:
            gate.build(self.entry.kind, {key: value for key, value in self.entry.arguments.items() if key in known})
        except ValueError as error:
            fix = f"See {self.entry.kind} in the gallery of Great Expectations."
            yield self.refuse("CONFIG-023", f"Great Expectations refuses {_first(str(error))}.", fix)

    def kinds(self) -> Iterator[ConfigError]:
        """A text is not compared with a number: DuckDB would read the texts as numbers, and fail at the first other."""
        texts = [column.name for column in self.entry.named if column.kind in _TEXTS]
        numbers = [key for key in ("min_value", "max_value") if isinstance(self.entry.written.get(key), int | float)]
        if texts and numbers and self.entry.kind in _COMPARING:
            fix = "Name a column of numbers: a calculated number stands in the column with __number after its name."
            yield self.refuse("CONFIG-023", f"{texts[0]} is a text, and {numbers[0]} a number.", fix)

    def statement(self) -> Iterator[ConfigError]:
        """Its SQL reads nothing but what its placeholders stand for."""
        if self.entry.kind != QUERY_TYPE:
            return
        query = self.entry.written_query()
        tables = [table.repeat.rsplit("/", 1)[-1] or "main" for table in self.entry.staged.tables]
        names = statement.placeholders(query)
        for name in names:
            if name not in (statement.BATCH, statement.TODAY) and (not name or self.entry.find(name) is None):
                fix = f"{near(name, [statement.BATCH, statement.TODAY, *tables])} Double the braces of a pattern."
                yield self.refuse("CONFIG-054", f"{{{name}}} stands for no table.", fix)
        if statement.BATCH not in names:
            fix = "Write FROM {batch} where the rows come from that the rule judges."
            yield self.refuse("CONFIG-054", "{batch} is not in its query.", fix)
        if told := statement.refusal(self.entry.whole.db, query):
            fix = (
                "Write one SELECT over {batch}, and {main} or the name of a repeat in braces; {today} is the pull day."
            )
            yield self.refuse("CONFIG-055", f"The query may not be run: {told}.", fix)

    def condition(self) -> Iterator[ConfigError]:
        try:
            self.entry.when(self.entry.rows(self.entry.table))
        except NotDecidable as error:
            fix = "Write it as in a form, over questions of this form that have answers."
            yield self.refuse("CONFIG-027", f"when cannot be decided: {error.reason}.", fix)


def _first(told: str) -> str:
    """The first thing that Great Expectations says, which tells an argument with many types once for each of them."""
    name, _, rest = told.partition("; ")
    reason = rest.partition("; ")[0].partition(" (type=")[0]
    return f"{name}: {reason}" if reason else f"it: {name}"
