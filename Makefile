# Everything runs in a virtual environment of its own, made from the lock files.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/

.PHONY: playground test pictures run lock clean

playground: $(VENV)/playground  ## Try the bot in a browser page: no account, no token
	$(RUN)python -m playground

test: $(VENV)/dev  ## Lint, types, import contracts and every test
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)mypy
	$(RUN)lint-imports --no-logo
	$(RUN)pytest -n auto
	@$(RUN)python -m tests.browser

pictures: $(VENV)/dev  ## Take the README's pictures anew: screenshots of the page test
	PICTURES=docs/pictures $(RUN)pytest tests/e2e/test_playground.py

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

lock: $(VENV)/dev  ## Write the lock files anew from pyproject.toml (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --extra playground pyproject.toml -o requirements-playground.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --extra dev pyproject.toml -o requirements-dev.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
