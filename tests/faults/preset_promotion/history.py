"""What has happened already when a test's own case begins, as photos to begin from."""

from tests.faults.preset_promotion.opening import Worlds
from tests.faults.preset_promotion.promises import CANDIDATE, looked_at, run
from tests.faults.preset_promotion.world import HAIKU, PRODUCTION
from tests.faults.stage import Photo

EDITED = ("Somebody was here.", {"model": HAIKU, "temperature": 1.9})


def requested(fresh: Worlds) -> Photo:
    looked_at(fresh())
    return fresh.photo()


def granted(fresh: Worlds) -> Photo:
    world = looked_at(fresh())
    run(world, world.request())
    world.decide()
    return fresh.photo()


def promoted(fresh: Worlds) -> Photo:
    world = fresh(granted(fresh))
    run(world, world.granted())
    assert world.serves() == CANDIDATE
    return fresh.photo()


def drifted(fresh: Worlds) -> Photo:
    """Promoted, then edited by hand, and told."""
    world = fresh(promoted(fresh))
    world.save(PRODUCTION, *EDITED)
    run(world, world.tick())
    return fresh.photo()
