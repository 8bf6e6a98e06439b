"""The landing of the whole corpus, made once for all tests that read it."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from dialogkit.warehouse.connect import writing
from tests.corpus import kobo_recorded, msna
from tests.corpus.instance_sets import instance_sets
from tests.corpus.material import Landings, new_landings


@pytest.fixture(scope="session")
def landings(tmp_path_factory: pytest.TempPathFactory) -> Landings:
    """Every submission of the corpus in one warehouse; each batch is accounted for as it lands."""
    root = tmp_path_factory.mktemp("corpus")
    landings = new_landings(root / "workspace")
    landings.land([*instance_sets(), *kobo_recorded.recorded_sets(root), msna.msna_set()])
    return landings


@pytest.fixture
def warehouse(landings: Landings) -> Iterator[duckdb.DuckDBPyConnection]:
    with writing(landings.workspace.warehouse) as db:
        yield db
