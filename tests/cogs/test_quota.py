"""The texts, charts and totals of /quota and /usage."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bot.charts.process import ChartRenderer
from bot.charts.spec import Chart
from bot.discord.views.quota_text import chart_files, describe_quotas
from bot.domain.quota import LIMIT_MAX, Period, Quota
from bot.i18n import translate
from bot.storage.reports import UsageSummary, merge
from cogs.quota.report import RULES_SHOWN

DESCRIPTION = 4096  # Discord's limit for an embed's
OTHER_LINES = 6


@pytest.mark.parametrize("locale", ["en-US", "ru"])
def test_longest_rule_list_fits_an_embed(locale: str) -> None:
    quotas = describe_quotas(tuple(Quota(LIMIT_MAX, period) for period in Period))
    line = translate("quota-show-target", locale, who=f"<@&{2**63}>", quota=quotas)
    for key in ("quota-show-default", "quota-show-pool", "quota-show-ceiling"):
        assert len(translate(key, locale, quota=quotas)) < 200
    assert len(f"{line}\n") * RULES_SHOWN + 200 * OTHER_LINES < DESCRIPTION


async def test_no_file_if_a_chart_cannot_be_rendered(caplog: pytest.LogCaptureFixture) -> None:
    chart = Chart(title="Usage", days=(), series=(), rows=())
    assert await chart_files(ChartRenderer(python="/bin/false"), chart, "usage.png", "nothing") == []
    assert "cannot render usage.png" in caplog.text


def test_empty_summaries_add_up_to_zero() -> None:
    assert merge([]) == UsageSummary(user_id=0, applied_limits="")


def test_merged_summaries_keep_the_last_limits() -> None:
    summaries = [
        UsageSummary(user_id=1, applied_limits=limits, jobs=2, spent=Decimal("1.5"), usd=Decimal("0.1"))
        for limits in ("member:1 5/day", "member:1 9/day")
    ]
    merged = merge(summaries)
    assert (merged.user_id, merged.applied_limits) == (1, "member:1 9/day")
    assert (merged.jobs, merged.spent, merged.usd) == (4, Decimal(3), Decimal("0.2"))
