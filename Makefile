# What a developer does, one word each. A fresh machine needs python3 (3.11 or newer), make and the network.

PYTHON ?= python3
BIN := .venv/bin
SHIPPED := build/shipped
IGNEOUS := build/igneous
ALONE := build/alone
# In CI the tools of `make lint` share the environment of the tests: one to fill, and not two of the same packages.
TOOLS := $(if $(CI),$(SHIPPED),.venv)
SOURCES := $(shell find teravox -name '*.py') $(wildcard examples/*.toml) pyproject.toml README.md LICENSE

EXTRAS := float,graphene,kimimaro,learn,medical,onnx,postgres,view,waterz

# Percent of lines and branches that the tests must reach.
COVERAGE_FLOOR := 89

.PHONY: help demo test coverage ready-to-test lint bench docs format clean test-servers
.DELETE_ON_ERROR:

help:
	@echo "make demo          draw micrographs, and take them to a scene with meshes and skeletons"
	@echo "make test          build the wheel, install it elsewhere, run the tests against it"
	@echo "make coverage      the same tests, traced: they must reach $(COVERAGE_FLOOR) % of lines and branches (half as long again)"
	@echo "make lint          format, style, types, layers"
	@echo "make bench         compare queue, worker, start and kinds with Igneous (QUICK=1: a first look)"
	@echo "make docs          write docs/commands.md anew from the declarations"
	@echo "make format        put the code into the form that make lint asks for"
	@echo "make test-servers  install the servers of the tests: SLURM, Ceph and others (root on Debian)"
	@echo "make clean         remove what these made"

demo: .venv/.project
	$(BIN)/teravox demo demo

lint: $(TOOLS)/.tools
	$(TOOLS)/bin/ruff format --check .
	$(TOOLS)/bin/ruff check .
	$(TOOLS)/bin/mypy
	$(TOOLS)/bin/lint-imports

format: .venv/.tools
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

ready-to-test: $(SHIPPED)/.wheel $(if $(CI),build/servers/.installed)

# Four at once on two cores: many of them wait, for leases, servers and processes.
# The tests see the wheel and not this folder: they run in build/away, in an environment of their own.
test: ready-to-test
	@rm -rf build/coverage build/away && mkdir -p build/coverage build/away
	cd build/away && COVERAGE_FILE=$(CURDIR)/build/coverage/data TERAVOX_TEST_PICTURES=$(CURDIR)/build/pictures \
		$(CURDIR)/$(SHIPPED)/bin/pytest --config-file=$(CURDIR)/pyproject.toml -n 4 --dist worksteal \
		$(TRACED) $(CURDIR)/tests

# Apart from `make test`, since before Python 3.14 tracing makes Python half as slow again.
coverage: TRACED = --cov --cov-config=$(CURDIR)/pyproject.toml --cov-report= --cov-fail-under=$(COVERAGE_FLOOR)
coverage: test

test-servers: build/servers/.installed

# In an environment like a user's: what the tests need, numba would load too.
bench: $(ALONE)/.wheel $(IGNEOUS)/.made
	$(ALONE)/bin/python -m benchmarks.startup --against $(IGNEOUS) $(if $(QUICK),--quick)
	$(ALONE)/bin/python -m benchmarks.folder_queue --against $(IGNEOUS) $(if $(QUICK),--quick)
	$(ALONE)/bin/python -m benchmarks.overhead --against $(IGNEOUS) $(if $(QUICK),--quick)
	$(ALONE)/bin/python -m benchmarks.images --against $(IGNEOUS) $(if $(QUICK),--quick)
	$(ALONE)/bin/python -m benchmarks.meshes --against $(IGNEOUS) $(if $(QUICK),--quick)
	$(ALONE)/bin/python -m benchmarks.skeletons --against $(IGNEOUS) $(if $(QUICK),--quick)

docs: .venv/.project
	$(BIN)/python -m teravox.cli.manual > docs/commands.md

clean:
	rm -rf .venv build dist demo .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

# Environments. A file at the end of each step says that it is done; a second run does nothing.

.venv/.made:
	@$(PYTHON) tools/check_python.py
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -qq --upgrade 'pip>=25.1'
	@touch $@

.venv/.project: .venv/.made pyproject.toml
	$(BIN)/python -m pip install -qq --editable '.[$(EXTRAS)]'
	@touch $@

.venv/.tools: .venv/.project
	$(BIN)/python -m pip install -qq --group lint --group test
	@touch $@

build/wheel/.built: .venv/.made $(SOURCES)
	@rm -rf build/wheel
	$(BIN)/python -m pip wheel -qq --no-deps --wheel-dir build/wheel .
	@touch $@

$(SHIPPED)/.made:
	@$(PYTHON) tools/check_python.py
	$(PYTHON) -m venv $(SHIPPED)
	$(SHIPPED)/bin/python -m pip install -qq --upgrade 'pip>=25.1'
	@touch $@

$(SHIPPED)/.dependencies: $(SHIPPED)/.made pyproject.toml | build/wheel/.built
	$(SHIPPED)/bin/python -m pip install -qq "$$(echo build/wheel/*.whl)[$(EXTRAS)]" --group test --group readers $(if $(CI),--group lint)
	@touch $@

$(SHIPPED)/.tools: $(SHIPPED)/.dependencies
	@touch $@

$(SHIPPED)/.wheel: $(SHIPPED)/.dependencies build/wheel/.built
	$(SHIPPED)/bin/python -m pip install -qq --no-deps --force-reinstall build/wheel/*.whl
	$(SHIPPED)/bin/python tools/compile_kernels.py
	@touch $@

$(ALONE)/.wheel: build/wheel/.built
	$(PYTHON) -m venv $(ALONE)
	$(ALONE)/bin/python -m pip install -qq --upgrade 'pip>=25.1'
	$(ALONE)/bin/python -m pip install -qq --force-reinstall build/wheel/*.whl
	@touch $@

$(IGNEOUS)/.made:
	@$(PYTHON) tools/check_python.py
	$(PYTHON) -m venv $(IGNEOUS)
	$(IGNEOUS)/bin/python -m pip install -qq --upgrade 'pip>=25.1'
	$(IGNEOUS)/bin/python -m pip install -qq igneous-pipeline task-queue
	@touch $@

build/servers/.installed: tools/install_test_servers.sh
	bash tools/install_test_servers.sh build/servers
	@touch $@
