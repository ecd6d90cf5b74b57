from collections.abc import Callable

from governor.events import Event
from governor.policy import Policy
from governor.topic import mail_subject
from notifier.decide import decide
from notifier.incident import Incident
from notifier.kinds import incident_key
from notifier.mail import mail, plain


def test_mail_reads_without_slack(policy: Policy, sample: Callable[..., Event]) -> None:
    event = sample("key_disabled")
    letter = mail(
        decide(Incident(incident_key(event)), event, policy).notice, "Slack refused: x. Fix it.", repeated=False
    )
    subject = mail_subject(letter.subject)
    assert subject.startswith("[Governor] prod-search-agent was burning $498/h. Its key is disabled. Lost: $31.")
    assert len(subject) < 100
    assert "Restore needs U0LEAD or U0SEC" in letter.body
    assert "https://openrouter.ai/workspaces/default/keys/" in letter.body
    assert letter.body.endswith("Why this comes by mail: Slack refused: x. Fix it.")
    assert not set("<>`") & set(letter.body)


def test_a_repeated_mail_says_so(policy: Policy, sample: Callable[..., Event]) -> None:
    event = sample("key_disabled")
    letter = mail(decide(Incident(incident_key(event)), event, policy).notice, "", repeated=True)
    assert letter.subject.startswith("[Governor, again]")
    assert "An earlier copy may have reached you" in letter.body
    assert "Why this comes by mail" not in letter.body


def test_mrkdwn_becomes_plain_text() -> None:
    assert plain("*Why:* a &lt; b `code` <@U0LEAD> <#C0X|general> <https://x|here>") == (
        "Why: a < b code U0LEAD general here https://x"
    )
    assert plain("2*3*4 and a_b_c") == "2*3*4 and a_b_c"


def test_a_subject_is_one_line_of_ascii_and_never_empty() -> None:
    assert mail_subject("🔴 20× more\nthan…") == "20x more than..."
    assert mail_subject("🔴") == "Governor"
    assert len(mail_subject("x" * 500)) == 99
