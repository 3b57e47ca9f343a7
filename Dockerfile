FROM python:3.11-slim

RUN useradd --create-home --uid 1000 bot && install -d -o bot /app/data
WORKDIR /app
# The packages change less often than the code, so they are a layer of their own.
COPY requirements.lock .
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY bot bot
COPY cogs cogs

USER bot
ENV PYTHONUNBUFFERED=1 HEALTH_HOST=0.0.0.0
# Jobs, quotas and waiting images; keep it across updates.
VOLUME /app/data
# SIGTERM ends the bot within ten seconds; jobs under way go on at the next start.
STOPSIGNAL SIGTERM
# Where HEALTH_PORT is set, `docker ps` tells whether the bot is well; without it nobody asks.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["python", "-c", "import os, urllib.request as u; p = os.environ.get('HEALTH_PORT'); p and u.urlopen(f'http://127.0.0.1:{p}/healthz', timeout=9)"]
CMD ["python", "-m", "bot"]
