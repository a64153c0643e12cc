"""A provider in OpenAI's dialect, which counts how often it was asked."""

import http.server
import json
import sys
import threading
import time


class Provider(http.server.ThreadingHTTPServer):
    """Says after a moment what `content` says of a request's key and number, and that it took so many tokens.

    `last` is what it was asked last.
    """

    request_queue_size = 256
    daemon_threads = True

    def __init__(self, resources, pause=0.0, content=lambda key, number: f"answer {number}", usage=lambda number: (5, 2)):
        super().__init__(("127.0.0.1", 0), Answers)
        self.asked, self.last, self.pause, self.lock = 0, None, pause, threading.Lock()
        self.content, self.usage = content, usage
        # Of each answer: the tokens that it has read and written, as it says.
        self.used = []
        resources.callback(self.server_close)
        resources.callback(self.shutdown)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """Gateways are killed while they are answered."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.server.lock:
            self.server.asked += 1
            self.server.last = asked
            number = self.server.asked
        time.sleep(self.server.pause)
        content = self.server.content(self.headers["authorization"].removeprefix("Bearer "), number)
        prompt, completion = self.server.usage(number)
        # No answer is longer than it may be.
        completion = min(asked.get("max_completion_tokens", completion), asked.get("max_tokens", completion))
        choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
        with self.server.lock:
            self.server.used.append((prompt, completion))
        usage = {
            "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
        body = json.dumps({"choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass
