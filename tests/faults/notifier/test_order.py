"""Whatever the order, however often: the thread ends in the same state and says each thing once."""

import itertools
import json
from collections.abc import Callable

from tests.faults.harness import case
from tests.faults.notifier.conftest import SAMPLES, World

STORY = ("runaway_suspected", "runaway_confirmed", "key_disabled", "key_restored")


def test_four_events_in_any_order_each_delivered_twice_end_in_one_thread(
    worlds: Callable[[], World], counted: list[str]
) -> None:
    for order in itertools.permutations(STORY):
        with case(counted, order):
            world = worlds()
            for name in (*order, *order):
                world.send(name)
                world.drain()
            [thread] = world.slack.messages("C0GOVERNOR")
            assert thread["text"].startswith("🟢 prod-search-agent is restored")
            ids = [message["metadata"]["event_payload"]["id"] for message in (thread, *thread["replies"])]
            assert len(ids) == len(set(ids))
            history = thread["attachments"][0]["blocks"][-1]["elements"][0]["text"]
            assert history.count("→") == len(STORY) - 1
            assert world.mails == []


def test_a_batch_of_every_event_there_is_ends_in_one_thread_per_incident(worlds: Callable[[], World]) -> None:
    world = worlds()
    world.store_what_the_samples_tell()
    names = sorted(path.stem for path in SAMPLES.glob("*.json"))
    world.send(*names)
    world.drain()
    incidents = {m["metadata"]["event_payload"]["incident"].split("#")[0] for m in world.said}
    assert incidents == {"runaway", "budget", "exposed", "blind", "departed"}
    assert len(world.slack.messages("C0GOVERNOR")) == 6
    assert "sk-or-v1-" not in json.dumps(world.said)
