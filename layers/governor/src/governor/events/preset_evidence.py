"""What the events about presets hold. None holds a prompt, an answer, or a key."""

from typing import Literal

from governor.events.evidence import Evidence

How = Literal["promotion", "override", "rollback", "revert", "adopt", "automatic"]


class VersionRef(Evidence):
    """One version of a preset. `version` 0: there is none. `digest`: SHA-256 (hex) of its prompt and config."""

    workspace: str
    version: int
    digest: str = ""


class CheckResult(Evidence):
    """One check of a candidate. `why` holds names and classes only."""

    name: str
    passed: bool
    why: str = ""


class Promotion(Evidence):
    """Preset Promoted, Preset Promotion Failed and Preset Rolled Back.

    `promotion`: its id; `drift-<version>` where an edit of production was adopted or reverted. `how`: by what.
    `approval`: the request that people decided. `candidate`: what was, or was to be, served; `former`: what was served
    before; `became`: the version that production serves now, 0 when nothing was posted. `rule`: why it failed or was
    rolled back. `usd`: what the golden cases cost. `shown`: lines for people, risks first. `overridable`: the failing
    checks may be overridden by an approval.
    """

    name: str
    promotion: str
    how: How
    candidate: VersionRef
    former: VersionRef
    approval: str = ""
    became: int = 0
    requested_by: str = ""
    approved_by: tuple[str, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    usd: float = 0.0
    rule: str = ""
    shown: tuple[str, ...] = ()
    file: str | None = None
    overridable: bool = False


class PresetDrift(Evidence):
    """Preset Drifted: production serves a version that Governor did not put there. `promoted`: the last that it did.

    `author`: the Slack user who saved it, as OpenRouter says; where nobody knows who that is, `author_unknown` says
    why.
    """

    name: str
    live: VersionRef
    promoted: VersionRef
    shown: tuple[str, ...] = ()
    file: str | None = None
    author: str = ""
    author_unknown: str = ""
