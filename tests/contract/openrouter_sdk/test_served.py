"""Over a real connection: lost answers, latency, the command line, and a thousand keys a client can walk."""

import json
import subprocess
import sys
import threading

import httpx
import pytest

from sandbox.openrouter import Simulator

MANAGEMENT = "sk-or-v1-fake-management"
HEADERS = {"Authorization": f"Bearer {MANAGEMENT}"}


@pytest.fixture
def simulator():
    return Simulator(MANAGEMENT, seed=1)


@pytest.fixture
def client(simulator):
    with simulator.serve() as url, httpx.Client(base_url=url, headers=HEADERS) as client:
        yield client


@pytest.mark.parametrize(("mode", "happened"), [("reset", False), ("fail_before", False), ("fail_after", True)])
def test_a_lost_answer_is_a_closed_connection(simulator, client, mode, happened):
    key, _ = simulator.create_key("target")
    simulator.fault("/keys/{hash}", mode, method="PATCH")
    with pytest.raises(httpx.RemoteProtocolError):
        client.patch(f"/keys/{key.hash}", json={"disabled": True})
    assert client.get(f"/keys/{key.hash}").json()["data"]["disabled"] is happened


def test_an_answer_later_than_the_clients_patience_is_a_timeout_after_the_effect(simulator, client):
    key, _ = simulator.create_key("target")
    simulator.fault("/keys/{hash}", "slow", seconds=0.5)
    with pytest.raises(httpx.ReadTimeout):
        client.patch(f"/keys/{key.hash}", json={"disabled": True}, timeout=0.1)
    with simulator.lock:
        assert key.disabled


def test_a_broken_connection_harms_no_other_on_the_way(simulator, client):
    simulator.fault("/credits", "reset", times=None)
    failures: list[Exception] = []

    def fail() -> None:
        try:
            client.get("/credits")
        except httpx.RemoteProtocolError as error:
            failures.append(error)

    threads = [threading.Thread(target=fail) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert [client.get("/keys").status_code for _ in range(8)] == [200] * 8
    for thread in threads:
        thread.join()
    assert len(failures) == 4


def test_a_walk_of_every_page_finds_every_key(simulator, client):
    hashes = {simulator.create_key(f"key-{number}")[0].hash for number in range(950)}
    pages = [client.get("/keys", params={"offset": offset}).json()["data"] for offset in range(0, 1000, 100)]
    assert {key["hash"] for page in pages for key in page} == hashes


def test_a_broadcast_arrives_after_the_answer(simulator, client):
    receiver = Simulator(MANAGEMENT)
    workspace = simulator.organization.default_workspace
    workspace.settings["is_observability_broadcast_enabled"] = True
    _, plaintext = simulator.create_key("caller")
    with receiver.serve() as url:
        config = {"url": f"{url}/traces"}
        body = {"type": "webhook", "name": "tap", "config": config}
        assert client.post("/observability/destinations", json=body).status_code == 201
        chat = {"model": "openai/gpt-5.1", "messages": [{"role": "user", "content": "hi"}]}
        answer = client.post("/chat/completions", json=chat, headers={"Authorization": f"Bearer {plaintext}"})
        assert answer.status_code == 200
        # The connection that was answered runs the delivery before it takes its next request.
        client.get("/credits")
        simulator.broadcaster.wait()
    (delivered,) = simulator.broadcaster.delivered
    assert (delivered.url, delivered.status) == (config["url"], 404)


def test_the_command_prints_its_address_once_it_listens(tmp_path):
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps({"credits": 12, "keys": [{"name": "declared"}]}))
    command = [sys.executable, "-m", "sandbox.openrouter", "--management-key", MANAGEMENT, "--seed", str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            assert httpx.get(f"{url}/credits", headers=HEADERS).json()["data"]["total_credits"] == 12
            assert [key["name"] for key in httpx.get(f"{url}/keys", headers=HEADERS).json()["data"]] == ["declared"]
        finally:
            process.terminate()
