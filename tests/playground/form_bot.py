"""A bot whose form has every component that only forms have."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands, ui

from tests.playground.conftest import Bot

Interaction = discord.Interaction[Any]


class EditForm(ui.Modal):
    def __init__(self) -> None:
        super().__init__(title="Edit", custom_id="edit")
        ratios = [discord.RadioGroupOption(label=each, default=each == "1:1") for each in ("1:1", "16:9")]
        words = ("seed", "web", "safe")
        extras = [discord.CheckboxGroupOption(label=each.title(), value=each) for each in words]
        self.words = ui.TextInput[Any](custom_id="words", required=False)
        self.pictures = ui.FileUpload[Any](custom_id="pictures", max_values=2)
        self.ratio = ui.RadioGroup[Any](custom_id="ratio", options=ratios)
        self.extras = ui.CheckboxGroup[Any](
            custom_id="extras", options=extras, required=False, min_values=0, max_values=2
        )
        self.private = ui.Checkbox[Any](custom_id="private")
        named = {"What": self.words, "Pictures": self.pictures, "Aspect ratio": self.ratio}
        for name, item in (named | {"Extras": self.extras, "Private": self.private}).items():
            self.add_item(ui.Label(text=name, component=item))

    async def on_submit(self, interaction: Interaction) -> None:
        names = [each.filename for each in self.pictures.values]
        said = [self.words.value, names, self.ratio.value, self.extras.values, self.private.value]
        await interaction.response.send_message("; ".join(map(str, said)), ephemeral=True)


@app_commands.command(description="Open the form")
async def form(interaction: Interaction) -> None:
    await interaction.response.send_modal(EditForm())


class FormBot(Bot):
    async def setup_hook(self) -> None:
        self.tree.add_command(form)
        await super().setup_hook()
