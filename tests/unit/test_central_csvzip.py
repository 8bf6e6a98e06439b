"""Reading Central's csv.zip: what it gives is what the XML gives, or it says that it cannot tell."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from dialogkit.instance import read_instance
from dialogkit.servers.central.csvzip import CsvRow, NotLosslessError, TooLargeError, read_rows
from dialogkit.servers.central.fields import Shape, shape_of

RECORDINGS = Path(__file__).parents[1] / "recordings"
LAST = (
    "KEY,SubmitterID,SubmitterName,AttachmentsPresent,AttachmentsExpected,Status,ReviewState,DeviceID,Edits,FormVersion"
)


class Everything:
    def __contains__(self, _: object) -> bool:
        return True


def recorded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))["response"]
    return found


def fields_of(name: str) -> list[dict[str, Any]]:
    body = recorded(name)["body"]
    # The first data set was kept as a list.
    found: list[dict[str, Any]] = json.loads(body) if isinstance(body, str) else body
    return found


def archive_of(name: str) -> io.BytesIO:
    return io.BytesIO(base64.b64decode(recorded(name)["body_base64"]))


def shape(*versions: list[dict[str, Any]]) -> Shape:
    found = shape_of(versions)
    assert found is not None
    return found


def fields(*pairs: str) -> list[dict[str, Any]]:
    """`"path type"` each."""
    return [{"path": "/" + path, "type": kind} for path, kind in (pair.split() for pair in pairs)]


def zipped(**files: str) -> io.BytesIO:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(f"{name.replace('__', '-')}.csv", text.encode())
    made.seek(0)
    return made


def main(*rows: str, headings: str = "a") -> str:
    """A main file; a row is `"answers|id"`."""
    lines = [f"SubmissionDate,{headings},{LAST}"]
    for row in rows:
        answers, _, key = row.rpartition("|")
        lines.append(f"2026-11-20T12:00:00.000Z,{answers},{key},5,Phone 1,0,0,,hasIssues,collect:1,0,2")
    return "\n".join(lines) + "\n"


def read(file: io.BytesIO, form: Shape, wanted: Any = Everything()) -> list[CsvRow]:  # noqa: B008 - it holds nothing
    return list(read_rows(file, form, wanted))


def test_the_first_data_set_reads_as_its_xml_does():
    form = shape(fields_of("first-data-set/central-fields"))
    rows = {row.id: row for row in read(archive_of("first-data-set/central-csv-zip"), form)}
    seen = 0
    for path in sorted((RECORDINGS / "first-data-set").glob("central-xml-*.json")):
        instance = read_instance(recorded(f"first-data-set/{path.stem}")["body"].encode(), form.repeats)
        assert rows[instance.instance_id].answers == instance.answers
        assert rows[instance.instance_id].form_version == instance.form_version
        seen += 1
    assert seen == len(rows) == 5


def test_repeats_in_repeats_points_and_several_versions_read_as_their_xml_does():
    versions = [fields_of("central/169-form-fields-of-old-version"), fields_of("central/168-form-fields-v2")]
    recorded_xml = recorded("central/113-submission-xml")["body"].encode()
    # 177 was made without removed questions, so it has the headings of the second version only.
    form = shape(versions[1])
    (row,) = read(archive_of("central/177-csv-zip-filtered"), form)
    instance = read_instance(recorded_xml, form.repeats)
    # The one in the archive is another submission of the same answers, with other files and participants.
    other = {"badge", "participants", "meta/audit", "ally"}
    assert row.answers["venue/session"] == instance.answers["venue/session"]
    assert {k: v for k, v in row.answers.items() if k not in other} == {
        k: v for k, v in instance.answers.items() if k not in other
    }
    assert row.answers["venue/location"] == "-1.3133 36.7877 1680.5 4.8"
    assert (row.edits, row.review, row.instance_id) == ("2", "edited", "uuid:ee8677ff-cbcc-5864-900a-e534b3e56312")


def test_odd_values_and_names_stay_as_they_were_typed():
    form = shape(
        fields("my-field string", "my_field string", "dot.name string", "big int", "dec decimal", "ws string",
               "lead int", "g1 structure", "g1/item repeat", "g1/item/x string", "g2 structure", "g2/item2 repeat",
               "g2/item2/x string", "gp geopoint", "dtm dateTime", "tm time", "meta structure",
               "meta/instanceID string")
    )  # fmt: skip
    (row,) = read(archive_of("central/406-edge-csv-zip"), form)
    assert row.answers == {
        "my-field": "hyphen", "my_field": "underscore", "dot.name": "dotted", "big": "12345678901234567890",
        "dec": "0.1000000000000000055511151231257827", "ws": '  two  spaces\nand newline 🌾 "quote", comma ',
        "lead": "007", "gp": "-1.3 36.8 0 0", "dtm": "2026-11-17T14:35:00.000+0530", "tm": "14:30:00.000+03:00",
        "g1/item": [{"g1/item/x": "1a"}, {"g1/item/x": "1b"}], "g2/item2": [{"g2/item2/x": "2a"}],
    }  # fmt: skip


def test_what_the_server_could_not_open_says_so():
    form = shape(fields("story string", "n int", "photo binary", "who repeat", "who/person string", "meta structure",
                        "meta/instanceID string"))  # fmt: skip
    closed = {row.id[-4:]: row.status for row in read(archive_of("central/348-csv-zip-encrypted-no-passphrase"), form)}
    assert closed == {"d0e2": "", "ce43": "missing encrypted form data", "d9f5": "not decrypted"}
    opened = {row.id[-4:]: row for row in read(archive_of("central/352-csv-zip-post-with-query-filter"), form)}
    assert opened["d9f5"].answers["story"] == "A very private story — é"
    assert opened["d9f5"].instance_id == opened["d9f5"].id


def test_only_wanted_submissions_come_and_no_phone_is_named():
    (row,) = read(zipped(f=main("1|x", "2|y")), shape(fields("a string")), {"y"})
    assert (row.id, row.answers, row.submitter, row.review) == ("y", {"a": "2"}, "Phone 1", "hasIssues")
    assert b"collect:1" not in row.body
    assert json.loads(row.body)["submission"]["a"] == "2"


def test_an_id_with_slashes_keeps_its_own_rows():
    form = shape(fields("a string", "r repeat", "r/x string"))
    rows = read(
        zipped(
            f=main("1|my id", "2|my id/2"),
            f__r="x,PARENT_KEY,KEY\n1a,my id,my id/r[1]\n2a,my id/2,my id/2/r[1]\n,my id/2,my id/2/r[2]\n",
        ),
        form,
    )
    assert [row.answers.get("r") for row in rows] == [[{"r/x": "1a"}], [{"r/x": "2a"}, {}]]


def test_repeats_of_one_name_are_told_apart_by_the_keys_of_their_rows():
    form = shape(fields("a string", "g structure", "g/r repeat", "g/r/x string", "r repeat", "r/x string"))
    second, first = "x,PARENT_KEY,KEY\n1,u,u/r[1]\n", "x,PARENT_KEY,KEY\n2,u,u/g/r[1]\n"
    made = {"f": main("1|u"), "f__r~1": second, "f__r~2": first}
    (row,) = read(zipped(**made), form)
    assert row.answers == {"a": "1", "r": [{"r/x": "1"}], "g/r": [{"g/r/x": "2"}]}


def test_a_carriage_return_is_left_to_the_xml():
    for cell, text in (('"one\r\ntwo"', "one\r\ntwo"), ("\rone\r", "\rone\r"), ('"a\r,"', "a\r,")):
        row, other = read(zipped(f=main(f"{cell}|u", "x|v")), shape(fields("a string")))
        assert (row.answers, row.doubtful) == ({"a": text}, True)
        assert (other.answers, other.doubtful) == ({"a": "x"}, False)


@pytest.mark.parametrize(
    ("files", "hopeless"),
    [
        ({"f": main("1|u", headings="b")}, True),
        ({"f": main("1,2|u", headings="a,a")}, True),
        ({"f": main("1|u") + "2026,cut\n"}, False),
        ({"f": main("1|u"), "f__s": "x,PARENT_KEY,KEY\n"}, True),
        ({"other": "x,PARENT_KEY,KEY\n"}, True),
    ],
    ids=["unknown heading", "heading twice", "row cut off", "unknown repeat", "no main file"],
)
def test_an_archive_in_doubt_is_not_read(files: dict[str, str], hopeless: bool):
    with pytest.raises(NotLosslessError) as caught:
        read(zipped(**files), shape(fields("a string")))
    assert caught.value.hopeless is hopeless


@pytest.mark.parametrize(
    "rows",
    ["1,other,other/r[1]\n", "1,u,u/s[1]\n", "1,u,u/r[1]\n1,u,u/r[1]\n", "1,u\n"],
    ids=["of no submission", "of another repeat", "twice", "cut off"],
)
def test_a_row_of_a_repeat_that_does_not_fit_is_in_doubt(rows: str):
    form = shape(fields("a string", "r repeat", "r/x string"))
    with pytest.raises(NotLosslessError):
        read(zipped(f=main("1|u"), f__r="x,PARENT_KEY,KEY\n" + rows), form)


def test_bytes_that_are_no_archive_are_in_doubt():
    with pytest.raises(NotLosslessError):
        read(io.BytesIO(b"PK\x03\x04 cut off"), shape(fields("a string")))


def test_an_archive_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("dialogkit.servers.central.csvzip.MAX_UNPACKED", 1000)
    with pytest.raises(TooLargeError):
        read(zipped(f=main("1" * 2000 + "|u")), shape(fields("a string")))
