# The portal, its workers and its scheduler in one image; compose.yaml says what each container does.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim-bookworm AS build
# Any make will do, and it stays in this stage.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends make && rm -rf /var/lib/apt/lists/*
WORKDIR /srv/portal
# npm comes as a Python package: its hash is locked, and it stays out of the portal's own environment.
COPY requirements-node.lock ./
RUN python -m venv /opt/node && /opt/node/bin/pip install --no-cache-dir --require-hashes -r requirements-node.lock
ENV PATH=/opt/node/bin:$PATH PIP_NO_CACHE_DIR=1
# One layer for what rarely changes each: packages, then assets, then the portal.
COPY Makefile requirements.lock ./
RUN make .venv/.installed PYTHON=/usr/local/bin/python3
COPY package.json package-lock.json ./
RUN make node_modules/.installed
COPY . .
# Nothing that installs or compiles goes along: only a running portal is needed.
RUN make build \
    && .venv/bin/python -m compileall -q --invalidation-mode unchecked-hash portal recharge oilcards \
    && .venv/bin/python -m pip uninstall --quiet --yes Babel pip \
    && rm -rf node_modules

FROM python:${PYTHON}-slim-bookworm
RUN useradd --uid 10001 --user-group --no-create-home portal \
    && install --directory --owner=portal --group=portal /run/portal-metrics /var/lib/portal
WORKDIR /srv/portal
# Everything belongs to root: whoever breaks into the portal can't change it.
COPY --from=build /srv/portal ./
ENV PATH=/srv/portal/.venv/bin:$PATH DEBUG=False PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["python", "-c", \
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
# As docs/deploy/portal-web.service has it.
CMD ["gunicorn", "portal.wsgi", "--bind=0.0.0.0:8000", "--worker-class=gthread", "--workers=4", "--threads=8", \
    "--timeout=60", "--worker-tmp-dir=/dev/shm", "--no-control-socket"]
