"""Everything that can go wrong and has a name, sorted by who can mend it.

Each class carries the key of its text in `bot/locales`. Its `values` fill that text and are shown to people;
its `detail` goes to the log only, and never holds a token or another service's raw answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from bot.i18n import TextValue


class BotError(Exception):
    """A failure with a text of its own: `key` names it, `values` fill it, `detail` is for the log."""

    key: ClassVar[str]

    def __init__(self, detail: str = "", /, **values: TextValue) -> None:
        super().__init__(detail or self.key)
        self.values = values


class UserError(BotError):
    """The person who asked can mend it, and nothing was spent: told to that person alone."""


class InvalidOptionError(UserError):
    """An option's value breaks the model's schema. Values: option, problem (a text)."""

    key = "invalid-option"


class QuotaExceededError(UserError):
    """The member's own limit would be passed.

    Values: limit, used, left, wanted (credits), per, resets (epoch seconds), fits (its `rejection_reason`).
    """

    key = "quota-exceeded"


class PoolExceededError(QuotaExceededError):
    """What all members of the server may use together would be passed.

    Values: limit, used, left, wanted (credits), per, resets (epoch seconds), fits (its `rejection_reason`).
    """

    key = "pool-exceeded"


class BudgetExceededError(UserError):
    """One of the owner's budgets over all servers would be passed. Values: resets (epoch seconds)."""

    key = "budget-exceeded"


class PriceUnknownError(UserError):
    """The owner has a budget in dollars, and RunComfy has not said yet what an image costs."""

    key = "price-unknown"


class QuotaTooHighError(UserError):
    """A manager asked for more than the owner allows. Values: maximum."""

    key = "quota-too-high"


class JobNotFoundError(UserError):
    """There is no such job here."""

    key = "job-not-found"


class JobUnknownError(JobNotFoundError):
    """This database never had the job: another copy of the bot made its button, or it is forged."""

    key = "job-unknown"


class CommandGoneError(UserError):
    """Discord still shows a command or an option of an older version of the bot."""

    key = "no-such-command"


class NotYourJobError(UserError):
    """The job belongs to somebody else, who alone may do this."""

    key = "not-your-job"


class NotNowError(UserError):
    """The job is in a state in which this button does nothing, such as a second press."""

    key = "not-now"


class FormOutdatedError(UserError):
    """A form came back with other fields than it has now: it is from an older version, or forged."""

    key = "form-outdated"


class CollectingOverError(UserError):
    """The images that did not arrive can no longer be collected; they were refunded."""

    key = "collecting-over"


class StillRunningError(UserError):
    """The job has not ended yet, so it cannot be deleted."""

    key = "still-running"


class NotRemovedError(UserError):
    """Discord does not let a deleted job's message go yet; it is tried again."""

    key = "not-removed"


class NotAnImageError(UserError):
    """The message is none that shows a job."""

    key = "not-an-image"


class AlreadyPaintingError(UserError):
    """Too late to cancel: RunComfy cannot stop a job that it has begun."""

    key = "already-painting"


class ForbiddenHereError(UserError):
    """This server or this person may not use the bot, or may not use this command."""

    key = "forbidden-here"


class MissingPermissionsError(UserError):
    """The bot lacks rights in this channel. Values: permissions (their names, as texts)."""

    key = "missing-permissions"


class BusyError(UserError):
    """The database did not let the bot write in time; nothing was spent."""

    key = "busy"


class RunComfyDownError(UserError):
    """RunComfy was down a moment ago, so nothing is ordered there."""

    key = "runcomfy-down"


class StoppingError(UserError):
    """The bot is about to stop, and takes no new orders."""

    key = "stopping"


class OperatorError(BotError):
    """The owner of the bot can mend it; the user is told so, without the reason.

    `remedy` tells the owner, in the log, what is wrong and what to do.
    """

    key = "operator"
    remedy: ClassVar[str]


class ConfigError(OperatorError):
    """The settings do not allow a start. `problems` are whole sentences that name settings, never values."""

    remedy = "mend the settings that are named, and start the bot again"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class RunComfyAuthError(OperatorError):
    """RunComfy rejects the token."""

    remedy = "RunComfy rejects RUNCOMFY_TOKEN: put a valid token into the settings and start the bot again"


class RunComfyBalanceError(OperatorError):
    """The RunComfy account has no money left."""

    remedy = "the RunComfy account has no balance left: add some, and orders go through again"


class RunComfyProtocolError(OperatorError):
    """RunComfy does not know the model or the call: a model file or RUNCOMFY_API_URL needs mending."""

    remedy = (
        "RunComfy does not know the model or refuses the call: check RUNCOMFY_API_URL and the model's file"
    )


class FilesFolderError(OperatorError):
    """Images can't be stored; the detail names the folder and the user id."""

    remedy = "images can't be stored, so nothing is ordered: fix the folder's owner, permissions or space"


class ServiceError(BotError):
    """Another service's trouble after the order: told in the job's own message, with what to do next."""


class PromptRefusedError(ServiceError):
    """RunComfy or the model refuses this input; other words may pass."""

    key = "prompt-refused"


class RunComfyUnavailableError(ServiceError):
    """RunComfy gave no usable answer, and nothing was made by this call; trying again is safe.

    `retry_after` is the pause in seconds that RunComfy asked for, a minute at the most, or None.
    """

    key = "runcomfy-unavailable"

    def __init__(self, detail: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class SubmissionUnknownError(ServiceError):
    """The order was sent and no usable answer came: nobody knows whether it was made, so never resend."""

    key = "submission-unknown"


class RequestNotFoundError(ServiceError):
    """RunComfy does not know the request, or no longer: its results have expired."""

    key = "request-not-found"


class GenerationFailedError(ServiceError):
    """RunComfy ended the job without a result."""

    key = "generation-failed"


class GenerationTimeoutError(ServiceError):
    """RunComfy did not end the job within the bot's deadline."""

    key = "generation-timeout"


class OutputUnavailableError(ServiceError):
    """The job succeeded at RunComfy, but none of its files could be fetched."""

    key = "output-unavailable"


class OutputGoneError(OutputUnavailableError):
    """The file's host says that it has no such file."""


class NotCollectedError(ServiceError):
    """The images did not arrive and can no longer be collected."""

    key = "not-collected"


class DeliveryError(ServiceError):
    """Discord does not take the message, for good: deleted, forbidden or refused."""

    key = "delivery-failed"


class UnexpectedError(ServiceError):
    """A bug. Values: reference, which the log shows beside the traceback."""

    key = "unexpected"


class ChartError(Exception):
    """A chart could not be drawn: for the log; the same facts are then told in words alone."""
