"""The members of an organization."""

from management_api._models._base import Answer


class Member(Answer):
    """One member. Of what OpenRouter tells of a person only the id and the role are read: `org:admin`, `org:member`."""

    id: str
    role: str = ""


class MemberPage(Answer):
    """One page of members. `total_count`: of the whole list, None where OpenRouter does not say."""

    data: list[Member]
    total_count: int | None = None
