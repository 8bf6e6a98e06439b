"""The command line: one short file per command, each imported only when it runs."""
