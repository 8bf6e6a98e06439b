"""Which question of one version of a form is which of the next: known, asked, never guessed."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogkit.forms.build import build_form
from dialogkit.forms.decided import Decided, write_decided
from dialogkit.forms.lineage import lineage_of
from dialogkit.forms.lineage_ways import open_questions, ways_of
from dialogkit.forms.versions import find_version, keep_version
from dialogkit.model.form import Form
from dialogkit.model.lineage import Lineage, Step
from dialogkit.steps.lineage import decisions_file, lineage_of_form
from dialogkit.warehouse.lineage import write_lineage
from dialogkit.workspace import open_workspace
from tests.builders import make_form

HEAD = "| survey | type | name | label | was | concept |\n"


@pytest.fixture
def sheets(tmp_path: Path):
    """Versions 1, 2, 3… of a form from the rows of their survey sheets: `type name label was concept`."""

    def _sheets(*versions: str, choices: tuple[str, ...] = ()) -> list[Form]:
        forms = []
        for number, rows in enumerate(versions, start=1):
            lines = [[cell.strip() for cell in line.split("|")] for line in rows.strip().splitlines()]
            text = HEAD + "".join(f"| | {' | '.join([*cells, '', '', ''][:5])} |\n" for cells in lines)
            if choices:
                text += "| choices | list_name | name | label |\n"
                text += "".join(f"| | l | {code} | {code} |\n" for code in choices[number - 1].split())
            text += f"| settings | form_id | version |\n| | f | {number} |\n"
            (tmp_path / f"{number}.md").write_text(text, encoding="utf-8")
            forms.append(build_form(tmp_path / f"{number}.md").form)
        return forms

    return _sheets


def lineage(forms: list[Form], *same: tuple[str, str], different: tuple[tuple[str, str], ...] = ()) -> Lineage:
    return lineage_of(forms, Decided(dict(same), frozenset(different)))


def told(found: Lineage) -> list[tuple[str, str, str, str, str]]:
    """What happened after the first version, without what stayed."""
    return [
        (step.version, step.path, step.fate, step.was, step.because)
        for step in found.steps
        if step.position and (step.fate != "same" or step.detail)
    ]


def one(found: Lineage, fate: str) -> Step:
    (step,) = [step for step in found.steps if step.fate == fate and step.position]
    return step


# --- the same


def test_a_form_that_stays_has_first_steps_and_steps_without_a_change(sheets):
    found = lineage(sheets("text | a | A", "text | a | A"))
    assert [(step.position, step.fate, step.detail) for step in found.steps] == [(0, "first", ""), (1, "same", "")]
    assert found.same == {}


def test_no_version_has_no_lineage():
    assert lineage([]) == Lineage()


def test_a_chain_of_renames_leads_every_earlier_path_to_the_newest(sheets):
    found = lineage(sheets("text | a | A", "text | b | B | a", "text | c | C | b"))
    assert told(found) == [("2", "b", "renamed", "a", "was"), ("3", "c", "renamed", "b", "was")]
    assert found.same == {"a": "c", "b": "c"}


def test_was_may_name_a_version_long_before(sheets):
    found = lineage(sheets("text | a | A", "text | x | X", "text | c | C | a\ntext | x | X"))
    assert told(found)[-1] == ("3", "c", "renamed", "a", "was")
    assert (found.same, found.steps[-2].detail) == ({"a": "c"}, "not in 2")


def test_was_may_name_the_oldest_of_several_names(sheets):
    assert lineage(sheets("text | a | A", "text | b | B | a", "text | c | C | a")).same == {"a": "c", "b": "c"}


def test_was_that_is_written_later_holds_for_the_version_that_renamed(sheets):
    forms = sheets("text | a | A", "text | b | B", "text | b | B | a")
    assert lineage(forms).same == {"a": "b"}
    assert told(lineage(forms[:2])) == [("2", "b", "first", "", ""), ("2", "a", "removed", "", "")]


def test_the_newest_was_of_a_path_is_the_right_one(sheets):
    found = lineage(sheets("text | a | A\ntext | z | Z", "text | b | B | a", "text | b | B | z"))
    assert found.same == {"z": "b"}


def test_a_question_that_comes_back_at_its_path_is_the_same(sheets):
    found = lineage(sheets("text | a | A\ntext | x | X", "text | x | X", "integer | a | A\ntext | x | X"))
    assert told(found) == [
        ("2", "a", "removed", "", ""),
        ("3", "a", "same", "", "path"),
        ("3", "a", "retyped", "", "path"),
    ]
    assert found.same == {}


def test_a_question_that_takes_its_first_name_again_is_the_same(sheets):
    found = lineage(sheets("text | a | A", "text | b | B | a", "text | a | A"))
    assert told(found)[-1] == ("3", "a", "renamed", "b", "path")
    assert found.same == {"b": "a"}


def test_a_question_that_alone_kept_its_name_and_type_has_moved(sheets):
    found = lineage(sheets("text | a | A", "begin_group | g | G\ntext | a | Anew\nend_group | |"))
    assert told(found) == [("2", "g/a", "moved", "a", "name")]
    assert found.same == {"a": "g/a"}


def test_the_same_name_with_another_type_is_asked(sheets):
    found = lineage(sheets("text | a | A", "begin_group | g | G\ninteger | a | Anew\nend_group | |"))
    assert [step.fate for step in found.steps] == ["first", "first", "perhaps_renamed", "removed"]
    assert found.same == {}


TWICE = "begin_group | {0} | G\ntext | a | A\nend_group | |\nbegin_group | {1} | H\ntext | a | A\nend_group | |"


def test_the_same_name_twice_is_asked(sheets):
    found = lineage(sheets(TWICE.format("g", "h"), TWICE.format("i", "j")))
    assert [(step.was, step.path) for step in open_questions(found)] == [("g/a", "i/a"), ("h/a", "j/a")]
    assert found.same == {}


def test_a_name_alone_does_not_bring_back_what_went_long_ago(sheets):
    group = "begin_group | g | G\ntext | a | Other label\nend_group | |"
    found = lineage(sheets("text | a | A\ntext | x | X", "text | x | X", f"text | x | X\n{group}"))
    assert told(found) == [("2", "a", "removed", "", ""), ("3", "g/a", "first", "", "")]


def test_a_concept_that_one_question_of_each_side_has_tells_them_the_same(sheets):
    found = lineage(sheets("text | a | A | | talk.said", "text | b | B | | talk.said"))
    assert told(found) == [("2", "b", "renamed", "a", "concept")]
    assert found.same == {"a": "b"}


def test_a_concept_of_several_questions_is_asked(sheets):
    stays = "text | x | X | | talk.said\n"
    found = lineage(sheets(f"{stays}text | a | A | | talk.said", f"{stays}text | b | B | | talk.said"))
    assert [(step.was, step.path) for step in open_questions(found)] == [("a", "b")]
    assert found.same == {}


# --- asked


def test_what_only_looks_alike_is_asked(sheets):
    found = lineage(sheets("text | a | Where?", "text | b | Where?"))
    assert told(found) == [
        ("2", "b", "first", "", ""),
        ("2", "b", "perhaps_renamed", "a", ""),
        ("2", "a", "removed", "", ""),
    ]
    assert found.same == {}


def test_what_looks_neither_alike_nor_takes_an_answer_is_not_asked(sheets):
    assert open_questions(lineage(sheets("text | a | A\nnote | n | N", "text | b | B\nnote | m | N"))) == ()
    assert open_questions(lineage(sheets("text | a | A", "integer | b | A"))) == ()


def test_two_that_stand_in_one_version_are_not_asked(sheets):
    found = lineage(sheets("text | a | Where?", "text | b | Where?", "text | a | Where?\ntext | b | Where?"))
    assert open_questions(found) == ()


def test_an_answer_of_a_person_settles_it(sheets):
    forms = sheets("text | a | Where?", "text | b | Where?")
    same = lineage(forms, ("a", "b"))
    assert told(same) == [("2", "b", "renamed", "a", "decision")]
    assert same.same == {"a": "b"}
    apart = lineage(forms, different=(("a", "b"),))
    assert [step.fate for step in apart.steps] == ["first", "first", "removed"]


def test_an_answer_of_a_person_is_stronger_than_name_and_concept(sheets):
    forms = sheets("text | a | A | | talk.said", "begin_group | g | G\ntext | a | A | | talk.said\nend_group | |")
    assert lineage(forms, different=(("a", "g/a"),)).same == {}


def test_was_that_names_two_questions_is_asked_and_says_which(sheets):
    found = lineage(sheets(TWICE.format("g", "h"), "text | town | Town | a"))
    assert [(step.was, step.path, step.because) for step in open_questions(found)] == [
        ("g/a", "town", "was"),
        ("h/a", "town", "was"),
    ]
    assert open_questions(found)[0].detail == "“was” says a, and 2 questions had that name: g/a, h/a"
    assert found.same == {}


def test_was_with_the_whole_path_is_clear(sheets):
    assert lineage(sheets(TWICE.format("g", "h"), "text | town | Town | h/a")).same == {"h/a": "town"}


def test_a_bare_was_means_the_question_of_the_same_group_first(sheets):
    forms = sheets(TWICE.format("g", "h"), TWICE.format("g", "h").replace("text | a | A", "text | b | B | a"))
    assert lineage(forms).same == {"g/a": "g/b", "h/a": "h/b"}


def test_one_question_cannot_become_two(sheets):
    found = lineage(sheets("text | a | A", "text | b | B | a\ntext | c | C | a"))
    assert [(step.was, step.path, step.detail) for step in open_questions(found)] == [
        ("a", "b", "“was” says a, and so does another question"),
        ("a", "c", "“was” says a, and so does another question"),
    ]
    assert lineage(sheets("text | a | A", "text | b | B | a\ntext | c | C | a"), ("a", "c")).same == {"a": "c"}


def test_was_that_names_a_question_of_the_same_version_is_told_and_nothing_is_guessed(sheets):
    found = lineage(sheets("text | a | A", "text | a | A\ntext | b | B | a"))
    assert one(found, "first").detail == "“was” says a, which is another question of this version"
    assert found.same == {}


def test_was_that_names_nothing_is_told(sheets):
    found = lineage(sheets("text | a | A", "text | a | A\ntext | b | B | tonw"))
    assert one(found, "first").detail == "“was” says tonw, which no earlier version asks"


# --- columns


def test_an_old_name_that_a_new_question_takes_keeps_both_columns_apart(sheets):
    found = lineage(sheets("text | a | A", "text | b | B | a", "text | b | B\ntext | a | New"))
    assert found.same == {}
    assert one(found, "renamed").detail == "a column of its own: a is the path of something else too"
    assert len(ways_of(found)) == 2


def test_only_the_name_that_means_two_things_stays_apart(sheets):
    found = lineage(sheets("text | a | A", "text | b | B | a", "text | c | C | b\ntext | a | New"))
    assert found.same == {"b": "c"}


def test_a_name_that_a_group_takes_keeps_a_column_of_its_own(sheets):
    found = lineage(sheets("text | a | A", "text | b | B | a\nbegin_group | a | G\ntext | x | X\nend_group | |"))
    assert (one(found, "renamed").was, found.same) == ("a", {})


REPEAT = "begin_repeat | r | R\ntext | a | A\nend_repeat | |"


def test_a_question_that_moves_into_a_repeat_keeps_its_old_column(sheets):
    found = lineage(sheets("text | a | A", REPEAT))
    assert one(found, "moved") == Step(
        "2", 1, "r/a", "moved", "a", "a column of its own: not in the same repeat", "name"
    )
    assert found.same == {}


def test_a_group_that_becomes_a_repeat_moves_its_questions(sheets):
    found = lineage(sheets(REPEAT.replace("repeat", "group"), REPEAT))
    assert told(found) == [("2", "r/a", "moved", "", "path")]
    assert found.same == {}


def test_a_rename_within_a_repeat_shares_its_column(sheets):
    renamed = REPEAT.replace("text | a | A", "text | b | B | a")
    assert lineage(sheets(REPEAT, renamed)).same == {"r/a": "r/b"}


def test_a_note_that_became_a_question_shares_nothing(sheets):
    found = lineage(sheets("note | a | A", "text | b | B | a"))
    assert (told(found)[0][2], found.same) == ("renamed", {})


def test_a_question_may_be_renamed_and_retyped_at_once(sheets):
    found = lineage(sheets("text | a | A", "integer | b | B | a"))
    assert told(found) == [("2", "b", "renamed", "a", "was"), ("2", "b", "retyped", "", "was")]
    assert (one(found, "retyped").detail, found.same) == ("text → integer", {"a": "b"})


def test_codes_that_a_list_lost_and_got_are_named(sheets):
    rows = "select_one l | a | A"
    found = lineage(sheets(rows, rows, choices=("north south", "n south")))
    assert told(found) == [("2", "a", "recoded", "", "path")]
    assert one(found, "recoded").detail == "−north +n"


def test_many_codes_are_counted(sheets):
    rows = "select_one l | a | A"
    found = lineage(sheets(rows, rows, choices=("x", "x " + " ".join(f"c{number}" for number in range(15)))))
    assert one(found, "recoded").detail.endswith("+c11 and 3 more")


# --- versions that nobody kept


def test_was_that_no_version_here_asks_takes_answers_of_phones_that_still_do(sheets):
    inside = "begin_group | g | G\ntext | b | B | a\nend_group | |"
    assert lineage(sheets(inside)).same == {"g/a": "g/b"}
    assert lineage(sheets(inside.replace("| a", "| h/a"))).same == {"h/a": "g/b"}
    assert lineage(sheets("text | b | B | a\ntext | c | C | a")).same == {}


def test_so_does_a_decision_but_not_into_a_repeat_a_note_or_a_path_that_means_two_things(sheets):
    assert lineage(sheets("text | b | B", "text | c | C | b"), ("gone", "b")).same == {"b": "c", "gone": "c"}
    assert lineage(sheets(REPEAT), ("gone", "r/a")).same == {}
    assert lineage(sheets(REPEAT), ("r/gone", "r/a")).same == {"r/gone": "r/a"}
    assert lineage(sheets("note | b | B"), ("gone", "b")).same == {}
    assert lineage(sheets("text | b | B"), ("gone", "nowhere")).same == {}
    two = sheets("text | a | A", "text | b | B | a", "text | b | B\ntext | a | New")
    assert lineage(two, ("gone", "a")).same == {}


# --- where it comes from, where it goes


def test_was_is_no_reason_for_a_new_version_and_the_newest_is_kept(sheets, tmp_path: Path):
    sheets("text | a | A")
    built = build_form(tmp_path / "1.md")
    keep_version(tmp_path / "v", built)
    said = replace(built.form, questions=tuple(replace(question, was="z") for question in built.form.questions))
    keep_version(tmp_path / "v", replace(built, form=said))
    assert find_version(tmp_path / "v", "f", "1") == said


def test_the_column_was_is_read_with_the_form(sheets):
    assert [question.was for question in sheets("text | b | B | g/a \ntext | c | C")[0].questions] == ["g/a", ""]


def test_a_lineage_replaces_the_rows_of_its_form_and_leaves_out_what_stayed():
    migrations = Path(__file__).parents[2] / "warehouse" / "migrations" / "003_lineage.sql"
    create = next(part for part in migrations.read_text().split(";") if "CREATE TABLE ops.lineage" in part)
    found = lineage(HOSTILE)
    with duckdb.connect() as db:
        db.execute("CREATE SCHEMA ops")
        db.execute(create)
        write_lineage(db, "other", lineage(HOSTILE[:1]))
        for _ in range(2):
            write_lineage(db, "f", found)
        rows = db.execute("SELECT * EXCLUDE form_id FROM ops.lineage WHERE form_id = 'f'").fetchall()
        assert rows == [
            (step.position, step.version, step.path, step.fate, step.was, step.detail, step.because)
            for step in found.steps
            if step.fate != "same"
        ]
        write_lineage(db, "f", Lineage())
        assert db.execute("SELECT DISTINCT form_id FROM ops.lineage").fetchall() == [("other",)]


NAMES = ["'; DROP TABLE ops.lineage --", 'a"b\\c', "a → b\n[same]", "ß\x7f\t", "x" * 300, "select"]
HOSTILE = [
    make_form("f", "1", [("text", name) for name in NAMES]),
    make_form("f", "2\n'", [("text", f"g/{name}") for name in NAMES]),
]


def test_hostile_names_are_names():
    assert lineage(HOSTILE).same == {name: f"g/{name}" for name in NAMES}


def test_ten_versions_of_nine_hundred_questions_take_less_than_a_second():
    def version(number: int) -> Form:
        # Every version moves a third of the questions by their name, a third by `was`, and renames a third unsaid.
        rows = [("text", f"g{number}/moved{row}") for row in range(300)]
        rows += [
            ("text", f"said{row}_{number}", {"was": f"said{row}_{number - 1}" if number else ""}) for row in range(300)
        ]
        rows += [("text", f"unsaid{row}_{number}", {"labels": {"": "Other"}}) for row in range(300)]
        return make_form("f", str(number), rows)

    forms = [version(number) for number in range(10)]
    before = time.process_time()
    found = lineage(forms)
    assert time.process_time() - before < 1
    assert len(found.same) == 9 * 600
    assert len(open_questions(found)) == 9 * 300


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["", *"abcd"])), max_size=5))
def test_whatever_the_sheets_say_no_path_leads_to_two_and_no_question_is_lost(sheets):
    forms = [
        make_form("f", str(number), [("text", name, {"was": was, "labels": {"": "Q"}}) for name, was in sheet.items()])
        for number, sheet in enumerate(sheets)
    ]
    found = lineage(forms)
    stood = {(number, name) for number, sheet in enumerate(sheets) for name in sheet}
    steps = [step for step in found.steps if step.fate not in ("removed", "perhaps_renamed")]
    assert {(step.position, step.path) for step in steps} == stood
    assert not set(found.same) & set(found.same.values())
    ways = [way.steps for way in ways_of(found)]
    assert sorted(step.path + step.version for way in ways for step in way if step.fate != "removed") == sorted(
        step.path + step.version for step in steps
    )
    for old, new in found.same.items():
        owners = [way for way in ways if {old, new} & {step.path for step in way}]
        assert len(owners) == 1


def test_a_landing_goes_by_the_decisions_also_on_paths_that_are_not_known_here(sheets, tmp_path: Path):
    (tmp_path / "dialogkit.toml").write_text("")
    workspace = open_workspace(tmp_path)
    forms = sheets("text | a | A", "text | b | B")
    write_decided(decisions_file(workspace, "f"), Decided({"a": "b", "gone": "b", "b": "to come"}))
    assert lineage_of_form(workspace, forms).same == {"a": "b", "gone": "b"}
    assert decisions_file(workspace, "../f").parent == tmp_path / "forms"
