# nb3d: every task, from nothing but Python (3.11 or later) and make. `make help` lists them.

VENV       ?= .venv
BENCH_VENV ?= .venv-bench
FUZZ       ?= 20
INSTALL    := -m pip install --quiet --disable-pip-version-check
BIN        := $(VENV)/bin/python
BENCH_BIN  := $(BENCH_VENV)/bin/python

# The first Python that is new enough; PYTHON=/path/to/python overrides.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$p && break; done)

# For a GPU without a network: GPU_PYTHON=python3 takes a Python that has all that is needed, and installs nothing.
GPU_PYTHON ?=
GPU_BIN := $(if $(GPU_PYTHON),$(GPU_PYTHON),$(BIN))
GPU_ENV := $(if $(GPU_PYTHON),,$(VENV)/.gpu)

.DEFAULT_GOAL := help
.PHONY: help venv check lint test fuzz test-gpu demo bench accuracy bench-cold bench-gpu clean

help:  ## list the tasks
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 20

venv: $(VENV)/.test  ## create .venv with nb3d and what its tests need

check: $(VENV)/.test lint  ## ruff, mypy, architecture and tiny tests: seconds
	$(BIN) -m pytest -q tests/test_architecture.py tests/test_tiny.py

lint: $(VENV)/.test
	$(BIN) -m ruff check .
	$(BIN) -m mypy

# Workers begin far apart and help each other in the end: then they compile different kernels, each of which once.
test: $(VENV)/.test lint  ## everything: ruff, mypy, all tests, doctests
	$(BIN) -m pytest -q -n auto --dist worksteal $(PYTEST_ARGS)

fuzz: $(VENV)/.test  ## random layers and damaged files, FUZZ times (20) as many as in the tests
	NB3D_FUZZ=$(FUZZ) $(BIN) -m pytest -q -n auto tests/layers/test_fuzz.py tests/saving/test_fuzz.py $(PYTEST_ARGS)

demo: $(VENV)/.demo  ## segment a volume with a network trained in Keras; writes demo.png
	$(BIN) examples/demo.py

bench: $(VENV)/.demo $(BENCH_VENV)/.peers  ## nb3d beside its peers, in an environment of theirs; writes benchmarks/results.md
	$(BIN) -m benchmarks.run --peers-python $(BENCH_BIN) $(BENCH_ARGS)
	$(BIN) -m benchmarks.cold_start --peers-python $(BENCH_BIN)

accuracy: $(VENV)/.test  ## the error of Winograd's convolution; writes docs/accuracy.md
	$(BIN) -m benchmarks.accuracy

bench-cold: $(VENV)/.demo  ## seconds from import to a first prediction, without the peers
	$(BIN) -m benchmarks.cold_start --dry

test-gpu: $(GPU_ENV)  ## every CUDA kernel on the GPU of this machine; NB3D_MODELS names a folder of models to run too
	$(GPU_BIN) -m benchmarks.gpu_compile
	$(GPU_BIN) -m pytest -q -W default -m gpu tests/cuda $(PYTEST_ARGS)
	$(GPU_BIN) -m nb3d doctor --test

bench-gpu: $(GPU_ENV)  ## nb3d on the GPU of this machine, beside PyTorch if that is installed: under eight minutes
	$(GPU_BIN) -m benchmarks.gpu $(BENCH_ARGS)

clean:  ## remove the environments, the caches and what the tasks wrote
	rm -rf $(VENV) $(BENCH_VENV) build dist *.egg-info demo.png
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Environments. A stamp file says which extras an environment holds; pyproject.toml is what makes it stale.

$(VENV)/.demo: pyproject.toml | $(BIN)
	@echo "installing nb3d into $(VENV)"
	@$(BIN) $(INSTALL) -e '.[hdf5,plot]'
	@touch $@

$(VENV)/.test: pyproject.toml | $(BIN)
	@echo "installing nb3d and its tests' tools into $(VENV)"
	@$(BIN) $(INSTALL) -e '.[hdf5,plot,test]'
	@$(BIN) $(INSTALL) -e '.[cuda-test]' || echo "no CUDA compilers here: the tests that need them are skipped"
	@touch $@ $(VENV)/.demo

$(VENV)/.gpu: pyproject.toml | $(BIN)
	@echo "installing nb3d with CUDA into $(VENV)"
	@$(BIN) $(INSTALL) -e '.[hdf5,plot,test,cuda]'
	@touch $@

$(BENCH_VENV)/.peers: pyproject.toml | $(BENCH_BIN)
	@echo "installing the peers into $(BENCH_VENV) (hundreds of MB)"
	@$(BENCH_BIN) $(INSTALL) -e '.[bench]'
	@touch $@

$(BIN) $(BENCH_BIN): %/bin/python:
	@test -n "$(PYTHON)" || { \
		echo "nb3d needs Python 3.11 or later; none found on PATH (set PYTHON=/path/to/python)" >&2; exit 1; }
	@$(PYTHON) -m venv $* || { rm -rf $*; \
		echo "cannot create $*: has $(PYTHON) its venv module? (Debian: apt install python3-venv)" >&2; exit 1; }
