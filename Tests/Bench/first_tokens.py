"""How long a caller who is alone waits for the first piece of text, through each gateway in turn."""

import gc
import time

from event_upstream import EVENTS
from report import progress
from streams import Body, Reader, connect

# A gateway may write its events anew, so that only the text tells them.
FIRST, LAST = b"word 0 ", b"word %d " % (EVENTS - 1)


class FirstTokenClient:
    """One kept connection that asks for streams, one after the other."""

    def __init__(self, port, request):
        self.connection = connect(port)
        self.reader = Reader(self.connection)
        body = request.body.encode()
        lines = [f"{request.method} {request.path} HTTP/1.1", "Host: bench", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in request.headers]
        self.request = "\r\n".join([*lines, "", ""]).encode() + body

    def wait(self):
        """Milliseconds from the request to the first piece; the stream is read to its end."""
        body, first = Body(), None
        start = time.perf_counter_ns()
        self.connection.sendall(self.request)
        while not body.is_whole:
            piece = self.reader.read()
            now = time.perf_counter_ns()
            if not piece:
                raise SystemExit(f"a stream ended early: {bytes(body.content)!r}")
            body.take(piece)
            if first is None and FIRST in body.content:
                first = (now - start) / 1e6
        if first is None or LAST not in body.content:
            raise SystemExit(f"a stream was not whole: {bytes(body.content)!r}")
        return first

    def close(self):
        self.connection.close()


def added(ports, count):
    """Milliseconds that each of `ports` (name → port and request) adds to the `direct` way beside it, `count` times."""
    clients = {name: FirstTokenClient(*way) for name, way in ports.items()}
    waits = {name: [] for name in ports}
    for client in clients.values():
        for _ in range(20):
            client.wait()
    gc.disable()
    for turn in range(count):
        if turn % 100 == 0:
            progress(f"time to the first token: {turn} of {count}")
        # Whoever comes last, and the direct way, are asked twice in a row, with their code still in the caches: so those
        # who have work left after an answer come last, where they are in nobody's way but their own.
        for name in list(ports) if turn % 2 == 0 else reversed(ports):
            waits[name].append(clients[name].wait())
    gc.enable()
    for client in clients.values():
        client.close()
    direct = waits.pop("direct")
    return {
        name: [through - without for through, without in zip(values, direct)] for name, values in waits.items()
    }
