# The commands of this repository. They need python3 (3.11 or later), pip and nothing else.
# PORT, LEADVIBE_HOME and all other settings (docs/operating.md) are taken from the environment.

.PHONY: help demo run test check bench bench-clients screenshots lock clean
.DEFAULT_GOAL := help
BIN := .venv/bin

help:
	@echo "make demo    try Leadvibe with sample data at http://127.0.0.1:8000"
	@echo "make run     run it as in production, without sample data"
	@echo "make test    run all tests, those in a browser included"
	@echo "make check   lint, formatting, types, architecture, lock files"
	@echo "make bench   measure it on this machine"
	@echo "make bench-clients  measure lists of a million leads as other products' clients ask for them"
	@echo "make screenshots  take the pictures of docs/guide.md anew"
	@echo "make lock    resolve the dependencies of pyproject.toml anew"
	@echo "make clean   remove .venv and caches; data stays where it is"

demo: .venv/.can-run
	@exec $(BIN)/leadvibe demo

run: .venv/.can-run
	@exec $(BIN)/leadvibe up

test: .venv/.can-test
	@scripts/chromium
	@$(BIN)/python -m compileall -q leadvibe migrations  # once, and not in each process
	$(BIN)/python -m pytest

check: .venv/.can-test
	@echo "== lint"
	@$(BIN)/ruff check
	@echo "== formatting"
	@$(BIN)/ruff format --check
	@echo "== types"
	@$(BIN)/mypy
	@echo "== architecture"
	@$(BIN)/lint-imports
	@echo "== lock files"
	@$(BIN)/python scripts/check_locks.py

bench: .venv/.can-test
	$(BIN)/python -m bench.run

bench-clients: .venv/.can-test
	$(BIN)/python -m bench.clients

screenshots: .venv/.can-test
	@scripts/chromium
	@$(BIN)/python scripts/screenshots.py

COMPILE := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --upgrade

lock: .venv/.can-test
	$(COMPILE) --extra build --output-file requirements.lock
	$(COMPILE) --extra build --extra dev --output-file requirements-dev.lock

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
	find . -name __pycache__ -prune -exec rm -rf {} +

# The stamps make a second time quick. What tests need includes what running needs.
.venv/.can-run: requirements.lock pyproject.toml
	@scripts/venv requirements.lock
	@touch $@

.venv/.can-test: requirements-dev.lock pyproject.toml
	@scripts/venv requirements-dev.lock
	@touch .venv/.can-run $@
