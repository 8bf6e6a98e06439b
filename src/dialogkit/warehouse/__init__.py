"""The DuckDB file: landing, held submissions, concepts, findings, snapshots."""
