"""An upstream that streams 64 events as the model in the request says.

burst   all of them in one write
pieces  each in a write of its own, without a pause
spaced  each in a write of its own, 5 ms apart
rapid   each in a write of its own, 1 ms apart
"""

import asyncio
import re
import sys
import time

EVENTS = 64
PAUSES = {b"spaced": 0.005, b"rapid": 0.001}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
MODEL = re.compile(rb'"model": *"(?:openai/)?(\w+)"')
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def event(index):
    return chunk(
        b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":'
        b'[{"index":0,"delta":{"content":"word %d "},"finish_reason":null}],"sent":%d}\n\n'
        % (index, time.monotonic_ns())
    )


END = chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"


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
        if model == b"burst":
            self.transport.write(HEAD + b"".join(map(event, range(EVENTS))) + END)
        elif model == b"pieces":
            self.transport.write(HEAD)
            for index in range(EVENTS):
                self.transport.write(event(index))
            self.transport.write(END)
        else:
            self.transport.write(HEAD)
            self.next(0, PAUSES[model])

    def next(self, index, pause):
        if self.transport.is_closing():
            return
        if index == EVENTS:
            self.transport.write(END)
            return
        self.transport.write(event(index))
        asyncio.get_running_loop().call_later(pause, self.next, index + 1, pause)


async def serve(port):
    server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
