"""Codex, as its SDK ships it, with its own tools: nothing but the gateway is there for it."""

import concurrent.futures
import os
import threading

import openai_codex
import pytest
from upstreams import Answer, Call, Reply

MODELS = ["openai/gpt-peer", "anthropic/claude-peer", "bedrock/eu.anthropic.claude-peer-v1:0"]

CONFIGURATION = """
model = "{model}"
model_provider = "hivegate"

[model_providers.hivegate]
name = "Hivegate"
base_url = "{url}/v1"
env_key = "HIVEGATE_API_KEY"
wire_api = "responses"
"""


@pytest.mark.parametrize("model", MODELS)
def test_codex_runs_a_command_and_reports(house, peer, tmp_path, model):
    work, home = tmp_path / "work", tmp_path / "home"
    work.mkdir(), home.mkdir()
    (home / "config.toml").write_text(CONFIGURATION.format(model=model, url=house.url))

    def run_and_report(asked):
        results = asked.dialect.results(asked.body)
        if results:
            return Answer(Reply("Done." if "grüße" in results[-1] else f"Failed: {results}"))
        command = {"cmd": "printf grüße > note.txt; cat note.txt"}
        return Answer(Reply("I write.", calls=[Call("exec_command", command, "call_1")]))

    peer.always = run_and_report
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "CODEX_HOME": str(home),
        "HIVEGATE_API_KEY": house.key,
        # Whatever is not the gateway leads nowhere.
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1",
    }

    def run():
        with openai_codex.Codex(openai_codex.CodexConfig(env=environment, cwd=str(work))) as codex:
            thread = codex.thread_start(
                model=model,
                model_provider="hivegate",
                cwd=str(work),
                sandbox=openai_codex.Sandbox.full_access,
                approval_mode=openai_codex.ApprovalMode.deny_all,
            )
            return thread.run("Write a note.")

    turn = concurrent.futures.Future()
    # One that hangs is left behind: its program ends with this one.
    threading.Thread(target=lambda: turn.set_result(run()), daemon=True).start()
    turn = turn.result(60)
    assert (turn.status.value, turn.final_response) == ("completed", "Done.")
    assert (work / "note.txt").read_text() == "grüße"
    assert {asked.provider.name for asked in peer.asked} == {model.split("/")[0]}
    assert [asked.status for asked in peer.asked] == [200] * len(peer.asked)
