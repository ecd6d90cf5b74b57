import json

import pytest

from sandbox.engine.errors import Refused
from sandbox.engine.target_input import at, target_input

RULE = {"arn": "arn:rule", "name": "rule"}
EVENT = {
    "source": "s",
    "time": "2026-01-05T00:00:00Z",
    "detail": {"who": 'Ada "L"', "n": 3, "list": [1, {"x": "y"}], "none": None},
}


def transformed(template: str, **paths: str) -> str:
    return target_input({"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}, EVENT, RULE)


def test_without_a_word_a_target_gets_the_event():
    assert json.loads(target_input({}, EVENT, RULE)) == EVENT


def test_a_constant_is_sent_as_it_stands():
    assert target_input({"Input": '{"a": 1}'}, EVENT, RULE) == '{"a": 1}'


def test_a_path_selects():
    assert json.loads(target_input({"InputPath": "$.detail.list"}, EVENT, RULE)) == [1, {"x": "y"}]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('{"source": <source>}', {"source": "s"}),
        ('{"source": "<source>"}', {"source": "s"}),
        ('{"text": "Hello <source>, <n> times"}', {"text": "Hello s, 3 times"}),
        ('{"text": "<list>"}', {"text": "[1, {x: y}]"}),
        ('{"missing": "<missing>"}', {"missing": ""}),
        ('{"n": <n>, "list": <list>}', {"n": 3, "list": [1, {"x": "y"}]}),
        ('"<who> did it"', 'Ada "L" did it'),
        ('"<who>"', 'Ada "L"'),
        ('{"rule": <aws.events.rule-name>, "arn": "<aws.events.rule-arn>"}', {"rule": "rule", "arn": "arn:rule"}),
        ('{"event": <aws.events.event.json>}', {"event": EVENT}),
        ('{"event": <aws.events.event>}', {"event": {"source": "s", "time": "2026-01-05T00:00:00Z"}}),
    ],
)
def test_a_template_is_filled_in(template, expected):
    paths = {
        "who": "$.detail.who",
        "source": "$.source",
        "n": "$.detail.n",
        "list": "$.detail.list",
        "missing": "$.detail.nobody",
    }

    assert json.loads(transformed(template, **paths)) == expected


@pytest.mark.parametrize("template", ['{"who": <who>}', '{"who": "<who>"}', '{"missing": <missing>}'])
def test_what_aws_does_not_escape_or_leaves_out_spoils_a_json_template(template):
    with pytest.raises(Refused, match="not JSON"):
        transformed(template, who="$.detail.who", missing="$.detail.nobody")


@pytest.mark.parametrize(
    ("path", "expected"),
    [("$", EVENT), ("$.detail.list[1].x", "y"), ("$.detail.list[9]", None), ("$.detail['n']", 3), ("$.n.m", None)],
)
def test_a_path_leads_to_a_value_or_to_nothing(path, expected):
    assert at(EVENT, path) == expected


def test_what_is_no_path_is_refused():
    with pytest.raises(ValueError, match="does not start"):
        at(EVENT, "detail")
