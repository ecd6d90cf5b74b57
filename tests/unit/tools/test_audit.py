"""The audit says what it could not audit, by name, and fails where that is not enough."""

from typing import Any

import pytest

from tools.audit import report

SOUND: dict[str, Any] = {"name": "httpx", "version": "0.28.1", "vulns": []}
ILL: dict[str, Any] = {"name": "old", "version": "1.0", "vulns": [{"id": "PYSEC-2026-1"}]}
UNKNOWN: list[dict[str, Any]] = [
    {"name": name, "skip_reason": f"Dependency not found on PyPI and could not be audited: {name} (1.0)"}
    for name in ("zeta", "alpha")
]


def test_what_could_not_be_audited_is_named_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert report([SOUND, *UNKNOWN], is_required=False) == 0
    out = capsys.readouterr().out
    assert "1 of 3 packages audited, 0 vulnerable" in out
    assert "NOT AUDITED (Dependency not found on PyPI and could not be audited: it): alpha, zeta" in out


@pytest.mark.parametrize(
    ("packages", "is_required", "status"),
    [([SOUND], True, 0), ([SOUND, *UNKNOWN], True, 1), ([SOUND, ILL], False, 1), ([ILL, *UNKNOWN], False, 1)],
)
def test_it_fails_for_an_advisory_and_where_all_must_be_audited(
    packages: list[dict[str, Any]], is_required: bool, status: int
) -> None:
    assert report(packages, is_required=is_required) == status
