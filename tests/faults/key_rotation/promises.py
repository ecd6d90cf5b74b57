"""What must hold after every accident, as sentences over the world."""

from governor.keys.lineage import Lineage
from tests.faults.key_rotation.world import ALLOWED, CAP, MEMBER, REFUSED, World


def the_secret_works(world: World) -> None:
    """Promise 5."""
    assert world.works(world.secret()["api_key"]), "AWSCURRENT holds a key that does not work"


def the_cap_holds(world: World) -> None:
    """Promise 6: whatever is spent from now on, keys' limits keep the month's sum within the cap."""
    most = sum(
        max(
            key.limit if key.limit is not None else float("inf"),
            key.meter.spent("monthly", world.now.timestamp(), include_byok=False),
        )
        for key in world.own_keys().values()
        if not key.disabled and key.hash not in orphans(world)
    )
    # A quiet key keeps a millionth of a dollar: OpenRouter takes no limit of zero.
    assert most <= CAP + 1e-4, f"the keys together may spend {most}"


def the_new_key_may_do_what_the_old_one_may(world: World, old: str, new: str) -> None:
    """Promise 6: the same member's, the same models, the same credentials, attachments equal."""
    organization = world.simulator.organization
    keys = world.own_keys()
    assert keys[new].creator_user_id == MEMBER, "the key is not its member's"
    assert keys[new].external_user == keys[old].external_user, "external user"
    assert world.path_of(old, REFUSED) == world.path_of(new, REFUSED) == 403, "a model that was refused is served"
    served = world.path_of(new, ALLOWED)
    assert served == world.path_of(old, ALLOWED)
    assert isinstance(served, list)
    assert served[0][1], "own-key traffic moved to credits"
    assert organization.key_assignments.get(new), "no guardrail"
    for credential in organization.credentials.values():
        hashes = credential.settings["allowed_api_key_hashes"] or []
        assert (old in hashes) == (new in hashes), "BYOK allowlist"
    for destination in organization.destinations.values():
        hashes = destination.settings["api_key_hashes"] or []
        assert (old in hashes) == (new in hashes), "observability filter"


def orphans(world: World) -> set[str]:
    """Keys of the workload that no row knows: a POST whose answer, or whose secret, was lost."""
    known = {key.hash for key in world.lineage().keys} | {world.first}
    return set(world.own_keys()) - known


def nothing_is_said_that_is_secret(world: World) -> None:
    """Promise 12."""
    assert "sk-or-v1" not in repr((world.aws.table(), world.told))


def one_rotation_ended(world: World) -> Lineage:
    lineage = world.lineage()
    assert lineage.rotation is None
    assert lineage.current is not None
    assert lineage.current.hash == world.secret()["hash"]
    assert [key.state for key in lineage.keys if key.hash == world.first] == ["overlap"]
    return lineage


def nothing_is_revived(world: World) -> None:
    """What a leak or a runaway disabled stays so until a human lifts it."""
    for row in world.causes().standing():
        if row.status == "disabled":
            keys = [key for hash, key in world.own_keys().items() if hash in row.hashes]
            live = [key.name for key in keys if not key.disabled]
            assert not live, f"{live} were disabled for {row.cause}, and work again"


def all_is_at_rest(world: World) -> None:
    """One key, which the secret holds, and which may do what the first one could; nothing under way."""
    current = world.secret().get("hash", world.first)
    assert set(world.own_keys()) == {current}, "a key outlived its rotation"
    key = world.own_keys()[current]
    assert not key.disabled
    assert (key.creator_user_id, key.external_user) == (MEMBER, "tenant-7")
    assert world.path_of(current, REFUSED) == 403
    the_secret_works(world)
    organization = world.simulator.organization
    assert organization.key_assignments.get(current), "no guardrail"
    for credential in organization.credentials.values():
        assert credential.settings["allowed_api_key_hashes"] == [current], "BYOK allowlist"
    for destination in organization.destinations.values():
        assert destination.settings["api_key_hashes"] == [current], "observability filter"
    assert key.limit == CAP, f"${key.limit} of ${CAP}"
    lineage = world.lineage()
    assert lineage.rotation is None
    assert [one.hash for one in lineage.keys if one.state not in ("deleted",)] in ([current], [])
    pending = [id for id, labels in world.stages().items() if "AWSPENDING" in labels and "AWSCURRENT" not in labels]
    assert not pending, "an empty version is in the way of the next rotation"
