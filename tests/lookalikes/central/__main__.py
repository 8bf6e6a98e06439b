"""Runs the look-alike in a process of its own: `python -m tests.lookalikes.central --port 8383 --submissions 10000`."""

from __future__ import annotations

import argparse
import io
import time
import zipfile

from ..faults import Pace
from . import lookalike

FORM = """<?xml version="1.0"?><h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
 xmlns:jr="http://openrosa.org/javarosa" xmlns:orx="http://openrosa.org/xforms"><h:head><h:title>Talk</h:title><model>
<instance><data id="talk" version="1"><said/><place><town/><at/></place><people/><heard/>
<barrier jr:template=""><kind/></barrier><meta><instanceID/><instanceName/></meta></data></instance>
<bind nodeset="/data/said" type="string"/><bind nodeset="/data/place/town" type="string"/>
<bind nodeset="/data/place/at" type="geopoint"/><bind nodeset="/data/people" type="int"/>
<bind nodeset="/data/heard" type="decimal"/><bind nodeset="/data/barrier/kind" type="string"/>
<bind nodeset="/data/meta/instanceID" type="string" jr:preload="uid"/>
<bind nodeset="/data/meta/instanceName" type="string"/></model></h:head><h:body><input ref="/data/said">
<label>Said</label></input><group ref="/data/barrier"><label>B</label><repeat nodeset="/data/barrier">
<input ref="/data/barrier/kind"><label>K</label></input></repeat></group></h:body></h:html>"""


def main() -> None:
    """Serve until interrupted."""
    options = argparse.ArgumentParser(prog="python -m tests.lookalikes.central", description=__doc__)
    options.add_argument("--port", type=int, default=0, help="0: any free one")
    options.add_argument("--submissions", type=int, default=0, help="made-up submissions of the form `talk`")
    options.add_argument("--pace", type=float, default=0.0, help="seconds that 1,000 rows take, as on a real server")
    chosen = options.parse_args()
    with lookalike(port=chosen.port) as place:
        if chosen.pace:
            place.faults.pace = Pace(chosen.pace, rows_in)
        state = place.state
        state.publish(FORM.encode(), content_type="application/xml")
        phone = state.app_user("Phone 01", "talk")
        for number in range(chosen.submissions):
            state.new("talk", made_up(number), submitter=phone)
        state.warm("talk")
        print(f"address     {place.url}")
        print(f"project     {place.project_id}")
        print(f"email       {place.email}")
        print(f"password    {place.password}")
        print(f"phone       {place.url}/v1/key/{phone.token}/projects/{place.project_id}")
        print(f"submissions {chosen.submissions} of the form talk", flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            print("stopped")


def rows_in(body: bytes) -> float:
    """Rows of a csv.zip; those of a listing cost the real one two fifths of that."""
    if not body.startswith(b"PK"):
        return body.count(b'"__id":') * 0.4
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return archive.read("talk.csv").count(b"\n") - 1


def made_up(number: int) -> dict[str, object]:
    """Answers that differ from one submission to the next; about 770 bytes as XML."""
    return {
        "said": f"What number {number} said, and more than a few words of it. " + "As people do when asked. " * 15,
        "place/town": f"Town {number % 97}",
        "place/at": f"-1.{number % 10000:04d} 36.7877 1680.5 4.8",
        "people": str(number % 40),
        "heard": f"{number % 500}.50",
        "barrier": [{"barrier/kind": f"kind {row}"} for row in range(number % 3)],
        "meta/instanceName": f"Talk {number}",
    }


if __name__ == "__main__":
    main()
