# Everything runs in a virtual environment of its own, made from the lock files.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/

# Several workers and several hundred bots import the same modules; without bytecode each would recompile them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: playground environment test soak bench bench-polling bench-server pictures run lock clean

playground: $(VENV)/playground  ## Try the bot in a browser page: no account, no token
	$(RUN)python -m playground

environment: $(VENV)/dev  ## Install what the tests need, without running them

test: $(VENV)/dev  ## Lint, types, import contracts and every test
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)mypy
	$(RUN)lint-imports --no-logo
	$(RUN)pytest -n auto --dist loadfile --no-loadscope-reorder
	@$(RUN)python -m tests.browser

soak: $(VENV)/dev  ## Long and random tests: repeated kills, new Hypothesis examples, the benchmark's own tests
	$(RUN)pytest -n 2 --timeout 1800 -m 'soak or hypothesis' --hypothesis-profile=soak

bench: $(VENV)/dev  ## The bot beside the plainest one: how fast, how large; takes minutes, best on a machine that is idle
	$(RUN)python -m tests.bench.bench

bench-polling: $(VENV)/dev  ## How soon finished images are found, compared with a poll every two seconds; takes four minutes
	$(RUN)python -m tests.bench.polling

bench-server: $(VENV)/dev  ## How fast a server of 50,000 members gets its answers after a year; takes minutes and 5 GB
	$(RUN)python -m tests.bench.server

pictures: $(VENV)/dev  ## Take the README's pictures anew: screenshots of the page test
	PICTURES=docs/pictures $(RUN)pytest tests/e2e/test_playground.py tests/e2e/test_manager_page.py

run: $(VENV)/run  ## Be the bot, with the settings from the environment and .env
	$(RUN)python -m bot

# The stamp says which packages the environment holds; a changed lock file installs anew.
$(VENV)/run: requirements.lock
$(VENV)/playground: requirements-playground.lock
$(VENV)/dev: requirements-dev.lock
$(VENV)/run $(VENV)/playground $(VENV)/dev: | $(VENV)/bin/python
	$(RUN)python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

COMPILE := uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header pyproject.toml

lock: $(VENV)/dev  ## Write the lock files anew from pyproject.toml (needs uv)
	@# The largest first, and the others of its versions: tests run with what the bot runs with.
	$(COMPILE) --extra dev -o requirements-dev.lock
	$(COMPILE) -c requirements-dev.lock -o requirements.lock
	$(COMPILE) -c requirements-dev.lock --extra playground -o requirements-playground.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
