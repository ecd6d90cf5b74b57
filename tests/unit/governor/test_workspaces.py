"""A workspace is meant by its id, its name or its slug, and two of one name are two."""

from datetime import UTC, datetime

from governor.account.workspaces import meant
from management_api import Workspace

WORKSPACES = [
    Workspace(id=id, name=name, slug=slug, created_at=datetime(2026, 3, 11, tzinfo=UTC))
    for id, name, slug in (("1", "Production", "prod"), ("2", "Staging", "staging"), ("3", "Production", "prod-eu"))
]


def test_each_of_the_three_words_means_a_workspace() -> None:
    assert [[one.id for one in meant(word, WORKSPACES)] for word in ("2", "Staging", "prod-eu")] == [
        ["2"],
        ["2"],
        ["3"],
    ]


def test_what_two_are_called_means_both_and_what_none_is_called_means_none() -> None:
    assert [one.id for one in meant("Production", WORKSPACES)] == ["1", "3"]
    assert meant("production", WORKSPACES) == []
