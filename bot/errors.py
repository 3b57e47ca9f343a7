"""Errors, grouped by who can fix them: the user, the bot's owner, or another service.

Each error has the key of its text in `bot/locales`. `values` fill that text and are shown to people; `detail`
is only logged, and contains neither tokens nor raw responses of other services.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

if TYPE_CHECKING:
    from decimal import Decimal

    from bot.i18n import TextValue

PolicyKey: TypeAlias = Literal[
    # Access
    "forbidden-here",  # a direct message, a server that the owner doesn't serve, or a missing right
    "missing-permissions",  # the bot itself lacks permissions in this channel
    "member-blocked",
    "role-needed",
    "channel-forbidden",
    "model-forbidden",
    "model-role-needed",
    "pictures-forbidden",
    "picture-role-needed",
    # A server's rules for options and prompts
    "resolution-forbidden",
    "too-many-images",
    "web-search-forbidden",
    "safety-forbidden",
    "words-forbidden",  # does not say which
    "pattern-too-slow",  # matching the server's patterns timed out
    # Pictures that go into a request
    "pictures-too-big",
    "not-a-picture",
    "no-picture",  # in the message of the menu Edit image
    "no-edit-model",  # none is offered, or the server's rules allow none
    "no-higher-resolution",
    # Limits
    "quota-exceeded",  # of the member
    "pool-exceeded",  # of the server
    "budget-exceeded",  # of the owner
    "price-unknown",  # the owner's budget is in dollars, and RunComfy has not published its price yet
    # Availability
    "model-unavailable",  # hidden, because its requests would fail
    "runcomfy-down",
    "paused",  # by the owner
    "stopping",
    # Actions on a job or its message
    "not-your-job",
    "not-now",  # the job's state has changed, such as after a double press
    "already-generating",  # RunComfy cannot cancel a running job
    "collecting-over",
    "still-running",
    "not-an-image",
    "original-gone",
    "original-too-big",  # for Discord
    "text-removed",  # PROMPTS_DAYS have passed
    # Outdated or forged interactions
    "no-such-command",
    "unreadable",
    "form-outdated",
    "question-expired",  # also after a restart
    "setting-unknown",
    "edit-expired",  # the bot no longer knows which pictures a form is about, as after a restart
    "draft-lost",  # the bot no longer has what was typed into a form, as after a restart
    # Invalid settings of a server
    "quota-too-high",
    "quota-who-together",  # `who` and `together` exclude each other
    "quota-grants-nothing",
    "bad-pattern",
    "too-many-words",
    "not-a-channel",
    "not-age-restricted",
    "safety-no-effect",
    "block-no-effect",
    "allow-no-effect",
    "safety-range",
    "no-such-zone",
    "default-not-taken",
    "log-closed",
    "blocked-full",
    # Unblocking
    "not-blocked",
    "manager-block",  # made in /settings
]
"""The keys of refusals; each is the key of a text, and its error must have that text's values."""


class BotError(Exception):
    """An error with a text for people: its class's `key`, and `values`; `detail` is for the log."""

    key: str

    def __init_subclass__(cls, *, key: str | None = None) -> None:
        if key:
            cls.key = key

    def __init__(self, detail: str = "", /, **values: TextValue) -> None:
        super().__init__(detail or self.key)
        self.values = values


class UserError(BotError):
    """The user can fix it, and nothing was spent; shown to them alone."""


class PolicyError(UserError):
    """The bot refuses a request; `key` says why."""

    def __init__(self, key: PolicyKey, /, **values: TextValue) -> None:
        self.key = key
        super().__init__(**values)


class ConfirmationNeededError(UserError, key="confirm-cost"):
    """The job costs most of what its member has left, and they were not asked. Values: credits, left, per."""

    def __init__(self, credits: Decimal, *, left: Decimal, per: str) -> None:
        super().__init__(credits=credits, left=left, per=per)
        self.credits = credits


class InvalidOptionError(UserError, key="invalid-option"):
    """An option's value breaks the model's schema. Values: option, problem (a text)."""


class JobNotFoundError(UserError, key="job-not-found"):
    """There is no such job in this channel."""


class JobUnknownError(JobNotFoundError, key="job-unknown"):
    """This database never had the job: its button comes from another copy of the bot, or is forged."""


class NotRemovedError(UserError, key="not-removed"):
    """Discord does not let the bot delete a job's message yet; deleting is retried."""


class BusyError(UserError, key="busy"):
    """The database did not accept a write in time; nothing was spent."""


class OperatorError(BotError, key="operator"):
    """The bot's owner can fix it; users see only that the bot does not work right now.

    `remedy` tells the owner in the log what is wrong and what to do.
    """

    remedy: ClassVar[str]


class ConfigError(OperatorError):
    """Startup is impossible. `problems` are sentences that name a setting or file, but never values."""

    remedy = "fix these settings and start the bot again"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class RunComfyAuthError(OperatorError):
    """RunComfy rejects the token."""

    remedy = "RunComfy rejects RUNCOMFY_TOKEN: set a valid token and start the bot again"


class RunComfyBalanceError(OperatorError):
    """The RunComfy account has no balance."""

    remedy = "the RunComfy account has no balance left: top it up"


class RunComfyProtocolError(OperatorError):
    """RunComfy does not know the model or the endpoint: a model file or RUNCOMFY_API_URL is wrong."""

    remedy = (
        "RunComfy does not know the model or refuses the call: check RUNCOMFY_API_URL and the model's file"
    )


class ModelGoneError(RunComfyProtocolError):
    """RunComfy does not know a model that it is asked about."""


class FilesFolderError(OperatorError):
    """Images can't be stored; the detail names the folder and the user id."""

    remedy = "images can't be stored, so no jobs are accepted: fix the folder's owner, permissions or space"


class ServiceError(BotError):
    """Another service failed after the job was accepted; shown in the job's message with what to do next."""


class PromptRefusedError(ServiceError, key="prompt-refused"):
    """RunComfy or the model rejects this input; another prompt can succeed."""


class RunComfyUnavailableError(ServiceError, key="runcomfy-unavailable"):
    """RunComfy gave no usable response and this call had no effect; retrying is safe.

    `retry_after` is the pause that RunComfy asked for in seconds, at most 60, or None.
    """

    def __init__(self, detail: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class SubmissionUnknownError(ServiceError, key="submission-unknown"):
    """The job was sent without a usable response, so it may exist: never resend it."""


class RequestNotFoundError(ServiceError, key="request-not-found"):
    """RunComfy does not know the request, or its results have expired."""


class InputUnavailableError(ServiceError, key="input-unavailable"):
    """A picture that goes into the job can't be read or stored; nothing was sent to RunComfy."""


class InputGoneError(InputUnavailableError, key="input-gone"):
    """Discord no longer serves the picture: its link has expired, or it was deleted."""


class InputEmptyError(InputUnavailableError, key="input-empty"):
    """The picture's file has no bytes."""


class InputTooLargeError(InputUnavailableError, key="input-too-large"):
    """The picture's file is larger than 20 MiB."""


class NotAPictureError(InputUnavailableError, key="input-not-a-picture"):
    """The file is not a picture, is damaged, or has too many or too few pixels."""


class GenerationFailedError(ServiceError, key="generation-failed"):
    """RunComfy ended the job without a result."""


class GenerationTimeoutError(ServiceError, key="generation-timeout"):
    """RunComfy made no progress within DEADLINE_SECONDS."""


class OutputUnavailableError(ServiceError, key="output-unavailable"):
    """The job succeeded at RunComfy, but none of its files could be downloaded."""


class OutputGoneError(OutputUnavailableError):
    """The file's host no longer has the file."""


class NotCollectedError(ServiceError, key="not-collected"):
    """The images were not delivered and can no longer be collected."""


class DeliveryError(ServiceError, key="delivery-failed"):
    """Discord permanently rejects the message: it is deleted, forbidden or invalid."""


class UnexpectedError(ServiceError, key="unexpected"):
    """A bug. Values: reference, logged with the traceback."""


class ChartError(Exception):
    """A chart could not be rendered; its facts are then sent as text only."""
