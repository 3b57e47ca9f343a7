"""The models that the bot offers, each defined by a JSON file below `definitions`."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, ValidationError

from bot.errors import ConfigError
from bot.models.discord_limits import validate_for_discord, validate_groups
from bot.models.live import MODEL_ID
from bot.models.model import Model, ModelTexts
from bot.models.pricing import Amount, Multiple, Prices
from bot.models.schema import ModelSchema

__all__ = ["Catalogue", "Model"]

DEFINITIONS: Final = Path(__file__).parent / "definitions"
MAIN_COMMAND: Final = "imagine"
EDIT_COMMAND: Final = "edit"


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
    """The models with a command, by model_id, in the order in which MODELS names them."""

    def __init__(
        self, models: Mapping[str, Model] | None = None, known: Mapping[str, Model] | None = None
    ) -> None:
        super().__init__(models or {})
        self.known: Mapping[str, Model] = self if known is None else known
        """The models of all files, because MODELS may no longer name that of an old job."""
        self.hidden: dict[str, str] = {}
        """Why models are not offered right now, in English, by model_id."""

    @classmethod
    def load(cls, folder: Path = DEFINITIONS, *, named: Iterable[str] | None = None) -> Self:
        """Load and validate every *.json below the folder.

        `named` are the model_ids that get a command, by default all.

        Raises:
            ConfigError: Lists every problem, each with its file or with MODELS.
        """
        known: dict[str, Model] = {}
        problems: list[str] = []
        for path in sorted(folder.rglob("*.json")):
            try:
                model = _load_model(path)
                found = validate_for_discord(model)
                if model.command in {each.command for each in known.values()}:
                    found.append(f"the command {model.command} is also in another file")
                if model.model_id in known:
                    found.append(f"the model {model.model_id} is also in another file")
                known[model.model_id] = model
            except ValidationError as error:
                found = [_format_error(one["loc"], one["msg"]) for one in error.errors(include_url=False)]
            except (OSError, ValueError) as error:
                found = [str(error)]
            problems += [f"{path.relative_to(folder)}: {problem}" for problem in found]
        if not known and not problems:
            problems = [f"{folder} has no models: add a *.json file"]
        names = [*known] if named is None else [*dict.fromkeys(named)]
        if not problems:
            problems = [] if named is None else _validate_names(names, known)
            problems += validate_groups(known[name] for name in names if name in known)
        if problems:
            raise ConfigError(problems)
        return cls({name: known[name] for name in names}, known)

    @property
    def by_command(self) -> dict[str, Model]:
        """All of them by the full name of their slash command."""
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
        return self.by_command.get(MAIN_COMMAND)

    def edit_model(self, model_id: str | None = None) -> Model | None:
        """Return the model for a picture, which this model made if one is given; None if none is offered.

        It is that model itself if it takes pictures, else one of the same folder, else the one of /edit.
        """
        offered, candidates = self.offered, list[Model | None]()
        if model_id is not None:
            family = model_id.rpartition("/")[0]
            candidates += [model for each, model in offered.items() if each.rpartition("/")[0] == family]
            candidates.insert(0, offered.get(model_id))
        candidates += [model for model in offered.values() if model.command == EDIT_COMMAND]
        return next((model for model in candidates if model and model.picture_input), None)


def _validate_names(names: list[str], known: Mapping[str, Model]) -> list[str]:
    problems = []
    if unknown := [name for name in names if name not in known]:
        problems.append(f"MODELS: no file has {', '.join(unknown)}; there are {', '.join(known)}")
    main = next((model.model_id for model in known.values() if model.command == MAIN_COMMAND), None)
    if main is None:
        problems.append(f"no file has the command {MAIN_COMMAND}")
    elif main not in names:
        problems.append(f"MODELS must have {main}, the model of /{MAIN_COMMAND}")
    return problems


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
