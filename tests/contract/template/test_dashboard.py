"""The dashboard: every metric on it is sent by somebody, every field of a query is logged, nothing covers another."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.template.reading import RESOURCES, ROOT, TEMPLATE

BODY: str = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
WIDGETS: list[dict[str, Any]] = json.loads(BODY)["widgets"]
COLUMNS = 24
NAMES = {
    one["Properties"]["FunctionName"]["Fn::Sub"]: one["Properties"]["Handler"].partition(".")[0]
    for one in RESOURCES.values()
    if one["Type"] == "AWS::Lambda::Function"
}


def _metrics() -> Iterator[tuple[str, ...]]:
    """Namespace, name, and dimension's name and value of each, with CloudWatch's `.` filled in."""
    for widget in WIDGETS:
        before: list[str] = []
        for metric in widget["properties"].get("metrics", ()):
            given = [part for part in metric if isinstance(part, str)]
            before = [before[place] if part == "." else part for place, part in enumerate(given)]
            yield tuple(before)


def _code(function: str) -> str:
    return "".join(path.read_text() for path in (ROOT / "functions" / function / function).glob("*.py"))


def test_every_metric_of_ours_is_sent_by_the_function_that_it_names() -> None:
    own = [one for one in _metrics() if one[0] == "${AWS::StackName}"]
    assert len(own) >= 7
    for _, name, dimension, function in own:
        assert dimension == "service"
        code = _code(function)
        assert f'"{name}"' in code, f"{function} sends no {name}"
        assert f'Metrics(service="{function}")' in code


def test_every_metric_of_awss_is_about_what_the_template_makes() -> None:
    for namespace, name, dimension, value in _metrics():
        if namespace == "AWS/Lambda":
            assert (name, dimension) == ("Errors", "FunctionName")
            made = RESOURCES.get(value.strip("${}"), {}).get("Type") == "AWS::Lambda::Function"
            assert made or value in NAMES, value
        elif namespace == "AWS/SQS":
            assert dimension == "QueueName"
            assert name in ("ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible")
            assert RESOURCES[value.removeprefix("${").removesuffix(".QueueName}")]["Type"] == "AWS::SQS::Queue"
        else:
            assert namespace == "${AWS::StackName}"


def test_every_function_is_among_those_that_may_have_failed() -> None:
    seen = {value for namespace, _, _, value in _metrics() if namespace == "AWS/Lambda"}
    for name, one in RESOURCES.items():
        if one["Type"] == "AWS::Lambda::Function":
            assert {f"${{{name}}}", one["Properties"]["FunctionName"]["Fn::Sub"]} & seen, name


def test_it_refers_to_nothing_that_a_stack_may_lack() -> None:
    """Without Slack or Broadcast the deployment would fail on a reference to what is not made."""
    for name in re.findall(r"\$\{(\w+)[.}]", BODY):
        if name in TEMPLATE["Resources"]:
            assert "Condition" not in TEMPLATE["Resources"][name], name


@pytest.mark.parametrize(
    ("group", "function", "fields"),
    [
        ("SpendMeterLogs", "spend_meter", ("top_spenders", "subject", "usd_hour")),
        ("NotifierLogs", "notifier", ("notice", "subject", "via")),
    ],
)
def test_every_field_of_a_query_is_logged_by_the_function(group: str, function: str, fields: tuple[str, ...]) -> None:
    (query,) = [w["properties"]["query"] for w in WIDGETS if f"${{{group}}}" in w["properties"].get("query", "")]
    code = _code(function)
    for field in fields:
        assert re.search(rf"\b{field}\b", query)
        assert re.search(rf'"{field}"|\b{field}=', code), f"{function} logs no {field}"


def test_the_widgets_fill_the_grid_and_none_covers_another() -> None:
    taken: dict[tuple[int, int], str] = {}
    for widget in WIDGETS:
        for x in range(widget["x"], widget["x"] + widget["width"]):
            for y in range(widget["y"], widget["y"] + widget["height"]):
                assert (x, y) not in taken, f"{widget['properties']['title']} covers {taken[x, y]}"
                assert x < COLUMNS
                taken[x, y] = widget["properties"]["title"]
    rows = max(y for _, y in taken) + 1
    assert len(taken) == COLUMNS * rows, "no hole in it"


def test_a_title_fits_above_its_widget_and_every_line_has_a_name() -> None:
    for widget in WIDGETS:
        assert len(widget["properties"]["title"]) <= widget["width"] * 6
        metrics = widget["properties"].get("metrics", ())
        assert all(isinstance(metric[-1], dict) and metric[-1]["label"] for metric in metrics)
        # Below a widget six columns wide there is room for two names; more stand beside a wider one.
        assert len(metrics) <= 2 or widget["properties"]["legend"] == {"position": "right"}


def test_the_readmes_word_of_it_is_true() -> None:
    readme = Path(ROOT / "README.md").read_text()
    assert "shows keys read and sweep age" in re.sub(r"\s+", " ", readme)
