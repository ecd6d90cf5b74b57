"""Presets under a management key: by workspace, archived and restored; and keys that may not do that.

The vendor's SDK that can be installed is older than these calls, so our client is held to the simulator alone here.
"""

import pytest

from management_api import NotFound, OpenRouter, ReadForbidden, Rejected, WriteForbidden
from tests.contract.management_api.conftest import Both

SLUG = "triage"
BODY = {"model": "openai/gpt-5-mini", "messages": [{"role": "system", "content": "Be brief."}]}


def _saved(both: Both) -> str:
    """A preset of two versions in Production; its workspace's id."""
    place = both.workspace("production")
    for temperature in (0.1, 0.2):
        both.ours.presets.save(SLUG, {**BODY, "temperature": temperature}, place)
    return place


def _asked(inference: OpenRouter) -> str:
    request = {"model": f"@preset/{SLUG}", "messages": [{"role": "user", "content": "Go."}]}
    return inference.chat(request).model


def test_a_management_key_reads_the_presets_of_the_workspace_it_names(both: Both) -> None:
    place = _saved(both)
    assert [one.slug for one in both.ours.presets.list(place)] == [SLUG]
    assert both.ours.presets.list(both.workspace("default")) == []
    assert [one.version for one in both.ours.presets.versions(SLUG, place)] == [1, 2]
    assert both.ours.presets.version(SLUG, 1, place).config["temperature"] == 0.1
    inference, _ = both.as_key("prod-triage")
    assert inference.presets.get(SLUG) == both.ours.presets.get(SLUG, place)


def test_an_archived_preset_is_hidden_and_does_not_resolve_until_it_is_restored(both: Both) -> None:
    place = _saved(both)
    inference, _ = both.as_key("prod-triage")
    before = both.ours.presets.get(SLUG, place)
    for _ in range(2):
        both.ours.presets.archive(SLUG, place)
    assert (both.ours.presets.list(place), inference.presets.list()) == ([], [])
    for api, workspace in ((both.ours, place), (inference, None)):
        with pytest.raises(NotFound):
            api.presets.get(SLUG, workspace)
        with pytest.raises(NotFound):
            api.presets.version(SLUG, 1, workspace)
    with pytest.raises(NotFound):
        _asked(inference)
    for _ in range(2):
        assert both.ours.presets.restore(SLUG, place).status == "active"
    after = both.ours.presets.get(SLUG, place)
    assert after.designated_version == before.designated_version
    assert [one.version for one in inference.presets.versions(SLUG)] == [1, 2]
    assert _asked(inference) == BODY["model"]


def test_an_inference_key_can_neither_archive_nor_restore(both: Both) -> None:
    place = _saved(both)
    inference, _ = both.as_key("prod-triage")
    for call in (inference.presets.archive, inference.presets.restore):
        with pytest.raises(Exception, match="management key"):
            call(SLUG, place)
    assert inference.presets.get(SLUG).status == "active"


def test_a_read_only_management_key_reads_and_its_writes_say_what_is_missing(both: Both) -> None:
    place = _saved(both)
    both.simulator.restrict_management(read_only=True)
    assert both.ours.presets.get(SLUG, place).status == "active"
    for write in (both.ours.presets.archive, both.ours.presets.restore):
        with pytest.raises(WriteForbidden, match="read-only"):
            write(SLUG, place)
    with pytest.raises(WriteForbidden, match="read-only"):
        both.ours.presets.save(SLUG, BODY, place)
    with pytest.raises(WriteForbidden, match="read-only"):
        both.ours.keys.delete(both.hash("dev-notebook"))
    both.simulator.restrict_management()
    both.ours.presets.archive(SLUG, place)


def test_a_management_key_of_one_workspace_is_refused_elsewhere_with_a_sentence_that_says_so(both: Both) -> None:
    place, elsewhere = _saved(both), both.workspace("default")
    both.simulator.restrict_management(workspace="production")
    assert both.ours.presets.get(SLUG, place).status == "active"
    with pytest.raises(ReadForbidden, match="limited to"):
        both.ours.presets.get(SLUG, elsewhere)
    with pytest.raises(ReadForbidden, match="limited to"):
        both.ours.keys.list(elsewhere)
    with pytest.raises(WriteForbidden, match="limited to another workspace"):
        both.ours.presets.archive(SLUG, elsewhere)


def test_a_disabled_preset_is_neither_archived_nor_restored(both: Both) -> None:
    place = _saved(both)
    (preset,) = both.simulator.organization.presets.values()
    preset.status = "disabled"
    for call in (both.ours.presets.archive, both.ours.presets.restore):
        with pytest.raises(Rejected, match="409"):
            call(SLUG, place)
