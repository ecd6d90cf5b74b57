"""The notifier's environment variables."""

from governor.environment import Settings


class NotifierSettings(Settings):
    """`SLACK_SECRET` names the secret with `{"bot_token": ...}`; without it, everything goes out as mail.

    `PICTURE_QUEUE_URL`: where a picture of an incident is asked for; without it, none is.
    """

    table_name: str
    decisions_table_name: str
    event_bus_name: str
    alert_topic_arn: str
    slack_secret: str | None = None
    slack_api_url: str = "https://slack.com/api/"
    picture_queue_url: str | None = None

    @property
    def tables(self) -> tuple[str, str]:
        """The ledger's, and that of decisions."""
        return self.table_name, self.decisions_table_name
