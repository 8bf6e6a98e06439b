"""Keys of the embedded server and HTTP digest."""

from __future__ import annotations

import json
import stat
import threading

import pytest
from requests.auth import HTTPDigestAuth

from dialogkit.errors import NotOnServer, ServerRefused, UnexpectedReply
from dialogkit.serve.access import Access, digest_secret
from dialogkit.serve.digest import NONCE_SECONDS, Digest, StaleNonce


@pytest.fixture
def access(tmp_path):
    return Access(tmp_path / "server" / "keys.json")


def test_a_key_has_64_characters_and_opens_what_its_role_may(access):
    phone, staff = access.add_key("phones", "phone"), access.add_key("office", "staff")
    assert len(phone.token) == 64
    assert set(phone.token) <= set("0123456789abcdef")
    assert (access.role_of(phone.token), access.role_of(staff.token)) == ("phone", "staff")
    assert access.token("staff") == staff.token


@pytest.mark.parametrize("wrong", ["", "x", "0" * 64, "é" * 64, "\udcff"])
def test_a_wrong_token_opens_nothing(access, wrong):
    access.add_key("phones", "phone")
    assert access.role_of(wrong) is None
    assert access.user(wrong) is None


def test_the_file_of_keys_is_for_its_owner_only(access, tmp_path):
    access.add_key("phones", "phone")
    assert stat.S_IMODE((tmp_path / "server" / "keys.json").stat().st_mode) == 0o600


def test_a_key_does_not_show_its_secrets_in_its_repr(access):
    key = access.add_key("phones", "phone", user="tablet", password="long enough")
    assert key.token not in repr(key)
    assert key.ha1 not in repr(key)


def test_a_password_is_kept_as_a_hash_only(access, tmp_path):
    key = access.add_key("phones", "phone", user="tablet", password="long enough")
    assert "long enough" not in (tmp_path / "server" / "keys.json").read_text()
    assert key.ha1 == digest_secret("tablet", "long enough")


def test_a_revoked_key_opens_nothing_for_a_reader_that_had_seen_it(access, tmp_path):
    key = access.add_key("phones", "phone", user="tablet", password="long enough")
    other = Access(tmp_path / "server" / "keys.json")
    assert other.role_of(key.token) == "phone"
    access.revoke_key("phones")
    assert other.role_of(key.token) is None
    assert other.user("tablet") is None
    assert [one.revoked != "" for one in other.list_keys()] == [True]


def test_a_label_can_be_used_again_after_its_key_was_revoked(access):
    access.add_key("phones", "phone")
    access.revoke_key("phones")
    key = access.add_key("phones", "phone")
    assert access.labelled("phones").token == key.token


@pytest.mark.parametrize(
    ("label", "user", "password"),
    [
        ("", "", ""),
        ("x" * 61, "", ""),
        ("a\nb", "", ""),
        ("taken", "", ""),
        ("new", "a:b", "long enough"),
        ("new", "tablet", "long enough"),
        ("new", "other", "short"),
    ],
)
def test_a_key_that_cannot_be_used_is_not_made(access, label, user, password):
    access.add_key("taken", "phone", user="tablet", password="long enough")
    with pytest.raises(ServerRefused) as raised:
        access.add_key(label, "phone", user=user, password=password)
    assert raised.value.code == "SERVER-020"
    assert len(access.list_keys()) == 1


def test_a_label_that_nobody_has_is_said_with_the_labels_that_there_are(access):
    access.add_key("phones", "phone")
    for wrong in (access.revoke_key, access.labelled):
        with pytest.raises(NotOnServer, match="phones") as raised:
            wrong("phone")
        assert raised.value.code == "SERVER-021"
    with pytest.raises(NotOnServer, match="no working staff key"):
        access.token("staff")


@pytest.mark.parametrize("text", ["{", "[]", '{"keys": [1]}', '{"keys": [{"label": "x"}]}', '{"other": []}'])
def test_a_file_of_keys_that_is_not_ours_opens_nothing(access, tmp_path, text):
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "keys.json").write_text(text)
    with pytest.raises(UnexpectedReply) as raised:
        access.role_of("x")
    assert raised.value.code == "SERVER-022"


def test_keys_that_are_added_at_the_same_time_are_all_there(access, tmp_path):
    adders = [
        threading.Thread(target=Access(tmp_path / "server" / "keys.json").add_key, args=(f"key {number}", "phone"))
        for number in range(8)
    ]
    for adder in adders:
        adder.start()
    for adder in adders:
        adder.join()
    assert len(json.loads((tmp_path / "server" / "keys.json").read_text())["keys"]) == 8


# --- digest -------------------------------------------------------------------------------------------------------


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def digest(access, clock):
    access.add_key("phones", "phone", user="tablet", password="long enough")
    return Digest(access, clock)


def signed(challenge: str, user="tablet", password="long enough", method="GET", target="/formList?deviceID=a%3Ab"):
    """As `requests` answers a challenge."""
    from requests.utils import parse_dict_header

    auth = HTTPDigestAuth(user, password)
    auth.init_per_thread_state()
    auth._thread_local.chal = parse_dict_header(challenge.removeprefix("Digest "))
    return auth.build_digest_header(method, f"http://localhost{target}")


TARGET = "/formList?deviceID=a%3Ab"


def test_the_right_password_opens(digest):
    assert digest.key_of(signed(digest.challenge()), "GET", TARGET).label == "phones"


@pytest.mark.parametrize("change", [{"password": "wrong"}, {"user": "nobody"}, {"method": "POST"}, {"target": "/x"}])
def test_anything_else_than_what_was_signed_does_not_open(digest, change):
    assert digest.key_of(signed(digest.challenge(), **change), "GET", TARGET) is None


def test_a_count_works_once_within_a_nonce(digest):
    header = signed(digest.challenge())
    assert digest.key_of(header, "GET", TARGET)
    assert digest.key_of(header, "GET", TARGET) is None


def test_a_nonce_expires(digest, clock):
    header = signed(digest.challenge())
    clock.now += NONCE_SECONDS + 1
    with pytest.raises(StaleNonce):
        digest.key_of(header, "GET", TARGET)
    assert "stale=true" in digest.challenge(stale=True)


def test_counts_of_expired_nonces_are_forgotten(digest, clock):
    for _ in range(5):
        digest.key_of(signed(digest.challenge()), "GET", TARGET)
        clock.now += NONCE_SECONDS * 2
    assert len(digest._used) == 1


def test_a_nonce_that_we_did_not_make_is_stale(digest, access, clock):
    with pytest.raises(StaleNonce):
        digest.key_of(signed(Digest(access, clock).challenge()), "GET", TARGET)
    with pytest.raises(StaleNonce):
        digest.key_of(signed('Digest realm="dialogkit", qop="auth", nonce="zz-é"'), "GET", TARGET)


@pytest.mark.parametrize(
    "header", ["", "Basic dGFibGV0Og==", "Digest", "Digest x", 'Digest username="tablet"', "Digest a=,b", 'Digest "']
)
def test_a_header_that_is_no_digest_opens_nothing(digest, header):
    assert digest.key_of(header, "GET", TARGET) is None


def test_a_count_that_is_no_number_opens_nothing(digest):
    header = signed(digest.challenge()).replace("nc=00000001", "nc=x")
    assert digest.key_of(header, "GET", TARGET) is None
