"""`dialogkit.open`: the newest snapshot as pandas, Arrow and Parquet, for people who analyse."""

from dialogkit.reading.codebook import TableFacts
from dialogkit.reading.places import snapshot_at
from dialogkit.reading.reader import Reader, open_reader

__all__ = ["Reader", "TableFacts", "open_reader", "snapshot_at"]
