"""The look-alike as a process of its own: `python -m tests.lookalikes.kobo --port 8484 --submissions 40000`."""

from __future__ import annotations

import argparse
import threading
from typing import Any

from tests.lookalikes.faults import Pace
from tests.lookalikes.kobo import lookalike

_QUESTIONS = (
    ("text", "said"),
    ("text", "place/town"),
    ("geopoint", "place/at"),
    ("integer", "people"),
    ("decimal", "heard"),
    ("begin_repeat", "barrier"),
    ("text", "barrier/kind"),
    ("end_repeat", ""),
)
_SURVEY: list[dict[str, Any]] = [
    {"type": kind, "name": path.rpartition("/")[2], "$xpath": path, "$kuid": f"k{number}"}
    for number, (kind, path) in enumerate(_QUESTIONS)
]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.lookalikes.kobo")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--submissions", type=int, default=1000)
    parser.add_argument("--pace", type=float, default=0.0, help="seconds that 1,000 rows take, as on a real server")
    asked = parser.parse_args()
    with lookalike(asked.port) as place:
        if asked.pace:
            place.faults.pace = Pace(asked.pace, lambda body: body.count(b'"_id":'))
        form = place.state.form("Benchmark", survey=_SURVEY)
        for number in range(asked.submissions):
            place.state.new(form, made_up(number))
        print(f"address {place.url}\ntoken {place.token}\nasset {form}", flush=True)
        threading.Event().wait()


def made_up(number: int) -> dict[str, Any]:
    """Answers that differ from one submission to the next; 770 bytes with the keys of the server."""
    answers = {
        "said": f"What number {number} said, and more than a few words of it, as people do.",
        "place/town": f"Town {number % 97}",
        "place/at": f"-1.{number % 10000:04d} 36.7877 1680.5 4.8",
        "people": str(number % 40),
        "heard": f"{number % 500}.50",
        "dialogkit_form_id": "talk",
        "dialogkit_form_version": "1",
    }
    rows = [{"barrier/kind": f"kind {row}"} for row in range(number % 3)]
    return {**answers, "barrier": rows} if rows else answers


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("stopped")
