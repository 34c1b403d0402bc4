# Two commands on a fresh machine: `make demo` and `make test`. Everything else is what they are made of.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# A file of tests stays with one worker, and so do its fixtures.
WORKERS := --numprocesses=auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder

.PHONY: demo test test-slow check bench setup browser clean

demo: setup  ## walk the sample project from its messages to a verdict, on the embedded model
	$(BIN)/tunesmith demo demo

test: setup browser  ## all tests but the slow proofs
	$(BIN)/pytest -m "not slow" $(WORKERS)

test-slow: setup browser  ## proofs that take minutes: simulations, the whole walk
	$(BIN)/pytest -m slow --exitfirst $(WORKERS)

check: setup  ## style, types, who may import whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup  ## beside what a user would pick instead; minutes to hours
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r benchmarks/requirements.txt
	$(BIN)/python benchmarks/training.py
	$(BIN)/python benchmarks/predictions.py
	$(BIN)/python benchmarks/data.py
	$(BIN)/python benchmarks/constrained.py
	$(BIN)/python benchmarks/evaluation.py
	$(BIN)/python benchmarks/statistics.py
	$(BIN)/python benchmarks/suites.py

setup: $(READY)

$(READY): requirements.lock pyproject.toml setup.py
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Tunesmith needs Python 3.11 or newer; python3 is $$(python3 --version)."; exit 1; }
	test -x $(BIN)/python || python3 -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $(READY)

browser:  ## Chromium, for the tests that look at pages
	@scripts/browser

clean:
	rm -rf $(VENV) build dist demo
