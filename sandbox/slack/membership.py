"""Who is in the workspace, and where the app is installed: what `auth.test` and `users.info` answer, and what the
payloads say of it.

Sources: https://docs.slack.dev/reference/methods/auth.test, /reference/methods/users.info, the user object, and for
organizations slack_bolt's `request/internals.py` with its issues (`team` is null in interactions of an app that is
installed in an organization; a modal's `view` names the app's workspace).
"""

from dataclasses import dataclass, field, replace
from typing import Any

TEAM = "T0SANDBOX"
SCOPES = (
    "chat:write", "commands", "channels:history", "groups:history", "metadata.message:read", "files:write",
    "users:read",
)  # fmt: skip
"""The manifest's."""


@dataclass(frozen=True)
class Installation:
    """Where the app is installed. `enterprise`: the organization that the workspace belongs to, none when empty.

    `org_wide`: the app is installed in the whole organization.
    """

    team: str = TEAM
    enterprise: str = ""
    org_wide: bool = False


@dataclass(frozen=True)
class Member:
    """A person as Slack knows them. `guest`: `multi` or `single` for a guest of several channels or of one.

    `team`: their own workspace, the app's when empty. `teams`: of an organization's member, the app's when empty.
    `shown`: Slack shows them to the app. `flags`: fields of the user object that are to be otherwise, None: left out.
    """

    guest: str = ""
    deleted: bool = False
    bot: bool = False
    stranger: bool = False
    team: str = ""
    teams: tuple[str, ...] = ()
    enterprise: str = ""
    shown: bool = True
    flags: dict[str, Any] = field(default_factory=dict, hash=False)


class Membership:
    """The app's installation and people. Whoever was not described is a full member, by an id that Slack could give."""

    def __init__(self) -> None:
        self.installation = Installation()
        self.scopes = set(SCOPES)
        """What the bot token may do; a method that needs another is refused as `missing_scope`."""
        self._people: dict[str, Member] = {}

    def install(self, **changes: Any) -> None:
        self.installation = replace(self.installation, **changes)

    def describe(self, user: str, **facts: Any) -> None:
        """From now on the user is this; see `Member`."""
        self._people[user] = Member(**facts)

    def forget(self) -> None:
        """Everybody is a full member again, and the app installed as at first."""
        self.installation, self.scopes = Installation(), set(SCOPES)
        self._people.clear()

    def auth_test(self, bot_user: str, bot_id: str) -> dict[str, Any]:
        home = self.installation
        organization = {"enterprise_id": home.enterprise} if home.enterprise else {}
        team = {"team": None, "team_id": None} if home.org_wide else {"team": "Sandbox", "team_id": home.team}
        return {
            "url": "https://sandbox.slack.com/", "user": "governor", **team, "user_id": bot_user, "bot_id": bot_id,
            **organization, "is_enterprise_install": home.org_wide,
        }  # fmt: skip

    def user(self, user: str, bot_user: str) -> dict[str, Any] | None:
        """The user object; None for somebody whom Slack does not show."""
        member, home = self._people.get(user, Member(bot=user == bot_user)), self.installation
        if not member.shown:
            return None
        name = user.lower()
        shown: dict[str, Any] = {
            "id": user, "team_id": member.team or home.team, "name": name, "real_name": name, "deleted": member.deleted,
            "tz": "Etc/UTC", "profile": {"real_name": name, "display_name": name}, "is_bot": member.bot, "updated": 1,
            "is_app_user": False,
        }  # fmt: skip
        if member.stranger:
            shown["is_stranger"] = True
        elif not member.deleted:  # of the deactivated Slack leaves these out
            shown |= {
                "is_admin": False, "is_owner": False, "is_primary_owner": False, "is_restricted": bool(member.guest),
                "is_ultra_restricted": member.guest == "single",
            }  # fmt: skip
        enterprise = member.enterprise or ("" if member.team else home.enterprise)
        if enterprise:
            shown["enterprise_user"] = {
                "id": user, "enterprise_id": enterprise, "enterprise_name": "Sandbox Inc", "is_admin": False,
                "is_owner": False, "teams": list(member.teams or (member.team or home.team,)),
            }  # fmt: skip
        shown |= member.flags
        return {name: value for name, value in shown.items() if value is not None}

    def interaction(self, user: str, team: str, *, modal: bool) -> dict[str, Any]:
        """What a payload says of who, where, and of which organization. `team`: the person's own workspace."""
        home = self.installation
        # A modal that somebody of another workspace submits names that workspace; a click names the app's.
        place = team if modal and team != home.team and not home.enterprise else home.team
        named: dict[str, Any] | None = {"id": place, "domain": "sandbox"}
        if home.enterprise and named is not None:
            named |= {"enterprise_id": home.enterprise, "enterprise_name": "Sandbox Inc"}
        return {
            "user": {"id": user, "username": user.lower(), "name": user.lower(), "team_id": team},
            "team": None if home.org_wide else named,
            "enterprise": {"id": home.enterprise, "name": "Sandbox Inc"} if home.enterprise else None,
            "is_enterprise_install": home.org_wide,
        }

    def command(self, team: str) -> dict[str, str]:
        home = self.installation
        organization = {"enterprise_id": home.enterprise, "enterprise_name": "Sandbox Inc"} if home.enterprise else {}
        return {"team_id": team, **organization, "is_enterprise_install": str(home.org_wide).lower()}
