# Needs only Python 3.11 to 3.13, make and gcc: everything else is fetched into .tools and .venv.
# Another interpreter: make test PYTHON=python3.12. More arguments for pytest: make test PYTEST_ARGS="-k window".

UV_VERSION := 0.13.9
WORKERS ?= 2
DATA ?=

# The first interpreter on PATH that the project supports; looked for only when something is set up.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null && echo $$p && break; done)

UV := .tools/bin/uv
UV_STAMP := .tools/.uv-$(UV_VERSION)
SYNC_STAMP := .venv/.ronda-synced
AIRFLOW_STAMP := .venv/.ronda-synced-airflow
PYTEST = .venv/bin/python -m pytest

export DO_NOT_TRACK := 1
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := .venv
# Airflow and Evidently import several times slower without compiled files.
unexport PYTHONDONTWRITEBYTECODE
# A caller's virtual environment must not leak into ours.
unexport VIRTUAL_ENV

.DEFAULT_GOAL := help
.PHONY: help demo airflow test lint format check-data clean

help: ## print these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

demo: $(SYNC_STAMP) ## watch a real service for six weeks, then make a dataset; says where the page is
	.venv/bin/python -m demo

airflow: $(AIRFLOW_STAMP) ## watch that service in a real Airflow on this machine; says what to do there
	.venv/bin/python -m demo.standalone

test: $(AIRFLOW_STAMP) ## run all tests and doctests (PYTEST_ARGS adds arguments)
	$(PYTEST) -n $(WORKERS) --dist loadgroup $(PYTEST_ARGS)

lint: $(AIRFLOW_STAMP) ## check style, types and the lock file
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	$(UV) lock --check

format: $(SYNC_STAMP) ## rewrite the code in the house style
	.venv/bin/ruff check --fix-only
	.venv/bin/ruff format

check-data: $(SYNC_STAMP) ## test on real data sets: make check-data DATA=folder
	@if [ ! -d "$(DATA)" ]; then \
		echo "check-data: left out, there is no folder '$(DATA)'. Name one with DATA=folder."; \
	elif [ ! -d tests/realdata ]; then \
		echo "check-data: left out, there are no tests in tests/realdata yet."; \
	else \
		$(PYTEST) tests/realdata --data "$(DATA)" $(PYTEST_ARGS); \
	fi

clean: ## remove what was set up and all caches (never var/, where your state is)
	rm -rf .venv .tools dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(UV_STAMP):
	@test -n "$(PYTHON)" || { echo "No Python 3.11, 3.12 or 3.13 found on PATH. Install one, or name it: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv --clear .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	touch $@

# --inexact: neither of the two takes away what the other has installed.
$(SYNC_STAMP): $(UV_STAMP) uv.lock pyproject.toml
	$(UV) sync --frozen --inexact --compile-bytecode --python .tools/bin/python
	touch $@

$(AIRFLOW_STAMP): $(SYNC_STAMP)
	$(UV) sync --frozen --inexact --extra airflow --compile-bytecode --python .tools/bin/python
	touch $@
