"""Measures speed and size against orjson, pandas and a bare fsync loop (`make bench`)."""
