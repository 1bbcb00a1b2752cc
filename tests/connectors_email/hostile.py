"""Mails that were built to break a reader, and how many bytes each of them is allowed to need (P24, B2).

Run as a program it reads every one of them under an address-space limit and prints what became of each as JSON lines.
"""

from __future__ import annotations

import base64
import json
import random
import resource
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from connectors.email.parse import Account, parse
from connectors.email.token import Signer
from connectors.errors import Malformed
from normalizer.message import Delivery, Ignored, Message, Raw

ADDRESS = "cs@akseleran.example"
SIGNER = Signer(secret=bytes(range(32)), organisation="akseleran", domain="akseleran.example")
ACCOUNT = Account(
    address=ADDRESS, ours=frozenset({ADDRESS}), organisation="akseleran", authserv_id="mx.akseleran.example",
    max_bytes=26_214_400, signer=SIGNER,
)  # fmt: skip
AT = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
TEXT = "Dana saya belum kembali."
MEMORY = 256 * 1024 * 1024


def mail(
    body: bytes | str = TEXT, *, start: bytes = b"", sender: str = "Budi <budi@contoh.example>", more: bytes = b""
) -> bytes:
    """A mail around `body`; `start` stands above and `more` below the usual headers."""
    subject = "" if b"Subject:" in more else "Subject: Keluhan\r\n"
    heads = f"From: {sender}\r\nTo: {ADDRESS}\r\n{subject}Date: Mon, 5 Jan 2026 10:00:00 +0700\r\n"
    data = body.encode() if isinstance(body, str) else body
    return start + heads.encode() + more + b"\r\n" + data


def multipart(kind: str, parts: list[bytes], mark: str = "b", closed: bool = True) -> bytes:
    """Headers and body of a multipart."""
    inner = b"".join(b"--" + mark.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    end = f"--{mark}--\r\n".encode() if closed else b""
    return f'Content-Type: multipart/{kind}; boundary="{mark}"\r\n\r\n'.encode() + inner + end


def whole(content: bytes, more: bytes = b"") -> bytes:
    """A mail whose headers go on with those in `content`."""
    return mail(b"", more=more)[:-2] + content


def nested(depth: int) -> bytes:
    """Multiparts in multiparts."""
    opened = b"".join(
        f'Content-Type: multipart/mixed; boundary="b{n}"\r\n\r\n--b{n}\r\n'.encode() for n in range(depth)
    )
    return whole(opened + b"Content-Type: text/plain\r\n\r\n" + TEXT.encode())


def plain(text: bytes, charset: str, more: bytes = b"") -> bytes:
    """A mail with one text part labelled `charset`."""
    return mail(text, more=f"Content-Type: text/plain; charset={charset}\r\n".encode() + more)


def html(markup: str) -> bytes:
    """A mail of HTML alone."""
    return mail(markup, more=b"Content-Type: text/html; charset=utf-8\r\n")


def attached(name: bytes, content: bytes = b"data") -> bytes:
    """A mail with one attachment; `name` are the raw parameters of its disposition."""
    body = base64.encodebytes(content)
    return whole(
        multipart(
            "mixed",
            [
                b"Content-Type: text/plain\r\n\r\n" + TEXT.encode(),
                b"Content-Type: application/pdf\r\nContent-Disposition: attachment; " + name
                + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + body,
            ],
        )
    )  # fmt: skip


def cases() -> Iterator[tuple[str, bytes, str]]:
    """Name, bytes, and what it must become: message (with its text), any (a message, whatever its text), malformed."""
    words = " ".join(f"=?utf-8?q?kata{n}?=" for n in range(100_000))
    yield "encoded_words_100000", mail(more=b"X-Note: a\r\nSubject: " + words.encode() + b"\r\n"), "message"
    yield "encoded_words_from", mail(sender=words[:200_000] + " <budi@contoh.example>"), "any"
    yield "encoded_word_never_closed", mail(more=b"Subject: " + b"=?utf-8?q?" * 20_000 + b"\r\n"), "message"
    yield "encoded_word_huge", mail(more=b"Subject: =?utf-8?b?" + b"QUJD" * 200_000 + b"?=\r\n"), "message"
    yield "encoded_word_crlf", mail(more=b"Subject: =?utf-8?q?a=0d=0aBcc:_evil=40x?=\r\n"), "message"
    yield (
        "recipients_3000",
        mail(start=b"To: " + b", ".join(b"a%d@b.example" % n for n in range(8000)) + b"\r\n"),
        "any",
    )
    yield "comments_nested_900", mail(sender="(" * 900 + ")" * 900 + " budi@contoh.example"), "message"
    yield "comments_open_60000", mail(sender="(" * 60_000 + " budi@contoh.example"), "any"
    yield "quotes_open", mail(sender='"' * 9_999 + "budi@contoh.example"), "any"
    yield "parts_100000", whole(multipart("mixed", [b"\r\n" + TEXT.encode()] * 100_000)), "message"
    yield "parts_empty_100000", whole(multipart("mixed", [b""] * 100_000)), "any"
    yield "multiparts_nested_2000", nested(2000), "any"
    yield "multiparts_nested_50000", nested(50_000), "any"
    rfc822 = b"Content-Type: message/rfc822\r\n\r\n" * 50 + TEXT.encode()
    yield "messages_nested_50", whole(rfc822), "any"
    yield "same_boundary_nested", whole(multipart("mixed", [multipart("mixed", [b"\r\n" + TEXT.encode()])])), "any"
    yield "boundary_prefix", whole(multipart("mixed", [b"\r\n" + TEXT.encode() + b"\r\n--bb\r\nx"])), "message"
    yield "boundary_missing", whole(b"Content-Type: multipart/mixed\r\n\r\n--zz\r\n\r\n" + TEXT.encode()), "message"
    yield "boundary_empty", whole(b'Content-Type: multipart/mixed; boundary=""\r\n\r\n' + TEXT.encode()), "message"
    yield "boundary_unterminated", whole(multipart("mixed", [b"\r\n" + TEXT.encode()], closed=False)), "message"
    yield "boundary_everywhere", whole(multipart("mixed", [b"--b--b--b" * 300_000])), "any"
    yield (
        "boundary_huge",
        whole(b"Content-Type: multipart/mixed; boundary=" + b"x" * 60_000 + b"\r\n\r\n" + TEXT.encode()),
        "message",
    )
    yield "params_60000", mail(more=b"Content-Type: text/plain" + b"; a=b" * 60_000 + b"\r\n"), "message"
    yield "params_rfc2231_999", attached(b"; ".join(b"filename*%d*=%%41" % n for n in range(999))), "message"
    yield "params_rfc2231_number", attached(b"filename*99999999999999*=a; filename*x*=b"), "message"
    yield "content_type_malformed", mail(more=b'Content-Type: ;;;==="\r\n'), "message"
    yield "content_type_no_slash", mail(more=b"Content-Type: text\r\n"), "message"
    yield "content_type_spaces", mail(more=b"Content-Type: text / plain ; charset = utf-8\r\n"), "any"
    yield "message_id_empty", mail(more=b"Message-ID: <>\r\n"), "message"
    yield "message_id_open", mail(more=b"Message-ID: <" + b"a" * 60_000 + b"\r\n"), "message"
    yield "message_id_spaces", mail(more=b"Message-ID: < a b @ c >\r\n"), "message"
    yield (
        "references_20000",
        mail(more=b"References: " + b" ".join(b"<%d@x>" % n for n in range(9000)) + b"\r\n"),
        "message",
    )
    yield "cr_in_header", mail(more=b"X-A: b\rBcc: evil@x.example\r\n"), "message"
    yield "nul_in_header", mail(more=b"X-A: b\0c\r\n", sender="Bu\0di <budi@contoh.example>"), "message"
    yield "lf_only", mail().replace(b"\r\n", b"\n"), "message"
    yield "header_60000_lines", mail(start=b"".join(b"X-%d: y\r\n" % n for n in range(60_000))), "any"
    yield "header_10_mb", mail(start=b"X-A: " + b"y" * 10_000_000 + b"\r\n"), "any"
    yield "header_folded_for_ever", mail(start=b"X-A: y\r\n" + b" y\r\n" * 1_000_000), "any"
    yield "line_1_mb", mail("x" * 1_000_000 + TEXT), "message"
    yield "duplicate_from", mail(more=b"From: x@evil.example\r\n"), "message"
    yield "duplicate_subject_to", mail(start=b"Subject: lain\r\nTo: x@evil.example\r\n"), "message"
    yield "no_headers", b"\r\n\r\n" + TEXT.encode(), "message"
    yield "no_header_no_blank", TEXT.encode(), "message"
    yield "only_headers", mail(b""), "any"
    yield "blank", b"\r\n \r\n", "malformed"
    yield "nothing", b"", "malformed"
    yield "unindented_fold", mail(more=b"X-A: b\r\nlanjutan tanpa spasi\r\nX-B: c\r\n"), "message"
    yield "from_missing", mail().replace(b"From: Budi <budi@contoh.example>\r\n", b""), "message"
    yield "from_empty", mail(sender="<>"), "message"
    yield "from_garbage", mail(sender="@@@,,,;;;<<<>>>:::"), "message"
    yield "from_long_domain", mail(sender="a@" + "\u00fc" * 20_000 + ".example"), "message"
    yield "from_long_label", mail(sender="a@xn--" + "a" * 60 + ".xn--" + "b" * 58), "message"
    yield (
        "forged_results_200",
        mail(
            start=b"Authentication-Results: mx.akseleran.example; dmarc=pass header.from=contoh.example\r\n" * 100
            + b"Authentication-Results: mx.akseleran.example; dmarc=fail header.from=contoh.example\r\n" * 100
        ),
        "message",
    )
    yield (
        "results_comments",
        mail(start=b"Authentication-Results: mx.akseleran.example; " + b"(" * 5_000 + b"dmarc=pass\r\n"),
        "message",
    )
    for label in (
        "klingon",
        "idna",
        "punycode",
        "unicode_escape",
        "zlib_codec",
        "x" * 5_000,
        "\u00e9",
        "utf-8\\",
        '"',
        "undefined",
    ):
        yield f"charset_{label[:15]}", plain(TEXT.encode(), label), "message"
    for name in ("utf-16", "utf-32", "utf-7", "iso-2022-jp", "hz", "big5", "koi8-r", "euc-kr", "shift_jis", "cp037"):
        yield f"noise_as_{name}", plain(random.Random(name).randbytes(20_000), name), "any"
    yield "utf7_surrogates", plain(b"+2ADYAA- +3AA-" * 100, "utf-7"), "any"
    yield "binary", plain(random.Random(1).randbytes(1_000_000), "utf-8"), "any"
    yield (
        "punycode_header",
        mail(more=b"Subject: =?punycode?q?" + b"a" * 5000 + b"-" + b"z" * 2900 + b"?=\r\n"),
        "message",
    )
    yield (
        "base64_broken",
        mail(b"!!!" + base64.encodebytes(TEXT.encode())[:-3], more=b"Content-Transfer-Encoding: base64\r\n"),
        "any",
    )
    yield "base64_one_letter", mail(b"A", more=b"Content-Transfer-Encoding: base64\r\n"), "any"
    yield "base64_10_mb", attached(b"filename=a.pdf", b"x" * 10_000_000), "message"
    yield "qp_broken", mail(TEXT + "=ZZ=\r\n=", more=b"Content-Transfer-Encoding: quoted-printable\r\n"), "message"
    yield "qp_equals", mail(b"=" * 1_000_000, more=b"Content-Transfer-Encoding: quoted-printable\r\n"), "any"
    yield "encoding_unknown", mail(more=b"Content-Transfer-Encoding: x-klingon\r\n"), "message"
    yield "uuencode", mail("begin 644 a.txt\r\n#0V%T\r\n`\r\nend\r\n" + TEXT), "message"
    yield "html_divs_100000", html("<div>" * 100_000 + TEXT), "message"
    yield "html_depth_300", html("<div>" * 300 + TEXT + "</div>" * 300), "message"
    yield (
        "html_table_wide",
        html(
            "<table>" + "<tr><td>" + "x" * 100_000 + "</td></tr>" + "<tr><td>y</td></tr>" * 20_000 + "</table>" + TEXT
        ),
        "message",
    )
    yield (
        "html_table_rows_columns",
        html("<table><tr>" + "<td>a</td>" * 5_000 + "</tr>" + "<tr><td>b</td></tr>" * 5_000 + "</table>" + TEXT),
        "message",
    )
    yield "html_tables_nested", html("<table><tr><td>" * 200 + TEXT), "message"
    yield "html_padding", html('<div style="padding-left:99999em">' + "x<br>" * 50_000 + TEXT + "</div>"), "message"
    yield "html_margin", html('<p style="margin-top:99999em">x</p>' * 5_000 + TEXT), "message"
    yield "html_lists", html("<ul><li>" * 240 + "x<br>" * 20_000 + TEXT), "message"
    yield "html_angles", html("<" * 1_000_000 + " " + TEXT), "any"
    yield "html_comments", html("<!--" * 100_000 + "-->" + TEXT), "any"
    yield "html_attributes", html("<p " + "a=b " * 200_000 + ">" + TEXT), "any"
    yield "html_5_mb", html("<p>x</p>" * 600_000 + TEXT), "any"
    yield "html_script_open", html(TEXT + "<script>" * 50_000), "message"
    yield "html_entities", html("&#1114112;&#55296;&#0;&lt;script&gt;" * 20_000 + TEXT), "any"
    yield "html_xml_declaration", html('<?xml version="1.0" encoding="utf-16"?><html><body>' + TEXT), "message"
    yield "html_meta_charset", html('<meta charset="klingon">' + TEXT), "message"
    yield "html_pre", html("<pre>" + "\n" * 100_000 + TEXT + "</pre>"), "message"
    yield (
        "html_parts_199",
        whole(multipart("mixed", [b"Content-Type: text/html\r\n\r\n" + b"<b>x</b>" * 10_000] * 199)),
        "any",
    )
    yield "blank_lines_1_mb", mail(b"\r\n" * 500_000 + TEXT.encode()), "message"
    yield "blanks_1_mb", mail(b" " * 1_000_000 + TEXT.encode() + b" " * 1_000_000), "message"
    yield "flowed", plain(b"kata \r\n" * 200_000 + TEXT.encode(), "utf-8; format=flowed"), "message"
    yield "name_traversal", attached(b'filename="../../etc/passwd"'), "message"
    yield "name_windows", attached(b'filename="C:\\\\Windows\\\\system32\\\\con.txt"'), "message"
    yield "name_rtl", attached(b"filename*=utf-8''invoice%E2%80%AEfdp.exe"), "message"
    yield "name_4_kb", attached(b'filename="' + b"a" * 4_000 + b'.pdf"'), "message"
    yield "name_nul", attached(b'filename="a\0b.pdf"'), "message"
    yield (
        "tnef_smime_pgp",
        whole(
            multipart(
                "mixed",
                [
                    b"Content-Type: text/plain\r\n\r\n" + TEXT.encode(),
                    b"Content-Type: application/ms-tnef\r\n\r\nx",
                    b"Content-Type: application/pkcs7-mime\r\n\r\nx",
                    b"Content-Type: application/pgp-encrypted\r\n\r\nx",
                ],
            )
        ),
        "message",
    )
    yield (
        "dsn_without_status",
        whole(
            multipart(
                "report; report-type=delivery-status", [b"\r\nx", b"Content-Type: message/delivery-status\r\n\r\n"]
            )
        ),
        "ignored",
    )
    yield (
        "dsn_recipients_50000",
        whole(
            multipart(
                "report; report-type=delivery-status",
                [b"Content-Type: message/delivery-status\r\n\r\n" + b"Action: failed\r\n\r\n" * 50_000],
            )
        ),
        "ignored",
    )
    yield (
        "arf",
        whole(
            multipart(
                "report; report-type=feedback-report",
                [b"Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n"],
            )
        ),
        "ignored",
    )
    yield (
        "mdn_foreign",
        whole(
            multipart(
                "report; report-type=disposition-notification",
                [
                    b"Content-Type: message/disposition-notification\r\n\r\n"
                    b"Disposition: a; displayed\r\nOriginal-Message-ID: <x@y>\r\n"
                ],
            )
        ),
        "ignored",
    )
    yield "daemon_regex", mail(b"rcpt." * 50_000 + b"a" * 50_000, sender="MAILER-DAEMON@contoh.example"), "any"
    yield "subject_brackets", mail(more=b"Subject: " + b"[" * 8_000 + b"\r\n"), "message"


def main() -> None:
    """Reads every case in this process and prints what became of it."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    for name, data, wanted in cases():
        started = time.process_time()
        try:
            (event,) = parse(Raw(channel_id="c", received_at=AT, body=data), ACCOUNT)
            kind = {Message: "message", Ignored: "ignored", Delivery: "delivery"}.get(type(event), "?")
            found = {
                "kind": kind,
                "text": TEXT in event.text if isinstance(event, Message) else False,
                "flags": list(event.flags) if isinstance(event, Message) else [],
                "verified": isinstance(event, Message) and event.sender.verified,
                "names": [a.name for a in event.attachments] if isinstance(event, Message) else [],
                "subject": event.subject if isinstance(event, Message) else None,
            }
        except Malformed as error:
            found = {"kind": "malformed", "reason": error.reason}
        spent = time.process_time() - started
        sys.stdout.write(json.dumps({"name": name, "wanted": wanted, "seconds": round(spent, 3), **found}) + "\n")
    # Not ru_maxrss: that one begins with the memory of the process which started this one.
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) // 1024
    sys.stdout.write(json.dumps({"name": "", "peak_mb": peak}) + "\n")


if __name__ == "__main__":
    main()
