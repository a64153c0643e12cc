"""Claude Code, as its SDK ships it, with its own tools: nothing but the gateway is there for it."""

import asyncio

import claude_agent_sdk
import pytest
from upstreams import Answer, Call, Reply

MODELS = ["anthropic/claude-peer", "openai/gpt-peer", "gemini/gemini-peer"]


@pytest.mark.parametrize("model", MODELS)
def test_claude_code_writes_a_file_and_reports(house, peer, tmp_path, model):
    work, home = tmp_path / "work", tmp_path / "home"
    work.mkdir(), home.mkdir()
    note = work / "note.txt"

    def write_and_report(asked):
        results = asked.dialect.results(asked.body)
        if results:
            return Answer(Reply(f"Done: {len(results)}."))
        if not asked.body.get("tools"):
            return Answer(Reply("A note"))
        return Answer(Reply("I write.", calls=[Call("Write", {"file_path": str(note), "content": "grüße"}, "toolu_1")]))

    peer.always = write_and_report
    options = claude_agent_sdk.ClaudeAgentOptions(
        model=model,
        cwd=work,
        allowed_tools=["Write"],
        permission_mode="acceptEdits",
        max_turns=5,
        setting_sources=[],
        env={
            "ANTHROPIC_BASE_URL": house.url,
            "ANTHROPIC_API_KEY": house.key,
            "ANTHROPIC_DEFAULT_HAIKU_MODEL": model,
            "ANTHROPIC_SMALL_FAST_MODEL": model,
            "HOME": str(home),
            "CLAUDE_CONFIG_DIR": str(home),
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            # Whatever is not the gateway leads nowhere.
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "NO_PROXY": "127.0.0.1",
        },
    )

    async def run():
        return [message async for message in claude_agent_sdk.query(prompt="Write a note.", options=options)]

    messages = asyncio.run(asyncio.wait_for(run(), 90))
    result = messages[-1]
    assert isinstance(result, claude_agent_sdk.ResultMessage)
    assert (result.is_error, result.subtype, result.result) == (False, "success", "Done: 1.")
    assert note.read_text() == "grüße"
    assert {asked.provider.name for asked in peer.asked} == {model.split("/")[0]}
    assert [asked.status for asked in peer.asked] == [200] * len(peer.asked)
