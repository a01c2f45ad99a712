# One vocabulary for people, hooks and CI. Run `make` to see it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# The stages call `python`: DVC must find the one that the lock file was installed into.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export MLFLOW_DISABLE_TELEMETRY := true
WORKERS ?= 2
# Tracing every line costs half as much again, so it is CI that holds the coverage; `make test CI=true` does as CI does.
COVERAGE := $(if $(CI),--cov --cov-report=term --cov-fail-under=95)

.PHONY: help install repro test test-slow faults check format ui dashboard bench lock clean

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(INSTALLED) ## create .venv with the locked dependencies

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "goodfit needs Python 3.11 or newer; name one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 4; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

repro: install ## run the whole pipeline: dvc repro, after mending what a crash may have left
	$(BIN)/goodfit repro

test: install ## run the test suite (with CI set: and its coverage)
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -m "not slow and not faults" $(COVERAGE)

test-slow: install ## run the example projects and the large inputs
	$(BIN)/pytest -m slow

faults: install ## run the whole kill matrix and fault corpus (takes long)
	$(BIN)/pytest -m faults

check: install ## format, lint, types, import layers
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/lint-imports --no-logo > .import-layers.log || { cat .import-layers.log; exit 1; }
	MYPY_NUM_WORKERS=$(WORKERS) $(BIN)/mypy

format: install ## format the code and mend what lint can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

ui: install ## MLflow on 127.0.0.1, where runs are compared
	$(BIN)/goodfit ui

dashboard: install ## optuna-dashboard on the latest search, on 127.0.0.1
	$(BIN)/goodfit search dashboard

bench: install ## every benchmark, each a ratio in one run, to benchmarks/results/
	@set -e; for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script; done

lock: ## resolve the dependencies anew into requirements.lock
	rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet --upgrade "pip>=25.1"
	.venv-lock/bin/pip install --quiet torch==$$(sed -n 's/^torch==//p' requirements.lock) setuptools
	.venv-lock/bin/pip install --quiet --group dev -e .
	echo "# Exact versions that the tests ran with; 'make lock' writes this file anew." > requirements.lock.new
	.venv-lock/bin/pip freeze --exclude-editable --exclude goodfit --exclude pip | sed -E 's/^(torch==[^+]+)\+.*/\1/' | grep -v -E "^(nvidia-|triton|cuda-)" >> requirements.lock.new
	mv requirements.lock.new requirements.lock && rm -rf .venv-lock

clean: ## remove what can be made again; keeps .venv, the DVC cache and the tracking database
	rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*
