"""The nearest valid spelling of what somebody wrote."""

import difflib
import re
from collections.abc import Iterable


def nearest(written: str, valid: Iterable[str]) -> str | None:
    """The one of `valid` that was most likely meant; None where nothing is near. Case, hyphens and blanks are equal."""
    by_shape = {_shape(one): one for one in valid}
    shape = _shape(written)
    if shape in by_shape:
        return by_shape[shape]
    found = difflib.get_close_matches(shape, by_shape, 1, cutoff=0.6)
    if found:
        return by_shape[found[0]]
    # A beginning, such as `month` of `monthly`, where only one fits.
    begun = [one for one in by_shape if len(shape) > 2 and (one.startswith(shape) or shape.startswith(one))]
    return by_shape[begun[0]] if len(begun) == 1 else None


def _shape(text: str) -> str:
    return re.sub(r"[\s_-]+", "_", text.strip().casefold())
