"""The rules of real forms against an independent judge: the same rows break the same rules.

`DIALOGKIT_RULES_ROUNDS` sends that many submissions of each sort to every form of the corpus; without it some forms get
a few.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import duckdb
import pytest

from dialogkit.errors import FormError
from dialogkit.forms.build import build_form
from tests.flow.rules_judge import agreement
from tests.flow.test_rules_agree import some

CORPUS: Final = Path(__file__).parents[2].parent / "shared" / "corpus" / "forms"
ROUNDS: Final = int(os.environ.get("DIALOGKIT_RULES_ROUNDS", "0"))
#: Repeats, loops, filters, calculations; quick ones.
_FEW: Final = ("S003", "S007", "S014", "S031", "S034", "S055")
_PATHS: Final = [path for path in sorted(CORPUS.glob("*.xls*")) if ROUNDS or path.name.startswith(_FEW)]
#: Answers that our tables and the evaluator read in two ways, and that no phone gives (told by other rules, or far out
#: of any range): a code twice in a select_one, digits of other scripts, numbers beyond those of a phone.
_STRANGE: Final = 3


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real forms is not beside this checkout")
@pytest.mark.parametrize("path", _PATHS, ids=lambda path: path.name[:4])
def test_the_rules_of_a_real_form_find_what_its_logic_says(
    db: duckdb.DuckDBPyConnection, tmp_path: Path, path: Path
) -> None:
    try:
        built = build_form(path)
    except FormError:
        pytest.skip("pyxform refuses the form")
    sent = [(built.form.version, answers) for answers in some(built, ROUNDS or 3)]
    only_rules, only_judge = agreement(db, tmp_path / "batches", [built], sent).differences
    strange = {one[0] for one in (*only_rules, *only_judge)}
    assert len(strange) <= (_STRANGE if ROUNDS else 0), (only_rules, only_judge)
