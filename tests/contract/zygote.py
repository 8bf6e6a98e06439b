"""A process that has everything imported and forks one child a pull: `python -m tests.contract.zygote KIND FACTS`.

Each line on stdin starts a pull in a child. It names the seconds after which the child is killed (0: not at all); the
exit code goes to stdout. A child that is killed leaves what a killed `dialogkit pull` leaves.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

from dialogkit.errors import DialogkitError
from dialogkit.forms.build import build_form
from dialogkit.model.server import ListingServer
from dialogkit.progress import SILENT
from dialogkit.pull import portions
from dialogkit.pull.portions import How
from dialogkit.pull.sync import pull_form
from dialogkit.servers.central.mirror import CentralServer
from dialogkit.servers.central.session import CentralSession
from dialogkit.servers.kobo.mirror import KoboServer
from dialogkit.servers.kobo.session import KoboSession


def _server(kind: str, facts: dict[str, str]) -> ListingServer:
    if kind == "kobo":
        return KoboServer(KoboSession("far", facts["url"], facts["token"]), {"visit": facts["uid"]}, page_size=20)
    session = CentralSession("far", facts["url"], int(facts["project_id"]), facts["email"], facts["password"])
    return CentralServer(session, page_size=20)


def _pull(kind: str, facts: dict[str, str]) -> int:
    form = build_form(Path(facts["form"])).form
    server = _server(kind, facts)
    try:
        pull_form(server, form, lambda version: form, Path(facts["batches"]), SILENT, How())
    except DialogkitError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def main() -> None:
    kind, facts = sys.argv[1], json.loads(sys.argv[2])
    # Small groups and batches: many points at which a pull can be stopped.
    KoboServer.group = CentralServer.group = 10
    portions.LARGEST = 20
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os._exit(_pull(kind, facts))
        if seconds := float(line):
            time.sleep(seconds)
            # One that has ended is not waited for yet, so the number is nobody else's.
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
