# Four words: demo, test, check, bench. Each sets up what it needs in .venv. (For maintainers: lowest, lock.)
.PHONY: demo test check bench lowest lock

demo: .venv/ready-run
	.venv/bin/dialogkit demo

test: .venv/ready-dev
	.venv/bin/pytest -n 3 --dist loadfile -m "not bench"

check: .venv/ready-dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: .venv/ready-dev
	.venv/bin/python -m tests.benchmarks

# The same tests with the lowest versions that pyproject.toml allows (DuckDB 1.5 among them).
lowest: .venv-lowest/ready
	.venv-lowest/bin/pytest -n 3 --dist loadfile -m "not bench"

# Writes the lock files again from pyproject.toml (needs uv).
lock:
	$(COMPILE) --generate-hashes -o locks/run.txt
	$(COMPILE) --generate-hashes --group dev -o locks/dev.txt
	$(COMPILE) --resolution lowest-direct -o .venv/lowest.txt
	rm -f locks/lowest.txt
	$(COMPILE) --generate-hashes --group dev -c .venv/lowest.txt -o locks/lowest.txt

COMPILE = uv pip compile -q --universal --python-version 3.11 --no-emit-index-url --no-annotate --no-header pyproject.toml

.venv/ready-run: pyproject.toml locks/run.txt
	sh scripts/setup.sh .venv locks/run.txt
	touch $@

.venv/ready-dev: pyproject.toml locks/dev.txt
	sh scripts/setup.sh .venv locks/dev.txt
	touch .venv/ready-run $@

.venv-lowest/ready: pyproject.toml locks/lowest.txt
	sh scripts/setup.sh .venv-lowest locks/lowest.txt
	touch $@
