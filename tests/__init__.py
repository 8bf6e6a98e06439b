"""Tests; `python -m tests.benchmarks` measures."""
