"""One checker that reads the whole world, after every write of Governor's and at the end, for what the promises forbid.

After each write: (5) the secret of every workload holds a key that works; (6) its keys together may spend no more than
its cap; (8) what is deleted was disabled before. At the end: (7) nothing comes back that a person or a cause disabled;
(6) the current key has its guardrail and its places in the lists; (12) no plaintext stands anywhere but in secrets; and
every workload has come to rest.
"""

import json
from collections.abc import Iterator
from typing import Any

from sandbox.openrouter.identities import hash_of
from tests.accidents.account import CAP, Account
from tests.everything import everything

CENT = 0.01


class Checker:
    """Watches an account from now on. `broken`: what was found, a sentence each, with the workload's name first."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.broken: list[str] = []
        self._worked: dict[str, bool] = {}
        self._disabled: dict[str, bool] = {}
        self._held: set[str] = set()
        account.world.simulator.on_write = self.after_write
        self.begin()

    def begin(self) -> None:
        """What holds now is where the next write starts from: called after a person has done something."""
        self.account.note_new_keys()
        self._worked = {name: self._works(name) for name in self.account.workloads}
        self._disabled = {key.hash: key.disabled for key in self.account.organization.keys}
        self._held |= {self.account.held_hash(name) for name in self.account.workloads}

    def after_write(self) -> None:
        self.account.note_new_keys()
        present = {key.hash: key.disabled for key in self.account.organization.keys}
        for gone in self._disabled.keys() - present.keys():
            if not self._disabled[gone] and gone in self._held:
                self._say(self._workload_of(gone), f"key {gone[:8]} was deleted while it was enabled (promise 8)")
        for name in self.account.workloads:
            works = self._works(name)
            if self._worked[name] and not works and not self._is_held(name):
                self._say(name, "the key that its secret holds was made useless, and no cause says why (promise 5)")
            over = self._may_spend(name)
            if over is not None and over > CAP + CENT:
                self._say(name, f"its keys together may spend {over:.2f} of {CAP:.2f} USD (promise 6)")
        self.begin()

    def at_the_end(self, *, resting: bool = True) -> list[str]:
        """All that was broken, and what does not hold now. `resting`: whether everything must have come to its end."""
        for name in self.account.workloads:
            self._revived(name)
            if resting:
                self._rests(name)
        secrets = self._plaintexts()
        for place, text in everything(self.account.world):
            if any(secret in text for secret in secrets):
                self._say("", f"a plaintext key stands in {place} (promise 12)")
        return self.broken

    # --- what is looked at -----------------------------------------------------------------------------------------
    def _works(self, name: str) -> bool:
        return self.account.works(self.account.held_hash(name))

    def _is_held(self, name: str) -> bool:
        """Whether a cause stands that names the key, or people disabled or deleted it."""
        key_hash, hands = self.account.held_hash(name), self.account.hands[name]
        return key_hash in hands.disabled | hands.deleted or any(
            key_hash in row["hashes"] for row in self._causes(name) if row["status"] in ("disabling", "disabled")
        )

    def _causes(self, name: str) -> Iterator[dict[str, Any]]:
        for item in self._rows(f"subject#{name}"):
            data = json.loads(item["data"]["S"])
            if item["sk"]["S"].startswith("cause#"):
                yield data

    def _rows(self, pk: str) -> list[dict[str, Any]]:
        engine = self.account.world.engine
        found: list[dict[str, Any]] = engine.client("dynamodb").query(
            TableName=engine.outputs["LedgerTable"],
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": pk}},
        )["Items"]
        return found

    def _may_spend(self, name: str) -> float | None:
        """USD of this month, spent and still allowed, all keys together; None where a person set a limit."""
        now, hands = self.account.world.now.timestamp(), self.account.hands[name]
        keys = self.account.keys(name)
        if any(key.hash in hands.limited for key in keys):
            return None
        known = [key for key in keys if key.hash in self._held]
        spent = sum(key.meter.spent("monthly", now, include_byok=False) for key in known)
        left = sum(
            max(0.0, (key.limit if key.limit is not None else float("inf")) - key.limit_spend(now))
            for key in known
            if not key.disabled
        )
        return float(spent + left)

    def _revived(self, name: str) -> None:
        hands = self.account.hands[name]
        for key in self.account.keys(name):
            if key.hash in hands.disabled and not key.disabled:
                self._say(name, f"key {key.hash[:8]}, which a person disabled, is enabled again (promise 7)")
        for row in self._causes(name):
            live = [key.hash[:8] for key in self.account.keys(name) if key.hash in row["hashes"] and not key.disabled]
            if row["status"] == "disabled" and live:
                self._say(name, f"{', '.join(live)} disabled for {row['cause']}, and enabled again (promise 7)")

    def _rests(self, name: str) -> None:
        current, hands = self.account.current(name), self.account.hands[name]
        if current is None and self.account.held_hash(name) in hands.deleted:
            return  # a person deleted it and was told; where the policy repairs nothing, a new one is theirs to ask for
        if current is None:
            self._say(name, "its secret holds a key that does not exist (promise 5)")
            return
        if not self._works(name) and not self._is_held(name):
            self._say(name, "its secret holds a key that does not work (promise 5)")
        row = next((json.loads(one["data"]["S"]) for one in self._rows("lineage") if one["sk"]["S"] == name), None)
        if row and row.get("rotation") and not self._is_held(name):
            self._say(name, f"a rotation is still in hand: {row['rotation']}")
        live = [key.hash for key in self.account.keys(name) if not key.disabled and key.hash != current.hash]
        if live and not self._is_held(name) and not hands.put_back:
            self._say(name, f"{len(live)} more keys of it are still enabled: {[one[:8] for one in live]}")
        if current.hash not in hands.disabled | hands.attached | self._moved():
            self._attached(name, current)

    def _attached(self, name: str, current: Any) -> None:
        organization = self.account.organization
        assigned = organization.guardrail_of_key(current.hash)
        if assigned is None or assigned.rules["name"] != "production":
            self._say(name, "its current key is not under its guardrail (promise 6)")
        for kind, things, field in (
            ("credential's allowlist", organization.credentials, "allowed_api_key_hashes"),
            ("destination's filter", organization.destinations, "api_key_hashes"),
        ):
            if any(current.hash not in (one.settings[field] or [current.hash]) for one in things.values()):
                self._say(name, f"its current key is not in the {kind} (promise 6)")

    def _moved(self) -> set[str]:
        place = self.account.organization.workspace("platform-production").id
        return {key.hash for key in self.account.organization.keys if key.workspace_id != place}

    def _plaintexts(self) -> set[str]:
        """Every key that a secret ever held, but the made-up ones that the simulator gave before."""
        engine, found = self.account.world.engine, set()
        for name in self.account.workloads:
            held = self.account.held(name).get("api_key")
            found |= {held} if held and hash_of(held) in self._held else set()
        management = json.loads(engine.secret_text("governor/openrouter-management-key"))["api_key"]
        return {*found, management, *self.account.world.plaintexts.values()}

    def _workload_of(self, key_hash: str) -> str:
        return self.account.places.get(key_hash) or next(
            (name for name, first in self.account.first.items() if first == key_hash), ""
        )

    def _say(self, name: str, what: str) -> None:
        said = f"{name}: {what}"
        if said not in self.broken:
            self.broken.append(said)
