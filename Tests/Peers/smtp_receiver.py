"""A mail server for tests, as a process of its own: what it takes lies in a folder, one file for each mail.

usage: smtp_receiver.py PORT FOLDER [--auth USER PASSWORD] [--tls CERTIFICATE KEY] [--implicit] [--answers CODE,…]
       [--hang]
"""

import argparse
import asyncio
import json
import pathlib
import ssl
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Taker:
    """Gives the answers that it was told to, one after the other, and then takes everything."""

    def __init__(self, folder, answers, hangs):
        self.folder, self.answers, self.hangs, self.count = folder, answers, hangs, 0

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        (self.folder / "ehlo").write_text(hostname)
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.answers and self.answers[0].startswith("rcpt"):
            return f"{self.answers.pop(0)[4:]} not now"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        (self.folder / "tries").write_text(str(self.count))
        if self.hangs:
            await asyncio.sleep(3600)
        if self.answers:
            return f"{self.answers.pop(0)} as it was told"
        taken = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "content": envelope.content.decode("ascii"),
            "tls": server.transport.get_extra_info("ssl_object") is not None,
            "authenticated": bool(session.authenticated),
        }
        name = f"{time.time_ns()}"
        (self.folder / f"{name}.part").write_text(json.dumps(taken))
        (self.folder / f"{name}.part").rename(self.folder / f"{name}.json")
        return "250 taken"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--auth", nargs=2)
    parser.add_argument("--tls", nargs=2)
    parser.add_argument("--implicit", action="store_true")
    parser.add_argument("--answers", default="")
    parser.add_argument("--hang", action="store_true")
    options = parser.parse_args()
    context = None
    if options.tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*options.tls)

    def authenticate(server, session, envelope, mechanism, data):
        wanted = LoginPassword(*(text.encode() for text in options.auth))
        return AuthResult(success=data == wanted, handled=False)

    settings = {"hostname": "receiver.test"}
    if options.auth:
        # It knows only of TLS that it has begun itself.
        needs_tls = bool(options.tls) and not options.implicit
        settings |= {"authenticator": authenticate, "auth_required": True, "auth_require_tls": needs_tls}
    if context and not options.implicit:
        settings |= {"tls_context": context, "require_starttls": True}

    taker = Taker(options.folder, [code for code in options.answers.split(",") if code], options.hang)

    class Receiver(Controller):
        def factory(self):
            return SMTP(self.handler, **settings)

    controller = Receiver(
        taker, hostname="127.0.0.1", port=options.port, ssl_context=context if options.implicit else None
    )
    controller.start()
    while True:
        time.sleep(3600)


main()
