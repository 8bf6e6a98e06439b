# Four words: demo, test, check, bench. Each sets up what it needs in .venv.
.PHONY: demo test check bench lock

demo: .venv/ready-run
	.venv/bin/dialogkit demo

test: .venv/ready-dev
	.venv/bin/pytest -n 2 --dist loadfile -m "not bench"

check: .venv/ready-dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: .venv/ready-dev
	.venv/bin/python -m tests.benchmarks

# Writes both lock files again from pyproject.toml (needs uv).
lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml -o locks/run.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --group dev pyproject.toml -o locks/dev.txt

.venv/ready-run: pyproject.toml locks/run.txt
	sh scripts/setup.sh locks/run.txt
	touch $@

.venv/ready-dev: pyproject.toml locks/dev.txt
	sh scripts/setup.sh locks/dev.txt
	touch .venv/ready-run $@
