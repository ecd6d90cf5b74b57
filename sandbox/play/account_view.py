"""Keys, lineages, provider keys and presets for the page: OpenRouter's state, and what Governor's ledger says of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from governor.byok_marks import unmarked
from governor.policy import lineage_name
from sandbox.openrouter.catalogue import MODELS
from sandbox.openrouter.routing import chain
from sandbox.play.organization import CHAINS, MODEL
from sandbox.play.records import Row
from sandbox.scenario.publishing import PRODUCTION, SLUG, STAGING
from sandbox.scenario.world import World

SHOWN = 60
"""Keys."""
_STANDS = ("disabling", "disabled")


def keys(world: World, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Every key, those of a workload together, with why it is disabled by the ledger's cause rows. Ages in seconds.

    `spent_usd`: what its limit counts. `own_usd`: this month's spend on own provider keys.
    """
    now = world.now.timestamp()
    causes = _causes(rows)
    states = {key["hash"]: key["state"] for row in rows if row.pk == "lineage" for key in row.data["keys"]}
    organization = world.simulator.organization
    found = list(organization.keys)[-SHOWN:]
    places = {lineage_name(key.name): place for place, key in reversed(list(enumerate(found)))}
    return [
        {
            "id": key.hash[:12],
            "name": key.name,
            "workspace": organization.workspaces[key.workspace_id].settings["slug"],
            "age": round(now - key.created_at),
            "disabled": key.disabled,
            "causes": causes.get(key.hash, []) or (["by hand"] if key.disabled else []),
            "lineage": states.get(key.hash, ""),
            "limit_usd": key.limit,
            "spent_usd": round(key.limit_spend(now), 4),
            "own_usd": round(key.meter.usage_in("monthly", now)[1], 4),
            "used": None if key.last_used_at is None else round(now - key.last_used_at),
        }
        for key in sorted(found, key=lambda one: places[lineage_name(one.name)])
    ]


def lineages(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Workloads whose key Governor makes: the keys of each by state, and until when."""
    return [
        {
            "workload": row.sk,
            "rotating": bool(row.data.get("rotation")),
            "keys": [
                {"name": key["name"], "state": key["state"], "since": key["since"], "until": key["until"]}
                for key in row.data["keys"]
            ],
        }
        for row in rows
        if row.pk == "lineage"
    ]


def chains(world: World, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Workspaces with provider keys of their own, and which endpoint serves their workload's requests now.

    Who serves is the simulator's truth; OpenRouter tells nobody.
    """
    health = {row.sk.removeprefix("health#"): row.data for row in rows if row.sk.startswith("health#")}
    return [_chain(world, workload, place, health) for workload, place in CHAINS.items()]


def presets(world: World, rows: Sequence[Row]) -> dict[str, Any]:
    """The preset's newest versions in staging and in production, and which one Governor takes for the approved one."""
    row = next((one.data for one in rows if (one.pk, one.sk) == ("preset", SLUG)), {})
    approved = ((row.get("served") or {}).get("version") or [None])[0]
    return {
        "slug": SLUG,
        "approved": approved,
        "drifted": row.get("drifted") or 0,
        "places": [_versions(world, place) for place in (STAGING, PRODUCTION)],
    }


def _causes(rows: Sequence[Row]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.sk.startswith("cause#") and row.data["status"] in _STANDS:
            for hash in row.data["hashes"]:
                found.setdefault(hash, []).append(row.data["cause"])
    return found


def _chain(world: World, workload: str, place: str, health: Mapping[str, Any]) -> dict[str, Any]:
    organization = world.simulator.organization
    key, at = world.key(workload), world.now.timestamp()
    with world.simulator.lock:
        open_to = list(chain(organization, key, MODELS[MODEL], {}))
        workspace = organization.workspace(place).id
        owned = [one for one in organization.credentials.values() if one.workspace_id == workspace]
    alive = [one for one in open_to if _answers(one, organization.outages, at)]
    serving = alive[0] if alive else None
    steps = [
        {
            "name": unmarked(one.settings["name"]) or one.label,
            "kind": "our own key",
            "serves": serving is not None and serving.credential is one,
            "state": _state(one, health.get(one.id, {})),
        }
        for one in owned
    ]
    credits = any(one.credential is None for one in open_to)
    state = "last resort" if credits else "closed"
    paid = serving is not None and serving.credential is None
    steps.append({"name": "OpenRouter's own capacity", "kind": "credits", "serves": paid, "state": state})
    return {"workload": workload, "workspace": place, "steps": steps, "nobody": serving is None}


def _answers(endpoint: Any, outages: Mapping[str, int], at: float) -> bool:
    credential = endpoint.credential
    dead = credential is not None and credential.trouble is not None and credential.trouble.kind != "slow"
    return endpoint.provider not in outages and not dead


def _state(credential: Any, health: Mapping[str, Any]) -> str:
    if credential.settings["disabled"]:
        return "disabled by Governor" if unmarked(credential.settings["name"]) != credential.settings["name"] else "off"
    return str(health.get("verdict") or "enabled")


def _versions(world: World, place: str) -> dict[str, Any]:
    organization = world.simulator.organization
    preset = organization.preset(organization.workspace(place).id, SLUG, archived=True)
    newest = [
        {
            "version": one.version,
            "by": one.creator_id,
            "at": one.created_at,
            "model": one.config.get("model", ""),
            "temperature": one.config.get("temperature"),
            "prompt": (one.system_prompt or "")[:300],
        }
        for one in preset.versions[-5:]
    ]
    return {"workspace": place, "versions": newest[::-1]}
