"""What is counted of each request to a provider, beside what the provider has said and the client has read."""

import re
import time
import urllib.request
from collections import Counter

import pytest
from conftest import Gateway, kept_well, wait_until
from families import HELLO, LONG, TEXT, every_family, families, says
from upstreams import Answer, Reply

openai = pytest.importorskip("openai", reason="OpenAI's client is not in this environment")
anthropic = pytest.importorskip("anthropic", reason="Anthropic's client is not in this environment")

FRONTS = ["chat", "responses", "messages"]
# Long enough to be left or cut in the middle, and what it would have cost.
STORY, STORY_TOKENS = " ".join([LONG] * 20), 2400
# Who says at the beginning what was read.
FORETELLING = {"anthropic", "gemini"}
# Who does not say what its cache held.
CACHELESS = {"cohere", "ollama"}
# Who says with every piece what was made so far.
COUNTING = {"gemini"}


@pytest.fixture(scope="module")
def counting(providers):
    """A gateway that nobody else asks, so that nothing is counted but what is asked here."""
    instance = Gateway(providers.environment).start()
    yield instance
    instance.remove()


@pytest.fixture
def peer(providers, counting):
    with kept_well(providers, counting):
        yield providers


class Counts:
    """What a provider's counters gain."""

    def __init__(self, gateway, provider):
        self.gateway, self.provider = gateway, provider
        self.before = self.settled()

    def read(self):
        with urllib.request.urlopen(self.gateway.url + "/metrics", timeout=5) as answer:
            text = answer.read().decode()
        found = Counter()
        for family, written, value in re.findall(r"^hivegate_(\w+)\{(.*)\} (\d+)$", text, re.MULTILINE):
            labels = dict(re.findall(r'(\w+)="([^"]*)"', written))
            if labels.get("provider") == self.provider and family in KEYS:
                found[KEYS[family](labels)] += int(value)
        return found

    def settled(self):
        """An answer is counted when its last byte is written, and may be read before that."""
        counts = None
        while counts != (counts := self.read()):
            time.sleep(0.03)
        return counts

    def gained(self, *outcomes):
        """What has changed since, when as many requests are counted as there are `outcomes`."""

        def is_counted():
            return sum((self.read() - self.before)[outcome] for outcome in OUTCOMES) >= len(outcomes)

        wait_until(is_counted, 10, f"the count of {len(outcomes)} requests")
        gain = self.settled() - self.before
        asked = {name: gain.pop(name) for name in OUTCOMES if name in gain}
        assert asked == Counter(outcomes)
        return gain


OUTCOMES = ["answered", "failed", "abandoned"]
KEYS = {
    "provider_requests_total": lambda labels: labels["outcome"] if labels["kind"] == "chat" else labels["kind"],
    "tokens_total": lambda labels: f"{labels['kind']} tokens",
    "usage_estimated_total": lambda labels: "guesses",
}


def tokens(reply, family):
    """What the provider says that the reply takes, in the kinds that its dialect tells apart."""
    cached = reply.cached if family.name not in CACHELESS else 0
    thought = 3 if reply.thought and family.name == "gemini" else 0
    kinds = {"input": reply.input - cached, "cache_read": cached, "output": reply.output - thought, "reasoning": thought}
    return {f"{kind} tokens": count for kind, count in kinds.items() if count}


class Asker:
    """Asks with the client that belongs to a front."""

    def __init__(self, gateway, front, retries=0):
        self.front = front
        self.openai = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=retries)
        self.anthropic = anthropic.Anthropic(base_url=gateway.url, api_key=gateway.key, max_retries=retries)

    def ask(self, model, **more):
        if self.front == "messages":
            return self.anthropic.messages.create(model=model, max_tokens=4000, messages=HELLO, **more)
        if self.front == "responses":
            return self.openai.responses.create(model=model, input="hello there", **more)
        return self.openai.chat.completions.create(model=model, messages=HELLO, **more)

    def words(self, event):
        """What an event of a stream says."""
        if self.front == "messages":
            return event.delta.text if event.type == "content_block_delta" and event.delta.type == "text_delta" else ""
        if self.front == "responses":
            return event.delta if event.type == "response.output_text.delta" else ""
        return "".join(choice.delta.content or "" for choice in event.choices)

    def told(self, answer):
        """What a whole answer says that it took."""
        usage = answer.usage
        if self.front == "chat":
            return usage.prompt_tokens, usage.completion_tokens
        cached = (usage.cache_read_input_tokens or 0) if self.front == "messages" else 0
        return usage.input_tokens + cached, usage.output_tokens


@every_family
@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("more", [{}, {"cached": 5}, {"thought": "Hm, hm.", "signature": "c2ln"}], ids=["plain", "cached", "thought"])
def test_an_answer_counts_what_the_provider_says(counting, peer, family, front, more):
    counts, asker, reply = Counts(counting, family.name), Asker(counting, front), Reply(TEXT, **more)
    peer.will(Answer(reply), Answer(reply))
    assert asker.told(asker.ask(family.model)) == (reply.input, reply.output)
    assert counts.gained("answered") == tokens(reply, family)
    assert "".join(asker.words(event) for event in asker.ask(family.model, stream=True)) == TEXT
    twice = {kind: 2 * count for kind, count in tokens(reply, family).items()}
    assert counts.gained("answered", "answered") == twice


@every_family
@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "stream"])
def test_of_a_failure_that_is_made_good_one_request_is_billed(counting, peer, family, front, is_stream):
    counts = Counts(counting, family.name)
    peer.will(Answer(status=503), says())
    answer = Asker(counting, front).ask(family.model, stream=is_stream)
    if is_stream:
        list(answer)
    assert [asked.status for asked in peer.asked] == [503, 200]
    assert counts.gained("failed", "answered") == tokens(Reply(), family)


@every_family
def test_what_the_provider_refuses_is_billed_nothing(counting, peer, family):
    counts = Counts(counting, family.name)
    peer.will(Answer(status=400), Answer(status=400))
    for front in ["chat", "messages"]:
        with pytest.raises((openai.BadRequestError, anthropic.BadRequestError)):
            Asker(counting, front).ask(family.model)
    assert not counts.gained("failed", "failed")


def check_part(gain, family, seen, sent):
    """That the tokens counted are those of a part of the story: of no less than the client has seen of it, and no more
    than was sent."""
    made = gain["output tokens"]
    if family.name in COUNTING:
        # As said with one of the pieces.
        assert len(seen) * STORY_TOKENS // len(STORY) <= made <= -(-len(sent) * STORY_TOKENS // len(STORY))
        assert not gain["guesses"]
    else:
        # A token is some characters.
        assert len(seen) / 8 <= made <= len(sent) / 2
        assert gain["guesses"] == 1
    if family.name in FORETELLING:
        assert gain["input tokens"] == 11
    else:
        assert 2 <= gain["input tokens"] <= 20
    assert set(gain) <= {"input tokens", "output tokens", "guesses"}


@every_family
@pytest.mark.parametrize("front", FRONTS)
def test_a_client_that_leaves_is_billed_what_it_has_read(counting, peer, family, front):
    counts, asker = Counts(counting, family.name), Asker(counting, front)
    peer.will(Answer(Reply(STORY, output=STORY_TOKENS), pause=0.01))
    stream = asker.ask(family.model, stream=True)
    seen, pieces = "", 0
    for event in stream:
        words = asker.words(event)
        seen, pieces = seen + words, pieces + bool(words)
        if pieces == 5:
            break
    stream.close()
    gain = counts.gained("abandoned")
    wait_until(lambda: peer.last.left_at, 5, "the end of the request to the provider")
    assert STORY.startswith(seen) and len(seen) >= 5
    check_part(gain, family, seen, STORY[: 7 * peer.last.events_sent])


@families("openai", "azure", "anthropic", "openai-responses")
@pytest.mark.parametrize("front", FRONTS)
def test_who_leaves_with_the_last_word_has_had_a_whole_answer(counting, peer, family, front):
    """OpenAI's client closes the connection as soon as the end is said, and the provider's may stay open for a while."""
    counts = Counts(counting, family.name)
    peer.will(Answer(pause=0.05))
    list(Asker(counting, front).ask(family.model, stream=True))
    assert counts.gained("answered") == tokens(Reply(), family)


@every_family
@pytest.mark.parametrize("front", FRONTS)
def test_a_stream_that_the_provider_cuts_is_billed_as_far_as_it_came(counting, peer, family, front):
    counts, asker = Counts(counting, family.name), Asker(counting, front)
    peer.will(Answer(Reply(STORY, output=STORY_TOKENS), cut_after=40, pause=0.002))
    seen = ""
    with pytest.raises((openai.APIError, anthropic.APIError)):
        for event in asker.ask(family.model, stream=True):
            seen += asker.words(event)
    gain = counts.gained("failed")
    assert STORY.startswith(seen) and len(peer.asked) == 1
    check_part(gain, family, seen, STORY[: 7 * 40])


@every_family
def test_a_client_that_leaves_before_the_first_word_is_billed_what_it_asked(counting, peer, family):
    counts = Counts(counting, family.name)
    peer.will(Answer(silence=(0, 20.0)))
    with pytest.raises(openai.APITimeoutError):
        Asker(counting, "chat").openai.with_options(timeout=0.5).chat.completions.create(model=family.model, messages=HELLO)
    gain = counts.gained("abandoned")
    assert 2 <= gain.pop("input tokens") <= 20
    assert gain == {"guesses": 1}
