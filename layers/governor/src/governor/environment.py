"""A function's settings, read once from its environment variables and checked before first use."""

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError


class SettingsError(Exception):
    """An environment variable is missing or malformed; the message names it. Fix the template or its parameters."""


class Settings(BaseModel):
    """Base of every function's settings: field `table_name` is read from the variable `TABLE_NAME`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """The settings in `environment` (usually `os.environ`); empty variables count as absent.

        Raises `SettingsError` naming each variable at fault.
        """
        names = {name: name.upper() for name in cls.model_fields}
        given = {name: environment[variable] for name, variable in names.items() if environment.get(variable)}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            faults = "; ".join(f"{names.get(str(e['loc'][0]), e['loc'])}: {e['msg']}" for e in error.errors())
            raise SettingsError(f"environment of {cls.__module__}: {faults}") from None
