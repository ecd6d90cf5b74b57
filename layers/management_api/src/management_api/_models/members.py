"""The members of an organization."""

from management_api._models._base import Answer


class Member(Answer):
    """One member. Of what OpenRouter tells of a person only the id and the role are read: `org:admin`, `org:member`."""

    id: str
    role: str = ""
