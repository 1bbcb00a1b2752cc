"""Reports about what we sent: signed ids of ours change a receipt's state, everything else is ignored (RFC 3464)."""

from __future__ import annotations

import pytest

from connectors.email.parse import parse
from connectors_email.hostile import ACCOUNT, ADDRESS, AT, SIGNER, mail, multipart, whole
from normalizer.message import Delivery, Event, Ignored, Message, Raw

KEY = "01KCB3T5S8YV0-1"
OURS = SIGNER.message_id(KEY)
TOKEN = SIGNER.token(KEY)
FORGED = OURS[:-30] + "a" + OURS[-29:]


def read(data: bytes) -> Event:
    """The event of one mail."""
    (event,) = parse(Raw(channel_id="c", received_at=AT, body=data), ACCOUNT)
    return event


def failed(code: str) -> Delivery:
    """Our mail did not arrive."""
    return Delivery(state="failed", at=AT, provider_id=OURS, error_code=code, error_class="Unreachable")


def bounce(action: str, status: str, *, named: str = OURS, to: str = ADDRESS) -> bytes:
    """A delivery report about `named`."""
    report = f"Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; a@b\r\nAction: {action}\r\nStatus: {status}\r\n"
    content = multipart(
        "report; report-type=delivery-status",
        [
            b"\r\nSorry.",
            b"Content-Type: message/delivery-status\r\n\r\n" + report.encode(),
            f"Content-Type: message/rfc822\r\n\r\nMessage-ID: {named}\r\nSubject: x\r\n\r\nisi".encode(),
        ],
    )
    return whole(content).replace(f"To: {ADDRESS}".encode(), f"To: {to}".encode())


@pytest.mark.parametrize(
    ("data", "event"),
    [
        (bounce("failed", "5.1.1"), failed("5.1.1")),
        (bounce("Failed", "4.4.7 (expired)"), failed("4.4.7")),
        (bounce("delivered", "2.0.0"), Delivery(state="delivered", at=AT, provider_id=OURS)),
        (bounce("delayed", "4.4.1"), Ignored(reason="delivery delayed")),
        (bounce("relayed", "2.0.0"), Ignored(reason="delivery relayed")),
        (bounce("failed", "5.1.1", named=FORGED), Ignored(reason="bounce of a mail that is not ours")),
        (bounce("failed", "5.1.1", named="<a@b>"), Ignored(reason="bounce of a mail that is not ours")),
        (
            bounce("failed", "5.2.2", named="<a@b>", to=f"cs+{TOKEN}@akseleran.example"),
            failed("5.2.2"),
        ),
    ],
)  # fmt: skip
def test_bounces(data: bytes, event: Event) -> None:
    assert read(data) == event


def test_a_bounce_in_plain_words() -> None:
    text = f"Hi. This is the qmail-send program.\n<a@b>: 550 5.1.1 no such user\n\nMessage-ID: {OURS}\n"
    event = read(mail(text, sender="MAILER-DAEMON@contoh.example"))
    assert event == failed("5.1.1")
    assert isinstance(read(mail(text)), Message), "only a daemon's word is a bounce"


def test_a_person_may_quote_our_id() -> None:
    assert isinstance(read(mail(f"Saya balas {OURS}")), Message)
