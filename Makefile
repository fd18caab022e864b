# Everything is set up in .venv inside the repository; nothing else of the machine is touched.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
JOBS ?= 2

# The other engines of the benchmark have an environment of their own: nothing of theirs is ever a dependency of Ponte.
PEERS := .venv-peers
PEERS_STAMP := $(PEERS)/.installed

.PHONY: help demo test year soak check audit lock bench peers messages
help: ## What can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | sort

$(STAMP): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) (once)..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q flows states notifications ponte_workflow
	@touch $@

demo: $(STAMP) ## A synthetic neighbourhood, twelve weeks of casework, tonight's certificate (in .demo)
	@PONTE_HOME="$(CURDIR)/.demo" $(BIN)/ponte demo

test: $(STAMP) ## All tests but the benchmarks, the year and the long soak, on SQLite and PostgreSQL
	TMPDIR="$$(.ci/fast_tmp)" $(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder -m "not benchmark and not year and not soak"

year: $(STAMP) ## A simulated year of the demo (some minutes): the promises still hold
	$(BIN)/python -m pytest -m year

soak: $(STAMP) ## A year of 2,000 households with faults of every kind (under ten minutes): the promises still hold
	$(BIN)/python -m pytest -m soak

check: $(STAMP) ## Lint, formatting, types, who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

AUDIT := .venv-audit
audit: ## Ask for known flaws of the locked dependencies (pip-audit, in an environment of its own)
	@test -x $(AUDIT)/bin/pip-audit || { $(PYTHON) -m venv $(AUDIT) && $(AUDIT)/bin/python -m pip install -qq --disable-pip-version-check "pip-audit>=2.7,<3"; } \
	  || { rm -rf $(AUDIT); echo "pip-audit cannot be installed: nothing was audited"; exit 2; }
	@PATH="$(CURDIR)/$(AUDIT)/bin:$$PATH" $(PYTHON) .ci/audit.py requirements.lock

$(PEERS_STAMP): tests/benchmarks/peers/requirements.txt
	@test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	@echo "Installing the other engines into $(PEERS) (once)..."
	@$(PEERS)/bin/python -m pip install -qq --disable-pip-version-check -r $<
	@touch $@

peers: $(PEERS_STAMP) ## The other engines that the benchmark compares Ponte with (in .venv-peers)

bench: $(STAMP) $(PEERS_STAMP) ## Measure, and write docs/benchmarks.md
	$(BIN)/python -m tests.benchmarks

CATALOGUE := ponte_workflow/locale/it/LC_MESSAGES/ponte
messages: $(STAMP) ## Bring the Italian catalogue up to date with the sources, and compile it
	@printf '[python: **.py]\nencoding = utf-8\n[jinja2: **/web/templates/**.html]\nencoding = utf-8\nextensions = jinja2.ext.i18n,jinja2.ext.do\nsilent = false\n' > $(VENV)/babel.cfg
	$(BIN)/pybabel -q extract -F $(VENV)/babel.cfg -k _ --no-location --sort-output -o $(VENV)/ponte.pot ponte_workflow flows
	$(BIN)/pybabel -q update -i $(VENV)/ponte.pot -o $(CATALOGUE).po -l it --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
	$(BIN)/pybabel -q compile -i $(CATALOGUE).po -o $(CATALOGUE).mo

lock: ## Resolve the dependencies again (needs uv; LOCKFLAGS=--upgrade for newer ones); the lock holds hashes and no addresses
	uv pip compile pyproject.toml --group dev --generate-hashes --universal --python-version 3.11 --no-header \
	  --no-annotate --no-emit-index-url --no-emit-find-links --output-file requirements.lock \
	  --no-emit-package django --no-emit-package asgiref --no-emit-package sqlparse $(LOCKFLAGS)
