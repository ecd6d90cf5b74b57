"""Who may reach what: the tables that the template is held to, and that a role which was taken over runs into.

Rows of the ledger by partition key (a pattern of `dynamodb:LeadingKeys`), secrets by the template's parameter, objects
by prefix. A function that is in no list must be refused. Whoever writes may read.
"""

from dataclasses import dataclass

FUNCTIONS = (
    "spend_meter",
    "kill_switch",
    "key_planning",
    "key_rotation",
    "key_retirement",
    "credential_rotation",
    "byok_failover",
    "slack_gateway",
    "approval_desk",
    "preset_promotion",
    "notifier",
    "broadcast_gateway",
    "broadcast_tally",
    "incident_picture",
    "account_review",
    "slack_home",
    "webhook_sender",
)


SILENT = (
    "slack_gateway", "approval_desk", "broadcast_gateway", "broadcast_tally", "incident_picture", "slack_home",
    "webhook_sender",
)  # fmt: skip
"""They store no event: they publish none, or (the desk) only such as tell of rows that are there anyway."""


@dataclass(frozen=True)
class Owned:
    """`writers` may write it and read it, `readers` only read it."""

    writers: frozenset[str] = frozenset()
    readers: frozenset[str] = frozenset()

    @property
    def all_readers(self) -> frozenset[str]:
        return self.writers | self.readers


def _owned(writers: str = "", readers: str = "") -> Owned:
    return Owned(frozenset(writers.split()), frozenset(readers.split()))


LEDGER = {
    # Why a key is disabled. A rotation notes the keys that it retires here too.
    "subject#*": _owned("kill_switch key_rotation key_retirement", "key_planning approval_desk slack_home"),
    "leash": _owned("kill_switch"),
    "leash#*": _owned("kill_switch"),
    # What a person expects (the desk) and from when a subject's habits are learned anew (after a restore).
    "detector": _owned("kill_switch approval_desk", "spend_meter notifier"),
    # Which workload a key is of, by its hash: whoever judges a workload's keys believes no name before it.
    "lineage": _owned(
        "key_planning key_rotation key_retirement", "approval_desk spend_meter kill_switch byok_failover slack_home"
    ),
    # Whose turn it is to ask OpenRouter.
    "pace": _owned("key_rotation key_retirement", "approval_desk"),
    # Requests and withdrawals: whoever asks. Whoever acts reads them; a decision holds the digest of its request.
    "approval": _owned(
        "approval_desk preset_promotion",
        "kill_switch key_planning key_retirement byok_failover notifier account_review slack_home",
    ),
    "approval#outcome": _owned(
        "kill_switch key_planning key_retirement byok_failover preset_promotion", "approval_desk notifier slack_home"
    ),
    # How far a bulk order's list was sent. The list itself is people's: it stands in the table of decisions.
    "bulk": _owned("key_planning"),
    "interaction": _owned("approval_desk"),
    "credential": _owned("credential_rotation"),
    "byok": _owned("byok_failover"),
    "byok#told": _owned("byok_failover"),
    # The desk reads who saved an edit, which decides whether one approver may adopt it.
    "preset": _owned("preset_promotion", "approval_desk"),
    "promotion": _owned("preset_promotion"),
    "catalogue": _owned("preset_promotion"),
    # What each function has published, stored before the bus gets it.
    **{
        f"published#{one}": _owned(one, "notifier slack_home" if one == "spend_meter" else "notifier")
        for one in FUNCTIONS
        if one not in SILENT
    },
    # The review counts what these did.
    **{
        f"published#{one}": _owned(one, "notifier account_review")
        for one in (
            "kill_switch",
            "key_rotation",
            "key_retirement",
            "credential_rotation",
            "byok_failover",
            "preset_promotion",
        )
    },
    # The desk reads which keys are in the name of a member who left.
    "published#account_review": _owned("account_review", "notifier approval_desk"),
    # Who was a member, and who is missing since when.
    "members": _owned("account_review"),
    "notice#*": _owned("notifier"),
    "incident#*": _owned("notifier", "incident_picture"),
    # Which message shows an incident's picture, and what is on it.
    "picture#*": _owned("incident_picture"),
    # Who has opened a Home, and what it shows of budgets.
    "home": _owned("slack_home"),
    "home#budgets": _owned("slack_home"),
}
DECISIONS = _owned(
    "approval_desk",
    "kill_switch key_planning key_retirement byok_failover preset_promotion notifier account_review slack_home",
)
SECRETS = {
    "ManagementKeySecretName": _owned(
        readers="spend_meter kill_switch key_rotation key_retirement credential_rotation byok_failover account_review"
    ),
    "SlackSecretName": _owned(
        readers="approval_desk preset_promotion notifier incident_picture account_review slack_home"
    ),
    "SlackSigningSecretName": _owned(readers="slack_gateway"),
    "BroadcastSecretName": _owned(readers="broadcast_gateway"),
    "WebhookSecretName": _owned(readers="webhook_sender"),
    "WorkloadSecretPrefix": _owned("key_rotation", "spend_meter key_retirement credential_rotation byok_failover"),
    "ProviderSecretPrefix": _owned(readers="credential_rotation"),
    "PresetSecretPrefix": _owned(readers="preset_promotion"),
}
OBJECT_WRITERS = {
    "readings/": frozenset({"spend_meter"}),
    "watch/": frozenset({"spend_meter"}),
    "pushed/": frozenset({"broadcast_tally"}),
    "pages/": frozenset({"byok_failover"}),
    "reviews/": frozenset({"account_review"}),
}
OBJECT_READERS = {
    "readings/": frozenset({"spend_meter"}),
    "watch/": frozenset({"spend_meter", "broadcast_tally"}),
    "pushed/": frozenset({"spend_meter", "broadcast_tally"}),
    "pages/": frozenset[str](),
    "reviews/": frozenset({"account_review"}),
}
