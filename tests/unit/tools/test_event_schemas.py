from pathlib import Path

from governor.events import DetailType
from tools.event_schemas import EVIDENCE, write

PUBLISHED = Path(__file__).resolve().parents[3] / "docs" / "events"


def test_every_event_has_a_published_schema_that_is_up_to_date(tmp_path: Path) -> None:
    assert set(EVIDENCE) == set(DetailType)
    write(tmp_path)
    made = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_text() for path in PUBLISHED.iterdir()}
