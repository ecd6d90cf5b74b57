"""A function's settings from its environment, without pydantic, which would double a public function's cold start."""

from collections.abc import Mapping, Sequence


class SettingsMissing(Exception):
    """An environment variable is missing; the message names it. Fix the template or its parameters."""


def required(environment: Mapping[str, str], function: str, names: Sequence[str]) -> list[str]:
    """The values of these variables. Raises `SettingsMissing` for those that are absent or empty."""
    missing = [name for name in names if not environment.get(name)]
    if missing:
        raise SettingsMissing(f"environment of {function} lacks {', '.join(missing)}")
    return [environment[name] for name in names]
