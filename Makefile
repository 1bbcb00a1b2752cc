# `make help` lists the targets.
SHELL := /bin/sh
BIN := .venv/bin

.PHONY: help install install-dev run test check fast bench docs lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

install: ## make .venv with what the product needs
	@requirements/install run

install-dev:
	@requirements/install dev

run: install ## serve three institutions with pretended providers on http://127.0.0.1:8080
	@HOST="$${HOST:-127.0.0.1}" PORT="$${PORT:-8080}" DATA_DIR="$${DATA_DIR:-var/demo}" \
	  exec $(BIN)/aduan serve --config config/demo.yaml

test: install-dev ## install what the tests need, then format, lint, types, import rules and all tests
	@requirements/system
	@$(MAKE) --no-print-directory check
	@env -u HOST -u PORT -u DATA_DIR $(BIN)/python -m pytest -n 2

check: install-dev ## format, lint, types, import rules
	@$(BIN)/ruff format --check --quiet src tests bench
	@$(BIN)/ruff check --quiet src tests bench
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

fast: install-dev ## only tests that need no browser and no other server
	@$(BIN)/python -m pytest -n 2 -m "not browser and not dovecot and not request_tracker"

bench: install-dev ## print ratios to a baseline measured in the same run (about 15 minutes)
	@$(BIN)/python -m bench

docs: install-dev ## write the pages and examples that are generated from code
	@$(BIN)/python -m gateway.generate

lock: install-dev ## resolve the locks anew: hashes, no registry address
	@for name in run dev; do \
	  group=$$( [ $$name = dev ] && echo "--group dev" || true ); \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --no-emit-index-url pyproject.toml $$group -o requirements/$$name.lock; done
	@printf 'uv\nhatchling\neditables\n' | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url - -o requirements/tools.lock

clean: ## remove the environment and the demo's data
	rm -rf .venv var/demo
