"""What /quota answers fits, however long the limits are."""

from __future__ import annotations

import pytest

from bot.discord.views.quota_text import describe_quotas
from bot.domain.quota import LIMIT_MAX, Period, Quota
from bot.i18n import translate
from cogs.quota.command import _RULES_SHOWN

DESCRIPTION = 4096  # Discord's limit for an embed's
OTHER_LINES = 4


@pytest.mark.parametrize("locale", ["en-US", "ru"])
def test_longest_rule_list_fits_an_embed(locale: str) -> None:
    quotas = describe_quotas(tuple(Quota(LIMIT_MAX, period) for period in Period))
    line = translate("quota-show-target", locale, who=f"<@&{2**63}>", quota=quotas)
    for key in ("quota-show-default", "quota-show-pool", "quota-show-ceiling"):
        assert len(translate(key, locale, quota=quotas)) < 200
    assert len(f"{line}\n") * _RULES_SHOWN + 200 * OTHER_LINES < DESCRIPTION
