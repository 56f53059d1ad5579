# Every command makes what it needs first: on a fresh machine `make test` is enough.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup race test test-slow check bench gpu clean

setup: .venv/.ready
.venv/.ready: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch numpy
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --editable '.[dev]'
	touch $@

race: setup        ## race the nine optimizers on real data; writes race.html
	$(BIN)/steepest race

test: setup        ## run the tests
	$(BIN)/python -m pytest -q -n auto

test-slow: setup   ## run the tests that take minutes
	$(BIN)/python -m pytest -q -m slow

check: setup       ## lint, format, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright

bench: setup       ## measure speed against the peers; writes benchmarks/results/
	$(BIN)/python -m benchmarks

gpu: setup         ## check a CUDA GPU and measure on it; writes benchmarks/results/ (status 3: there is none)
	$(BIN)/python -m benchmarks.gpu

clean:
	rm -rf .venv
