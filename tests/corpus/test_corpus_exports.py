"""Published exports of Ona and Briefcase say what was landed, cell by cell; each difference is explained."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.corpus.exports import compare_briefcase, compare_ona, open_comparison
from tests.corpus.instance_sets import INSTANCES, TEMPLATES
from tests.corpus.material import CORPUS, form_at

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real submissions is not beside this checkout"),
]

_SHEETS: Final = "onadata/main/google_sheets_export"
_EXPORT: Final = "onadata/main/csv_export"
#: Exports of Ona: the set that they are of.
ONA: Final = {
    "onadata/api/osm/osm.csv": "osm",
    f"{_EXPORT}/export.csv": "csv_double",
    f"{_EXPORT}/tutorial.csv": "csv_tutorial",
    f"{_EXPORT}/tutorial_w_repeats.csv": "csv_repeats",
    f"{_EXPORT}/tutorial_w_repeats_truncate_titles.csv": "csv_repeats",
    f"{_SHEETS}/expected_flattened_raw.csv": "sheets",
    f"{_SHEETS}/expected_tutorial_w_repeats.csv": "sheets",
    "onadata/main/transportation/transportation.csv": "transport",
    "onadata/main/userone/userone_with_dot_name_fields.csv": "userone",
}
#: Exports of Ona with a line for each row of a repeat.
ONA_ROWS: Final = {
    f"{_EXPORT}/tutorial_w_repeats_flattened.csv": ("csv_repeats", "children"),
    f"{_SHEETS}/expected_children.csv": ("sheets", "children"),
}
_NESTED: Final = {"": "", "-g1": "g1", "-g2": "g1/g2", "-g3": "g1/g2/g3"}
#: Exports of Briefcase: the set that they are of, and the repeat.
BRIEFCASE: Final = {
    "all-data-types": ("all_types", ""),
    "all-data-types-empty": ("all_types_empty", ""),
    "choice-lists": ("choice_lists", ""),
    "choice-lists-predicate": ("choice_lists_predicate", ""),
    "choice-lists-predicate-relative-repeat": ("choice_lists_predicate_relative_repeat", ""),
    "choice-lists-predicate-relative-repeat-group": ("choice_lists_predicate_relative_repeat", "group"),
    "choice-lists-randomize": ("choice_lists_randomize", ""),
    "encrypted-form": ("encrypted_form", ""),
    "encrypted-form-media": ("encrypted_form_media", ""),
    "encrypted-form-media-skip": ("encrypted_form_media", ""),
    **{f"media-files{end}": ("media_files", "") for end in ("", "-ft", "-tf", "-tt", "-tt-dupe", "-tt-missing")},
    **{
        f"nested-repeats{part}{end}": ("nested_repeats", repeat)
        for part, repeat in _NESTED.items()
        for end in ("", "-append", "-overwrite")
    },
    "nested-repeats-no-subs": ("nested_repeats", ""),
    "simple-form-case-sensitivity": ("simple_form_case_sensitivity", ""),
    **{
        name: (name.replace("-", "_"), "")
        for name in (f"simple-form-{end}".rstrip("-") for end in TEMPLATES)
    },
}  # fmt: skip
#: Published files that are not of submissions in the corpus, and why.
NOT_COMPARED: Final = {
    f"{_SHEETS}/expected_choices.csv": "the choices of a form, not submissions",
    f"{_SHEETS}/expected_survey.csv": "the questions of a form, not submissions",
    f"{_EXPORT}/tutorial_w_repeats_import.csv": "what Ona's own import reads; nobody sent its six children",
}

_OSM: Final = "Ona reads the OSM file that is attached; the file is not in the corpus, and no answer names its tags"
_SEALED: Final = "opened by Briefcase with a private key that is not in the corpus; here it stays sealed, and is held"
_MEDIA: Final = "Briefcase names the copy that it made; the answer names the file as the phone did"
_TWICE: Final = "Briefcase was told to append, and wrote each row twice; a submission has a row once"
#: Every difference to a published export, and why it is none of a value.
EXPLAINED: Final = {
    **{
        f"onadata/api/osm/osm.csv: {heading}": _OSM
        for heading in (
            "osm_building:building",
            "osm_building:building:levels",
            "osm_building:ctr:lat",
            "osm_building:ctr:lon",
            "osm_building:name",
            "osm_building:way:id",
            "osm_road:ctr:lat",
            "osm_road:ctr:lon",
            "osm_road:highway",
            "osm_road:lanes",
            "osm_road:name",
            "osm_road:way:id",
        )
    },
    "onadata/main/transportation/transportation.csv: not shown there: image1": "Ona's export leaves out the question",
    "onadata/main/transportation/transportation.csv: not shown there: "
    "transport/loop_over_transport_types_frequency/other/frequency_to_referral_facility": (
        "Ona's export has no column for `other` of a loop, so it loses this answer"
    ),
    "briefcase/encrypted-form.csv.expected: name": _SEALED,
    "briefcase/encrypted-form-media.csv.expected: image1": _SEALED,
    "briefcase/encrypted-form-media.csv.expected: image2": _SEALED,
    "briefcase/encrypted-form-media.csv.expected: name": _SEALED,
    "briefcase/encrypted-form-media-skip.csv.expected: other rows": "Briefcase was told to leave out sealed ones",
    **{
        f"briefcase/media-files{end}.csv.expected: image": _MEDIA
        for end in ("", "-ft", "-tt", "-tt-dupe", "-tt-missing")
    },
    **{f"briefcase/nested-repeats{part}-append.csv.expected: other rows": _TWICE for part in _NESTED},
    "briefcase/nested-repeats-no-subs.csv.expected: other rows": "the export of the form before anything was sent",
}


def test_published_exports_say_the_same_but_for_what_is_explained(warehouse):
    differences: set[str] = set()
    compared = 0
    for path, name in ONA.items():
        found = open_comparison(warehouse, path, name, form_of(name))
        compare_ona(found)
        differences |= found.differences
        compared += found.compared
    for path, (name, repeat) in ONA_ROWS.items():
        found = open_comparison(warehouse, path, name, form_of(name))
        compare_ona(found, row_of_repeat=repeat)
        differences |= found.differences
        compared += found.compared
    for export, (name, repeat) in BRIEFCASE.items():
        found = open_comparison(warehouse, f"briefcase/{export}.csv.expected", name, form_of(name))
        compare_briefcase(found, repeat)
        differences |= found.differences
        compared += found.compared
    print("cells equal to a published export:", compared, "explained:", len(EXPLAINED))
    assert differences - EXPLAINED.keys() == set(), "a difference that nobody has explained"
    assert EXPLAINED.keys() - differences == set(), "an explained difference that is no longer there"
    assert compared > 700


def form_of(name: str) -> Any:
    built = form_at(INSTANCES[name][0] if name in INSTANCES else "briefcase/simple-form.xml")
    assert built
    return built.form


def test_every_published_export_is_compared_or_told_why_not():
    known = {*ONA, *ONA_ROWS, *NOT_COMPARED, *(f"briefcase/{name}.csv.expected" for name in BRIEFCASE)}
    exports = [*CORPUS.glob("onadata/**/*.csv"), *CORPUS.glob("briefcase/*.expected")]
    assert {path.relative_to(CORPUS).as_posix() for path in exports} == known
