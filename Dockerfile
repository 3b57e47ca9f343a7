FROM python:3.11-slim

RUN useradd --create-home --uid 1000 bot && install -d -o bot /app/data
WORKDIR /app
# The packages change less often than the code, so they are a layer of their own.
COPY requirements.lock .
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY bot bot
COPY cogs cogs

USER bot
ENV PYTHONUNBUFFERED=1
# Jobs, quotas and waiting images; keep it across updates.
VOLUME /app/data
# SIGTERM ends the bot within ten seconds; jobs under way go on at the next start.
STOPSIGNAL SIGTERM
CMD ["python", "-m", "bot"]
