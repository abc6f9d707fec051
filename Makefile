# `make run` shows it, `make test` proves it; the rest is for who works on it.
BIN := .venv/bin
CONFIG ?= configs/full.yaml

export PYTHON

.PHONY: run test check fast cov bench docs lint lock firmware test-usb flakes

run: ## boot a demonstration unit on a broker of its own
	@.ci/venv run
	@exec $(BIN)/ipo-sim run $(CONFIG)

test: ## install what the tests need, and run them all
	@.ci/venv dev
	@.ci/tools
	@$(BIN)/pytest $(ORDER)

check: lint test ## what CI runs

lint:
	@.ci/venv dev
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

fast: ## the quick tests only, on every core
	@.ci/venv dev
	@$(BIN)/pytest -m "not slow" -n auto

flakes: ## the pytest plugin's own quick tests, 20 times in random order
	@.ci/venv dev
	@.ci/flakes

cov: ## all tests, with the lines and branches that none of them reaches
	@.ci/venv dev
	@.ci/tools
	@$(BIN)/pytest --cov --cov-report=term --cov-report=html

bench: ## the project's figures, as ratios against a reference measured in the same run
	@.ci/venv dev
	@.ci/tools
	@$(BIN)/python -m benchmarks

firmware: ## build/firmware/reader.hex and .elf, for the reader board; gcc-avr and avr-libc make them
	@$(MAKE) --silent --directory hardware/firmware BUILD=$(CURDIR)/build/firmware all size

test-usb: ## readers on a real USB bus, in a guest in QEMU: a minute, and 70 MB of kernel the first time
	@.ci/venv dev
	@.ci/tools
	@.ci/usb
	@IPO_SIM_TEST_USB=1 $(BIN)/pytest tests/usb

docs: ## make the generated part of the documentation anew
	@.ci/venv run
	@$(BIN)/python -m ipo_sim.mqtt.schema
	@$(BIN)/python -m ipo_sim.panel.schema
	@$(BIN)/ipo-sim schema config >docs/reference/config.schema.json
	@$(BIN)/ipo-sim schema scenario >docs/reference/scenario.schema.json
	@$(BIN)/ipo-sim schema mqtt >docs/reference/asyncapi.json
	@$(BIN)/ipo-sim schema http >docs/reference/openapi.json

lock: ## pin anew what pyproject.toml asks for
	@.ci/venv dev
	@.ci/lock
