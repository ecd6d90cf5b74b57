"""What pydantic's errors mean to somebody who wrote a policy, and what to write instead.

A value is quoted only where it cannot be a prompt: golden cases hold texts that belong to a product.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from redaction import redact
from tools.policy._shape import every_field, fields_at
from tools.policy._spelling import nearest

_SHARES = {"alert_at", "disable_at"}
_DURATIONS = {
    "every", "overlap", "quiet", "drain_deadline", "quarantine", "before_expiry", "expires_in", "expire_after",
    "max_age", "max_key_lifetime",
}  # fmt: skip
_USER = "Write the Slack user's id, such as U0SEARCH: it is in the person's profile, under Copy member ID"
_FIXES = {
    "owner": "Write `owner: {slack: U0SEARCH}`, with the Slack user's id",
    "slack": _USER,
    "approvers": "Write a list of Slack user ids, such as `approvers: [U0LEAD, U0SEC]`",
    "channel": "Write the Slack channel's id, such as C0GOVERNOR: it is at the bottom of the channel's details",
    "version": "Write `version: 1`",
    "workspace": "Write the workspace's slug or name",
    "workloads": "Write a list: each workload on lines of its own, behind a dash",
    "byok": "Write a list: each decision on lines of its own, behind a dash",
    "presets": "Write a list: each preset on lines of its own, behind a dash",
    "secret": "Write the secret's name in Secrets Manager, such as openrouter/prod/search-agent; not its ARN",
    "window": 'Write days and times of UTC, such as `{days: [tue, wed], from: "09:00", to: "11:00"}`; not a cron line',
    "from": 'Write a time of day in quotes, such as "09:00"',
    "to": 'Write a time of day in quotes, such as "15:00"',
    "base_url": "Write https://openrouter.ai/api/v1, https://eu.openrouter.ai/api/v1 or the like, with no / at the end",
    "tier": "Write 0, 1, 2 or 3; tier 0 is never disabled without a human",
    "provider": "Write OpenRouter's slug of the provider, such as anthropic or google-vertex",
    "review_on": "Write a day that exists, such as 2027-03-01",
    "regions": "Write AWS regions, such as `[eu-west-1]`",
    "reason": "Write why the provider key is your own",
    "exit": "Write when the provider key may go",
    "people": "Write each Slack user's id with the OpenRouter user's, such as `U0LEAD: user_2dHF...`",
}  # fmt: skip
for _name in ("from_secret", "to_secret"):
    _FIXES[_name] = _FIXES["secret"]


def advice(error: Mapping[str, Any], names: Sequence[str]) -> tuple[str, str]:
    """What is wrong, and what to write. `names`: the names of the workloads, for one that is almost another."""
    location, kind = error["loc"], error["type"]
    field = next((part for part in reversed(location) if isinstance(part, str)), "")
    written = _quotable(error)
    if kind == "extra_forbidden":
        return _unknown(location)
    if kind == "missing":
        return "Field required", _FIXES.get(field, f"Add `{field}:`; docs/policy.md says what it is")
    if kind == "literal_error":
        return _word(error, field, written)
    if kind == "value_error" or kind == "repeated":
        what = str(error["msg"]).removeprefix("Value error, ")
        return (what.partition(";")[0], _duration(written)) if "not a duration" in what else (what, "")
    what = f"{str(error['msg'])[:1].lower()}{str(error['msg'])[1:]}" + ("" if written is None else f", not {written!r}")
    return what, _fix(field, written, names, is_name=location[-1:] == ("name",) and "workloads" in location)


def _quotable(error: Mapping[str, Any]) -> Any:
    """The value that was written; None for one that must not or need not be quoted."""
    value, location = error.get("input"), error["loc"]
    if {"golden", "smoke", "prompt", "cases"} & set(location):
        return None
    if isinstance(value, str):
        return redact(value) if len(value) <= 60 else None
    return value if isinstance(value, bool | int | float) else None


def _unknown(location: Sequence[str | int]) -> tuple[str, str]:
    field, fields = str(location[-1]), fields_at(location[:-1])
    near = nearest(field, fields)
    if not field.isascii() and field[:1].isspace():
        return "unknown field", "It begins with a blank that YAML does not take for one: indent with plain spaces"
    if re.match(r"\d", field):
        return "unknown field", "A comma separates fields here: write numbers without commas, such as 1500"
    if near:
        return "unknown field", f"Did you mean {near}?".removesuffix(
            "?"
        ) + "? See docs/policy.md for the fields there are"
    places = every_field().get(field)
    if places:
        return "unknown field", f"It belongs to {' or '.join(places)}; see docs/policy.md"
    return "unknown field", f"Here are {', '.join(fields)}; see docs/policy.md for what they mean"


def _word(error: Mapping[str, Any], field: str, written: Any) -> tuple[str, str]:
    expected = str(error.get("ctx", {}).get("expected", ""))
    words = re.findall(r"'([^']*)'", expected)
    what = f"must be {expected}" + ("" if written is None else f", not {written!r}")
    if written is False and "off" in words:
        return what, f'YAML reads the bare word off as false: write {field}: "off", in quotes'
    if not words:
        return what, _FIXES.get(field, f"Write {expected}")
    near = nearest(str(written), words) if isinstance(written, str) else None
    return what, f"Write {near}" if near else f"Write {', '.join(words[:-1])} or {words[-1]}"


def _fix(field: str, written: Any, names: Sequence[str], *, is_name: bool) -> str:
    if is_name and isinstance(written, str):
        return _renamed(written, names)
    if field in _SHARES:
        return _share(written)
    if field in _DURATIONS:
        return _duration(written)
    if field in _FIXES:
        return _FIXES[field]
    if field.endswith("usd") or field in ("limit_usd", "usd_per_day", "alert_at_usd", "alert_at_hours"):
        return _amount(written)
    if field == "name":
        return "Write lower-case letters, digits and hyphens"
    if isinstance(written, str) and re.fullmatch(r"(?i)y|yes|no|n|on|off|true|false", written):
        return "Write true or false, without quotes"
    return "docs/policy.md says what belongs here"


def _renamed(written: str, names: Sequence[str]) -> str:
    text = re.sub(r"[^a-z0-9]+", "-", written.lower()).strip("-")[:63]
    if text in names:
        return f"Spelt as it must be, it is {text}, which is declared already: remove one of the two"
    return f"Write {text}" if len(text) > 1 else "Write lower-case letters, digits and hyphens, two at the least"


def _share(written: Any) -> str:
    number = _number(written)
    if number is not None and number > 1:
        return f"Write a share of the limit: {number / 100:g} is {number:g} %"
    return "Write shares of the limit: 0.8 is 80 %; alert_at is a list, such as [0.5, 0.8, 1.0]"


def _amount(written: Any) -> str:
    number = _number(written)
    if number is not None and number > 0:
        return f"Write the number alone: {number:g}; amounts are US dollars"
    return "Write a number of US dollars above 0, such as 200; leave the field out for no limit"


def _number(written: Any) -> float | None:
    if isinstance(written, bool):
        return None
    if isinstance(written, int | float):
        return float(written)
    match = re.search(r"\d[\d,_ ]*(?:\.\d+)?", written) if isinstance(written, str) else None
    return float(re.sub(r"[,_ ]", "", match[0])) if match else None


def _duration(written: Any) -> str:
    match = re.search(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", written) if isinstance(written, str) else None
    if match and len(re.findall(r"[\d*]+", str(written))) >= 5:
        return "Not a cron line: write how long, such as 60d"
    if match and match[2][:1].lower() in "mhdw" and match[2] and not match[2].lower().startswith("mo"):
        number, unit = float(match[1]), match[2][0].lower()
        if not number.is_integer() and unit in "dw":
            number, unit = number * (24 if unit == "d" else 7 * 24), "h"
        if number >= 1 and number.is_integer():
            return f"Write {int(number)}{unit}"
    if isinstance(written, int) and not isinstance(written, bool) and written > 0:
        return f"Write the unit, such as {written}d for days or {written}h for hours"
    return "Write a number and m, h, d or w, such as 24h or 60d"
