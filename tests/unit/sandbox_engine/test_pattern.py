import pytest

from sandbox.engine.pattern import check, matches

EVENT = {
    "source": "governor",
    "detail": {
        "state": "Running",
        "count": 5,
        "flag": True,
        "none": None,
        "ip": "10.0.0.7",
        "tags": ["a", "b"],
        "items": [{"kind": "a", "size": 9}, {"kind": "b", "size": 4}],
        "empty": {},
    },
}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"state": ["Running", "Stopped"]}, True),
        ({"state": ["running"]}, False),
        ({"state": [{"prefix": "Run"}]}, True),
        ({"state": [{"prefix": {"equals-ignore-case": "rUN"}}]}, True),
        ({"state": [{"suffix": "ing"}]}, True),
        ({"state": [{"suffix": {"equals-ignore-case": "ING"}}]}, True),
        ({"state": [{"equals-ignore-case": "RUNNING"}]}, True),
        ({"state": [{"wildcard": "R*n*g"}]}, True),
        ({"state": [{"wildcard": "R*x*g"}]}, False),
        ({"state": [{"anything-but": "Running"}]}, False),
        ({"state": [{"anything-but": ["Stopped"]}]}, True),
        ({"state": [{"anything-but": {"prefix": "Run"}}]}, False),
        ({"state": [{"anything-but": {"suffix": ["x", "y"]}}]}, True),
        ({"missing": [{"anything-but": "x"}]}, False),
        ({"count": [5]}, True),
        ({"count": [5.0]}, True),
        ({"count": ["5"]}, False),
        ({"count": [{"numeric": [">", 0, "<=", 5]}]}, True),
        ({"count": [{"numeric": [">", 5]}]}, False),
        ({"flag": [True]}, True),
        ({"flag": [1]}, False),
        ({"flag": [{"numeric": ["=", 1]}]}, False),
        ({"none": [None]}, True),
        ({"missing": [None]}, False),
        ({"none": [{"exists": True}]}, True),
        ({"missing": [{"exists": False}]}, True),
        ({"state": [{"exists": False}]}, False),
        ({"ip": [{"cidr": "10.0.0.0/24"}]}, True),
        ({"ip": [{"cidr": "10.0.1.0/24"}]}, False),
        ({"tags": ["b"]}, True),
        ({"tags": ["c"]}, False),
        ({"items": {"kind": ["b"], "size": [4]}}, True),
        ({"items": {"kind": ["a"], "size": [4]}}, False),
        ({"items": {"other": [{"exists": False}]}}, True),
        ({"missing": {"deeper": [{"exists": False}]}}, True),
        ({"$or": [{"state": ["x"]}, {"count": [5]}]}, True),
        ({"$or": [{"state": ["x"]}, {"count": [6]}]}, False),
        ({"state": ["Running"], "count": [6]}, False),
    ],
)
def test_a_pattern_matches_as_eventbridge_does(pattern, expected):
    assert matches({"source": ["governor"], "detail": pattern}, EVENT) is expected


@pytest.mark.parametrize("pattern", [{"a": "b"}, {"a": []}, {"a": [{"like": "b"}]}, {"$or": [{"a": 1}]}])
def test_what_is_no_pattern_is_refused(pattern):
    with pytest.raises(ValueError, match=r".+"):
        check(pattern)
