"""A real Request Tracker 5 on loopback: Debian's packages, a private folder, SQLite, no service of the system.

It never sends mail (`MailCommand` writes into a file) and touches nothing outside its folder.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from harness.installation import free_ports

SHARE = Path("/usr/share/request-tracker5")
SETUP = Path("/usr/sbin/rt-setup-database-5")
SERVER = SHARE / "libexec" / "rt-server"
DEBIAN = "request-tracker5 rt5-db-sqlite rt5-standalone"

QUEUE = "Pengaduan"
#: Rights that docs/operate/request_tracker.md tells an operator to give.
RIGHTS = ("SeeQueue", "ShowTicket", "ShowTicketComments", "CreateTicket", "ReplyToTicket", "CommentOnTicket",
          "ModifyTicket")  # fmt: skip

_CONFIG = """
Set($rtname, 'aduan.test');
Set($Organization, 'aduan.test');
Set($WebDomain, '127.0.0.1');
Set($WebPort, {port});
Set($DatabaseType, 'SQLite');
Set($DatabaseName, '{home}/rt.sqlite');
Set($MailCommand, 'testfile');
Set($Timezone, 'Asia/Jakarta');
# The least work to check a token: the usual cost of 12 takes a fifth of a second of every request.
Set($BcryptCost, 4);
Set($LogToSyslog, undef);
Set($LogToFile, undef);
Set($LogToSTDERR, 'warning');
$RT::VarPath = '{home}/var';
$RT::MasonDataDir = '{home}/mason';
$RT::MasonSessionDir = '{home}/session';
1;
"""

#: Makes the queue, the user that Aduan writes as, a person who works in RT, and one without rights; prints tokens.
_PEOPLE = """
use strict; use warnings; use lib '{share}/lib'; use RT -init; use JSON;
my $queue = RT::Queue->new(RT->SystemUser);
my ($made, $why) = $queue->Create(Name => '{queue}'); die $why unless $made;
my @more = qw(DeleteTicket OwnTicket TakeTicket);
my %rights = (aduan => [qw({rights})], petugas => [qw({rights}), @more], tamu => [], root => undef);
my %tokens;
for my $name (sort keys %rights) {{
    my $user = RT::User->new(RT->SystemUser);
    $user->Load($name);
    if (!$user->id) {{
        my ($ok, $said) = $user->Create(Name => $name, Privileged => 1, EmailAddress => "$name\\@aduan.test");
        die $said unless $ok;
    }}
    for my $right (@{{ $rights{{$name}} || [] }}) {{
        my ($given, $refused) = $user->PrincipalObj->GrantRight(Right => $right, Object => $queue);
        die $refused unless $given;
    }}
    my $token = RT::AuthToken->new(RT->SystemUser);
    my ($good, $message, $secret) = $token->Create(Owner => $user->id, Description => 'test');
    die $message unless $good;
    $tokens{{$name}} = $secret;
}}
print JSON::encode_json(\\%tokens);
"""

_REVOKE = """
use strict; use warnings; use lib '{share}/lib'; use RT -init;
my $queue = RT::Queue->new(RT->SystemUser); $queue->Load('{queue}');
my $user = RT::User->new(RT->SystemUser); $user->Load('{name}');
for my $right (qw({rights})) {{
    my ($done, $why) = $user->PrincipalObj->RevokeRight(Right => $right, Object => $queue);
    die $why unless $done;
}}
"""


def missing() -> str | None:
    """Why no RT can be started here; None when one can."""
    if SETUP.exists() and SERVER.exists():
        return None
    return f"Request Tracker 5 is not installed (apt-get install --no-install-recommends {DEBIAN})"


@dataclass(frozen=True)
class Template:
    """A filled database that servers start from, and the tokens of its users by name."""

    home: Path
    tokens: Mapping[str, str]


def prepare(home: Path) -> Template:
    """A new database with the queue and the users in `home`."""
    env = _folder(home, 1)
    subprocess.run(
        [str(SETUP), "--action", "init", "--dba-password=", "--skip-create"], env=env, check=True, capture_output=True
    )
    script = _PEOPLE.format(share=SHARE, queue=QUEUE, rights=" ".join(RIGHTS))
    told = subprocess.run(["perl", "-"], input=script.encode(), env=env, check=True, capture_output=True)
    return Template(home, json.loads(told.stdout))


class RequestTrackerServer:
    """One RT in a process group of its own. `crash` and `start` keep its data."""

    def __init__(self, template: Template, home: Path) -> None:
        (self.port,) = free_ports(1)
        self.tokens = template.tokens
        self._env = _folder(home, self.port)
        self._log = home / "server.log"
        self._database = home / "rt.sqlite"
        shutil.copy(template.home / "rt.sqlite", self._database)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts it and waits until it answers."""
        with self._log.open("ab") as log:
            command = [str(SERVER), "--server", "Starlet", "--max-workers", "4", "--host", "127.0.0.1"]
            self._process = subprocess.Popen(
                [*command, "--port", str(self.port)],
                env=self._env, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        for _ in range(600):
            assert self._process.poll() is None, self._log.read_text()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.05)
        raise AssertionError("RT does not listen")

    def crash(self) -> None:
        """Kills it and its workers at once."""
        process, self._process = self._process, None
        if process is not None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)

    def stop(self) -> None:
        """Ends it and its workers in good order."""
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
            with contextlib.suppress(ProcessLookupError):
                self.crash()

    def backdate(self, hours: int) -> None:
        """Everything in its history happened so much earlier."""
        with contextlib.closing(sqlite3.connect(self._database, timeout=10)) as database, database:
            database.execute("UPDATE Transactions SET Created = datetime(Created, ?)", (f"-{hours} hours",))

    def repeat_last(self, times: int) -> None:
        """The last entry of its whole history stands there so many times more."""
        with contextlib.closing(sqlite3.connect(self._database, timeout=10)) as database, database:
            names = [row[1] for row in database.execute("PRAGMA table_info(Transactions)") if row[1] != "id"]
            these = ", ".join(names)
            for _ in range(times):
                database.execute(
                    f"INSERT INTO Transactions ({these}) SELECT {these} FROM Transactions ORDER BY id DESC LIMIT 1"
                )

    def revoke(self, who: str, *rights: str) -> None:
        """Takes rights away from a user."""
        script = _REVOKE.format(share=SHARE, queue=QUEUE, name=who, rights=" ".join(rights))
        subprocess.run(["perl", "-"], input=script.encode(), env=self._env, check=True, capture_output=True)

    def ask(self, who: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One call of the API by a user: what another program or person does there."""
        request = urllib.request.Request(
            f"{self.url}/REST/2.0/{path}", method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self.tokens[who]}", "Content-Type": "application/json"},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def tickets_of(self, external_id: str) -> list[str]:
        """Numbers of the tickets that carry the complaint id, as RT's own search finds them."""
        query = quote(f"RefersTo = 'urn:aduan:complaint:{external_id}'")
        return [item["id"] for item in self.ask("petugas", "GET", f"tickets?query={query}&per_page=100")["items"]]

    def all_tickets(self) -> list[str]:
        """Numbers of all tickets of the queue that were not merged or deleted."""
        found: list[str] = []
        page = 1
        while True:
            query = quote(f"Queue = '{QUEUE}'")
            got = self.ask("petugas", "GET", f"tickets?query={query}&per_page=100&orderby=id&page={page}")
            found += [item["id"] for item in got["items"]]
            if len(got["items"]) < 100:
                return found
            page += 1

    def messages_of(self, ref: str, kind: str) -> list[str]:
        """The texts of a ticket's history of one kind ("Create", "Correspond", "Comment"), oldest first."""
        asked = urlencode({"query": f"ObjectType = 'RT::Ticket' AND TicketId = {ref} AND Type = '{kind}'"})
        texts: list[str] = []
        for item in self.ask("petugas", "GET", f"transactions?{asked}&orderby=id&per_page=100")["items"]:
            for each in self.ask("petugas", "GET", f"transaction/{item['id']}/attachments?fields=Content")["items"]:
                content = self.ask("petugas", "GET", f"attachment/{each['id']}")["Content"]
                texts.append(base64.b64decode(content).decode())
        return texts


@contextlib.contextmanager
def running(template: Template, home: Path) -> Iterator[RequestTrackerServer]:
    """A started RT with the template's data."""
    server = RequestTrackerServer(template, home)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _folder(home: Path, port: int) -> dict[str, str]:
    for name in ("conf.d", "mason", "session", "var"):
        (home / name).mkdir(parents=True, exist_ok=True)
    config = home / "RT_SiteConfig.pm"
    config.write_text(_CONFIG.format(home=home, port=port))
    return {**os.environ, "RT_SITE_CONFIG": str(config), "RT_SITE_CONFIG_DIR": str(home / "conf.d"), "HOME": str(home)}
