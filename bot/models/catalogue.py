"""The models that this bot offers, each read from one JSON file below this folder."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.errors import ConfigError
from bot.models.discord_limits import validate_for_discord
from bot.models.localization import ModelTexts
from bot.models.model import Model
from bot.models.pricing import Amount, Prices
from bot.models.schema import ModelSchema

__all__ = ["Catalogue", "Model"]


class _ModelFile(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    command: str
    model_id: str
    texts: dict[str, ModelTexts]
    credits: dict[str, dict[str, Amount]] = {}
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Catalogue(Mapping[str, Model]):
    """All models by their model_id, in the order of their files' paths."""

    models: tuple[Model, ...]

    @classmethod
    def load(cls, folder: Path = Path(__file__).parent / "definitions") -> Self:
        """Read and check every *.json below the folder.

        Raises:
            ConfigError: With every problem of every file, each naming its file.
        """
        models: list[Model] = []
        problems: list[str] = []
        for path in sorted(folder.rglob("*.json")):
            try:
                model = _load_model(path)
                found = validate_for_discord(model) + _find_duplicates(model, models)
                models.append(model)
            except ValidationError as error:
                found = [_format_error(one["loc"], one["msg"]) for one in error.errors(include_url=False)]
            except (OSError, ValueError) as error:
                found = [str(error)]
            problems += [f"{path.relative_to(folder)}: {problem}" for problem in found]
        if not models and not problems:
            problems = [f"{folder} holds no model: a *.json file is needed"]
        if problems:
            raise ConfigError(problems)
        return cls(tuple(models))

    @property
    def by_command(self) -> dict[str, Model]:
        """All models by the name of their slash command."""
        return {model.command: model for model in self.models}

    def __getitem__(self, model_id: str) -> Model:
        for model in self.models:
            if model.model_id == model_id:
                return model
        raise KeyError(model_id)

    def __iter__(self) -> Iterator[str]:
        return (model.model_id for model in self.models)

    def __len__(self) -> int:
        return len(self.models)


def _load_model(path: Path) -> Model:
    file = _ModelFile.model_validate_json(path.read_bytes())
    schema = ModelSchema.parse(file.input_schema)
    return Model(
        command=file.command,
        model_id=file.model_id,
        texts=file.texts,
        schema=schema,
        prices=Prices.parse(file.credits, schema),
        output_schema=file.output_schema,
    )


def _find_duplicates(model: Model, others: list[Model]) -> list[str]:
    problems = []
    if any(other.command == model.command for other in others):
        problems.append(f"the command {model.command} is taken by another file")
    if any(other.model_id == model.model_id for other in others):
        problems.append(f"the model {model.model_id} stands in another file")
    return problems


def _format_error(place: tuple[int | str, ...], message: str) -> str:
    where = ".".join(map(str, place))
    return f"{where}: {message}" if where else message
