"""Event streams: what the way through a gateway adds, and whether an event ever stalls."""

import gc
import re
import socket
import time

from event_upstream import EVENTS

SENT = re.compile(rb'"sent":(\d+)}')
LAST_EVENT = b"data: [DONE]\n\n"


class Body:
    """An answer as it comes, out of its chunks: proxies cut them as they like."""

    def __init__(self):
        self.received = bytearray()
        self.content = bytearray()
        self.is_whole = False
        self.has_head = False

    def take(self, piece):
        self.received += piece
        if not self.has_head:
            end = self.received.find(b"\r\n\r\n")
            if end < 0:
                return
            if not self.received.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"a stream was refused: {bytes(self.received)!r}")
            self.has_head = True
            del self.received[:end + 4]
        while not self.is_whole:
            line = self.received.find(b"\r\n")
            size = int(self.received[:line], 16) if line > 0 else None
            if size is None or len(self.received) < line + 2 + size + 2:
                return
            self.content += self.received[line + 2:line + 2 + size]
            del self.received[:line + 2 + size + 2]
            self.is_whole = size == 0


class Reader:
    """Reads into memory that it keeps: a new buffer for each read is the work of the kernel, while others need the core."""

    def __init__(self, connection):
        self.connection = connection
        self.buffer = memoryview(bytearray(262_144))

    def read(self):
        return self.buffer[:self.connection.recv_into(self.buffer)]


def connect(port):
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


class StreamClient:
    """One kept connection that asks for streams, one after the other."""

    def __init__(self, port, key, model):
        self.connection = connect(port)
        self.reader = Reader(self.connection)
        body = b'{"model":"%s","stream":true,"messages":[{"role":"user","content":"Go."}]}' % model.encode()
        self.request = (
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (key.encode(), len(body), body)
        )

    def stream(self):
        """Milliseconds from the request to the last event, and each event's delay since it was sent."""
        body, delays, end, scanned = Body(), [], None, 0
        start = time.perf_counter_ns()
        self.connection.sendall(self.request)
        while not body.is_whole:
            piece = self.reader.read()
            now, clock = time.perf_counter_ns(), time.monotonic_ns()
            if not piece:
                raise SystemExit(f"a stream ended early: {bytes(body.content)!r}")
            body.take(piece)
            for match in SENT.finditer(body.content, scanned):
                delays.append((clock - int(match.group(1))) / 1e6)
                scanned = match.end()
            if end is None and body.content.endswith(LAST_EVENT):
                end = (now - start) / 1e6
        if len(delays) != EVENTS or end is None:
            raise SystemExit(f"a stream had {len(delays)} events: {bytes(body.content)!r}")
        return end, delays

    def close(self):
        self.connection.close()


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def compare(ports, key, model, count):
    """`count` streams over each of `ports` (name → port), in turns: name → (times, delays)."""
    clients = {name: StreamClient(port, key, model) for name, port in ports.items()}
    results = {name: ([], []) for name in ports}
    for client in clients.values():
        for _ in range(3):
            client.stream()
    gc.disable()
    for turn in range(count):
        names = list(ports) if turn % 2 == 0 else list(reversed(ports))
        for name in names:
            end, delays = clients[name].stream()
            results[name][0].append(end)
            results[name][1].extend(delays)
    gc.enable()
    for client in clients.values():
        client.close()
    return results
