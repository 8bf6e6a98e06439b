"""Building: the XForm, the team constants, media, and pyxform's refusals in plain words."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from xml.etree.ElementTree import Element

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialogkit import xml
from dialogkit.errors import FormError
from dialogkit.forms.build import build_form
from dialogkit.forms.constants import workbook_bytes

ROOT = Path(__file__).parents[2]
TEAM = """
| survey | type | name | label | calculation |
| | calculate | team_contact | | '[contact]' |
| | calculate | team_server | | '[server, country]' |
| | note | n | Write to ${team_contact} at ${team_server} | |
"""


def write(folder: Path, text: str, name: str = "f.md") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refused(path: Path) -> FormError:
    with pytest.raises(FormError) as caught:
        build_form(path)
    return caught.value


def binds(built: bytes) -> dict[str, Element]:
    return {bind.get("nodeset", ""): bind for bind in xml.parse(built).iter() if xml.local(bind) == "bind"}


def test_the_same_workbook_gives_the_same_bytes_in_every_process() -> None:
    code = (
        "import hashlib, pathlib, sys; from dialogkit.forms.build import build_form;"
        "print(hashlib.sha256(build_form(pathlib.Path(sys.argv[1])).xml).hexdigest())"
    )
    form = ROOT / "forms" / "local_dialogue.xlsx"
    sums = {
        subprocess.run(
            [sys.executable, "-c", code, str(form)],
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT / "src")},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(sums) == 1


def test_the_team_constants_are_filled_in(tmp_path: Path) -> None:
    built = build_form(write(tmp_path, TEAM), team_contact="team@example.org", team_server="Us, Mexico")
    assert built.form.by_path["team_contact"].calculation == "'team@example.org'"
    assert binds(built.xml)["/data/team_server"].get("calculate") == "'Us, Mexico'"


def test_an_empty_constant_leaves_the_cell_as_it_is(tmp_path: Path) -> None:
    built = build_form(write(tmp_path, TEAM), team_contact="  ")
    assert built.form.by_path["team_contact"].calculation == "'[contact]'"


def text_of(literal: str) -> str:
    """What an XPath engine makes of a literal or of concat() of literals."""
    if not literal.startswith("concat("):
        assert literal[0] == literal[-1]
        assert literal[0] not in literal[1:-1]
        return literal[1:-1]
    parts, rest = [], literal.removeprefix("concat(").removesuffix(")")
    while rest:
        end = rest.index(rest[0], 1)
        parts.append(rest[1:end])
        rest = rest[end + 1 :].removeprefix(", ")
    return "".join(parts)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(
        st.one_of(st.sampled_from("'\"’“${}<>&[]"), st.characters(min_codepoint=32, max_codepoint=0x2FFF)), max_size=30
    ).filter(lambda text: text.strip() and xml.writable(text))
)
def test_any_text_of_the_team_reaches_the_phone_as_it_was_written(tmp_path: Path, text: str) -> None:
    built = build_form(write(tmp_path, TEAM), team_contact=text)
    calculate = binds(built.xml)["/data/team_contact"].get("calculate", "")
    straight = text.translate(str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "\u00a0": " "}))
    assert " ".join(text_of(calculate).split()) == " ".join(straight.split())


def test_a_text_that_xml_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormError) as caught:
        build_form(write(tmp_path, TEAM), team_server="a\x07b")
    assert (caught.value.code, caught.value.where) == ("FORM-026", "workspace.team_server")


def test_the_workbook_with_constants_builds_the_same_form(tmp_path: Path) -> None:
    source = ROOT / "forms" / "local_dialogue.xlsx"
    filled = tmp_path / source.name
    filled.write_bytes(workbook_bytes(source, "team@example.org", "L'équipe"))
    constants = {"team_contact": "team@example.org", "team_server": "L'équipe"}
    assert build_form(filled) == build_form(source, **constants)
    before, after = openpyxl.load_workbook(source), openpyxl.load_workbook(io.BytesIO(filled.read_bytes()))
    assert after.sheetnames == before.sheetnames
    assert after["survey"]["A1"].font.b


def test_constants_are_filled_into_xlsx_only(tmp_path: Path) -> None:
    with pytest.raises(FormError) as caught:
        workbook_bytes(write(tmp_path, TEAM), "a", "b")
    assert caught.value.code == "FORM-027"


def test_media_are_found_beside_the_workbook_and_missing_ones_are_named(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "towns.csv").write_text("name,label\na,A\n")
    (tmp_path / "map.png").write_bytes(b"png")
    path = write(
        tmp_path,
        """
| survey | type | name | label | media::image | calculation | appearance |
| | select_one_from_file towns.csv | q | Q | map.png | | |
| | note | n | N | gone.png | | |
| | calculate | c | | | pulldata('prices', 'a', 'b', ${q}) | |
| | select_one l | s | S | | | search('people') |
| choices | list_name | name | label |
| | l | 1 | One |
""",
    )
    built = build_form(path)
    assert built.media == {"towns.csv": tmp_path / "media" / "towns.csv", "map.png": tmp_path / "map.png"}
    missing = [problem for problem in built.problems if problem.code == "FORM-025"]
    assert [problem.severity for problem in missing] == ["warning"] * 3
    named = "".join(problem.message for problem in missing)
    assert all(name in named for name in ("gone.png", "prices.csv", "people.csv"))


def test_media_outside_the_folder_of_the_form_are_not_taken(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"x")
    folder = tmp_path / "forms"
    folder.mkdir()
    built = build_form(
        write(folder, "| survey | type | name | label | media::image |\n| | note | n | N | ../secret.png |\n")
    )
    assert built.media == {}
    assert [problem.code for problem in built.problems] == ["FORM-025"]


def test_warnings_of_pyxform_are_problems_with_their_row(tmp_path: Path) -> None:
    built = build_form(write(tmp_path, "| survey | type | name | label |\n| | text | t | T |\n| | simserial | s | |\n"))
    (problem,) = built.problems
    assert (problem.code, problem.severity) == ("FORM-024", "warning")
    assert problem.where.endswith("survey, row 3")


REFUSALS = [
    (
        "FORM-011",
        "| survey | type | name | label |\n| | txet | a | A |\n| | caseid | b | B |\n",
        ["survey, row 2, type", "survey, row 3, type"],
        "Did you mean text?",
    ),
    (
        "FORM-012",
        "| survey | type | name | label | relevant |\n| | integer | n_participants | N | |\n"
        "| | text | t | T | ${n_participant} > 1 |\n| | note | n | ${gone} | |\n",
        ["survey, row 3, relevant", "survey, row 4, label"],
        "did you mean ${n_participants}?) or add the question above row 3",
    ),
    (
        "FORM-012",
        "| survey | type | name | label | relevant |\n| | begin_group | g | G | |\n| | text | a | A | |\n"
        "| | end_group | | | |\n| | text | a | A | |\n| | text | t | T | ${a} = 1 |\n",
        ["survey, row 6, relevant"],
        "a name of its own",
    ),
    (
        "FORM-013",
        "| survey | type | name | label |\n| | text | a | A |\n| | text | a | A |\n",
        ["survey, row 3, name"],
        "another name",
    ),
    (
        "FORM-014",
        "| survey | type | name | label |\n| | select_one l | a | A |\n"
        "| choices | list_name | name | label |\n| | l | x | X |\n| | l | x | Y |\n| | l | x | Z |\n",
        ["choices, row 3, name", "choices, row 4, name"],
        "allow_choice_duplicates = yes",
    ),
    (
        "FORM-015",
        "| survey | type | name | label |\n| | select_one contry | a | A |\n"
        "| choices | list_name | name | label |\n| | country | x | X |\n",
        ["survey, row 2, type"],
        "did you mean country?",
    ),
    (
        "FORM-015",
        "| survey | type | name | label |\n| | select_one country | a | A |\n",
        ["survey, row 2, type"],
        "add the list",
    ),
    (
        "FORM-016",
        "| survey | type | name | label |\n| | text | my name | A |\n",
        ["survey, row 2, name"],
        "begins with a letter",
    ),
    ("FORM-016", "| survey | type | name | label |\n| | text | | A |\n", ["survey, row 2"], "begins with a letter"),
    (
        "FORM-017",
        "| survey | type | name | label | relevant | bind::relevant |\n| | text | a | A | | 1 = 1 |\n",
        ["survey"],
        "Rename or remove",
    ),
    (
        "FORM-018",
        "| survey | type | name | label |\n| | begin_group | g | G |\n| | text | a | A |\n",
        ["survey, row 2"],
        "end_group",
    ),
    (
        "FORM-018",
        "| survey | type | name | label |\n| | text | a | A |\n| | end_repeat | | |\n",
        ["survey, row 3"],
        "end_group",
    ),
    ("FORM-008", "| notes | a | b |\n| | 1 | 2 |\n| choices | list_name | name |\n| | l | 1 |\n", [""], "survey"),
    ("FORM-008", "| survey | name | label |\n| | a | A |\n", ["survey"], "type and name"),
    (
        "FORM-019",
        "| survey | type | name | label | parameters |\n| | text | a | A | rows |\n",
        ["survey, row 2, parameters"],
        "xlsform.org",
    ),
    (
        "FORM-020",
        "| survey | type | name | label |\n| | select_one l | a | A |\n"
        "| choices | list_name | name | label |\n| | l | | X |\n",
        ["choices, row 2, name"],
        "Give the choice a name",
    ),
    ("FORM-021", "| survey | type | name | label |\n| | calculate | a | A |\n", ["survey, row 2"], "Fill the empty"),
    (
        "FORM-021",
        "| survey | type | name | label | hint |\n| | text | a | A | |\n| | text | b | | |\n",
        ["survey, row 3"],
        "Fill the empty",
    ),
    (
        "FORM-035",
        "| survey | type | name | label |\n| | select_multiple l | a | A |\n"
        "| choices | list_name | name | label |\n| | l | x y | X |\n",
        [""],
        "underscore",
    ),
]


@pytest.mark.parametrize(("code", "text", "places", "fix"), REFUSALS)
def test_a_refusal_of_pyxform_says_where_and_what_to_do(
    tmp_path: Path, code: str, text: str, places: list[str], fix: str
) -> None:
    path = write(tmp_path, text)
    error = refused(path)
    assert (error.code, error.exit_code) == ("FORM-010", 4)
    assert {problem.code for problem in error.problems} == {code}
    expected = [f"{path.as_posix()}, {place}" if place else path.as_posix() for place in places]
    assert [problem.where for problem in error.problems] == expected
    assert fix in error.problems[0].fix
    assert all(problem.severity == "error" and problem.message for problem in error.problems)


LOOP = """
| survey | type | name | label |
| | begin loop over l | each | Each |
| | integer | n | {label} |
| | end loop | | |
| choices | list_name | name | label |
| | l | cow | {choice} |
"""


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("| survey | type | name | label | control |\n| | text | a | A | wide |\n", "AttributeError"),
        (LOOP.format(label="N", choice=""), "KeyError"),
        (LOOP.format(label="100 %!", choice="Cow"), "ValueError"),
        (LOOP.format(label="%s and %s", choice="Cow"), "TypeError"),
    ],
)
def test_a_bare_failure_inside_pyxform_is_a_form_error(tmp_path: Path, text: str, failure: str) -> None:
    error = refused(write(tmp_path, text))
    assert [problem.code for problem in error.problems] == ["FORM-022"]
    assert failure in error.problems[0].message


def test_a_column_that_breaks_pyxform_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "| survey | type | name | label | Bind |\n| | calculate | a | A | 1 |\n")
    (problem,) = refused(path).problems
    assert problem.where == f"{path.as_posix()}, survey, row 1, Bind"
    assert "Rename the column Bind" in problem.fix


def test_an_xform_that_is_not_xml_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "| survey | type | name | label | bind::x<y |\n| | text | a | A | 1 |\n")
    assert refused(path).code == "FORM-023"
