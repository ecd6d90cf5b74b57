"""Fault tests run many cases each; the session's total is printed at its end."""

import gc
from collections.abc import Generator, Iterator

import pytest

from tests.faults.harness import Wire


@pytest.fixture(scope="module", autouse=True)
def _seldom_collected() -> Iterator[None]:
    """Thousands of short worlds: to look through all that lives for what is garbage is a twelfth of their time."""
    usual = gc.get_threshold()
    gc.set_threshold(200_000, 50, 1000)
    yield
    gc.set_threshold(*usual)


@pytest.fixture
def wire() -> Wire:
    """What accidents happen on."""
    return Wire()


@pytest.fixture
def counted(request: pytest.FixtureRequest) -> list[str]:
    """The names of the cases that a test has run, for `harness.case`."""
    names: list[str] = []
    request.node.user_properties.append(("cases", names))
    return names


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    # Workers send reports as JSON: numbers, not lists that a test still fills.
    report.user_properties = [
        (name, len(value) if name == "cases" and isinstance(value, list) else value)
        for name, value in report.user_properties
    ]
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    total = sum(
        count
        for report in reports
        if report.when == "call"
        for name, count in report.user_properties
        if name == "cases"
    )
    if total:
        terminalreporter.write_sep("-", f"faults: {total:,} cases")
