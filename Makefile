# Everything runs in a virtual environment that is made from the lock files.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/

# Several workers and several hundred bots import the same modules; without bytecode each would compile them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: playground environment test soak bench bench-polling bench-processes bench-server bench-servers audit pictures run lock clean

playground: $(VENV)/playground  ## Try the bot in a browser, without an account or token; KEEP=1 keeps the data
	@# With PROCESSES=2, two processes share a PostgreSQL server, which must be installed.
	@$(RUN)python -m playground $(if $(KEEP),--keep) $(if $(PROCESSES),--processes $(PROCESSES))

environment: $(VENV)/dev  ## Install the test dependencies

test: $(VENV)/dev  ## Run the linters, the type checker, the import contracts and the tests
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)mypy
	$(RUN)lint-imports --no-logo
	$(RUN)hadolint Dockerfile
	$(RUN)check-jsonschema --builtin-schema vendor.compose-spec compose*.yaml
	$(RUN)check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(RUN)pytest -n auto --dist loadfile --no-loadscope-reorder
	@$(RUN)python -m tests.browser
	@$(RUN)python -m tests.postgres

soak: $(VENV)/dev  ## Run long and random tests: repeated kills, new Hypothesis examples, the benchmarks' own tests
	$(RUN)pytest -n 2 --timeout 1800 -m 'soak or hypothesis' --hypothesis-profile=soak

bench: $(VENV)/dev  ## Compare the bot's speed and size with a minimal bot; takes minutes, best on an idle machine
	$(RUN)python -m tests.bench.bench

bench-polling: $(VENV)/dev  ## Compare how soon finished images are found with a poll every two seconds; takes four minutes
	$(RUN)python -m tests.bench.polling

bench-processes: $(VENV)/dev  ## Compare one and two processes on PostgreSQL with one on SQLite; takes a minute
	$(RUN)python -m tests.bench.processes

bench-server: $(VENV)/dev  ## Measure queries on a server of 50,000 members after a year; takes minutes and 5 GB
	$(RUN)python -m tests.bench.server

bench-servers: $(VENV)/dev  ## Measure the bot's memory in 2,000 servers; takes half a minute
	$(RUN)python -m tests.bench.servers

audit:  ## Look up the bot's packages among the known vulnerabilities (needs uv and the network)
	uv tool run pip-audit==2.10.1 --strict --require-hashes --disable-pip -r requirements-postgres.lock

pictures: $(VENV)/dev  ## Regenerate the README's pictures in the playground
	$(RUN)python -m tests.demo docs/pictures/demo.webp
	PICTURES=docs/pictures $(RUN)pytest tests/e2e/test_playground.py \
		tests/e2e/test_manager_page.py tests/e2e/test_edit_page.py tests/e2e/test_result_page.py

run: $(VENV)/run  ## Run the bot with the settings from the environment and .env
	$(RUN)python -m bot

# A stamp file names the installed set of packages; a changed lock file installs it again.
$(VENV)/run: requirements.lock
$(VENV)/playground: requirements-playground.lock
$(VENV)/dev: requirements-dev.lock
$(VENV)/run $(VENV)/playground $(VENV)/dev: | $(VENV)/bin/python
	@echo "Installing $$(grep -c == $<) packages into $(VENV), which takes about a minute the first time"
	@$(RUN)python -m pip install --disable-pip-version-check --progress-bar off --require-hashes -r $<
	@touch $@

$(VENV)/bin/python:
	@echo "Creating $(VENV)"
	@$(PYTHON) -m venv $(VENV)

COMPILE := uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header pyproject.toml

lock: $(VENV)/dev  ## Regenerate the lock files from pyproject.toml (needs uv)
	@# The largest set first; the others use its versions, so that tests and bot run the same.
	$(COMPILE) --extra dev -o requirements-dev.lock
	$(COMPILE) -c requirements-dev.lock -o requirements.lock
	$(COMPILE) -c requirements-dev.lock --extra postgres -o requirements-postgres.lock
	$(COMPILE) -c requirements-dev.lock --extra playground -o requirements-playground.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
