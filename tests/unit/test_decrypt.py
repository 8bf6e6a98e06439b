"""Encrypted submissions: all of one is opened or none of it, and only by the right key."""

from __future__ import annotations

import base64
import hashlib
import json
import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialogkit.errors import BatchError
from dialogkit.instance import plain_version, write_instance
from dialogkit.model.submission import Attachment, Submission
from dialogkit.pull.decrypt import Opener, unseal
from dialogkit.pull.private_key import load_private_key
from tests.builders import make_form
from tests.builders_encrypt import Sealed, encrypt, new_key, private_key, seal

FORM = make_form(
    "visit",
    "3",
    [("text", "story"), ("integer", "g/n"), ("image", "photo"), ("repeat", "who"), ("text", "who/person")],
)
ID = "uuid:0c7b3c1e-5d1a-4a51-9f0b-2f2d3c1f6a01"
ANSWERS: Mapping[str, Any] = {
    "story": "Une histoire privée — é",
    "g/n": "007",
    "photo": "p.png",
    "who": [{"who/person": "A"}],
}
XML = write_instance(FORM, ANSWERS, ID)
FILES = {"p.png": bytes(range(100)), "audit.csv": b"", "s.m4a": b"x" * 16}
BY_JAVA = Path(__file__).parent / "data" / "sealed_by_java.json"
KEYS = [private_key(2), private_key(1)]
PRIVATE = serialization.PrivateFormat
ENCODING = serialization.Encoding


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def stays(
    sealed: Sealed, folder: Path, reason: str, *, submission: Submission | None = None, body: bytes = b""
) -> None:
    """It cannot be opened for this reason, and nothing was touched."""
    before = submission or sealed.submission(FORM, folder)
    files = content(folder)
    after = unseal(before, FORM, folder, Opener(KEYS), body or sealed.xml)
    assert after == replace(before, sealed=reason)
    assert content(folder) == files


def test_answers_and_files_of_a_phone_are_opened(tmp_path: Path) -> None:
    sealed = seal(XML, FILES)
    opened = unseal(sealed.submission(FORM, tmp_path), FORM, tmp_path, Opener(KEYS), sealed.xml)
    assert opened.answers == ANSWERS
    assert (opened.form_version, opened.instance_id, opened.sealed) == ("3", ID, "")
    assert content(tmp_path) == FILES
    assert opened.attachments == tuple(
        Attachment(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in FILES.items()
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    story=st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=60),
    people=st.lists(st.sampled_from(["Awa", "Ben", "Ω≈ç", "𝒳"]), max_size=3),
    files=st.lists(st.binary(max_size=600), max_size=20),
    one_media=st.booleans(),
    with_body=st.booleans(),
)
def test_whatever_a_phone_encrypts_comes_back_byte_for_byte(
    tmp_path_factory: pytest.TempPathFactory,
    story: str,
    people: list[str],
    files: list[bytes],
    one_media: bool,
    with_body: bool,
) -> None:
    folder = tmp_path_factory.mktemp("sealed")
    answers: dict[str, Any] = {"story": story} if story.strip() else {}
    answers |= {"who": [{"who/person": name} for name in people]} if people else {}
    named = {f"{number}.bin": data for number, data in enumerate(files)}
    sealed = seal(write_instance(FORM, answers, ID), named, one_media=one_media)
    opened = unseal(sealed.submission(FORM, folder), FORM, folder, Opener(KEYS), sealed.xml if with_body else b"")
    assert (opened.answers, opened.sealed) == (answers, "")
    assert content(folder) == named


def test_what_another_program_encrypted_is_opened(tmp_path: Path) -> None:
    """Java's own ciphers, which phones use too: key, start, padding and signature are not only our own idea of them."""
    data = json.loads(BY_JAVA.read_text(encoding="utf-8"))
    files = {name: base64.b64decode(text) for name, text in data["files"].items()}
    sealed = Sealed(data["xml"].encode(), files)
    keys = [load_private_key(data["private_key"].encode(), "java")]
    opened = unseal(sealed.submission(FORM, tmp_path), FORM, tmp_path, Opener(keys), sealed.xml)
    assert opened.answers["story"] == "Une histoire privée — é"
    assert content(tmp_path) == {
        "p.png": bytes(n * 7 % 256 for n in range(100)),
        "s.m4a": bytes(255 - n for n in range(32)),
    }


def test_the_signature_of_another_program_is_checked(tmp_path: Path) -> None:
    """The first byte of a file decides nothing but itself and a block: only the signature tells that it changed."""
    data = json.loads(BY_JAVA.read_text(encoding="utf-8"))
    files = {name: base64.b64decode(text) for name, text in data["files"].items()}
    changed = Sealed(data["xml"].encode(), files).changed("p.png.enc")
    keys = [load_private_key(data["private_key"].encode(), "java")]
    assert unseal(changed.submission(FORM, tmp_path), FORM, tmp_path, Opener(keys), changed.xml).sealed == "damaged"


def test_a_signature_of_other_files_keeps_it_closed(tmp_path: Path) -> None:
    other = seal(XML, {**FILES, "p.png": b"another picture"})
    signature = other.xml.partition(b"ElementSignature>")[2].partition(b"<")[0].decode()
    stays(seal(XML, FILES, signature=signature), tmp_path, "damaged")


@pytest.mark.parametrize("signature", ["", "no", "=", base64.b64encode(b"x" * 256).decode()])
def test_a_signature_that_cannot_be_checked_is_not_held_against_it(tmp_path: Path, signature: str) -> None:
    sealed = seal(XML, FILES, signature=signature)
    assert unseal(sealed.submission(FORM, tmp_path), FORM, tmp_path, Opener(KEYS), sealed.xml).sealed == ""


@pytest.mark.parametrize("name", [*(f"{name}.enc" for name in FILES), "submission.xml.enc"])
def test_a_missing_file_keeps_all_of_it_closed(tmp_path: Path, name: str) -> None:
    stays(seal(XML, FILES).without(name), tmp_path, "damaged")


@pytest.mark.parametrize("name", [*(f"{name}.enc" for name in FILES), "submission.xml.enc"])
@pytest.mark.parametrize("at", [0, -1])
def test_a_changed_byte_keeps_all_of_it_closed(tmp_path: Path, name: str, at: int) -> None:
    stays(seal(XML, FILES).changed(name, at), tmp_path, "damaged")


@pytest.mark.parametrize("data", [b"", b"short", b"x" * 15])
def test_a_file_that_was_cut_off_keeps_all_of_it_closed(tmp_path: Path, data: bytes) -> None:
    sealed = seal(XML, FILES, signature="")
    stays(replace(sealed, files={**sealed.files, "p.png.enc": data}), tmp_path, "damaged")


def test_without_a_key_it_waits(tmp_path: Path) -> None:
    sealed = seal(XML, FILES)
    submission = sealed.submission(FORM, tmp_path)
    assert unseal(submission, FORM, tmp_path, Opener([]), sealed.xml) == replace(submission, sealed="no key")


def test_a_key_of_another_form_is_the_wrong_one(tmp_path: Path) -> None:
    stays(seal(XML, FILES, key=new_key(3).public_key()), tmp_path, "wrong key")
    stays(seal(XML, FILES, key=new_key(4, 3072).public_key()), tmp_path, "wrong key")


@pytest.mark.parametrize("text", ["abcd", "", "not base64!", "é"])
def test_a_key_that_is_no_key_is_damage(tmp_path: Path, text: str) -> None:
    sealed = seal(XML, FILES)
    start, _, rest = sealed.xml.partition(b"<base64EncryptedKey>")
    broken = start + b"<base64EncryptedKey>" + text.encode() + b"<" + rest.partition(b"<")[2]
    reason = "damaged" if text else ""  # an empty element is no answer: nothing says that it is encrypted
    stays(replace(sealed, xml=broken), tmp_path, reason)


def test_another_submission_cannot_be_smuggled_in(tmp_path: Path) -> None:
    for inner, outer in [("uuid:other", ID), (ID, "uuid:other")]:
        sealed = seal(write_instance(FORM, ANSWERS, inner), FILES, instance_id=outer, signature="")
        stays(sealed, tmp_path, "damaged")


def test_an_id_that_is_not_the_servers_is_damage(tmp_path: Path) -> None:
    sealed = seal(XML, FILES)
    stays(sealed, tmp_path, "damaged", submission=replace(sealed.submission(FORM, tmp_path), instance_id="uuid:x"))


def test_answers_of_another_form_are_damage(tmp_path: Path) -> None:
    sealed = seal(XML, FILES, signature="")
    stays(replace(sealed, xml=sealed.xml.replace(b'id="visit"', b'id="other"')), tmp_path, "damaged")


def test_an_envelope_inside_an_envelope_is_damage(tmp_path: Path) -> None:
    stays(seal(seal(XML, {}).xml, FILES), tmp_path, "damaged")


@pytest.mark.parametrize("inside", [b"not xml", b"<data", b'<!DOCTYPE d [<!ENTITY a "b">]><data>&a;</data>'])
def test_answers_that_are_not_xml_are_damage(tmp_path: Path, inside: bytes) -> None:
    """The bytes decrypt; what comes out is not read by anything but the safe parser."""
    real = seal(XML, FILES)
    private = private_key(1)
    text = real.xml.partition(b"base64EncryptedKey>")[2].partition(b"<")[0]
    secret = private.open(base64.b64decode(text))
    assert secret
    start = bytearray(hashlib.md5(ID.encode() + secret).digest())
    for number in range(len(FILES) + 1):
        start[number % 16] = (start[number % 16] + 1) % 256
    files = {**real.files, "submission.xml.enc": encrypt(inside, secret, bytes(start))}
    stays(replace(real, files=files), tmp_path, "damaged")


@pytest.mark.parametrize("name", ["../evil.png.enc", "/etc/passwd.enc", "a/../../b.enc", "..enc", "CON.enc"])
def test_a_hostile_name_reaches_no_other_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "deep" / "attachments"
    folder.mkdir(parents=True)
    sealed = seal(XML, {"p.png": b"1"}, signature="")
    hostile = replace(sealed, xml=sealed.xml.replace(b"p.png.enc", name.encode()))
    stays(hostile, folder, "damaged")
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.parent != folder] == []


def test_a_link_in_the_folder_is_not_followed(tmp_path: Path) -> None:
    sealed = seal(XML, {"p.png": b"1"})
    folder = tmp_path / "attachments"
    folder.mkdir()
    submission = sealed.submission(FORM, folder)
    (folder / "p.png.enc").rename(tmp_path / "outside.enc")
    (folder / "p.png.enc").symlink_to(tmp_path / "outside.enc")
    assert unseal(submission, FORM, folder, Opener(KEYS), sealed.xml).sealed == "damaged"


def test_a_file_listed_twice_is_damage(tmp_path: Path) -> None:
    sealed = seal(XML, {"p.png": b"1"}, signature="")
    twice = sealed.xml.replace(b"<encryptedXmlFile>", b"<media><file>p.png.enc</file></media><encryptedXmlFile>")
    stays(replace(sealed, xml=twice), tmp_path, "damaged")


def test_an_opened_file_never_takes_the_place_of_another(tmp_path: Path) -> None:
    files = {"a.enc": b"opened from a.enc.enc", "a": b"opened from a.enc"}
    sealed = seal(XML, files)
    submission = sealed.submission(FORM, tmp_path)
    (tmp_path / "A").write_bytes(b"was in the open")
    submission = replace(submission, attachments=(*submission.attachments, Attachment("A", 15, "0" * 64)))
    opened = unseal(submission, FORM, tmp_path, Opener(KEYS), sealed.xml)
    assert content(tmp_path) == {"a.enc": files["a.enc"], "a-2": files["a"], "A": b"was in the open"}
    assert [file.name for file in opened.attachments] == ["a.enc", "a-2", "A"]


def test_centrals_mark_on_a_version_is_taken_off(tmp_path: Path) -> None:
    marked = XML.replace(b'version="3"', b'version="3[encrypted:AaH48+PY]"')
    sealed = seal(marked, FILES)
    submission = sealed.submission(FORM, tmp_path)
    assert submission.form_version == "3[encrypted:AaH48+PY]"
    assert unseal(submission, FORM, tmp_path, Opener([]), sealed.xml).form_version == "3"
    assert unseal(submission, FORM, tmp_path, Opener(KEYS), sealed.xml).form_version == "3"
    in_the_open = replace(submission, answers=ANSWERS)
    assert unseal(in_the_open, FORM, tmp_path, Opener(KEYS)) == replace(in_the_open, form_version="3")
    assert plain_version("3[encrypted:]") == "3[encrypted:]"


def test_a_submission_in_the_open_comes_back_as_it_is(tmp_path: Path) -> None:
    sealed = seal(XML, FILES)
    pretends = replace(sealed.submission(FORM, tmp_path), answers={"base64EncryptedKey": "x", "story": "open"})
    assert unseal(pretends, FORM, tmp_path, Opener(KEYS), b"<data encrypted='yes'/>") == pretends
    gone = replace(sealed.submission(FORM, tmp_path), deleted_at="2026-11-20T10:00:00Z")
    assert unseal(gone, FORM, tmp_path, Opener(KEYS), sealed.xml) == gone


def test_a_row_of_kobotoolbox_is_opened(tmp_path: Path) -> None:
    """No XML of the phone; a remote version over ours; two questions that only our copy there has."""
    inner = (
        b'<aSm7 id="aSm7" version="1 (2026-11-20 12:50:43)"><formhub><uuid>d89d</uuid></formhub><story>s</story>'
        b"<__version__>vBk</__version__><dialogkit_form_id>visit</dialogkit_form_id>"
        b"<dialogkit_form_version>3</dialogkit_form_version><meta><instanceID>" + ID.encode() + b"</instanceID></meta>"
        b"</aSm7>"
    )
    sealed = seal(inner, FILES)
    submission = replace(sealed.submission(FORM, tmp_path), form_version="")
    opened = unseal(submission, FORM, tmp_path, Opener(KEYS), b'{"_id": 19}')
    assert (opened.answers, opened.form_version, opened.sealed) == ({"story": "s"}, "3", "")
    assert content(tmp_path) == FILES


def test_without_a_list_the_order_is_that_of_the_attachments(tmp_path: Path) -> None:
    sealed = seal(XML, FILES)
    submission = sealed.submission(FORM, tmp_path)
    answers = {path: value for path, value in submission.answers.items() if not path.startswith("media")}
    opened = unseal(replace(submission, answers=answers), FORM, tmp_path, Opener(KEYS))
    assert opened.sealed == ""
    assert content(tmp_path) == FILES


def test_the_signature_of_a_browser_is_read_in_its_own_way(tmp_path: Path) -> None:
    """Enketo hashes UTF-16 units four to a word. For a unit below 256 that is the MD5 of Latin-1."""
    answers = {"story": "privée"}
    xml = write_instance(FORM, answers, ID)
    sealed = seal(xml, FILES, xml_digest=hashlib.md5(xml.decode().encode("latin-1")).hexdigest())
    assert unseal(sealed.submission(FORM, tmp_path), FORM, tmp_path, Opener(KEYS), sealed.xml).answers == answers


def test_a_browser_that_wrote_arabic_is_believed_too(tmp_path: Path) -> None:
    answers = {"story": "حوار — 對話"}
    xml = write_instance(FORM, answers, ID)
    units = [int.from_bytes(pair, "little") for pair in _pairs(xml.decode().encode("utf-16-le"))]
    words = b"".join(
        (a ^ b << 8 ^ c << 16 ^ d << 24 & 0xFFFFFFFF).to_bytes(8, "little")[:4]
        for a, b, c, d in zip(*[iter([*units, 0, 0, 0])] * 4, strict=False)
    )
    sealed = seal(xml, FILES, xml_digest=hashlib.md5(words[: len(units)]).hexdigest())
    assert unseal(sealed.submission(FORM, tmp_path), FORM, tmp_path, Opener(KEYS), sealed.xml).answers == answers


def _pairs(data: bytes) -> list[bytes]:
    return [data[at : at + 2] for at in range(0, len(data), 2)]


def test_a_large_file_is_opened_in_little_memory(tmp_path: Path) -> None:
    sealed = seal(XML, {"v.mp4": b"\0" * 30_000_000})
    submission = sealed.submission(FORM, tmp_path)
    tracemalloc.start()
    try:
        assert unseal(submission, FORM, tmp_path, Opener(KEYS), sealed.xml).sealed == ""
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()


def test_answers_larger_than_any_submission_are_not_read(tmp_path: Path) -> None:
    sealed = seal(XML, {})
    submission = sealed.submission(FORM, tmp_path)
    with (tmp_path / "submission.xml.enc").open("r+b") as file:
        file.truncate(33 * 1024 * 1024)
    assert unseal(submission, FORM, tmp_path, Opener(KEYS), sealed.xml).sealed == "damaged"


@pytest.mark.parametrize(
    "written",
    [
        lambda key: key.private_bytes(ENCODING.PEM, PRIVATE.PKCS8, serialization.NoEncryption()),
        lambda key: key.private_bytes(ENCODING.PEM, PRIVATE.TraditionalOpenSSL, serialization.NoEncryption()),
        lambda key: key.private_bytes(ENCODING.DER, PRIVATE.PKCS8, serialization.NoEncryption()),
        lambda key: key.private_bytes(ENCODING.DER, PRIVATE.TraditionalOpenSSL, serialization.NoEncryption()),
        lambda key: base64.encodebytes(key.private_bytes(ENCODING.DER, PRIVATE.PKCS8, serialization.NoEncryption())),
        lambda key: (
            b"  \r\n"
            + base64.b64encode(
                key.private_bytes(ENCODING.DER, PRIVATE.TraditionalOpenSSL, serialization.NoEncryption())
            )
        ),
    ],
    ids=["pem8", "pem1", "der8", "der1", "base64-8", "base64-1"],
)
def test_a_private_key_is_read_in_every_usual_form(tmp_path: Path, written: Callable[[Any], bytes]) -> None:
    key = load_private_key(written(new_key()), "key.pem")
    sealed = seal(XML, FILES)
    assert unseal(sealed.submission(FORM, tmp_path), FORM, tmp_path, Opener([key]), sealed.xml).sealed == ""


def test_a_key_in_der_whose_last_byte_looks_like_white_space_is_read(tmp_path: Path) -> None:
    der = (
        rsa.generate_private_key(65537, 1024).private_bytes(ENCODING.DER, PRIVATE.PKCS8, serialization.NoEncryption())
        for _ in range(5_000)
    )
    found = next(one for one in der if one[-1:].isspace())
    assert load_private_key(found, "key.der").rsa.key_size == 1024


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"garbage",
        b"\x30\x82\x01",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        b"x" * 100_000,
        new_key().private_bytes(ENCODING.PEM, PRIVATE.PKCS8, serialization.BestAvailableEncryption(b"word")),
        new_key().private_bytes(
            ENCODING.PEM, PRIVATE.TraditionalOpenSSL, serialization.BestAvailableEncryption(b"word")
        ),
        new_key().public_key().public_bytes(ENCODING.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            ENCODING.PEM, PRIVATE.PKCS8, serialization.NoEncryption()
        ),
    ],
    ids=["empty", "garbage", "cut", "hollow", "huge", "passphrase8", "passphrase1", "public", "not-rsa"],
)
def test_what_is_no_open_private_key_is_refused(pem: bytes) -> None:
    with pytest.raises(BatchError) as refused:
        load_private_key(pem, "secrets/key.pem")
    assert refused.value.code == "BATCH-030"
    assert refused.value.where == "secrets/key.pem"


def test_a_private_key_says_nothing_of_itself() -> None:
    key = private_key(1)
    number = str(key.rsa.private_numbers().d)
    assert number not in repr(key)
    assert repr(key) == "PrivateKey(where='key.pem')"
