FROM python:3.11-slim-bookworm AS packages

WORKDIR /build
RUN python -m venv --without-pip /venv
# The packages change less often than the code, so they are a layer of their own.
COPY requirements-postgres.lock .
RUN pip --python /venv/bin/python install --no-cache-dir --require-hashes -r requirements-postgres.lock


FROM python:3.11-slim-bookworm

RUN useradd --uid 1000 --no-create-home --home-dir /app bot && install -d -o bot /app/data
WORKDIR /app
COPY --from=packages /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 HEALTH_HOST=0.0.0.0
COPY bot bot
COPY cogs cogs
# The bot's user can't write bytecode, so every start would compile the code again.
RUN python -m compileall -q bot cogs

USER 1000
# The only folders that are written to are this one, with jobs, limits and images, and /tmp.
VOLUME /app/data
# SIGTERM ends the bot within ten seconds; unfinished jobs continue at the next start.
STOPSIGNAL SIGTERM
# Without HEALTH_PORT the container always counts as healthy.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["python", "-c", "import os, urllib.request as u; p = os.environ.get('HEALTH_PORT'); p and u.urlopen(f'http://127.0.0.1:{p}/healthz', timeout=9)"]
CMD ["python", "-m", "bot"]
