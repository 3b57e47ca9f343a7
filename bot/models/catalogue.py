"""The models that the bot offers, each defined by a JSON file below `definitions`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ValidationError

from bot.errors import ConfigError
from bot.models.discord_limits import validate_for_discord
from bot.models.live import MODEL_ID
from bot.models.model import Model, ModelTexts
from bot.models.pricing import Amount, Multiple, Prices
from bot.models.schema import ModelSchema

__all__ = ["Catalogue", "Model"]


def _check_model_id(text: str) -> str:
    if not MODEL_ID.fullmatch(text):
        raise ValueError("not a name of a model at RunComfy, such as google/nano-banana-2/edit")
    return text


class _ModelFile(BaseModel, extra="forbid", strict=True):
    command: str
    model_id: Annotated[str, AfterValidator(_check_model_id)]
    texts: dict[str, ModelTexts]
    credits: dict[str, dict[str, Amount]] = {}
    highest_multiple: Multiple | None = None
    unsent_defaults: list[str] = []
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]


class Catalogue(dict[str, Model]):
    """All models by model_id, in the order of their files' paths."""

    def __init__(self, models: Mapping[str, Model] | None = None) -> None:
        super().__init__(models or {})
        self.hidden: dict[str, str] = {}
        """Why models are not offered right now, in English, by model_id."""

    @classmethod
    def load(cls, folder: Path = Path(__file__).parent / "definitions") -> Self:
        """Load and validate every *.json below the folder.

        Raises:
            ConfigError: Lists every problem, each with its file.
        """
        catalogue = cls()
        problems: list[str] = []
        for path in sorted(folder.rglob("*.json")):
            try:
                model = _load_model(path)
                found = validate_for_discord(model)
                if model.command in catalogue.by_command:
                    found.append(f"the command {model.command} is also in another file")
                if model.model_id in catalogue:
                    found.append(f"the model {model.model_id} is also in another file")
                catalogue[model.model_id] = model
            except ValidationError as error:
                found = [_format_error(one["loc"], one["msg"]) for one in error.errors(include_url=False)]
            except (OSError, ValueError) as error:
                found = [str(error)]
            problems += [f"{path.relative_to(folder)}: {problem}" for problem in found]
        if not catalogue and not problems:
            problems = [f"{folder} has no models: add a *.json file"]
        if problems:
            raise ConfigError(problems)
        return catalogue

    @property
    def by_command(self) -> dict[str, Model]:
        """All models by the name of their slash command."""
        return {model.command: model for model in self.values()}

    @property
    def offered(self) -> dict[str, Model]:
        """The models that members can use right now, by model_id."""
        return {model_id: model for model_id, model in self.items() if model_id not in self.hidden}

    @property
    def hidden_commands(self) -> set[str]:
        """The names of the commands of the other models."""
        return {model.command for model_id, model in self.items() if model_id in self.hidden}

    @property
    def main(self) -> Model | None:
        """The model of /imagine, which is never hidden."""
        return self.by_command.get("imagine")

    def edit_model(self, model_id: str) -> Model | None:
        """Return the model that takes a picture which another model made; None if no offered model does.

        It is that model itself if it takes pictures, else one of the same folder, else the one of /edit.
        """
        family = model_id.rpartition("/")[0]
        offered = self.offered
        siblings = [model for each, model in offered.items() if each.rpartition("/")[0] == family]
        others = [model for model in offered.values() if model.command == "edit"]
        candidates = [offered.get(model_id), *siblings, *others]
        return next((model for model in candidates if model and model.picture_input), None)


def _load_model(path: Path) -> Model:
    file = _ModelFile.model_validate_json(path.read_bytes())
    schema = ModelSchema.parse(file.input_schema, file.unsent_defaults)
    return Model(
        command=file.command,
        model_id=file.model_id,
        texts=file.texts,
        schema=schema,
        prices=Prices.parse(file.credits, schema),
        output_schema=file.output_schema,
        highest_multiple=file.highest_multiple,
    )


def _format_error(location: tuple[int | str, ...], message: str) -> str:
    where = ".".join(map(str, location))
    return f"{where}: {message}" if where else message
