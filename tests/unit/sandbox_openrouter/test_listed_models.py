"""The catalogue as people find it on a later day: models with a day of removal, with another price, or gone."""

HAIKU, LARGE = "anthropic/claude-haiku-4.5", "mistralai/mistral-large-2411"


def _listed(api):
    return {one["id"]: one for one in api.get("/models").json()["data"]}


def test_a_model_is_listed_as_it_is_said_to_be_and_one_that_is_gone_is_not(api, simulator):
    whole = _listed(api)
    assert whole[HAIKU]["expiration_date"] is None
    simulator.organization.listed_models |= {HAIKU: {"expiration_date": "2026-12-10"}, LARGE: None}
    changed = _listed(api)
    assert changed[HAIKU] == {**whole[HAIKU], "expiration_date": "2026-12-10"}
    assert {*whole} - {*changed} == {LARGE}


def test_a_management_key_expires_when_it_is_said_to(api, simulator):
    assert api.get("/key").json()["data"]["expires_at"] is None
    simulator.organization.management_expires_at = simulator.clock.now() + 86_400
    assert api.get("/key").json()["data"]["expires_at"] == "2026-11-19T11:06:40.000Z"
