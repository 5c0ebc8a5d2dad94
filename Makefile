# make demo         everything on this machine, with sample pictures, until Ctrl-C
# make test         every test, against a real RabbitMQ and a real S3 server
# make faults       kills, outages, full disks and lying clocks at full length: about an hour
# make check        lint, formatting, types, the import rule; the frontend's lint, types and units
# make bench        every benchmark
# make frontend     the gallery's pages, from frontend/ into frontend/build/
# make screenshots  the pictures of the gallery in docs/screenshots/
# make lock         pin the dependencies anew, with hashes
# make audit        known holes in the dependencies; needs the network
# make sbom         lists of everything that is in it (CycloneDX), into build/

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
PIP = $(BIN)/pip install --quiet --disable-pip-version-check
# The extra's part of the lock, each file checked against its hashes; then the project itself, which has none.
install = $(BIN)/python requirements.py $(1) > $(VENV)/$(1).lock && \
	$(PIP) --require-hashes --requirement $(VENV)/$(1).lock && $(PIP) --no-deps --no-build-isolation --editable .
# Node.js comes with the environment; npm's scripts find it first.
NPM = cd frontend && PATH="$(CURDIR)/$(BIN):$$PATH" npm
PAGES := frontend/build/index.html

.PHONY: demo frontend test faults test-base check format bench screenshots lock audit sbom clean

demo: $(VENV)/.demo $(PAGES)
	@$(BIN)/dam demo $(ARGS)

frontend: $(PAGES)

test: $(VENV)/.check $(PAGES)
	@tests/services/install.sh
	@$(BIN)/pytest $(ARGS)

# `make test` runs their short form.
faults: $(VENV)/.check
	@tests/services/install.sh
	@$(BIN)/pytest tests/faults --faults=full $(ARGS)

# Golden captions and searches, where the `base` weights are in DAM_MODELS_DIR or can be loaded from the hub.
test-base: $(VENV)/.check
	@$(BIN)/pytest tests/bentos/base_golden.py $(ARGS)

check: $(VENV)/.check frontend/node_modules/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q tests/test_imports.py
	$(NPM) run --silent lint
	$(NPM) run --silent check
	$(NPM) run --silent test

format: $(VENV)/.check frontend/node_modules/.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(NPM) run --silent format

bench: $(VENV)/.check
	@tests/services/install.sh
	@for name in memory batching demo_quality maintenance search_quality search soak limit; do echo "== $$name"; $(BIN)/python -m benchmarks.$$name $(ARGS) || exit 1; done
	@$(BIN)/python -m benchmarks.all $(ARGS)

# A demo of its own, photographed in Debian's Chromium.
screenshots: $(VENV)/.demo $(PAGES)
	@tests/services/install.sh
	@$(NPM) run --silent screenshots

# Of every platform, with hashes, and with what asked for each package: requirements.py reads that.
# The lock may lack what was just added to pyproject.toml, so it cannot be installed first.
lock: $(VENV)/bin/python
	@[ -x $(BIN)/uv ] || $(PIP) 'uv>=0.9'
	@$(BIN)/uv pip compile --quiet --extra check --generate-hashes --universal --python-version 3.11 --no-header \
		--no-emit-index-url --no-emit-find-links --annotation-style split --output-file requirements.lock pyproject.toml

# Known holes in what is locked. It asks the advisory services, and fails where they do not answer.
audit: $(VENV)/.check
	@$(BIN)/python audit.py

# What is in it: CycloneDX, of the Python packages and of the gallery's. Peers are not judged: one of them names an
# older SvelteKit than the one that it is built and tested with.
sbom: $(VENV)/.check
	@mkdir -p build
	@$(BIN)/cyclonedx-py requirements requirements.lock --output-reproducible --of JSON \
		--output-file build/sbom-python.cdx.json
	@$(NPM) sbom --silent --sbom-format cyclonedx --package-lock-only --legacy-peer-deps > "$(CURDIR)/build/sbom-frontend.cdx.json"
	@echo 'build/sbom-python.cdx.json and build/sbom-frontend.cdx.json'

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Python 3.11 or newer is needed; this is' `$(PYTHON) --version`'. Try: make PYTHON=python3.12'; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo 'The venv module is missing. Try: apt install python3-venv'; exit 1; }

frontend/node_modules/.installed: frontend/package.json frontend/package-lock.json | $(VENV)/.demo
	@echo 'Installing what the gallery is built with into frontend/node_modules/.'
	@$(NPM) ci --silent
	@touch $@

$(PAGES): frontend/node_modules/.installed $(shell find frontend/src frontend/static -type f) \
		frontend/vite.config.ts frontend/tsconfig.json
	@echo 'Building the gallery into frontend/build/.'
	@$(NPM) run --silent build >/dev/null
	@touch $@

$(VENV)/.demo: $(VENV)/bin/python requirements.lock requirements.py pyproject.toml
	@echo 'Installing into $(VENV)/: about 6 GB, mostly PyTorch; a few minutes the first time.'
	@$(call install,demo)
	@touch $@

$(VENV)/.check: $(VENV)/bin/python requirements.lock requirements.py pyproject.toml
	@echo 'Installing into $(VENV)/ what the tests need: about 6 GB, mostly PyTorch; a few minutes the first time.'
	@$(call install,check)
	@touch $@ $(VENV)/.demo
