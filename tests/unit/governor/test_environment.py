import pytest

from governor.environment import Settings, SettingsError


class _Settings(Settings):
    table_name: str
    concurrency: int = 8
    slack_secret: str | None = None


def test_settings_are_read_from_upper_case_variables() -> None:
    settings = _Settings.read({"TABLE_NAME": "ledger", "CONCURRENCY": "4", "PATH": "/bin"})
    assert settings == _Settings(table_name="ledger", concurrency=4)


def test_an_empty_variable_counts_as_absent() -> None:
    assert _Settings.read({"TABLE_NAME": "ledger", "SLACK_SECRET": ""}).slack_secret is None


def test_every_variable_at_fault_is_named() -> None:
    with pytest.raises(SettingsError, match=r"TABLE_NAME: Field required; CONCURRENCY: .*integer"):
        _Settings.read({"CONCURRENCY": "many"})
