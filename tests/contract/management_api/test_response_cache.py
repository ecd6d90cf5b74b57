"""What Governor asks is answered by who would serve now, and not by OpenRouter's response cache."""

import httpx

from sandbox.openrouter.scripts import Script
from tests.contract.management_api.conftest import Both

KEY = "prod-triage"
REQUEST = {"model": "@preset/triage", "messages": [{"role": "user", "content": "Are you there?"}], "stream": False}


def test_a_probe_without_the_header_is_answered_by_the_former_version_and_ours_by_the_new_one(both: Both) -> None:
    both.simulator.organization.scripts += [Script("former", system="Version one"), Script("new", system="Version two")]
    ours, _ = both.as_key(KEY)

    def save(prompt: str) -> None:
        system, user = {"role": "system", "content": prompt}, {"role": "user", "content": "Saved."}
        body = {"model": "openai/gpt-5-mini", "messages": [system, user], "cache_enabled": True}
        assert ours.presets.save("triage", body).designated_version is not None

    def without_the_header() -> str:
        headers = {"Authorization": f"Bearer {both.keys[KEY]}"}
        answer = httpx.post(f"{both.base_url}/chat/completions", json=REQUEST, headers=headers).json()
        return str(answer["choices"][0]["message"]["content"])

    save("Version one")
    assert without_the_header() == "former"
    save("Version two")
    assert without_the_header() == "former"
    assert ours.chat(REQUEST).choices[0].message.content == "new"
    assert ours.chat(REQUEST, metadata=True).choices[0].message.content == "new"
