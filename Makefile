# Every command makes what it needs first: on a fresh machine `make test` is enough.
PYTHON ?= python3
BIN := .venv/bin

# One process more than there are cores: a third of the time tests wait for processes, servers and browsers of their own.
JOBS := $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')

# Keras chooses its backend when it is first imported: one process for each.
BACKENDS := torch jax tensorflow
KERAS_TESTS = for b in $(BACKENDS); do echo "Keras on $$b"; KERAS_BACKEND=$$b $(1) $(BIN)/python -m pytest -q -n auto tests/keras_face || exit 1; done

.PHONY: setup race test test-slow parity check docs bench gpu clean

setup: .venv/.ready
.venv/.ready: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch numpy
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --editable '.[dev]'
	touch $@

race: setup        ## race the nine optimizers on real data; writes race.html
	$(BIN)/steepest race

test: setup        ## run the tests
	$(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal
	$(call KERAS_TESTS)

test-slow: setup   ## run the tests that take minutes
	$(BIN)/python -m pytest -q -m slow

parity: setup      ## measure every face against its framework; writes docs/parity.md
	rm -f .parity.jsonl
	STEEPEST_PARITY=$(CURDIR)/.parity.jsonl $(BIN)/python -m pytest -q -n auto tests/torch_face/test_trajectories.py tests/optax_face
	$(call KERAS_TESTS,STEEPEST_PARITY=$(CURDIR)/.parity.jsonl)
	$(BIN)/python -m tests.parity_page .parity.jsonl

check: setup       ## lint, format, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright

docs: setup        ## build the site of the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

bench: setup       ## measure speed against the peers; writes benchmarks/results/
	$(BIN)/python -m benchmarks

gpu: setup         ## check a CUDA GPU and measure on it; writes benchmarks/results/ (status 3: there is none)
	$(BIN)/python -m benchmarks.gpu

clean:
	rm -rf .venv
