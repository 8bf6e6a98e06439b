"""Encrypted submissions as real servers gave them back: what the recordings can prove without their private key.

The recordings hold ciphertext and, apart from it, what ODK Central read out of it with its passphrase. The private key
was never in an exchange, so the start value and the cipher cannot be tried on these very bytes: `test_decrypt.py` does
that with a submission which Java encrypted. Here: the shape, the sizes, the reasons, and the known answers, sealed
again with a key of our own.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import zipfile
from email import message_from_bytes
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from dialogkit import xml
from dialogkit.instance import read_instance
from dialogkit.model.submission import Attachment, Submission
from dialogkit.pull.decrypt import Opener, unseal
from dialogkit.pull.envelope import read_envelope
from tests.builders import make_form
from tests.builders_encrypt import Sealed, private_key, seal

RECORDINGS = Path(__file__).parents[1] / "recordings"
FORM = make_form(
    "enc_form",
    "7",
    [("text", "story"), ("integer", "n"), ("image", "photo"), ("repeat", "who"), ("text", "who/person")],
)
ID = "uuid:37960863-48fa-59f4-b027-14fe7751d9f5"


def recording(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def sent(name: str) -> Sealed:
    """What the phone sent in a recording of ODK Central."""
    request = recording(f"central/{name}")["request"]
    head = f"Content-Type: {request['headers']['Content-Type']}\r\n\r\n".encode()
    parts = message_from_bytes(head + base64.b64decode(request["body_base64"])).get_payload()
    files = {str(part.get_filename()): part.get_payload(decode=True) for part in parts}
    return Sealed(files.pop("submission.xml"), files)


def read_by_central() -> zipfile.ZipFile:
    """What ODK Central decrypted with its passphrase."""
    answer = recording("central/349-csv-zip-encrypted-post-passphrase")["response"]
    return zipfile.ZipFile(io.BytesIO(base64.b64decode(answer["body_base64"])))


def rows(table: str) -> list[dict[str, str]]:
    text = read_by_central().read(table).decode()
    return [row for row in csv.DictReader(io.StringIO(text)) if ID in (row["KEY"], row.get("PARENT_KEY"))]


def known_answers() -> dict[str, Any]:
    (main,) = rows("enc_form.csv")
    people = [{"who/person": row["person"]} for row in rows("enc_form-who.csv")]
    return {"story": main["story"], "n": main["n"], "photo": main["photo"], "who": people}


def test_the_server_gives_back_what_the_phone_sent() -> None:
    given_back = recording("central/345-submission-xml-encrypted")["response"]["body"]
    assert given_back.encode() == sent("340-encrypted-submission").xml


def test_the_envelope_names_the_key_the_files_and_their_order(tmp_path: Path) -> None:
    sealed = sent("340-encrypted-submission")
    envelope = read_envelope(sealed.submission(FORM, tmp_path), FORM, sealed.xml)
    assert envelope
    assert (envelope.instance_id, envelope.form_id, envelope.version) == (ID, "enc_form", "7[encrypted:AaH48+PY]")
    assert (envelope.media, envelope.answers_file) == (("p.png.enc",), "submission.xml.enc")
    listed = json.loads(recording("central/346-submission-attachments-encrypted")["response"]["body"])
    assert {file["name"] for file in listed} == {*envelope.media, envelope.answers_file}
    public = load_der_public_key(base64.b64decode(_public_key_of_the_form()))
    assert isinstance(public, RSAPublicKey)
    for text in (envelope.key, envelope.signature):
        assert len(base64.b64decode(text)) == public.key_size // 8


def _public_key_of_the_form() -> str:
    form = xml.parse(recording("central/336-encrypted-form-xml")["response"]["body"].encode())
    return next(element.get("base64RsaPublicKey", "") for element in form.iter() if xml.local(element) == "submission")


def test_sizes_are_those_of_whole_blocks_with_one_to_sixteen_bytes_of_filling(tmp_path: Path) -> None:
    sealed = sent("340-encrypted-submission")
    picture = read_by_central().read("media/p.png")
    again = seal(_inner(), {"p.png": picture})
    assert {name: len(data) for name, data in sealed.files.items()} == {
        name: len(data) for name, data in again.files.items()
    }


def test_the_known_answers_come_out_of_an_envelope_of_the_recorded_shape(tmp_path: Path) -> None:
    picture = read_by_central().read("media/p.png")
    sealed = seal(_inner(), {"p.png": picture})
    assert _without_secrets(sealed.xml) == _without_secrets(sent("340-encrypted-submission").xml)
    opened = unseal(sealed.submission(FORM, tmp_path), FORM, tmp_path, Opener([private_key()]), sealed.xml)
    assert opened.answers == known_answers()
    assert (opened.form_version, opened.instance_id, opened.sealed) == ("7", ID, "")
    assert (tmp_path / "p.png").read_bytes() == picture


def _inner() -> bytes:
    """The answers as the phone of the recordings wrote them in the open (342), with those of the encrypted one."""
    plain = sent("342-unencrypted-submission-to-encrypted-form").xml.decode()
    known = known_answers()
    other = read_instance(plain.encode(), FORM.repeats)
    return (
        plain.replace(str(other.answers["story"]), known["story"])
        .replace(f"<n>{other.answers['n']}</n>", f"<n>{known['n']}</n>")
        .replace(other.instance_id, ID)
        .encode()
    )


def _without_secrets(envelope: bytes) -> list[tuple[str, str]]:
    secret = ("base64EncryptedKey", "base64EncryptedElementSignature")
    return [
        (element.tag, "" if xml.local(element) in secret else element.text or "")
        for element in xml.parse(envelope).iter()
    ]


def test_the_reasons_for_the_recorded_ones(tmp_path: Path) -> None:
    sealed = sent("340-encrypted-submission")
    submission = sealed.submission(FORM, tmp_path)
    assert unseal(submission, FORM, tmp_path, Opener([]), sealed.xml).sealed == "no key"
    assert unseal(submission, FORM, tmp_path, Opener([private_key()]), sealed.xml).sealed == "wrong key"
    assert {path.name for path in tmp_path.iterdir()} == set(sealed.files)


def test_a_submission_in_the_open_to_an_encrypted_form_stays_in_the_open(tmp_path: Path) -> None:
    plain = sent("342-unencrypted-submission-to-encrypted-form")
    read = unseal(plain.submission(FORM, tmp_path), FORM, tmp_path, Opener([private_key()]), plain.xml)
    assert (read.form_version, read.sealed, read.answers["story"]) == ("7", "", "Plain text sent")


def test_the_encrypted_row_of_kobotoolbox_is_damaged(tmp_path: Path) -> None:
    """Its key and its file were made up by hand when it was recorded: nothing could open it."""
    (row,) = recording("kobo/data_encrypted")["response"]["body"]["results"]
    names = [file["media_file_basename"] for file in row["_attachments"]]
    for name in names:
        (tmp_path / name).write_bytes(b"\x01\x02encrypted")
    submission = Submission(
        id=row["meta/rootUuid"],
        instance_id=row["meta/instanceID"],
        form_id="enc",
        form_version="",
        submitted_at="2026-11-20T12:50:47Z",
        answers={path: text for path, text in row.items() if isinstance(text, str) and not path.startswith("_")},
        attachments=tuple(Attachment(name) for name in names),
    )
    form = make_form("enc", "1", [("text", "place")])
    assert unseal(submission, form, tmp_path, Opener([]), json.dumps(row).encode()).sealed == "no key"
    assert unseal(submission, form, tmp_path, Opener([private_key()]), json.dumps(row).encode()).sealed == "damaged"
