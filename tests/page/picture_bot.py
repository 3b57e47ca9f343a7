"""A bot whose commands and forms take pictures, and whose messages show many of them."""

import io
from typing import Any

import discord
from discord import app_commands, ui
from PIL import Image

from tests.page.small_bot import SmallBot

Interaction = discord.Interaction[Any]
STYLES = ("oil on canvas", "ink", "chalk")


def picture(color: tuple[int, int, int], name: str) -> discord.File:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), color).save(buffer, "PNG")
    buffer.seek(0)
    return discord.File(buffer, name, description=name.partition(".")[0])


@app_commands.command(description="Change pictures with words")
@app_commands.describe(prompt="What to change", image="The picture", image2="Another picture")
async def edit(
    interaction: Interaction,
    prompt: str,
    image: discord.Attachment,
    image2: discord.Attachment | None = None,
) -> None:
    files = [await each.to_file() for each in (image, image2) if each]
    names = ", ".join(each.filename for each in files)
    await interaction.response.send_message(f"{prompt}: {names}", files=files)


image = app_commands.Group(name="image", description="Models")


@image.command(description="Paint with a style")
@app_commands.describe(style="Any of many styles")
async def paint(interaction: Interaction, prompt: str, style: str = "none") -> None:
    await interaction.response.send_message(f"{prompt} in {style}")


@paint.autocomplete("style")
async def suggest(_: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name=each.title(), value=each) for each in STYLES if typed.lower() in each]


class Remix(ui.Modal):
    """A form with every kind of field that only forms have."""

    def __init__(self) -> None:
        super().__init__(title="Remix", custom_id="remix")
        shapes = {"1:1": "Square", "16:9": "Wide, like a film", "9:16": "Tall, like a phone"}
        ratios = [
            discord.RadioGroupOption(label=each, description=shapes[each], default=each == "1:1")
            for each in shapes
        ]
        extras = [discord.CheckboxGroupOption(label=each) for each in ("Web search", "Keep the seed", "Safe")]
        self.words = ui.TextInput[Any](custom_id="words", style=discord.TextStyle.paragraph, default="a fox")
        self.pictures = ui.FileUpload[Any](custom_id="pictures", max_values=3)
        self.ratio = ui.RadioGroup[Any](custom_id="ratio", options=ratios)
        self.extras = ui.CheckboxGroup[Any](custom_id="extras", options=extras, required=False, max_values=2)
        self.private = ui.Checkbox[Any](custom_id="private")
        named = {"What you want to see": self.words, "Pictures": self.pictures, "Aspect ratio": self.ratio}
        for name, item in (named | {"Extras": self.extras, "Only for me": self.private}).items():
            self.add_item(ui.Label(text=name, component=item))

    async def on_submit(self, interaction: Interaction) -> None:
        names = [each.filename for each in self.pictures.values]
        said = [self.words.value, names, self.ratio.value, self.extras.values, self.private.value]
        await interaction.response.send_message("; ".join(map(str, said)))


class Opener(ui.Button[Any]):
    async def callback(self, interaction: Interaction) -> None:
        await interaction.response.send_modal(Remix())


class Rows(ui.View):
    """Five rows of five buttons with the same labels, which open the form."""

    def __init__(self) -> None:
        super().__init__(timeout=None)
        labels = ("🎲 Re-roll · 1 credit", "✏️ Edit · 2 credits", "Vary", "Upscale to 4K · 4 credits", "More")
        for row in range(5):
            for label in labels:
                self.add_item(Opener(label=label, row=row, custom_id=f"{label}{row}"))


@app_commands.command(description="Show before and after, with many buttons")
async def result(interaction: Interaction) -> None:
    embed = discord.Embed(title="Before and after", description="make it **night**", colour=0x23A55A)
    embed.set_image(url="attachment://chart.png").set_thumbnail(url="attachment://small.png")
    files = [picture((40, 90, 160), "chart.png"), picture((160, 90, 40), "small.png")]
    files += [picture((90, 90, 90), "before.png"), picture((20, 20, 60), "after.png")]
    await interaction.response.send_message(embed=embed, files=files, view=Rows())


@app_commands.context_menu(name="Edit image")
async def edit_image(interaction: Interaction, message: discord.Message) -> None:
    del message
    await interaction.response.send_modal(Remix())


class PictureBot(SmallBot):
    commands: tuple[Any, ...] = (edit, image, result, edit_image)
