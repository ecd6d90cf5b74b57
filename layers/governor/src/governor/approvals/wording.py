"""What a request asks people to decide, in words: one wording for the message and for the Home."""

from collections.abc import Mapping

from governor.approvals.approval import Kind

_DEEDS: Mapping[Kind, str] = {
    "promotion": "promote preset {name}",
    "override": "promote preset {name} although a check failed",
    "rollback": "roll preset {name} back",
    "adopt": "adopt the edit of preset {name}",
    "revert": "revert the edit of preset {name}",
    "restore": "restore {name} (disabled for {cause})",
    "disable": "disable {name}",
    "key_rollback": "give {name} its former key back",
    "drill": "drill the failover of {name}",
    "bulk_rotation": "replace the keys of {name}",
}


def deed(kind: Kind, name: str, cause: object) -> str:
    """`name` and `cause` as they shall stand there: escaped, where the text goes to Slack as it is."""
    return _DEEDS[kind].format(name=name, cause=cause)
