"""`dialogkit report` and `dialogkit held fix-it`: what the files say, what they never say, and where they go."""

from __future__ import annotations

import re
import stat
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from dialogkit.cli.main import cli
from dialogkit.validate.pages import report as pages
from dialogkit.warehouse.connect import writing
from dialogkit.workspace import Workspace, open_workspace
from tests.builders import land_batch, received, write_batch
from tests.report_site import ANSWER, HOSTILE, ODD, report_site

VOID = {"meta", "br", "hr", "img", "link", "input"}
#: What makes a browser load or run something.
LOADS = {"src", "srcset", "poster", "data", "action", "formaction", "background", "ping", "manifest", "style"}


class Page(HTMLParser):
    """A page whose elements are all closed in their order; `outside` is whatever points away from it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.outside: list[str] = []
        self.words: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        found = {name: value or "" for name, value in attrs}
        self.elements.append((tag, found))
        if tag not in VOID:
            self.open.append(tag)
        self.outside += [f"{tag} {name}" for name in found if name in LOADS or name.startswith("on")]
        self.outside += [found["href"]] if re.match(r"[a-z+]*:?//|[a-z]+:", found.get("href", "")) else []

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] == ["style"]:
            assert not re.search(r"url\(|@import|https?:|//", data)
        elif data.strip():
            self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [found for name, found in self.elements if name == tag]


def run(*arguments: str | Path):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Workspace:
    return report_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def reports(place) -> dict[str, Page]:
    result = run("report", "-w", place.root)
    assert result.exit_code == 0, result.output
    files = [Path(line) for line in result.stdout.splitlines()]
    assert files == [place.root / "warehouse" / "report" / f"report.{language}.html" for language in ("en", "fr", "es")]
    assert result.stderr.startswith("For the team only")
    return {path.name: Page(path) for path in files}


def lists(place: Workspace, to: Path, *more: str) -> dict[str, Path]:
    result = run("held", "fix-it", "--to", to, *more, "-w", place.root)
    assert result.exit_code == 0, result.output
    assert ANSWER not in result.output
    return {Path(line).name: Path(line) for line in result.stdout.splitlines()}


@pytest.fixture(scope="module")
def fix_its(place, tmp_path_factory) -> dict[str, Path]:
    return lists(place, tmp_path_factory.mktemp("lists"))


# --- the report


def test_a_report_points_to_nothing_outside_and_holds_all_that_it_shows(reports):
    for page in reports.values():
        assert page.outside == []
        assert {found["href"] for found in page.all("a")} == {*reports, "#f1", "#f2", "#f3"}
        assert {tag for tag, _ in page.elements}.isdisjoint(
            {"script", "link", "img", "iframe", "object", "base", "form"}
        )
        (policy,) = [one["content"] for one in page.all("meta") if one.get("http-equiv") == "Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'")


def test_hostile_words_are_shown_as_words(reports):
    for page in reports.values():
        assert page.text.count(HOSTILE) > 5


def test_a_report_has_no_answer_no_reason_of_a_person_and_no_id(reports, place):
    for page in reports.values():
        assert ANSWER not in page.text
        assert "77777" not in page.text
        assert not re.search(r"uuid|0000004|20261121T", page.text)
    with writing(place.warehouse) as db:
        assert db.execute("SELECT count(*) FROM held.visit WHERE name LIKE 'Zebracorn%'").fetchone() == (8,)


def test_a_report_can_be_read_aloud(reports):
    for name, page in reports.items():
        assert page.all("html") == [{"lang": name.split(".")[1], "dir": "ltr"}]
        assert [tag for tag, _ in page.elements if tag == "h1"] == ["h1"]
        assert len(page.all("table")) == len(page.all("caption")) > 10
        assert all(found.get("scope") in ("col", "row") for found in page.all("th"))
        ids = [found["id"] for _, found in page.elements if "id" in found]
        assert len(ids) == len(set(ids))
        charts = [found for found in page.all("svg") if found.get("role") == "img"]
        assert len(charts) == 3
        for chart in charts:
            assert set(chart["aria-labelledby"].split()) < set(ids)
        assert all(found.get("role") == "img" or found["aria-hidden"] == "true" for found in page.all("svg"))
        (here,) = [found for found in page.all("a") if found.get("aria-current")]
        assert here["href"] == name


def cells(page: Page, path: Path) -> list[list[str]]:
    """The rows of all tables of a page, as texts."""
    html = path.read_text(encoding="utf-8")
    rows = re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)
    return [[re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)] for row in rows]


@pytest.fixture(scope="module")
def rows(reports, place) -> list[list[str]]:
    folder = place.root / "warehouse" / "report"
    html = (folder / "report.en.html").read_text(encoding="utf-8")
    visit = html[html.index('aria-labelledby="f3"') :]
    (folder / "visit.part").write_text(visit, encoding="utf-8")
    found = cells(reports["report.en.html"], folder / "visit.part")
    (folder / "visit.part").unlink()
    return found


def test_what_came_is_told_by_what_became_of_it(reports):
    text = reports["report.en.html"].text
    assert "Came in30Accepted18 60.0%Held8 26.7%Refused3 10.0%Dropped by the team1 3.3%" in text


def test_refusals_are_told_by_their_reason_also_those_of_the_server(rows):
    assert ["The person chose to have everything deleted", "2"] in rows
    assert ["No consent", "1"] in rows


def test_rules_are_told_with_words_action_counts_and_how_they_were_judged(rows):
    said = [row for row in rows if len(row) == 5 and row[1] in ("holds", "notes")]
    assert [row[1:] for row in said] == [
        ["holds", "6", "6", "in every batch"],
        ["holds", "1", "1", "in every batch"],
        ["holds", "1", "1", "in every batch"],
        ["notes", "18", "18", "in every batch"],
    ]
    assert said[0][0] == "“How old are you?” must be answered and is empty. FORM-REQUIRED:age"


def test_a_rule_that_was_not_judged_is_never_shown_as_one_that_holds(rows, reports):
    fallen = [row for row in rows if row[0].endswith("RULE-FALLEN")]
    assert [row[:3] for row in fallen] == [["How old are you? RULE-FALLEN", "1 batch", ""]]
    undecided = [row for row in rows if row[0].endswith("FORM-CALCULATION:hostile")]
    assert [row[1:] for row in undecided] == [["", "1 batch", "now() of the phone"]]
    assert "One other rule was judged, and nothing breaks it." in reports["report.en.html"].text


def test_versions_and_senders_are_told_in_full(rows):
    assert ["1", "15", "6", "0", "28.6%"] in [row[:5] for row in rows]
    assert ["3", "2", "1", "40.0%"] in [row[1:5] for row in rows]
    assert ["omar", "10", "1", "10.0%"] in [row[:4] for row in rows]
    assert ["(no name given)", "1", "0", "0.0%"] in [row[:4] for row in rows]


def test_a_country_of_few_submissions_is_not_told(rows):
    place = next(number for number, row in enumerate(rows) if row[0] == "Country")
    assert [row[:4] for row in rows[place + 1 : place + 3]] == [
        ["Kenya", "12", "not told", "–"],
        ["Others (3 groups)", "14", "fewer than 5", "–"],
    ]


def test_runs_are_told_by_the_day_of_the_pull(rows):
    assert ["4 Nov 2026", "20", "0", "2", "0.0%", "0"] in rows
    assert ["18 Nov 2026", "24", "2", "2", "7.7%", "0"] in rows


def test_waiting_submissions_and_corrections_are_counted(rows):
    assert ["less than a day", "8"] in rows
    assert ["applied", "2"] in rows
    assert ["conflict: the source changed", "1"] in rows


def test_numbers_and_days_are_written_as_in_the_language(reports):
    assert "60,0\u202f%" in reports["report.fr.html"].text
    assert "4 nov. 2026" in reports["report.fr.html"].text
    assert "Règles enfreintes actuellement" in reports["report.fr.html"].text
    assert "4 nov 2026" in reports["report.es.html"].text


def test_only_its_owner_may_read_a_report_and_version_control_leaves_it_out(reports, place):
    folder = place.root / "warehouse" / "report"
    for name in reports:
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (folder / ".gitignore").read_text() == "*\n"


def test_one_form_in_one_language_is_one_file_without_a_switch(place, tmp_path):
    result = run("report", "market", "--language", "fr", "--to", tmp_path / "new", "-w", place.root)
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path / 'new' / 'report.fr.html'}\n")
    page = Page(tmp_path / "new" / "report.fr.html")
    assert page.all("a") == []
    assert "Community visit" not in page.text
    assert "Market prices" in page.text


def test_a_form_of_which_nothing_landed_has_zeros_and_no_country(place, tmp_path):
    assert run("report", "plain", "--to", tmp_path, "-w", place.root).exit_code == 0
    text = Page(tmp_path / "report.en.html").text
    assert "Came in0Accepted0 –Held0 –Refused0 –" in text
    assert "Country" not in text


def test_a_form_that_nobody_knows_is_config_005(place):
    for command in (["report"], ["held", "fix-it"]):
        result = run(*command, "nowhere", "-w", place.root)
        assert (result.exit_code, result.stdout) == (3, "")
        assert result.stderr.startswith("error[CONFIG-005]")


def test_warehouse_060_an_older_warehouse_says_how_to_bring_it_up_to_date(tmp_path):
    workspace = report_site(tmp_path)
    with writing(workspace.warehouse) as db:
        db.execute("DROP TABLE ops.rule_results")
    for command in (["report"], ["held", "fix-it"]):
        result = run(*command, "-w", tmp_path)
        assert (result.exit_code, result.stdout) == (9, "")
        assert result.stderr.startswith("error[WAREHOUSE-060] dialogkit.duckdb\n")
        assert "dialogkit land" in result.stderr


def test_every_language_has_every_word():
    english, *others = (set(pages.words(language)) for language in ("en", "fr", "es"))
    assert all(english == other for other in others)


# --- the lists


def test_there_is_a_list_for_each_sender_under_a_number(fix_its):
    assert list(fix_its) == [
        *(f"fix-it-{number:03}.{kind}" for number in (1, 2, 3) for kind in ("html", "txt")),
        "index.html",
    ]
    index = Page(fix_its["index.html"])
    assert index.outside == []
    for name in ("Léa <b>Ω</b>", "omar", HOSTILE):
        assert name in index.text


def test_a_list_says_what_is_wrong_in_the_language_of_the_form_and_never_an_answer(fix_its):
    page = Page(fix_its["fix-it-001.html"])
    assert page.all("html")[0]["lang"] == "fr"
    assert "6 envois attendent une correction." in page.text
    assert "« Quel âge avez-vous ? » est obligatoire.Répondez à la question." in page.text
    assert "Quel âge avez-vous ?«" not in page.text  # the message has the label: once is enough
    assert page.text.count("envoyé le 20 nov. 2026") == 6
    for path in fix_its.values():
        assert ANSWER not in path.read_text(encoding="utf-8")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_submission_on_odk_central_has_a_link_to_its_page(fix_its):
    links = Page(fix_its["fix-it-001.html"]).outside
    central = "https://central.example.org/#/projects/3/forms/visit%2F%C3%B6/submissions/uuid%3A0000000"
    assert links == [f"{central}{number}" for number in range(6)]
    assert f"{central}0" in fix_its["fix-it-001.txt"].read_text(encoding="utf-8")


def test_a_submission_on_kobotoolbox_has_a_link_to_its_table_and_other_addresses_are_no_links(fix_its):
    page = Page(fix_its["fix-it-003.html"])
    assert page.outside == ["https://kf.example.org/#/forms/aKobo1/data/table"]
    assert "chercher 00000060" in page.text
    assert "javascript" not in fix_its["fix-it-003.html"].read_text() + fix_its["fix-it-003.txt"].read_text()


def test_what_only_the_team_can_do_is_not_asked_of_the_sender(fix_its):
    text = fix_its["fix-it-003.txt"].read_text(encoding="utf-8")
    assert text.endswith(
        "Envoi 00000052, envoyé le 20 nov. 2026\n☐ L’envoi entier: La version est inconnue.\n"
        "   → L’équipe s’en occupe : il n’y a rien à faire.\n"
    )


def test_text_that_is_read_from_right_to_left_turns_nothing_around_it(fix_its):
    text = fix_its["fix-it-002.txt"].read_text(encoding="utf-8")
    assert '☐ \u2068ماذا قال المشاركون عن "السوق"؟\u2069 (ligne 1): La réponse n’est pas permise.\n' in text
    assert "ODK Collect" in text


def test_what_was_read_from_a_folder_is_not_to_be_opened_on_a_phone(tmp_path):
    toml = '[servers.old]\nkind = "folder"\npath = "old"\n[forms.odd]\nfile = "odd.xlsx"\nserver = "old"\n'
    (tmp_path / "dialogkit.toml").write_text(toml)
    workspace = open_workspace(tmp_path)
    with writing(workspace.warehouse) as db:
        batch = write_batch(workspace.batches, ODD, [received(ODD, {"age": "4"}, "uuid:one")], server="old")
        land_batch(db, batch, ODD, hold={"uuid:one": "RULE-001"})
    text = lists(workspace, tmp_path / "lists")["fix-it-001.txt"].read_text(encoding="utf-8")
    assert "RULE-001 is broken." in text
    assert "ODK Collect" not in text


def test_a_list_in_another_language_and_of_one_form(place, tmp_path):
    files = lists(place, tmp_path, "market", "--language", "es")
    page = Page(files["fix-it-001.html"])
    assert list(files) == ["fix-it-001.html", "fix-it-001.txt", "index.html"]
    assert page.all("html")[0]["lang"] == "es"
    assert "¿Qué edad tiene?“How old are you?” must be answered and is empty.Responda a la pregunta." in page.text


def test_lists_by_country_put_other_answers_with_those_that_say_nothing(place, tmp_path):
    files = lists(place, tmp_path, "visit", "--by", "country", "--language", "en")
    assert len(files) == 7
    index = Page(files["index.html"]).text
    assert re.search(r"India.*1.*Kenya.*6.*Mexico.*1", index)
    assert ANSWER not in index


def test_earlier_lists_are_taken_away_and_other_files_stay(place, tmp_path):
    for name in ("fix-it-009.html", "fix-it-009.txt", "fix-it-009.html.mine", "letter.html"):
        (tmp_path / name).write_text("x")
    lists(place, tmp_path, "market")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "fix-it-001.html",
        "fix-it-001.txt",
        "fix-it-009.html.mine",
        "index.html",
        "letter.html",
    ]


def test_when_nothing_is_held_only_the_index_says_so(place, tmp_path):
    files = lists(place, tmp_path, "plain", "--language", "en")
    assert list(files) == ["index.html"]
    assert "No submission is held." in Page(files["index.html"]).text
