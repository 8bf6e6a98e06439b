"""The look-alike as a process of its own: `python -m tests.lookalikes.kobo --port 8484 --submissions 40000`."""

from __future__ import annotations

import argparse
import threading

from tests.lookalikes.kobo import lookalike

_SURVEY = [
    {"type": "text", "name": "place", "$xpath": "place", "$kuid": "k1"},
    {"type": "integer", "name": "n", "$xpath": "n", "$kuid": "k2"},
    {"type": "begin_repeat", "name": "person", "$xpath": "person", "$kuid": "k3"},
    {"type": "text", "name": "pname", "$xpath": "person/pname", "$kuid": "k4"},
    {"type": "end_repeat", "$kuid": "k5"},
]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.lookalikes.kobo")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--submissions", type=int, default=1000)
    asked = parser.parse_args()
    with lookalike(asked.port) as place:
        form = place.state.form("Benchmark", survey=_SURVEY)
        for number in range(asked.submissions):
            people = [{"person/pname": f"Person {number}.{one}"} for one in range(number % 4)]
            answers = {"place": f"Place number {number}", "n": str(number % 60)}
            place.state.new(form, {**answers, "person": people} if people else answers)
        print(f"address {place.url}\ntoken {place.token}\nasset {form}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("stopped")
