"""Memory of idle connections."""

import socket
import time

from processes import resident_kilobytes


def kilobytes_each(server, key, count):
    """Opens `count` connections, asks once on each, leaves them idle, and says what one costs in memory."""
    request = (
        b'POST /v1/chat/completions HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\nContent-Length: 72\r\n\r\n'
        b'{"model":"sandbox/echo","messages":[{"role":"user","content":"hello!"}]}' % key.encode()
    )
    opened = []
    try:
        opened.append(ask(server.port, request))
        before = resident_kilobytes(server.pid)
        opened.extend(ask(server.port, request) for _ in range(count))
        time.sleep(1)
        after = resident_kilobytes(server.pid)
        # All of them still work.
        for connection in opened[:: max(1, count // 50)]:
            exchange(connection, request)
        return (after - before) / count
    finally:
        for connection in opened:
            connection.close()


def ask(port, request):
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    exchange(connection, request)
    return connection


def exchange(connection, request):
    connection.sendall(request)
    answer = connection.recv(65_536)
    if not answer.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"an idle connection got {answer[:500]!r}")
