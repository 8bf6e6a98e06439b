"""Which instances of onadata and Briefcase belong to which form."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape

from tests.corpus.exports import moment
from tests.corpus.material import CORPUS, Set, form_at, instances, received_from

_TRANSPORT: Final = "onadata/main/transportation"
_ONA: Final = "onadata/onadata/libs"
_EXPORT: Final = "onadata/main/csv_export"

#: Name of the set → the form, and the instances in the order in which they came.
INSTANCES: Final[dict[str, tuple[str, list[str]]]] = {
    "api_cascading": ("onadata/api/forms/cascading/cascading.xlsx", ["onadata/api/forms/cascading/instances/*"]),
    "api_contributions": (
        "onadata/api/forms/contributions/contributions.xml",
        ["onadata/api/forms/contributions/instances/*/*.xml"],
    ),
    "api_tutorial": ("onadata/api/forms/tutorial/tutorial.xlsx", ["onadata/api/forms/tutorial/instances/*"]),
    "api_tutorial_edited": (
        "onadata/api/tutorial/tutorial.xlsx",
        [
            f"onadata/api/tutorial/instances/tutorial_2012-06-27_11-27-53_w_uuid{end}.xml"
            for end in ("", "_edited", "_edited_again", "_edited_blank")
        ],
    ),
    "osm": ("onadata/api/osm/osm.xlsx", ["onadata/api/osm/instance_a.xml"]),
    "gps_data": ("onadata/logger/gps_data.xlsx", ["onadata/logger/gps_data.xml"]),
    "repeated_nodes": ("", ["onadata/logger/repeated_nodes.xml"]),
    "new_repeats": ("onadata/logger/new_repeats/new_repeats.xlsx", ["onadata/logger/new_repeats/instances/*"]),
    "logger_tutorial": (
        "onadata/logger/tutorial/tutorial.xlsx",
        [
            f"onadata/logger/tutorial/instances/tutorial_{end}.xml"
            for end in (
                "2012-06-27_11-27-53",
                "2012-06-27_11-27-53_bad_id_string",
                "2012-06-27_11-27-53_w_uuid",
                "2012-06-27_11-27-53_w_uuid_edited",
                "2012-06-27_11-27-53_w_uuid_edited_again",
                "2012-06-27_11-27-53_w_uuid_same_instanceID",
                "2012-06-27_11-27-53_w_xform_uuid",
                "invalid_id_string_2012-06-27_11-27-53",
                "unicode_submission",
            )
        ],
    ),
    "tutorial_encrypted": (
        f"{_ONA}/tutorial/tutorial_encrypted.xlsx",
        ["onadata/logger/tutorial_encrypted/instances/*.xml"],
    ),
    "water": (
        "onadata/logger/test_forms/water_simple/forms/WaterSimple.xml",
        ["onadata/logger/test_forms/water_simple/instances/*"],
    ),
    "water_viewer": (
        "onadata/viewer/test_forms/water_simple/forms/WaterSimple.xml",
        ["onadata/viewer/test_forms/water_simple/instances/*"],
    ),
    "csv_tutorial": (f"{_EXPORT}/tutorial.xlsx", [f"{_EXPORT}/tutorial.xml"]),
    "csv_repeats": (f"{_EXPORT}/tutorial_w_repeats.xlsx", [f"{_EXPORT}/tutorial_w_repeats.xml"]),
    "csv_selects": (
        f"{_EXPORT}/tutorial_w_repeats.xlsx",
        [f"{_EXPORT}/tutorial_w_repeats_select*.xml", f"{_EXPORT}/repeats_sub.xml"],
    ),
    "csv_note": (f"{_EXPORT}/repeat_w_note.xlsx", [f"{_EXPORT}/repeat_w_note.xml"]),
    "csv_double": (f"{_EXPORT}/double_repeat.xlsx", [f"{_EXPORT}/instance.xml"]),
    "sheets": (
        "onadata/main/google_sheets_export/tutorial_w_repeats.xlsx",
        ["onadata/main/google_sheets_export/tutorial_w_repeats.xml"],
    ),
    "gps": ("onadata/main/gps/gps.xlsx", ["onadata/main/gps/instances/*"]),
    "gps_in_repeats": ("onadata/main/gps/gps_in_repeats.xlsx", ["onadata/main/gps/gps_in_repeats_submission.xml"]),
    "accent": ("onadata/main/sample_accent.xlsx", ["onadata/main/sample_accent_instances/*"]),
    "transport": (
        f"{_TRANSPORT}/transportation.xlsx",
        [
            f"{_TRANSPORT}/instances/transport_2011-07-25_19-{at}/transport_2011-07-25_19-{at}.xml"
            for at in ("05-49", "05-36", "06-01", "06-14")
        ],
    ),
    "transport_more": (
        f"{_TRANSPORT}/transportation.xml",
        [f"{_TRANSPORT}/instances/*/*.xml", f"{_TRANSPORT}/instances_w_uuid/*/*.xml"],
    ),
    "transport_encrypted": (
        f"{_TRANSPORT}/transportation_encrypted.xlsx",
        [f"{_TRANSPORT}/instances_encrypted/submission.xml"],
    ),
    "userone": (
        "onadata/main/userone/userone_with_dot_name_fields.xlsx",
        ["onadata/main/userone/userone_with_dot_name_fields.xml"],
    ),
    "libs_repeats": (f"{_ONA}/tests/utils/new_repeats/new_repeats.xlsx", [f"{_ONA}/tests/utils/new_repeats/*/*"]),
    "libs_tutorial": (f"{_ONA}/tests/data/tutorial/tutorial.xlsx", [f"{_ONA}/tests/utils/tutorial/instances/*/*"]),
    "all_types": ("briefcase/all-data-types.xml", ["briefcase/all-data-types-submission.xml"]),
    "all_types_empty": ("briefcase/all-data-types.xml", ["briefcase/all-data-types-submission-empty-tags.xml"]),
    **{
        name.replace("-", "_"): (f"briefcase/{name}.xml", [f"briefcase/{name}-submission.xml"])
        for name in (
            "choice-lists",
            "choice-lists-predicate",
            "choice-lists-predicate-relative-repeat",
            "choice-lists-randomize",
            "encrypted-form",
            "encrypted-form-media",
            "media-files",
            "nested-repeats",
            "simple-form-case-sensitivity",
        )
    },
}
#: Briefcase fills one template in its own tests: expected export → what it puts in, one submission a row.
TEMPLATES: Final = ("simple", "commas", "double-quotes", "empty", "newlines", "")


def instance_sets() -> Iterator[Set]:
    """Every set of instances of onadata and Briefcase."""
    for name, (form, files) in INSTANCES.items():
        yield instances(name, form, files)
    for end in TEMPLATES:
        yield _from_template(f"simple-form-{end}".rstrip("-"))


def _from_template(name: str) -> Set:
    built = form_at("briefcase/simple-form.xml")
    assert built
    template = (CORPUS / "briefcase" / "simple-form-submission.xml.tpl").read_text(encoding="utf-8")
    with (CORPUS / "briefcase" / f"{name}.csv.expected").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    received = []
    for row in rows:
        at = moment(row["SubmissionDate"]).isoformat()
        body = template % (row["KEY"], at, at, escape(row["some_text"]))
        received.append(received_from(body.encode(), built.form)[0])
    return Set(name.replace("-", "_"), (built,), tuple(received))
