"""Every real submission of the corpus lands, no answer is lost, whatever its form and version."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import pytest

from dialogkit.errors import FormError
from tests.corpus import kobo_recorded, msna
from tests.corpus.instance_sets import INSTANCES
from tests.corpus.material import CORPUS, instance_files

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real submissions is not beside this checkout"),
]

#: Files of the client of KoboToolbox that have no row of data.
WITHOUT_ROWS: Final = {
    "kobo_asset",
    "kobo_asset_file_list",
    "kobo_asset_file_list_empty",
    "kobo_asset_version",
    "kobo_asset_version_list",
    "kobo_data_empty",
    "kobo_data_non_survey",
    "kobo_data_query_empty",
    "kobo_data_validate_fields",
    "kobo_data_validate_query",
    "kobo_form",
    "kobo_form_external_files",
    "kobo_form_no_choices",
    "kobo_form_version",
}


def test_every_submission_lands_and_no_answer_is_lost(landings, warehouse):
    rows = warehouse.execute("SELECT form_id, count(*) FROM ops.submissions GROUP BY ALL").fetchall()
    assert dict(rows) == landings.submissions
    states = warehouse.execute("SELECT DISTINCT state FROM ops.submissions").fetchall()
    assert {state for (state,) in states} == {"accepted", "held"}
    print("sets:", len(landings.submissions), "submissions:", sum(landings.submissions.values()))
    print("answers, each in one place:", sum(landings.answers.values()))
    assert sum(landings.answers.values()) > 79_000


def test_every_file_with_a_submission_is_in_a_set():
    named = {
        path.relative_to(CORPUS).as_posix()
        for _, some in INSTANCES.values()
        for one in some
        for path in CORPUS.glob(one)
    }
    assert named - set(instance_files()) == set()
    assert set(instance_files()) - named == set()


def test_a_submission_without_any_form_is_kept_whole_as_drift(warehouse):
    """Its published result is JSON: the same texts at the same names."""
    expected = json.loads((CORPUS / "onadata/logger/repeated_nodes_expected_results.json").read_text(encoding="utf-8"))
    rows = warehouse.execute("SELECT path, raw FROM ops.drift WHERE form_id = 'repeated_nodes'").fetchall()
    landed = Counter(leaf for path, raw in rows for leaf in leaves(path, json.loads(raw)))
    assert landed == Counter(leaves("", expected["#document"]["RW_OUNIS_2016"]))


def leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Last name and text of every leaf."""
    if isinstance(value, dict):
        for key, inside in value.items():
            yield from leaves(key.rpartition("/")[2], inside)
    elif isinstance(value, list):
        for inside in value:
            yield from leaves(name, inside)
    else:
        yield name, value


# --- KoboToolbox


def test_every_recorded_row_of_kobotoolbox_lands(landings):
    files = kobo_recorded.recordings()
    assert len(files) == 28
    without = {file.stem for file in files if not any(kobo_recorded.pages(file))}
    assert without == WITHOUT_ROWS
    every = [(kobo_recorded.set_name(file, page), len(page)) for file in files for page in kobo_recorded.pages(file)]
    some = [(name, count) for name, count in every if count]
    assert (len(some), sum(count for _, count in some)) == (21, 93)
    assert [(name, landings.submissions[name]) for name, _ in some] == some


def test_every_recorded_content_of_an_asset_is_a_form_or_refused_with_its_row(tmp_path):
    refused = []
    versions = [(asset, version) for asset, some in kobo_recorded.contents().items() for version in some]
    for asset, version in versions:
        try:
            built = kobo_recorded.built(tmp_path, asset, version)
        except FormError as error:
            refused.append(error.code)
            continue
        assert built.form.questions
        assert built.form.version == version
    # One has a select from a file that also searches, which pyxform takes no longer; no data of it was recorded.
    assert (len(versions), refused) == (12, ["FORM-010"])


def test_rows_of_old_versions_are_read_with_their_own_version(landings, warehouse):
    """Three versions of one form: each row says its version, nothing is drift, removed questions and choices stay."""
    (asset, content) = next((asset, some) for asset, some in kobo_recorded.contents().items() if len(some) == 3)
    old = [name for name in landings.submissions if name.startswith(f"kobo_{asset}")]
    assert old
    for name in old:
        versions = warehouse.execute(f'SELECT _form_version, count(*) FROM accepted."{name}" GROUP BY ALL').fetchall()
        assert {version for version, _ in versions} == set(content)
        assert sum(count for _, count in versions) == 6
        assert warehouse.execute("SELECT count(*) FROM ops.drift WHERE form_id = ?", [name]).fetchone() == (0,)
        choices = warehouse.execute("SELECT list_name, choice FROM ops.choices WHERE form_id = ?", [name]).fetchall()
        asked = {(row["list_name"], row["name"]) for one in content.values() for row in one.get("choices", ())}
        assert asked <= set(choices)
        paths = {
            path for (path,) in warehouse.execute("SELECT path FROM ops.columns WHERE form_id = ?", [name]).fetchall()
        }
        names = {row["name"] for one in content.values() for row in one["survey"] if row["type"] == "text"}
        assert names <= {path.rpartition("/")[2] for path in paths}


def test_what_kobotoolbox_adds_to_a_form_is_the_only_drift_of_its_rows(warehouse):
    """`<repeat>_count` stands in no workbook: their older pyxform made it, ours does not."""
    drift = warehouse.execute("SELECT DISTINCT path FROM ops.drift WHERE form_id LIKE 'kobo%'").fetchall()
    assert {path for (path,) in drift} == {"demo/hobbies_list_count", "demo/lang_list_count", "education_count"}


# --- the assessment


def test_every_row_of_the_assessment_lands_in_its_table(warehouse):
    for title, rows in msna.sheets().items():
        table = warehouse.execute(
            "SELECT table_name FROM ops.tables WHERE form_id = 'msna' AND repeat = ?", [msna.path_of(title)]
        ).fetchone()
        counts = [
            warehouse.execute(f'SELECT count(*) FROM {schema}."{table[0]}"').fetchone()
            for schema in ("accepted", "held")
        ]
        assert sum(count for (count,) in counts) == len(rows), title
    assert len(msna.sheets()) == 5


def test_columns_of_single_choices_agree_with_the_lists_that_were_landed(warehouse):
    """The export has `q/choice` beside q: 1, 0 or nothing."""
    compared = 0
    differences: Counter[str] = Counter()
    for title, rows in msna.sheets().items():
        lists = msna.landed_lists(warehouse, title)
        for heading in rows[0]:
            name, _, choice = heading.partition("/")
            if choice and msna.is_tick(msna.form().form, heading):
                for place, row in zip(msna.places(title), rows, strict=True):
                    chosen = lists.get(name, {}).get(place)
                    said = None if chosen is None else int(choice in chosen)
                    compared += said == row[heading]
                    differences[f"{title}: {heading}"] += said != row[heading]
    print("ticks equal:", compared, "different:", {key: n for key, n in differences.items() if n})
    assert compared > 10_000
    assert not any(differences.values())


def test_the_index_of_the_corpus_names_no_submission_that_is_not_there():
    with (CORPUS / "submissions.csv").open(encoding="utf-8", newline="") as file:
        named = [row["file"] for row in csv.DictReader(file)]
    assert [path for path in named if not (CORPUS / path).is_file()] == []
