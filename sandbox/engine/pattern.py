"""Event patterns as EventBridge matches them. Source: EventBridge User Guide, "Creating event patterns".

moto's own matcher is wrong on objects inside arrays and takes True for 1; this one replaces it.
"""

import ipaddress
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any

NUMERIC = {"=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_ABSENT = object()


def matches(pattern: dict[str, Any], event: Any) -> bool:
    """Whether the event has every field of the pattern, with one of the values (or filters) listed for it.

    Raises `ValueError` for a filter that EventBridge does not have.
    """
    for key, wanted in pattern.items():
        if key == "$or":
            if not any(matches(choice, event) for choice in wanted):
                return False
        elif isinstance(wanted, dict):
            if not _matches_inside(wanted, event, key):
                return False
        elif not _matches_field(wanted, event, key):
            return False
    return True


def check(pattern: dict[str, Any]) -> None:
    """Raises `ValueError` when a pattern is not one that EventBridge takes."""
    for key, wanted in pattern.items():
        if key == "$or":
            for choice in wanted:
                check(choice)
        elif isinstance(wanted, dict):
            check(wanted)
        elif not isinstance(wanted, list) or not wanted:
            raise ValueError(f"{key}: a pattern's leaf is a list that is not empty")
        else:
            for item in wanted:
                if isinstance(item, dict) and next(iter(item)) != "exists":
                    _filter(next(iter(item)))


def _matches_inside(pattern: dict[str, Any], event: Any, key: str) -> bool:
    inner = event.get(key, _ABSENT) if isinstance(event, dict) else _ABSENT
    # One object of an array has to satisfy the whole sub-pattern.
    candidates = list(_objects(inner)) or [{}]
    return any(matches(pattern, candidate) for candidate in candidates)


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _objects(item)


def _matches_field(filters: Any, event: Any, key: str) -> bool:
    if not isinstance(filters, list) or not filters:
        raise ValueError(f"{key}: a pattern's leaf is a list that is not empty")
    value = event.get(key, _ABSENT) if isinstance(event, dict) else _ABSENT
    # An object is not a leaf: `exists` is false for it.
    values = [] if value is _ABSENT or isinstance(value, dict) else list(_leaves(value))
    return any(_accepts(item, values) for item in filters)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif not isinstance(value, dict):
        yield value


def _accepts(item: Any, values: list[Any]) -> bool:
    if isinstance(item, dict):
        ((name, argument),) = item.items()
        if name == "exists":
            return bool(values) is argument
        return any(_filter(name)(argument, value) for value in values)
    return any(_same(item, value) for value in values)


def _same(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, bool) or isinstance(value, bool):
        return wanted is value
    if isinstance(wanted, int | float) and isinstance(value, int | float):
        return wanted == value
    return type(wanted) is type(value) and bool(wanted == value)


def _filter(name: str) -> Callable[[Any, Any], bool]:
    try:
        return FILTERS[name]
    except KeyError:
        raise ValueError(f"EventBridge has no filter {name!r}") from None


def _prefix(argument: Any, value: Any) -> bool:
    if not isinstance(value, str):
        return False
    if isinstance(argument, dict):
        return value.lower().startswith(argument["equals-ignore-case"].lower())
    return value.startswith(argument)


def _suffix(argument: Any, value: Any) -> bool:
    if not isinstance(value, str):
        return False
    if isinstance(argument, dict):
        return value.lower().endswith(argument["equals-ignore-case"].lower())
    return value.endswith(argument)


def _ignoring_case(argument: Any, value: Any) -> bool:
    return isinstance(value, str) and value.lower() == argument.lower()


def _wildcard(argument: Any, value: Any) -> bool:
    expression = ".*".join(re.escape(part) for part in argument.split("*"))
    return isinstance(value, str) and re.fullmatch(expression, value, re.DOTALL) is not None


def _numeric(argument: list[Any], value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    pairs = zip(argument[::2], argument[1::2], strict=True)
    return all(NUMERIC[sign](value, limit) for sign, limit in pairs)


def _cidr(argument: str, value: Any) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(argument)
    except ValueError:
        return False


def _anything_but(argument: Any, value: Any) -> bool:
    if isinstance(argument, dict):
        ((name, inner),) = argument.items()
        inners = inner if isinstance(inner, list) else [inner]
        return not any(_filter(name)(one, value) for one in inners)
    return not any(_same(one, value) for one in (argument if isinstance(argument, list) else [argument]))


FILTERS: dict[str, Callable[[Any, Any], bool]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _ignoring_case,
    "wildcard": _wildcard,
    "numeric": _numeric,
    "cidr": _cidr,
    "anything-but": _anything_but,
}
