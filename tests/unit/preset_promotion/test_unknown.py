"""A preset that the policy does not have: told, without a name that only an event says."""

import logging
from typing import Any, cast

import pytest

from governor.policy import Policy
from preset_promotion.ports import Ports
from preset_promotion.service import PresetPromotion
from preset_promotion.settings import Asked
from tests.unit.approval_desk.desk import NOW, Bus


@pytest.mark.parametrize(("proven", "by_event", "named"), [
    (False, False, "an event"), (True, False, "U0LEAD"), (False, True, "U0LEAD"),
])  # fmt: skip
def test_who_asks_in_vain_is_named_only_where_it_is_known(proven: bool, by_event: bool, named: str) -> None:
    approvals = {"channel": "C0GOVERNOR", "approvers": ["U0LEAD"], "by_event": by_event}
    policy, bus = Policy.model_validate({"version": 1, "approvals": approvals}), Bus()
    log: Any = logging.getLogger("preset_promotion")
    ports = cast(Ports, _Ports(policy, bus, log))
    PresetPromotion(ports).act(Asked("no-such-preset", "e1", "U0LEAD", proven=proven), lambda: 10.0)
    (told,) = bus.events
    assert told.evidence["rule"] == "unknown_preset"
    assert told.evidence["requested_by"] == named


class _Ports:
    """As much as a preset that is unknown needs."""

    def __init__(self, policy: Policy, bus: Bus, log: Any) -> None:
        self.policy, self.bus, self.log, self.clock = policy, bus, log, lambda: NOW
