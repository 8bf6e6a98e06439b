"""The corrections ledger: read, written, replayed on answers, exchanged as a table."""
