"""Starting, stopping, full disks, large uploads and kill -9: what was acknowledged is there."""

from __future__ import annotations

import os
import signal
import socket
import stat
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import requests

from dialogkit.errors import ConfigError, ServerRefused, ServerUnreachable
from dialogkit.serve.running import listening, parse_listen
from dialogkit.serve.store import Store

HEAD = b'--b\r\nContent-Disposition: form-data; name="v"; filename="v.mp4"\r\n\r\n'


def _large(size: int) -> Iterator[bytes]:
    yield HEAD
    piece = b"\x00" * (1024 * 1024)
    for _ in range(size // len(piece)):
        yield piece


class Sized:
    """The same with a length, so that `requests` announces it."""

    def __init__(self, size: int) -> None:
        self._size = size

    def __len__(self) -> int:
        return len(HEAD) + self._size

    def __iter__(self) -> Iterator[bytes]:
        return _large(self._size)


@pytest.mark.parametrize("chunked", [True, False])
def test_an_upload_of_200_mb_is_refused_in_little_memory(apart, chunked):
    process, field = apart()
    assert field.post(field.xml("uuid:1")).status_code == 201
    rss = psutil.Process(process.pid).memory_info().rss
    size = 200 * 1024 * 1024
    body = _large(size) if chunked else Sized(size)
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    reply = requests.post(f"{field.phone_url}/submission", data=body, headers=headers, timeout=60)
    assert reply.status_code == 413
    assert "100 MB" in field.message(reply)
    grown = psutil.Process(process.pid).memory_info().rss - rss
    assert grown < 60 * 1024 * 1024
    assert list((field.root / "server" / "incoming").iterdir()) == []
    assert field.post(field.xml("uuid:2")).status_code == 201


def test_an_upload_of_90_mb_is_streamed_to_disk(apart):
    process, field = apart()
    field.post(field.xml("uuid:1"))
    rss = psutil.Process(process.pid).memory_info().rss
    tail = b'\r\n--b\r\nContent-Disposition: form-data; name="xml_submission_file"\r\n\r\n' + field.xml("uuid:2")

    def body() -> Iterator[bytes]:
        yield from _large(90 * 1024 * 1024)
        yield tail + b"\r\n--b--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    reply = requests.post(f"{field.phone_url}/submission", data=body(), headers=headers, timeout=60)
    assert reply.status_code == 201
    assert psutil.Process(process.pid).memory_info().rss - rss < 60 * 1024 * 1024
    (kept,) = (field.root / "server" / "submissions").rglob("v.mp4")
    assert kept.stat().st_size == 90 * 1024 * 1024


def test_a_phone_that_hangs_up_in_the_middle_leaves_nothing_behind(field_server):
    host, port = parse_listen(field_server.url.removeprefix("http://"))
    path = field_server.phone_url.removeprefix(field_server.url)
    with socket.create_connection((host, port)) as phone:
        phone.sendall(
            f"POST {path}/submission HTTP/1.1\r\nHost: {host}\r\nContent-Length: 999999\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\n\r\n".encode()
            + HEAD
            + b"v" * 300_000
        )
        incoming = field_server.root / "server" / "incoming"
        assert wait_for(lambda: any(incoming.iterdir()))
    assert wait_for(lambda: not any(incoming.iterdir()))
    assert field_server.post(field_server.xml("uuid:1")).status_code == 201


def wait_for(condition) -> bool:
    end = time.monotonic() + 5
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def test_a_disk_that_takes_no_more_is_said_and_leaves_nothing_behind(apart):
    process, field = apart()
    limit = 1024 * 1024
    psutil.Process(process.pid).rlimit(psutil.RLIMIT_FSIZE, (limit, limit))
    reply = field.post(field.xml("uuid:1"), {"v.mp4": b"v" * (3 * limit)})
    assert reply.status_code == 507
    assert "cannot keep this now" in field.message(reply)
    assert list((field.root / "server" / "incoming").iterdir()) == []
    assert field.post(field.xml("uuid:2")).status_code == 201
    assert field.ids() == ["uuid:2"]


def test_a_port_that_is_taken_is_said_with_the_way_out(field_server):
    host, port = parse_listen(field_server.url.removeprefix("http://"))
    with pytest.raises(ServerUnreachable, match=f"port {port}") as raised, listening(None, host, port):
        pass
    assert (raised.value.code, raised.value.exit_code) == ("SERVER-012", 5)
    assert "--listen" in raised.value.fix


@pytest.mark.parametrize("listen", ["8790", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:99999", ":80"])
def test_an_address_that_is_not_host_and_port_is_refused(listen):
    with pytest.raises(ConfigError, match="HOST:PORT") as raised:
        parse_listen(listen)
    assert raised.value.code == "CONFIG-012"


def test_a_workspace_is_served_by_one_process_at_a_time(field_server):
    with pytest.raises(ServerRefused, match="Another dialogkit") as raised:
        Store(field_server.root / "server")
    assert raised.value.code == "SERVER-024"


def test_what_was_received_is_there_after_a_restart(serve):
    with serve() as field:
        field.post(field.xml("uuid:1"))
        field.post(field.xml("uuid:2", deprecated="uuid:1"))
        field.post(field.xml("uuid:3"), {"a.jpg": b"a"}, incomplete=True)
        field.post(field.xml("uuid:4", final="delete"))
        field.post(field.xml("uuid:1"), {"late.jpg": b"late"})
    with serve() as field:
        assert field.ids() == ["uuid:2"]
        assert field.refused() == {"the person chose delete": 1}
        assert field.post(field.xml("uuid:3"), {"b.jpg": b"b"}).status_code == 201
        assert field.ids() == ["uuid:2", "uuid:3"]
        assert field.post(field.xml("uuid:5", deprecated="uuid:1")).status_code == 409


def test_an_answer_does_not_wait_for_the_next_packet(field_server):
    with requests.Session() as phone:
        phone.head(f"{field_server.phone_url}/submission", timeout=10)
        begin = time.perf_counter()
        for _ in range(20):
            phone.get(f"{field_server.phone_url}/formList", timeout=10)
        assert time.perf_counter() - begin < 20 * 0.035, "without TCP_NODELAY each answer takes 40 ms"


def test_only_the_owner_of_the_folder_can_read_it(field_server):
    field_server.post(field_server.xml("uuid:1"), {"a.jpg": b"a"})
    server = field_server.root / "server"
    assert stat.S_IMODE((server / "keys.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(server.stat().st_mode) & 0o077 == 0


def _post_until_killed(field, number: int) -> list[str]:
    acknowledged: list[str] = []
    for count in range(1000):
        instance_id = f"uuid:{number}-{count}"
        files = {"a.jpg": instance_id.encode() * 2000}
        try:
            if field.post(field.xml(instance_id), files).status_code == 201:
                acknowledged.append(instance_id)
        except requests.RequestException:
            return acknowledged
    return acknowledged


def test_after_kill_9_in_a_burst_every_acknowledged_submission_is_there_and_whole(apart):
    process, field = apart()
    with ThreadPoolExecutor(6) as pool:
        bursts = [pool.submit(_post_until_killed, field, number) for number in range(6)]
        time.sleep(1.2)
        os.kill(process.pid, signal.SIGKILL)
        acknowledged = [instance_id for burst in bursts for instance_id in burst.result()]
    process.wait()
    assert len(acknowledged) > 20
    _, again = apart()
    listed = again.ids(numEntries="1000")
    assert set(acknowledged) <= set(listed)
    assert len(listed) == len(set(listed))
    for instance_id in acknowledged[::7]:
        url = again.download(instance_id).text.split("<downloadUrl>")[1].split("<")[0].replace("&amp;", "&")
        assert requests.get(url, timeout=10).content == instance_id.encode() * 2000
    assert list((again.root / "server" / "incoming").iterdir()) == []
    assert not (again.root / "server" / "damaged").exists()


def test_a_folder_that_cannot_be_read_is_moved_away_and_counted(serve):
    with serve() as field:
        field.post(field.xml("uuid:1"))
        field.post(field.xml("uuid:2"))
        (broken, _) = sorted((field.root / "server").rglob("facts.json"))
        broken.write_text("{")
    store = Store(Path(field.root) / "server")
    store.close()
    assert store.damaged == 1
    assert len(list((field.root / "server" / "damaged").iterdir())) == 1


def test_a_server_that_does_not_start_is_said():
    with pytest.raises(ServerUnreachable, match="did not start") as raised, listening("no.such:app", "127.0.0.1", 0):
        pass
    assert raised.value.code == "SERVER-013"
