# Every target installs its own requirements. Start with `make help`.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
# Another Python, as in `make test PYTHON=python3.13`, gets a separate virtual environment.
VENV := .venv$(if $(filter-out file default undefined,$(origin PYTHON)),-$(notdir $(PYTHON)))
# The oldest supported versions have wheels for the oldest supported Python.
OLDEST_PYTHON := $(shell command -v python3.11 || echo $(PYTHON))
OLDEST := .venv-oldest
KERAS := .venv-keras
BIN := $(VENV)/bin
READY := $(VENV)/.ready
OLDEST_READY := $(OLDEST)/.ready
KERAS_READY := $(KERAS)/.ready

# pip shows warnings and errors, but no progress.
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check
# Tests run with the oldest supported versions: for every change the common checks, the clients,
# saved files and the web page; for a release the others too.
OLDEST_TESTS := tests/test_common.py tests/test_clients.py tests/app tests/persistence
OLDEST_TESTS_OF_A_RELEASE := tests/_images tests/_augmentation tests/backbones \
	tests/classifiers tests/datasets tests/export tests/inspection tests/preprocessing

# Number of test processes. Each uses one thread: the networks are small, and more threads than
# cores slow all processes down.
WORKERS ?= 2
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest
OLDEST_PYTEST := OMP_NUM_THREADS=1 $(OLDEST)/bin/python -m pytest

# Arguments for pytest, as in `make test-latest ARGS="-k cnn"`.
ARGS ?=

export MPLBACKEND ?= Agg

.DEFAULT_GOAL := help
.PHONY: help setup quickstart lint types test test-all test-latest test-oldest durations docs changelog wheel \
	bench clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## create the virtual environment .venv for development

quickstart: $(READY)  ## set up, then run examples/plot_quickstart.py
	$(BIN)/python examples/plot_quickstart.py

lint: $(READY)  ## check rules and formatting with ruff, and spelling with codespell
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

types: $(READY)  ## check types with mypy
	$(BIN)/mypy

test: lint types test-latest  ## run lint, types, tests, oldest versions and docs, for every change
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target docs test-oldest WORKERS=1

test-all: lint types  ## run all tests, also slow ones and with the oldest versions, for a release
	$(PYTEST) -n $(WORKERS) --hypothesis-profile=random $(ARGS)
	@$(MAKE) --no-print-directory $(OLDEST_READY)
	$(OLDEST_PYTEST) -n $(WORKERS) $(OLDEST_TESTS) $(OLDEST_TESTS_OF_A_RELEASE) $(ARGS)
	@$(MAKE) --no-print-directory docs

test-latest: $(READY)  ## run the tests that are not slow
	$(PYTEST) -n $(WORKERS) -m "not slow" $(ARGS)

test-oldest: $(OLDEST_READY)  ## run the common checks with the oldest supported versions
	$(OLDEST_PYTEST) -n $(WORKERS) -m "not slow" $(OLDEST_TESTS) $(ARGS)

durations: $(READY)  ## list the slowest tests among those not marked slow, in one process
	$(PYTEST) -m "not slow" --durations=40 --durations-min=0.5 $(ARGS)

docs: $(READY)  ## run the examples and build the site in docs/_build/html
	OMP_NUM_THREADS=1 $(BIN)/python -m sphinx -W --keep-going -n -q docs docs/_build/html
	@echo "docs/_build/html/index.html"

changelog: $(READY)  ## show the entries in docs/changelog as the next release will print them
	$(BIN)/towncrier build --draft --version "Next release"

wheel: $(READY)  ## build the wheel, and run the quickstart with it in an empty folder
	rm -rf build dist
	$(BIN)/python -m build --no-isolation > /dev/null
	$(BIN)/python $(PIP_INSTALL) --no-deps --target build/wheel dist/*.whl
	cd "$$(mktemp -d)" && PYTHONPATH="$(CURDIR)/build/wheel" "$(CURDIR)/$(BIN)/python" -c \
		'import skimgcls; assert "/build/wheel/" in skimgcls.__file__, skimgcls.__file__'
	cd "$$(mktemp -d)" && PYTHONPATH="$(CURDIR)/build/wheel" "$(CURDIR)/$(BIN)/python" -W error \
		"$(CURDIR)/examples/plot_quickstart.py"

bench: $(READY) $(KERAS_READY)  ## run the benchmarks
	@if [ -f benchmarks/run.py ]; then $(BIN)/python benchmarks/run.py; \
	else echo "benchmarks/run.py does not exist yet"; fi

clean:  ## remove build files and virtual environments
	rm -rf $(VENV) .venv-python* $(OLDEST) $(KERAS) build dist *.egg-info docs/_build docs/auto_examples \
		docs/generated .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find skimgcls tests examples -name __pycache__ -type d -prune -exec rm -rf {} +

# Creates a virtual environment with pip. If the system's Python has no ensurepip (a separate
# package on Debian), the pip of that Python installs pip into the environment.
define make_venv
	@"$(2)" -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"skimgcls needs Python 3.11 or newer; $(2) is {v.major}.{v.minor}. Name another: make PYTHON=...")'
	@[ -x $(1)/bin/pip ] || "$(2)" -m venv $(1) >/dev/null 2>&1 || { \
		"$(2)" -m venv --clear --without-pip $(1) && \
		"$(2)" -m pip --python $(1)/bin/python install --quiet pip; }
endef

# torch and torchvision are installed first and together, within the bounds of pyproject.toml:
# their versions must match, and no other package should determine them.
$(READY): pyproject.toml
	$(call make_venv,$(VENV),$(PYTHON))
	@echo "Installing into $(VENV); torch is a download of several gigabytes."
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

# Keras with TensorFlow, for the benchmarks, separate from the requirements of torch.
$(KERAS_READY): benchmarks/keras-requirements.txt
	$(call make_venv,$(KERAS),$(PYTHON))
	@echo "Installing Keras and TensorFlow into $(KERAS)."
	@$(KERAS)/bin/python $(PIP_INSTALL) -r benchmarks/keras-requirements.txt
	@touch $@
