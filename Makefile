# `make` lists the targets. Every target sets up what it needs and is quick when run again.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
OFFICIAL := .tools/official
OURS := .tools/ours
RECORDING := .tools/recording
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet
OFFICIAL_VERSION := 4.19.0

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test fuzz check bench plot faults interop drift record codegen clean rabbitmq

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## Run functions on this machine through the local service
	@$(BIN)/python examples/demo.py

# Most of the time tests wait for services and clients, so more of them run than there are processors.
JOBS ?= 3
test: $(VENV)/.dev $(OFFICIAL)/.ready $(RECORDING)/.ready rabbitmq ## Run every test, with branch coverage
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --cov --cov-report=term:skip-covered $(ARGS)

# The seed is printed first. The same CASES and SEED find the same in the web service, and mostly in
# the broker: tests/fuzz/campaign.py says why.
CASES ?= 20000
SEED := $(or $(SEED),$(shell od -An -N4 -tu4 /dev/urandom | tr -d ' '))
fuzz: $(VENV)/.dev ## Fuzz the web service and the broker, from a random seed
	@echo "Fuzzing with CASES=$(CASES) SEED=$(SEED)"
	@GCOMPUTE_FUZZ_CASES=$(CASES) GCOMPUTE_FUZZ_SEED=$(SEED) \
	  $(BIN)/python -m pytest tests/fuzz -s --timeout 3600 $(ARGS)

check: $(VENV)/.dev ## Lint, check types, check that generated code is up to date
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python codegen.py --check

bench: $(VENV)/.bench $(OFFICIAL)/.ready $(OURS)/.ready rabbitmq ## Measure against the official SDK, side by side
	@$(BIN)/python -m benchmarks --official $(OFFICIAL)/bin/python --ours $(OURS)/bin/python $(ARGS)

plot: $(VENV)/.bench $(OFFICIAL)/.ready $(OURS)/.ready rabbitmq ## Measure and draw the scaling curve in docs/benchmarks
	@$(BIN)/python -m benchmarks --official $(OFFICIAL)/bin/python --ours $(OURS)/bin/python --plot docs/benchmarks

faults: $(VENV)/.dev $(OFFICIAL)/.ready rabbitmq ## Break everything with 500 tasks in flight, for both clients
	@$(BIN)/python -m tests.faults $(ARGS)

interop: $(VENV)/.dev $(OFFICIAL)/.ready rabbitmq ## Play every scenario with every client, broker and worker
	@$(BIN)/python -m tests.matrix $(ARGS)

# Scenarios by words of their names: make record ARGS='client executor/reload'. SERVICE=hosted records
# against the hosted service; cassettes/README.md says what it needs.
SERVICE ?= local
record: $(VENV)/.dev $(OFFICIAL)/.ready $(RECORDING)/.ready ## Record the official SDK's traffic in cassettes/
	@$(BIN)/python -m tools.recording --python $(RECORDING)/bin/python --service $(SERVICE) $(ARGS)

drift: $(VENV)/.dev $(OFFICIAL)/.ready ## Compare document, contract, recordings and the newest official SDK
	@$(BIN)/python -m tools.drift $(ARGS)

codegen: $(VENV)/.dev ## Rewrite generated/gcompute_api from openapi/compute.yaml
	@$(BIN)/python codegen.py

clean: ## Remove virtual environments, caches and build output
	@rm -rf $(VENV) .tools build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage htmlcov
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

rabbitmq:
	@command -v rabbitmq-server >/dev/null || test -x /usr/sbin/rabbitmq-server || { \
	  echo "Installing RabbitMQ from the system's packages"; \
	  command -v apt-get >/dev/null || { echo "RabbitMQ is needed: please install rabbitmq-server" >&2; exit 1; }; \
	  SUDO=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$SUDO apt-get update -qq && \
	  $$SUDO env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq rabbitmq-server >/dev/null; }

# The virtual environment is made once; what is in it follows pyproject.toml.
$(VENV)/.made:
	@echo "Making the virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) 'pip>=25.1'
	@touch $@

$(VENV)/.demo: $(VENV)/.made pyproject.toml
	@echo "Installing gcompute with its local service"
	@$(PIP) --editable '.[local,progress]'
	@touch $@

$(VENV)/.dev: $(VENV)/.demo pyproject.toml
	@echo "Installing what development needs"
	@$(PIP) --editable '.[local,progress]' --group dev
	@touch $@

$(VENV)/.bench: $(VENV)/.dev pyproject.toml
	@echo "Installing what draws the scaling curve"
	@$(PIP) --group bench
	@touch $@

# numpy and pandas are there for the values that the interoperability tests send. With texttable
# 1.7.2 the official `globus-compute-endpoint list` breaks, and it does not say so.
$(OFFICIAL)/.ready:
	@echo "Installing the official SDK and agent $(OFFICIAL_VERSION) in an environment of their own"
	@$(PYTHON) -m venv $(OFFICIAL)
	@PIP_DISABLE_PIP_VERSION_CHECK=1 $(OFFICIAL)/bin/python -m pip install --quiet \
	  globus-compute-sdk==$(OFFICIAL_VERSION) globus-compute-endpoint==$(OFFICIAL_VERSION) \
	  numpy pandas 'texttable<1.7.2'
	@touch $@

# What plays scenarios to be recorded: the official SDK beside vcrpy, and nothing of ours.
$(RECORDING)/.ready:
	@echo "Installing the official SDK $(OFFICIAL_VERSION) and vcrpy in an environment of their own"
	@$(PYTHON) -m venv $(RECORDING)
	@PIP_DISABLE_PIP_VERSION_CHECK=1 $(RECORDING)/bin/python -m pip install --quiet \
	  globus-compute-sdk==$(OFFICIAL_VERSION) 'vcrpy>=7'
	@touch $@

# What a user has, without what development brings along: imports are measured in it.
$(OURS)/.ready: pyproject.toml
	@echo "Installing gcompute in an environment without development tools"
	@$(PYTHON) -m venv $(OURS)
	@PIP_DISABLE_PIP_VERSION_CHECK=1 $(OURS)/bin/python -m pip install --quiet --editable '.[local]'
	@touch $@
