# The two commands: "make run" sets everything up and starts Yomitori, "make test" sets everything up and
# passes the tests. Everything a developer runs is a target here.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
SAMPLE := resources/samples/page-1
# How long "make soak" has the service asked.
MINUTES := 30

# Every Python that a test starts refuses connections that leave this machine, and a program that a test
# needs has to be there: nothing is skipped for want of it.
GUARD := PYTHONPATH="$(CURDIR)/tests/support/guard"
# Hundreds of processes import the same code: compiled once, also where Python is told not to keep that.
PYTEST := $(GUARD) PYTHONDONTWRITEBYTECODE= YOMITORI_TEST_REQUIRE_ALL=1 QT_QPA_PLATFORM=offscreen $(PY) -m pytest -q
# Most tests wait for processes of their own: three workers keep two cores busy. The longest files come first
# (tests/conftest.py), not those with the most tests, so that all end together.
PARALLEL := -n 3 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup setup-test run test lint types imports test-core test-rest bench soak samples \
        screenshots translations docs lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(VENV)/run.ready ## install what running needs
setup-test: $(VENV)/test.ready ## install what running and testing need

$(VENV)/run.ready: requirements.txt packaging/linux/run-packages.txt packaging/linux/system-packages.sh
	@sh packaging/linux/system-packages.sh packaging/linux/run-packages.txt
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked Python packages ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/test.ready: $(VENV)/run.ready requirements-dev.txt packaging/linux/test-packages.txt
	@sh packaging/linux/system-packages.sh packaging/linux/test-packages.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

run: setup ## start the tray; without a display, read the sample page
	@if [ "$$(uname -s)" = Linux ] && [ -z "$$DISPLAY$$WAYLAND_DISPLAY" ]; then \
		echo "There is no display here (DISPLAY and WAYLAND_DISPLAY are not set), so there is no tray." ; \
		echo "Reading the sample page $(SAMPLE).png on the command line instead:" ; echo ; \
		$(PY) main.py ocr $(SAMPLE).png --annotate $(SAMPLE).annotated.png && \
		echo && echo "The bubbles, numbered in reading order: $(SAMPLE).annotated.png" ; \
	else \
		exec $(PY) main.py ; \
	fi

test: setup-test lint types imports test-core test-rest ## lint, types, import directions and every test

lint: setup-test
	@$(PY) -m ruff format --check --quiet .
	@$(PY) -m ruff check --quiet .

types: setup-test
	@$(PY) -m mypy

imports: setup-test
	@$(VENV)/bin/lint-imports --no-logo

test-core: setup-test
	@echo "tests/core, with PySide6 not importable:"
	@YOMITORI_TEST_WITHOUT_QT=1 $(PYTEST) -p no:pytest-qt -W "ignore::pytest.PytestConfigWarning" \
		-o addopts="--import-mode=importlib -ra --strict-markers" $(PARALLEL) tests/core

test-rest: setup-test
	@echo "tests/service:"
	@$(PYTEST) $(PARALLEL) tests/service
	@echo "tests/e2e and tests/desktop:"
	@$(PYTEST) $(PARALLEL) tests/e2e tests/desktop

bench: setup-test ## measure what the project claims (takes a while)
	@$(PY) -m benchmarks

soak: setup-test ## half an hour of requests with faults, then a hundred loads and unloads, watching memory
	@$(PY) -m benchmarks.service_soak --minutes $(MINUTES)
	@$(PY) -m benchmarks.soak

samples: setup-test ## draw the sample pages again
	@$(PY) -m resources.samples.draw

screenshots: setup-test ## take the pictures in the documentation again
	@$(PY) -m benchmarks.screenshots

translations: setup-test ## bring the Japanese texts up to date with the code
	@$(PY) packaging/translations.py

docs: setup-test ## write the tables of settings, models and errors into the documentation
	@$(PY) packaging/settings_table.py
	@$(PY) packaging/service_tables.py

lock: ## write the locked versions of what is installed in .venv
	@sh packaging/lock.sh $(VENV)

clean: ## remove the environment and everything generated
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
