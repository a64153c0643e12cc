"""The server behind which all the providers are."""

import asyncio
import base64
import dataclasses
import json
import re
import threading
import time

from . import azure_classic, bedrock, cohere, gemini, ollama, openai_chat
from .providers import DIALECTS, PROVIDERS, Provider, environment
from .reply import Answer
from .wire import Refused

__all__ = ["Provider", "Upstreams"]

EMBEDDINGS = {"/embeddings": openai_chat, ":batchEmbedContents": gemini, "/v2/embed": cohere, "/api/embed": ollama}


@dataclasses.dataclass
class Asked:
    """A request, and what became of its answer."""

    provider: Provider
    method: str
    path: str
    fields: dict
    """By their names in lower case."""
    raw: bytes
    at: float
    body: dict = None
    dialect: object = None
    status: int = None
    events_sent: int = 0
    left_at: float = None
    """When the gateway closed the connection before the answer was over."""
    is_over: bool = False
    is_odd: bool = False
    """Whether it was answered with what its dialect would not say."""

    @property
    def is_faulty(self):
        """Whether the gateway may think less of the provider."""
        return self.status not in (200, 400, 404) or not self.is_over or self.is_odd


class Upstreams:
    """Answers what it is told to, in order, and in between as a provider that is well."""

    def __init__(self, port=0):
        self.asked = []
        self.troubles = []
        self.script = []
        self.always = None
        self.connections = set()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.server = self.on_loop(asyncio.start_server(self.serve, "127.0.0.1", port, limit=64 * 1024 * 1024, backlog=1024))
        self.port = self.server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = environment(self.url)

    def on_loop(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def will(self, *answers):
        """What the next requests for something to be made are answered with."""
        self.script += answers

    def reset(self):
        self.script, self.always, self.asked, self.troubles = [], None, [], []

    @property
    def last(self):
        return self.asked[-1]

    def stop(self):
        async def end():
            self.server.close()
            for task in [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]:
                task.cancel()

        self.on_loop(end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    @property
    def results(self):
        """What tools have answered, as the last request says it."""
        return self.last.dialect.results(self.last.body)

    # MARK: Requests

    async def serve(self, reader, writer):
        try:
            while await self.exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def exchange(self, reader, writer):
        """One request and its answer; false where the connection is over then."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        pairs = [line.split(":", 1) for line in head[1:] if line]
        fields = {name.lower(): value.strip() for name, value in pairs}
        raw = await reader.readexactly(int(fields.get("content-length", 0)))
        asked = Asked(self.provider(target), method, target, fields, raw, time.monotonic())
        answer = Answer()
        if method == "POST":
            self.asked.append(asked)
        try:
            self.check_key(asked)
            if method == "GET":
                return await self.show(asked, writer)
            made = self.made(asked)
            if self.script:
                answer = self.script.pop(0)
            elif self.always:
                answer = self.always(asked)
            if callable(answer):
                answer = answer(asked)
            return await self.answer(asked, answer, made, reader, writer)
        except Refused as refusal:
            asked.status = refusal.status
            dialect = asked.dialect or openai_chat
            return await self.whole(asked, Answer(status=refusal.status), writer, dialect.error(refusal.status, str(refusal)))
        except (AssertionError, ImportError, KeyError, TypeError, ValueError) as error:
            # What the gateway sent, or a script, was not thought of: the test is to see it.
            self.troubles.append(error)
            asked.status = 500
            return await self.whole(asked, Answer(status=500), writer, openai_chat.error(500, repr(error)))

    def provider(self, target):
        return PROVIDERS[target.split("/")[1]]

    async def show(self, asked, writer):
        model = asked.provider.model.split("/", 1)[1]
        return await self.whole(asked, Answer(), writer, openai_chat.models([model]))

    def check_key(self, asked):
        if asked.provider.name == "bedrock":
            return bedrock.check_signature(asked.method, self.url + asked.path, asked.fields, asked.raw)
        if asked.fields.get(asked.provider.key_field) != asked.provider.key_is:
            raise Refused("Incorrect API key provided", 401)

    def made(self, asked):
        """The value of what is answered whole and at once; nil where it is a conversation's to say."""
        if asked.provider.name == "stability":
            return self.drawn(asked)
        asked.body = json.loads(asked.raw)
        asked.dialect = next((dialect for dialect in [asked.provider.chat, *DIALECTS] if dialect.is_mine(asked.path)), None)
        if asked.dialect:
            asked.dialect.check(asked.path, asked.body)
            if asked.path.endswith(("count_tokens", ":countTokens", "/count-tokens")):
                return asked.dialect.count(asked.body)
            return None
        path = asked.path.split("?")[0]
        if "/deployments/" in path:
            azure_classic.check_place(asked.path, asked.body)
        for ending, dialect in EMBEDDINGS.items():
            if path.endswith(ending):
                return dialect.embeddings(asked.body)
        if path.endswith("/images/generations"):
            return openai_chat.images(asked.body)
        raise Refused(f"there is no {asked.path}", 404)

    def drawn(self, asked):
        boundary = re.search(r"boundary=\"?([^\";]+)", asked.fields["content-type"])[1].encode()
        parts = asked.raw.split(b"--" + boundary)
        asked.body = {}
        for part in parts[1:-1]:
            head, value = part.split(b"\r\n\r\n", 1)
            asked.body[re.search(rb'name="([^"]+)"', head)[1].decode()] = value.removesuffix(b"\r\n").decode()
        if not asked.body.get("prompt") or parts[-1].strip() != b"--":
            raise Refused("prompt: cannot be blank")
        image = base64.b64encode(b"\x89PNG drawn").decode()
        return {"image": image, "finish_reason": "SUCCESS", "seed": 343940597}

    # MARK: Answers

    async def answer(self, asked, answer, made, reader, writer):
        asked.status = answer.status
        asked.is_odd = answer.body is not None or bool(answer.extra_length)
        if answer.status >= 400:
            value = (asked.dialect or openai_chat).error(answer.status, answer.message)
            return await self.whole(asked, answer, writer, value)
        if made is not None or answer.body is not None:
            return await self.whole(asked, answer, writer, made)
        if not asked.dialect.is_stream(asked.path, asked.body):
            if answer.silence[1]:
                await self.wait(asked, answer.silence[1], reader)
            return await self.whole(asked, answer, writer, asked.dialect.whole(answer.reply, asked.body))
        return await self.stream(asked, answer, reader, writer)

    async def whole(self, asked, answer, writer, value):
        encode = (asked.dialect or openai_chat).encode
        body = answer.body if answer.body is not None else encode(value)
        fields = {"Content-Type": answer.content_type or "application/json", "Content-Length": str(len(body) + answer.extra_length)}
        writer.write(self.head(answer.status, fields | answer.fields) + body)
        await writer.drain()
        asked.is_over = True
        return not answer.extra_length

    async def stream(self, asked, answer, reader, writer):
        types = {bedrock: "application/vnd.amazon.eventstream", ollama: "application/x-ndjson"}
        content_type = answer.content_type or types.get(asked.dialect, "text/event-stream; charset=utf-8")
        after, pause = answer.silence
        is_text = asked.dialect is not bedrock
        # Nothing at all is said where the silence is before the first event.
        has_begun = False
        for event in asked.dialect.events(answer.reply, asked.body):
            if pause and asked.events_sent == after:
                await self.wait(asked, pause, reader)
            if not has_begun:
                writer.write(self.head(200, {"Content-Type": content_type, "Transfer-Encoding": "chunked"} | answer.fields))
                has_begun = True
            if asked.events_sent == answer.cut_after:
                await writer.drain()
                return False
            if is_text and answer.has_crlf and not event.endswith(b"\r\n\r\n"):
                event = event.replace(b"\n", b"\r\n")
            if answer.has_comments and is_text:
                event = b": a comment\n\n: another: one\n\n" + event
            step = answer.piece or len(event)
            for start in range(0, len(event), step):
                piece = event[start : start + step]
                writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                if answer.piece:
                    await writer.drain()
                    # Each is to be a read of its own as far as that can be had.
                    await asyncio.sleep(0)
            asked.events_sent += 1
            await writer.drain()
            if self.is_gone(reader, writer):
                asked.left_at = time.monotonic()
                return False
            if answer.pause:
                await self.wait(asked, answer.pause, reader)
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        asked.is_over = True
        return True

    def head(self, status, fields):
        lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in fields.items())]
        return "\r\n".join([*lines, "", ""]).encode()

    async def wait(self, asked, seconds, reader):
        """Notices when nobody waits any more."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await asyncio.sleep(min(0.02, seconds))
            if self.is_gone(reader, None):
                asked.left_at = time.monotonic()
                raise ConnectionResetError

    def is_gone(self, reader, writer):
        return reader.at_eof() or reader.exception() is not None or (writer is not None and writer.is_closing())
