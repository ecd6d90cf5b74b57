"""API keys, and the key that asks."""

from dataclasses import dataclass

from pydantic import AwareDatetime, ConfigDict, Field, SecretStr
from pydantic.dataclasses import dataclass as pydantic_dataclass

from management_api._models._base import Answer, Balance, Identifier, Instant, Name, Request, Usd


@pydantic_dataclass(
    frozen=True, slots=True, kw_only=True, config=ConfigDict(defer_build=True, hide_input_in_errors=True)
)
class ApiKey:
    """One key. Money is in USD. Slots, not a model: ten thousand are held at once, and a model is six times the size.

    `usage` and `byok_usage` count the key's whole life; `_daily`, `_weekly` (from Monday) and `_monthly` reset at
    midnight UTC. `usage` misses free traffic, `last_used_at` does not. `label` is masked. `limit_reset`: `daily`,
    `weekly`, `monthly`, or None for a limit on the whole life.
    """

    hash: str
    name: Name
    label: str = ""
    disabled: bool
    limit: Usd | None
    limit_remaining: Balance | None = None
    limit_reset: str | None
    include_byok_in_limit: bool
    usage: Usd
    usage_daily: Usd
    usage_weekly: Usd
    usage_monthly: Usd
    byok_usage: Usd
    byok_usage_daily: Usd
    byok_usage_weekly: Usd
    byok_usage_monthly: Usd
    created_at: Instant
    updated_at: Instant | None = None
    last_used_at: Instant | None = None
    expires_at: Instant | None = None
    creator_user_id: str | None = None
    external_user: str | None = None
    workspace_id: str


class KeyPage(Answer):
    """One page of `GET /keys`."""

    data: list[ApiKey]


class KeyAnswer(Answer):
    """One key as it is sent."""

    data: ApiKey


class External(Request):
    """A partner's own end user, whom the key is counted for; read back as `ApiKey.external_user`."""

    user: str


class NewKey(Request):
    """`limit` in USD; `limit_reset`: `daily`, `weekly`, `monthly` or None. `expires_at` cannot be changed later.

    `creator_user_id`: the member whose guardrail, budget and BYOK access the key follows; without it, nobody's.
    `external` must not be sent as null.
    """

    name: str
    limit: float | None = None
    limit_reset: str | None = None
    include_byok_in_limit: bool = False
    expires_at: AwareDatetime | None = None
    creator_user_id: str | None = None
    external: External | None = None
    workspace_id: str | None = None


class KeyPatch(Request):
    """Changes to a key; a field that is not set stays as it is, `limit=None` lifts the limit."""

    name: str | None = None
    disabled: bool | None = None
    limit: float | None = None
    limit_reset: str | None = None
    include_byok_in_limit: bool | None = None
    workspace_id: str | None = None


@dataclass(frozen=True)
class CreatedKey:
    """A new key and its plaintext, which no later call will show."""

    key: ApiKey
    plaintext: SecretStr


class CreatedKeyAnswer(Answer):
    """The answer of `POST /keys`, as it is sent."""

    data: ApiKey
    key: SecretStr


class KeyBudget(Answer):
    """One layer that enforcement checks, in USD.

    `scope`: `workspace_default_member`, `workspace_default_key`, `member`, `api_key`, `workspace` or `key_limit`.
    """

    scope: str
    limit_usd: Usd
    spend_usd: Usd
    remaining_usd: Balance
    reset_interval: str | None = None
    resets_at: Instant | None = None
    include_byok: bool = False
    budget_id: str | None = None
    guardrail_id: str | None = None


class CurrentKey(Answer):
    """What `GET /key` says of the key that asks. `budgets`: every layer in the order of enforcement.

    `effective_budget`: the layer that blocks first.
    """

    label: str = ""
    is_management_key: bool = False
    limit: Usd | None
    limit_remaining: Balance | None = None
    limit_reset: str | None = None
    include_byok_in_limit: bool = False
    usage: Usd
    usage_daily: Usd
    usage_weekly: Usd
    usage_monthly: Usd
    byok_usage: Usd
    byok_usage_daily: Usd
    byok_usage_weekly: Usd
    byok_usage_monthly: Usd
    expires_at: Instant | None = None
    creator_user_id: str | None = None
    workspace_id: Identifier | None = None
    budgets: list[KeyBudget] = Field(default_factory=list)
    effective_budget: KeyBudget | None = None
