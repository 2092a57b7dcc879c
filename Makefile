# `make run` tries the portal out with a stand-in for the platform; `make test` runs what needs no server.
# Both set up what is missing first. `make build` makes what production needs. `make lock` writes down anew which
# packages are installed, after the short lists were edited; `make lock UPGRADE=--upgrade` takes the newest of all.
SHELL := /bin/bash
PORT ?= 8000
SANDBOX_PORT ?= 9000
ORDERS ?= 5000
KILLS ?= 30
FUZZ ?= 200000

BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
INSTALL := $(PIP) install --require-hashes --requirement
# One lock for Python 3.11 and later on every platform: --universal writes markers where they differ.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(UPGRADE)
CATALOGUES := $(patsubst %.po,%.mo,$(wildcard portal/locale/*/LC_MESSAGES/django.po))
ASSETS := portal/static/vendor/.built

# Nothing of somebody's .env may reach the trial: neither his database nor his credentials.
TRIAL := env DOTENV_PATH=/dev/null DEBUG=True CELERY_BROKER_URL=memory://localhost DATABASE_URL="$${DATABASE_URL:-sqlite:///$(CURDIR)/trial.sqlite3}" \
	PUBLIC_URL=http://127.0.0.1:$(PORT) CSRF_TRUSTED_ORIGINS=http://127.0.0.1:$(PORT) ALLOWED_HOSTS=127.0.0.1,localhost \
	WIKEYUN_BASE_URL=http://127.0.0.1:$(SANDBOX_PORT)/rest/ WIKEYUN_APP_KEY=sandbox \
	WIKEYUN_APP_SECRET=sandbox-secret WIKEYUN_STORE_ID=1 APPROVAL_ABOVE=1000 MFA_REQUIRED=none

# The newest Python that the machine has; those of pyenv need not be switched on. Each is asked whether it works, since
# pyenv leaves a python3.13 in the path that does not.
FIND_PYTHON := for version in 3.13 3.12 3.11; do \
	for python in python$$version "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/$$version.*/bin/python; do \
	"$$python" -c 'import ensurepip, sqlite3, ssl, venv' 2>/dev/null && { echo "$$python"; exit; }; done; done
PYTHON ?= $(shell $(FIND_PYTHON))

.PHONY: run test chaos fuzz build setup lock secrets newest-python
setup: .venv/.installed $(ASSETS) $(CATALOGUES)

run: setup
	@for port in $(PORT) $(SANDBOX_PORT); do \
		$(BIN)/python -c "import socket, sys; s = socket.socket(); \
	s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('127.0.0.1', int(sys.argv[1])))" $$port 2>/dev/null \
		|| { echo "Port $$port is taken. Choose others: make run PORT=8001 SANDBOX_PORT=9001"; exit 1; }; done
	@$(TRIAL) $(BIN)/python manage.py migrate --verbosity 0
	@trap 'kill $$sandbox $$portal 2>/dev/null; wait' EXIT; trap 'exit 0' INT TERM; \
	$(TRIAL) $(BIN)/python manage.py sandbox --port $(SANDBOX_PORT) & sandbox=$$!; \
	$(TRIAL) $(BIN)/python manage.py serve --port $(PORT) & portal=$$!; \
	until (: </dev/tcp/127.0.0.1/$(PORT) && : </dev/tcp/127.0.0.1/$(SANDBOX_PORT)) 2>/dev/null; do \
		kill -0 $$portal && kill -0 $$sandbox || exit 1; sleep 0.2; done; \
	echo; $(TRIAL) $(BIN)/python manage.py demo; \
	echo; echo "Open http://127.0.0.1:$(PORT)/ and log in as one of these."; \
	echo "The platform's stand-in shows its books at http://127.0.0.1:$(SANDBOX_PORT)/. Ctrl-C ends both."; echo; \
	wait -n; echo "One of the two has ended; see above."; exit 1

test: setup .venv/.installed-dev
	$(BIN)/python -m pytest -m "not e2e and not servers" -n 2

# A storm of SEED over the whole portal; needs PostgreSQL's and Redis' programs, starts its own of both.
chaos: setup .venv/.installed-dev
	$(BIN)/python -m tests.chaos.storm --orders $(ORDERS) --kills $(KILLS) $(if $(SEED),--seed $(SEED))

# So many invented inputs: callbacks, answers of the platform, rows and forms. SEED plays the same ones again.
fuzz: setup .venv/.installed-dev
	FUZZ=$(FUZZ) $(if $(SEED),FUZZ_SEED=$(SEED)) $(BIN)/python -m pytest -q -n 2 --show-capture=no tests/integration/fuzz

build: setup
	DEBUG=False $(BIN)/python manage.py collectstatic --noinput --verbosity 0

# For compose.yaml. What is there stays: with other keys nobody could read what is stored. The folder keeps others out,
# the files don't, because in the containers they are read by somebody else.
secrets:
	@mkdir -p -m 700 secrets; cd secrets; random() { head -c 32 /dev/urandom | base64 | tr '+/' '-_'; }; \
	keep() { test -e $$1 || { echo "Making secrets/$$1 …"; printf '%s\n' "$$2" >$$1; chmod 644 $$1; }; }; \
	keep secret_key "$$(random)$$(random)"; \
	keep field_encryption_keys "$$(random)"; \
	keep database_password "$$(random | tr -d =)"; \
	keep database_url "postgres://portal:$$(cat database_password)@database:5432/portal"; \
	test -e wikeyun_app_secret || echo "The vendor's app secret is missing: put it into secrets/wikeyun_app_secret."

newest-python:
	@$(FIND_PYTHON)

.venv/bin/python:
	@python="$(PYTHON)"; command -v "$${python:-none}" >/dev/null || { echo "There is no Python 3.11, 3.12 or 3.13 with" \
		"pip and venv$${python:+ called $$python}. Name another: make run PYTHON=/path/to/python3.12"; exit 1; }; \
		echo "$$python -m venv .venv"; "$$python" -m venv .venv

.venv/.installed: requirements.lock | .venv/bin/python
	@echo "Installing the Python packages …"
	@$(INSTALL) requirements.lock
	@touch $@

.venv/.installed-dev: requirements-dev.lock | .venv/bin/python
	@echo "Installing what the tests need …"
	@$(INSTALL) requirements-dev.lock
	@touch $@

lock: .venv/.installed-dev
	$(COMPILE) requirements.txt --output-file requirements.lock
	$(COMPILE) requirements-dev.txt --constraints requirements.lock --output-file requirements-dev.lock
	$(COMPILE) requirements-node.txt --output-file requirements-node.lock

node_modules/.installed: package-lock.json package.json | .venv/.installed
	@command -v npm >/dev/null || { echo "There is no npm: installing it into .venv …"; $(INSTALL) requirements-node.lock; }
	@echo "Fetching the front-end assets …"
	@PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(ASSETS): node_modules/.installed portal/web/icons.py portal/management/commands/build_assets.py
	@$(BIN)/python manage.py build_assets
	@touch $@

%.mo: %.po | .venv/.installed
	@$(BIN)/pybabel --quiet compile -i $< -o $@
