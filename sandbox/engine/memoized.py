"""What moto computes anew at every call though it cannot change, remembered: a fifth of the time of a fault test.

Private seams of moto; `tests/contract/engine/test_seams.py` has a canary for each.
"""

import functools
from typing import Any

import jsonpath_ng.ext
from moto import backend_index
from moto.core import responses

ASKED_MOST = ("dynamodb", "events", "secretsmanager")
"""Services whose address is tried first; no other service's pattern fits it."""


def memoize() -> None:
    """Idempotent."""
    of_services: Any = responses
    paths: Any = jsonpath_ng.ext
    if hasattr(paths.parse, "cache_info"):
        return
    of_services.method_names_from_class = functools.cache(of_services.method_names_from_class)
    paths.parse = functools.cache(paths.parse)
    backend_index.backend_url_patterns.sort(key=lambda one: one[0] not in ASKED_MOST)
