"""Who a person is elsewhere: in the OpenRouter organization, and in AWS."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from governor.policy._parts import Part, SlackUser

OpenRouterUser = Annotated[str, Field(pattern=r"^user_[A-Za-z0-9_]{1,95}$")]
"""The form that every id of a user has in OpenRouter's API documents, for example a version's `creator_id`
(https://openrouter.ai/docs/client-sdks/typescript/models/presetdesignatedversion)."""
_USER = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:user/[\x21-\x7e]{1,576}")
_SESSION = re.compile(
    r"arn:aws[a-z-]*:sts::[0-9]{12}:assumed-role/(?P<role>[\w+=,.@-]{1,64})/(?P<session>\*|[\w+=,.@-]{2,64})"
)
_OF_IDENTITY_CENTER = "AWSReservedSSO_"
"""Roles of this name are made by IAM Identity Center, which also names their sessions after its users
(IAM Identity Center User Guide, "Referencing permission sets in resource policies")."""
_FORMS = (
    "write arn:aws:iam::ACCOUNT:user/NAME, arn:aws:sts::ACCOUNT:assumed-role/AWSReservedSSO_SET_ID/USER, or "
    "arn:aws:sts::ACCOUNT:assumed-role/ROLE/* for a role that only this person can assume"
)


def _provable(arn: str) -> str:
    """An identity that is one person's alone, as far as its ARN can tell. Raises `ValueError`."""
    if _USER.fullmatch(arn) and "*" not in arn:
        return arn
    match = _SESSION.fullmatch(arn)
    if match is None:
        raise ValueError(f"not an AWS identity of one person: {_FORMS}")
    from_identity_center = match["role"].startswith(_OF_IDENTITY_CENTER)
    if match["session"] == "*" and from_identity_center:
        raise ValueError("everybody who has this permission set would be this person: name the session instead of *")
    if match["session"] != "*" and not from_identity_center:
        raise ValueError(
            f"whoever may assume {match['role']} chooses the name of the session, so it proves nothing: write /* for a "
            f"role that only this person can assume, or a session of IAM Identity Center (AWSReservedSSO_...)"
        )
    return arn


AwsIdentity = Annotated[str, AfterValidator(_provable)]
"""The ARN that `sts:GetCallerIdentity` answers for a person; `/*` at the end of a role: any of its sessions."""


class Person(Part):
    """`openrouter`: the id of the person's OpenRouter user, who saves versions of presets. `aws`: the identities under
    which the person gives orders from the command line."""

    openrouter: OpenRouterUser | None = None
    aws: tuple[AwsIdentity, ...] = ()


def _in_short(value: Any) -> Any:
    return {"openrouter": value} if isinstance(value, str) else value


def _each_once(people: Mapping[str, Person]) -> Mapping[str, Person]:
    """One account or identity under two Slack users would let either pass for the other."""
    first: dict[str, str] = {}
    faults: list[InitErrorDetails] = []
    for slack, held in _accounts(people):
        if held in first:
            what = "OpenRouter user" if held.startswith("user_") else "AWS identity"
            why = f"{held} is {first[held]} already; each {what} is one Slack user"
            faults.append(
                {"type": PydanticCustomError("repeated", "{why}", {"why": why}), "loc": (slack,), "input": ""}
            )
        first.setdefault(held, slack)
    if faults:
        raise ValidationError.from_exception_data("people", faults)
    return people


def _accounts(people: Mapping[str, Person]) -> Iterator[tuple[str, str]]:
    for slack, person in people.items():
        for held in filter(None, (person.openrouter, *person.aws)):
            yield slack, held


People = Annotated[
    dict[SlackUser, Annotated[Person, BeforeValidator(_in_short, json_schema_input_type=OpenRouterUser | Person)]],
    AfterValidator(_each_once),
]
"""By Slack user: an OpenRouter user's id alone, or that and the person's AWS identities."""


def is_identity(arn: str, declared: str) -> bool:
    """Whether the ARN of a caller is the declared identity."""
    return arn == declared or (declared.endswith("/*") and arn.rpartition("/")[0] == declared.removesuffix("/*"))
