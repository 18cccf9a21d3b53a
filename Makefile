# Every target sets up what it needs. Start with `make help`.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
# Another Python, as in `make test PYTHON=python3.13`, has a virtual environment of its own.
VENV := .venv$(if $(filter-out file default undefined,$(origin PYTHON)),-$(notdir $(PYTHON)))
# The oldest versions have wheels for the oldest Python.
OLDEST_PYTHON := $(shell command -v python3.11 || echo $(PYTHON))
OLDEST := .venv-oldest
KERAS := .venv-keras
BIN := $(VENV)/bin
READY := $(VENV)/.ready
OLDEST_READY := $(OLDEST)/.ready
KERAS_READY := $(KERAS)/.ready

# pip without its progress, with its warnings and errors.
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check
# With the oldest supported versions, every change runs the contract, what other libraries ask,
# saved files and the page; a release runs the rest too.
OLDEST_TESTS := tests/test_common.py tests/test_clients.py tests/app tests/persistence
OLDEST_TESTS_OF_A_RELEASE := tests/_images tests/_augmentation tests/backbones \
	tests/classifiers tests/datasets tests/export tests/inspection tests/preprocessing

# Processes that share the tests. One thread each: the networks are small, and threads that wait
# for each other slow all processes down.
WORKERS ?= 2
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest
OLDEST_PYTEST := OMP_NUM_THREADS=1 $(OLDEST)/bin/python -m pytest

# Arguments for pytest, as in `make test-latest ARGS="-k cnn"`.
ARGS ?=

export MPLBACKEND ?= Agg

.DEFAULT_GOAL := help
.PHONY: help setup quickstart lint types test test-all test-latest test-oldest durations docs bench clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## make the virtual environment .venv with all that development needs

quickstart: $(READY)  ## set up, then run examples/plot_quickstart.py
	$(BIN)/python examples/plot_quickstart.py

lint: $(READY)  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)  ## mypy over the nets and the helpers
	$(BIN)/mypy

test: lint types test-latest  ## what every change runs: lint, types, tests, the oldest versions, docs
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target docs test-oldest WORKERS=1

test-all: lint types  ## what a release runs: the slow tests too, and all of the oldest versions
	$(PYTEST) -n $(WORKERS) --hypothesis-profile=random $(ARGS)
	@$(MAKE) --no-print-directory $(OLDEST_READY)
	$(OLDEST_PYTEST) -n $(WORKERS) $(OLDEST_TESTS) $(OLDEST_TESTS_OF_A_RELEASE) $(ARGS)
	@$(MAKE) --no-print-directory docs

test-latest: $(READY)  ## the tests that are not slow
	$(PYTEST) -n $(WORKERS) -m "not slow" $(ARGS)

test-oldest: $(OLDEST_READY)  ## the contract with the oldest supported versions
	$(OLDEST_PYTEST) -n $(WORKERS) -m "not slow" $(OLDEST_TESTS) $(ARGS)

durations: $(READY)  ## the slowest of the tests that are not slow, in one process
	$(PYTEST) -m "not slow" --durations=40 --durations-min=0.5 $(ARGS)

docs: $(READY)  ## build the site into docs/_build/html, running the examples
	OMP_NUM_THREADS=1 $(BIN)/python -m sphinx -W --keep-going -n -q docs docs/_build/html
	@echo "docs/_build/html/index.html"

bench: $(READY) $(KERAS_READY)  ## run the benchmarks
	@if [ -f benchmarks/run.py ]; then $(BIN)/python benchmarks/run.py; \
	else echo "benchmarks/run.py does not exist yet"; fi

clean:  ## remove what was built, the virtual environments too
	rm -rf $(VENV) .venv-python* $(OLDEST) $(KERAS) build dist *.egg-info docs/_build docs/auto_examples \
		docs/generated .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find skimgcls tests examples -name __pycache__ -type d -prune -exec rm -rf {} +

# A virtual environment with pip in it. Where the system's Python comes without ensurepip
# (Debian packages it apart), the pip outside installs the one inside.
define make_venv
	@"$(2)" -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"skimgcls needs Python 3.11 or newer; $(2) is {v.major}.{v.minor}. Name another: make PYTHON=...")'
	@[ -x $(1)/bin/pip ] || "$(2)" -m venv $(1) >/dev/null 2>&1 || { \
		"$(2)" -m venv --clear --without-pip $(1) && \
		"$(2)" -m pip --python $(1)/bin/python install --quiet pip; }
endef

# torch and torchvision go first and together, within the bounds that pyproject.toml states:
# the two have to match, and nothing else should decide their versions.
$(READY): pyproject.toml
	$(call make_venv,$(VENV),$(PYTHON))
	@echo "Installing into $(VENV); torch makes this a download of some gigabytes."
	@$(BIN)/python -c 'import tomllib; deps = tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"]; print(*(d for d in deps if d.startswith("torch")), sep="\n")' > $(VENV)/torch-requirements.txt
	@$(BIN)/python $(PIP_INSTALL) -r $(VENV)/torch-requirements.txt
	@$(BIN)/python $(PIP_INSTALL) -e ".[test,docs,plots,bench]"
	@touch $@

$(OLDEST_READY): tests/oldest-requirements.txt pyproject.toml
	$(call make_venv,$(OLDEST),$(OLDEST_PYTHON))
	@echo "Installing the oldest supported versions into $(OLDEST)."
	@$(OLDEST)/bin/python $(PIP_INSTALL) -r tests/oldest-requirements.txt
	@$(OLDEST)/bin/python $(PIP_INSTALL) --no-deps -e .
	@touch $@

# Keras with TensorFlow, which the benchmarks are held against, beside whatever torch needs.
$(KERAS_READY): benchmarks/keras-requirements.txt
	$(call make_venv,$(KERAS),$(PYTHON))
	@echo "Installing Keras and TensorFlow into $(KERAS)."
	@$(KERAS)/bin/python $(PIP_INSTALL) -r benchmarks/keras-requirements.txt
	@touch $@
