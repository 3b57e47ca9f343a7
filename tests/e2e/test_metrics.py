"""`/metrics` of the real process, and the metrics that the dashboard and the alerts use."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from playground.runcomfy import respond
from tests.e2e.cli import CODE
from tests.e2e.environment import open_environment
from tests.e2e.health_client import free_port, samples
from tests.e2e.outcomes import expect_delivered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.e2e.health_client import Samples

DASHBOARD = json.loads((CODE / "docs" / "grafana-dashboard.json").read_text("utf-8"))
ALERTS = (CODE / "docs" / "alerts.yml").read_text("utf-8")
EXPRESSIONS = [
    *(target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]),
    *re.findall(r"^ +expr: (.+)$", ALERTS, re.MULTILINE),
]
OF_PROMETHEUS = {"up"}
_WORDS = re.compile(r"\b(?:sum|max|min|by|rate|increase|histogram_quantile|and|le|e6)\b")


def used_metrics() -> Iterator[tuple[str, str]]:
    """Yield each metric of the expressions with its label selector."""
    for expression in EXPRESSIONS:
        bare = re.sub(r"\bby \([^)]*\)", "", expression)
        yield from re.findall(r"\b([a-z][a-z_]{1,})\b(?![(\"=~!])(?:\{([^}]*)\})?", _WORDS.sub("", bare))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def measured(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Samples]:
    """Return the samples of a bot after a few jobs and faults."""
    folder = tmp_path_factory.mktemp("environment")
    async with open_environment(
        folder, runcomfy={"seconds": 0}, HEALTH_PORT=free_port(), BUDGET_USD="25"
    ) as env:
        await env.wait_for_price()
        await expect_delivered(env, 2, of=2)
        refused = await env.imagine(env.alice, prompt="refuse this", resolution="0.5K")
        await env.wait_for_text(refused, "You weren't charged")
        headers = {"X-RateLimit-Scope": "user", "Via": "1.1 google"}
        slow = {"message": "slow", "retry_after": 0.1, "global": False}
        env.discord.inject_fault("callback", 429, slow, headers=headers)
        env.runcomfy.inject_fault("status", respond(503))
        await expect_delivered(env)
        env.runcomfy.hold()
        await env.queued()
        await env.wait_for_rows(lambda: all(row["ended_at"] or row["request_id"] for row in env.rows()))
        seen = await samples(env)
        while not value(seen, "imagine_queue_age_seconds"):  # ages are in whole seconds of Discord's `Date`
            seen = await samples(env)
        yield seen


def value(measured: Samples, name: str, **labels: str) -> float:
    return sum(each for has, each in measured[name] if labels.items() <= has.items())


@pytest.mark.asyncio(loop_scope="module")
async def test_events_are_counted(measured: Samples) -> None:
    assert value(measured, "imagine_jobs_ended_total", status="succeeded", error="") == 2
    assert value(measured, "imagine_jobs_ended_total", status="failed") == 1
    assert value(measured, "imagine_jobs_ended_total", status="failed", error="") == 0
    assert value(measured, "imagine_jobs", status="in_queue") == 1
    assert 0 < value(measured, "imagine_queue_age_seconds") < 30
    assert value(measured, "imagine_first_response_seconds_count") == 4
    assert value(measured, "imagine_delivery_seconds_count") == 2
    assert value(measured, "imagine_polls_total") >= 3
    assert value(measured, "imagine_requests_total", service="discord", route="interactions", code="429") == 1
    assert value(measured, "imagine_discord_rate_limits_total", scope="user") == 1
    assert value(measured, "imagine_requests_total", service="runcomfy", route="submit", code="200") == 4
    assert value(measured, "imagine_requests_total", service="runcomfy", route="file", code="200") == 3
    assert value(measured, "imagine_reserved_credits_total") == 5 * 0.75
    assert value(measured, "imagine_spent_credits_total") == 3 * 0.75
    assert value(measured, "imagine_month_usd") > 0
    assert value(measured, "imagine_budget_usd") == 25
    assert value(measured, "imagine_healthy") == 6


@pytest.mark.asyncio(loop_scope="module")
async def test_metrics_of_dashboard_and_alerts_exist(measured: Samples) -> None:
    asked = {(name, selector) for name, selector in used_metrics() if name not in OF_PROMETHEUS}
    assert len({name for name, _ in asked}) > 15
    assert {name for name, _ in asked} - measured.keys() == set()
    for name, selector in asked:
        for label, operator, wanted in re.findall(r'(\w+)(=~|!=|=)"([^"]*)"', selector):
            if label == "job":  # added by Prometheus
                continue
            values = {labels[label] for labels, _ in measured[name]}
            assert any(re.fullmatch(wanted, each) for each in values), (name, label, operator)
    for expression in EXPRESSIONS:
        for labels, name in re.findall(r"by \(([^)]*)\) \((?:(?:rate|increase)\()?(\w+)", expression):
            assert set(labels.split(", ")) <= measured[name][0][0].keys(), expression


@pytest.mark.asyncio(loop_scope="module")
async def test_label_values_are_bounded(measured: Samples) -> None:
    labels = {label for each in measured.values() for has, _ in each for label in has}
    assert labels == {"le", "service", "route", "code", "status", "error", "scope", "component", "shard"}
    few = re.compile(r"[a-z_-]*2?|\d|\+Inf|\d{3}|\d+\.\d+")
    values = {each for all_ in measured.values() for has, _ in all_ for each in has.values()}
    assert {each for each in values if not few.fullmatch(each)} == set()
