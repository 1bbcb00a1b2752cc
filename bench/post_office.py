"""The simulator's mail server as a process: takes our answers over SMTP, and offers IMAP where Dovecot is missing.

`python -m bench.post_office SMTP_PORT IMAP_PORT`; ends when standard input closes.
"""

from __future__ import annotations

import asyncio
import sys

from simulator import Mail, Mailbox, start

ADDRESS = "cs@akseleran.example"
PASSWORD = "bench-mail-password"


async def serve(smtp_port: int, imap_port: int) -> None:
    """Serves until standard input closes."""
    mail = Mail([Mailbox(ADDRESS, PASSWORD)], smtp_port=smtp_port, imap_port=imap_port)
    async with await start([mail]):
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
