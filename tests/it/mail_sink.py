"""A mail server that keeps what it is given: one file a letter, in the folder that is named first.

Then comes the port (0 takes a free one, which is printed), and for TLS its kind (tls or starttls), certificate and key.
"""

import asyncio
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP

FOLDER, PORT = pathlib.Path(sys.argv[1]), int(sys.argv[2])


class Keep:
    """Keeps letters under names that count up."""

    async def handle_DATA(self, server, session, envelope):
        number = len(list(FOLDER.glob("*.eml"))) + 1
        written = FOLDER / f"{number}.part"
        written.write_bytes(envelope.content)
        written.rename(FOLDER / f"{number}.eml")
        return "250 kept"


async def main():
    wrapped = upgraded = None
    if len(sys.argv) > 3:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[4], sys.argv[5])
        if sys.argv[3] == "tls":
            wrapped = context
        else:
            upgraded = context

    def session():
        return SMTP(Keep(), tls_context=upgraded, require_starttls=upgraded is not None)

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", PORT, ssl=wrapped)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
