"""The part of the page that tells of pulls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from tests.benchmarks.pulling import NOTHING_NEW, PACES, Figures, Pulls

#: The marks that dialogkit has set itself.
MOST_TIMES_BARE: Final = 1.15
MOST_GROWTH_MEGABYTES: Final = 32
MOST_BYTES: Final = 200
MOST_TIMES_LISTING: Final = 1.2

_NAMES: Final = {"kobo": "KoboToolbox", "central": "ODK Central"}


def pulling_marks(pulls: Sequence[Pulls]) -> Iterator[tuple[str, str, str]]:
    """Mark, what was measured, whether it holds; a pull of one size each, so that nothing hides behind another."""
    for one in pulls:
        times = one.times_bare()
        mark = f"pulling {one.size:,} from {_NAMES[one.kind]} takes at most {MOST_TIMES_BARE} times bare requests"
        yield mark, f"{times:.2f} times", _holds(times <= MOST_TIMES_BARE)
    for kind, name in _NAMES.items():
        peaks = {one.size: one.median_of("pull", "peak") for one in pulls if one.kind == kind}
        first, last = min(peaks), max(peaks)
        if last > first:
            grown = peaks[last] - peaks[first]
            mark = (
                f"memory of a pull from {name}: at most {MOST_GROWTH_MEGABYTES} MB more for {last:,} than for {first:,}"
            )
            yield mark, f"{grown:,.0f} MB", _holds(grown <= MOST_GROWTH_MEGABYTES)
    for one in pulls:
        if one.nothing_new and one.kind == "kobo":
            mark = f"a pull that finds nothing new among {one.size:,} on KoboToolbox: under {MOST_BYTES} bytes each"
            yield mark, f"{one.bytes_nothing_new():.0f} bytes", _holds(one.bytes_nothing_new() < MOST_BYTES)
        elif one.nothing_new:
            times = one.times_listing()
            mark = f"the same on ODK Central takes at most {MOST_TIMES_LISTING} times its listing alone"
            yield mark, f"{times:.2f} times", _holds(times <= MOST_TIMES_LISTING)


def pulling_part(pulls: Sequence[Pulls]) -> Iterator[str]:
    """The table, and how it was made."""
    yield "## Pulling"
    yield ""
    yield "| server | submissions | pull s | bare s | times bare | CPU s for 1,000 | bare CPU s for 1,000 | peak MB |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    for one in pulls:
        wall, bare, peak = (one.median_of(*what) for what in (("pull", "wall"), ("bare", "wall"), ("pull", "peak")))
        cpu, bare_cpu = (one.median_of(way, "cpu") / one.size * 1000 for way in ("pull", "bare"))
        yield (
            f"| {_NAMES[one.kind]} | {one.size:,} | {wall:.2f} | {bare:.2f} | {one.times_bare():.2f} | {cpu:.3f} | "
            f"{bare_cpu:.3f} | {peak:,.0f} |"
        )
    yield ""
    rounds = ", ".join(f"{one.size:,}: {len(one.rounds)}" for one in pulls if one.kind == "kobo")
    yield (
        "A pull begins with the lock and ends with the certificate: every submission listed, fetched, read, written "
        "into a batch that is flushed to the disk and renamed, and noted in the index. The bare run sends exactly the "
        "requests that this pull sent, one after the other over one connection, and throws the answers away. Each "
        "submission has about 770 bytes (KoboToolbox: JSON, ODK Central: XML) and no attachments. The servers are the "
        "look-alikes of the tests, each in a process of its own. They answer from memory, many times faster than any "
        f"real server; so they are paced: one answer at a time, {PACES['kobo']} s for 1,000 rows on KoboToolbox, "
        f"{PACES['central']} s for 1,000 rows of csv.zip and two fifths of that for 1,000 rows of a listing on ODK "
        "Central, as measured on real ones. What a pull costs beyond waiting does not depend on the pace: it is in the "
        "columns of CPU, user and system time of all threads. Each pull has a fixed cost of about twenty flushes to "
        "the disk, which only the smallest ones feel. Both servers are measured at the same time; rounds of each size, "
        f"of which this is the median: {rounds}."
    )
    yield ""
    for one in pulls:
        if one.nothing_new:
            again = one.nothing_new[0]
            yield (
                f"A pull from {_NAMES[one.kind]} that finds nothing new among {NOTHING_NEW:,}: "
                f"{again['pull']['wall']:.2f} s, {again['pull']['cpu']:.2f} s of CPU, {again['pull']['requests']:.0f} "
                f"requests, {one.bytes_nothing_new():.0f} bytes a submission"
                + (_of_which(again) if "listing" in again else ".")
            )
            yield ""


def _of_which(again: Mapping[str, Figures]) -> str:
    return (
        f"; its listing alone {again['listing']['wall']:.2f} s, signing in {again['pull']['sign_in']:.2f} s. The "
        "look-alike checks a password in no time; a real ODK Central takes a fifth to half of a second for it, by "
        "intent (bcrypt)."
    )


def _holds(yes: bool) -> str:
    return "yes" if yes else "**no**"
