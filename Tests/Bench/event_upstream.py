"""An upstream that streams 64 pieces of text as the model in the request says.

burst   all of them in one write
pieces  each in a write of its own, without a pause
spaced  each in a write of its own, 5 ms apart
rapid   each in a write of its own, 1 ms apart
early   the first at once, 5 ms later the others in one write

With the event that names the role, and the one that ends it, a stream of OpenAI's has 66; one more where the request asks
for the usage, as OpenAI has it. Who asks `/v1/messages` gets the same 64 pieces as events of Anthropic's, and the six that surround them.
"""

import asyncio
import re
import sys
import time

EVENTS = 64
PAUSES = {b"spaced": 0.005, b"rapid": 0.001}
EARLY = 0.005
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
MODEL = re.compile(rb'"model": *"(?:\w+/)?(\w+)"')
INCLUDE_USAGE = re.compile(rb'"include_usage": *true')
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


class OpenAI:
    """Events of a chat completion."""

    CHUNK = b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
    BEGIN = chunk(CHUNK + b'"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n')
    USAGE = chunk(
        b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":'
        b'{"prompt_tokens":19,"completion_tokens":150,"total_tokens":169}}\n\n'
    )
    END = chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"

    @classmethod
    def end(cls, body):
        return cls.USAGE + cls.END if INCLUDE_USAGE.search(body) else cls.END

    @classmethod
    def event(cls, index):
        return chunk(
            cls.CHUNK + b'"delta":{"content":"word %d "},"finish_reason":null}],"sent":%d}\n\n'
            % (index, time.monotonic_ns())
        )


def named(name, rest=b""):
    return chunk(b'event: %s\ndata: {"type":"%s"%s}\n\n' % (name, name, rest))


class Anthropic:
    """Events of a message."""

    BEGIN = (
        named(
            b"message_start",
            b',"message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,'
            b'"stop_sequence":null,"usage":{"input_tokens":19,"output_tokens":1}}',
        )
        + named(b"content_block_start", b',"index":0,"content_block":{"type":"text","text":""}')
        + named(b"ping")
    )
    END = (
        named(b"content_block_stop", b',"index":0')
        + named(
            b"message_delta",
            b',"delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":150}',
        )
        + named(b"message_stop")
        + b"0\r\n\r\n"
    )

    @classmethod
    def end(cls, body):
        return cls.END

    @staticmethod
    def event(index):
        return named(
            b"content_block_delta", b',"index":0,"delta":{"type":"text_delta","text":"word %d "}' % index)


class Answer(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.received = b""

    def data_received(self, data):
        self.received += data
        head, separator, body = self.received.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not separator or length and len(body) < int(length.group(1)):
            return
        self.received = b""
        if head.startswith(b"GET "):
            # Some gateways ask how their upstream is.
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
            return
        model = MODEL.search(body).group(1)
        events = Anthropic if b" /v1/messages" in head[:head.index(b"\r\n")] else OpenAI
        end = events.end(body)
        if model == b"burst":
            self.transport.write(HEAD + events.BEGIN + b"".join(map(events.event, range(EVENTS))) + end)
            return
        self.transport.write(HEAD)
        self.transport.write(events.BEGIN)
        if model == b"pieces":
            for index in range(EVENTS):
                self.transport.write(events.event(index))
            self.transport.write(end)
        elif model == b"early":
            self.transport.write(events.event(0))
            asyncio.get_running_loop().call_later(EARLY, self.rest, events, end)
        else:
            self.next(events, end, 0, PAUSES[model])

    def rest(self, events, end):
        if not self.transport.is_closing():
            self.transport.write(b"".join(map(events.event, range(1, EVENTS))) + end)

    def next(self, events, end, index, pause):
        if self.transport.is_closing():
            return
        if index == EVENTS:
            self.transport.write(end)
            return
        self.transport.write(events.event(index))
        asyncio.get_running_loop().call_later(pause, self.next, events, end, index + 1, pause)


async def serve(port):
    server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
