"""The mailbox that both read: a real Dovecot where it is installed and we are root, else the simulator's pymap."""

from __future__ import annotations

import imaplib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import machine, post_office

_DOVECOT = """
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/log
protocols = imap
listen = 127.0.0.1
default_login_user = nobody
default_internal_user = nobody
default_internal_group = nogroup
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
first_valid_gid = 1
disable_plaintext_auth = no
auth_mechanisms = plain login
mail_location = maildir:{home}/mail/%u
ssl = no
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={home}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where both clients fetch, and where ours hands in its answers."""

    name: str
    imap_port: int
    smtp_port: int
    client: imaplib.IMAP4

    def stage(self, mails: Sequence[bytes]) -> None:
        """Puts mails aside, from where `release` takes them."""
        self.client.create("Stage")
        for mail in mails:
            self.client.append("Stage", None, None, mail)

    def folder(self, name: str, mail: bytes) -> None:
        """A new folder with one mail in it."""
        self.client.create(name)
        self.client.append(name, None, None, mail)

    def release(self, name: str) -> None:
        """Lets every mail that was put aside appear in a folder."""
        self.client.select("Stage", readonly=True)
        status, _ = self.client.copy("1:*", name)
        if status != "OK":
            raise RuntimeError("the mail server does not copy")


@contextmanager
def serving() -> Iterator[MailServer]:
    """The running mail servers, on the load core."""
    binary = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin")
    log = machine.WORK / "mail.log"
    smtp_port, pymap_port, dovecot_port = machine.free_ports(3)
    office = machine.spawn(
        machine.python("-m", "bench.post_office", str(smtp_port), str(pymap_port)),
        machine.LOAD_CORE,
        log=log,
        stdin=subprocess.PIPE,
    )
    try:
        machine.wait_for(smtp_port, office, log)
        machine.wait_for(pymap_port, office, log)
        if binary is not None and os.geteuid() == 0:
            with _dovecot(binary, dovecot_port, log):
                yield _connected("Dovecot", dovecot_port, smtp_port)
        else:
            yield _connected("pymap (Dovecot is not installed, or this is not root)", pymap_port, smtp_port)
    finally:
        machine.end(office)


@contextmanager
def _dovecot(binary: str, port: int, log: Path) -> Iterator[None]:
    # Dovecot's own users must be able to enter it.
    home = Path(tempfile.mkdtemp(prefix="aduan-bench-", dir="/var/tmp"))
    try:
        (home / "mail").mkdir()
        shutil.chown(home / "mail", "nobody", "nogroup")
        home.chmod(0o755)
        (home / "dovecot.conf").write_text(_DOVECOT.format(home=home, port=port, password=post_office.PASSWORD))
        with machine.running([binary, "-F", "-c", str(home / "dovecot.conf")], machine.LOAD_CORE, log=log, port=port):
            yield
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _connected(name: str, imap_port: int, smtp_port: int) -> MailServer:
    client = imaplib.IMAP4("127.0.0.1", imap_port, timeout=60)
    client.login(post_office.ADDRESS, post_office.PASSWORD)
    return MailServer(name=name, imap_port=imap_port, smtp_port=smtp_port, client=client)
