"""What of a mail's parts is the customer's text and what is an attachment. Nothing is dropped without a word."""

from __future__ import annotations

import re

from msgspec import Struct

from connectors.email import charset, html
from connectors.email.limits import Limits
from connectors.email.mime import Part
from normalizer.message import Attachment, AttachmentKind

#: Text types that people write letters in; every other text type is a file.
MARKUP = frozenset({"text/html", "text/enriched", "text/richtext", "text/x-amp-html", "text/watch-html"})
READABLE = MARKUP | {"text/plain", "text/markdown", "text/x-markdown"}
KINDS: dict[str, AttachmentKind] = {
    "image": "image", "video": "video", "audio": "audio", "text": "document", "message": "document",
    "application/pdf": "document", "application/msword": "document", "application/rtf": "document",
    "application/vnd.ms-excel": "document", "application/vnd.ms-powerpoint": "document", "application/zip": "other",
    "text/vcard": "contact", "text/x-vcard": "contact", "text/directory": "contact",
}  # fmt: skip
OFFICE = ("application/vnd.openxmlformats-officedocument.", "application/vnd.oasis.opendocument.")
#: Media type -> what the desk must know of such a mail.
FLAGS = {
    "application/ms-tnef": "tnef", "application/vnd.ms-tnef": "tnef", "application/pkcs7-mime": "smime",
    "application/x-pkcs7-mime": "smime", "application/pgp-encrypted": "encrypted", "text/calendar": "calendar",
    "message/rfc822": "forwarded",
}  # fmt: skip
RESERVED = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.I)
UNSAFE = re.compile(r'[<>:"|?*\x00-\x1f]')


class Body(Struct, kw_only=True):
    """What a mail says and carries."""

    text: str
    attachments: list[Attachment]


class Chosen(Struct, kw_only=True):
    """Text parts that are shown one below the other."""

    parts: list[Part]
    files: list[Part]


def read(root: Part, limits: Limits) -> Body:
    """The text and the attachments below `root`, within `limits`."""
    flags = root.headers.flags
    chosen = choose(root)
    texts: list[str] = []
    left, html_left = limits.text, limits.html
    for part in chosen.parts:
        markup = part.mime in MARKUP
        # Four times: what quoted-printable and character references at most take for one character of text.
        text = part.text(4 * max(html_left if markup else left, 0))
        if markup:
            size = len(text)
            text = html.to_text(text, html_left)
            html_left -= size
        elif part.params.get("format", "").lower() == "flowed":
            text = unflow(text, part.params.get("delsp", "").lower() == "yes")
        text = tidy(text)
        if len(text) > left:
            flags.add("text_truncated")
            text = text[: max(left, 0)]
        left -= len(text)
        if text:
            texts.append(text)
    files = [attachment(part) for part in chosen.files]
    for part in chosen.files:
        if part.mime in FLAGS:
            flags.add(FLAGS[part.mime])
    for flag, words in (("too_many_parts", "parts"), ("too_deep", "levels")):
        if flag in flags:
            files.append(Attachment(error=f"the mail has more {words} than are read; the rest is in the original mail"))
    return Body(text="\n\n".join(texts), attachments=files)


def choose(part: Part) -> Chosen:
    """Which parts below `part` are text to show and which are files (RFC 2046 section 5.1)."""
    if part.mime == "multipart/alternative":
        options = [choose(child) for child in part.children]
        files = [file for option in options for file in option.files]
        readable = [option for option in options if option.parts]
        plain = [o for o in readable if not any(p.mime in MARKUP for p in o.parts)]
        best = next((o for o in [*plain, *reversed(readable)] if any(says_something(p) for p in o.parts)), None)
        return Chosen(parts=best.parts if best else [], files=files)
    if part.children:
        below = [choose(child) for child in part.children]
        return Chosen(parts=[p for c in below for p in c.parts], files=[f for c in below for f in c.files])
    if part.main == "multipart":
        return Chosen(parts=[], files=[part])  # deeper than the limit: kept as a file
    if part.mime in READABLE and part.disposition != "attachment" and not part.filename:
        return Chosen(parts=[part], files=[])
    return Chosen(parts=[], files=[part])


def says_something(part: Part) -> bool:
    """Whether a text part holds more than blanks; its beginning decides."""
    return bool(part.text(64 * 1024).strip(" \t\n\xa0\u200b\ufeff"))


def attachment(part: Part) -> Attachment:
    """The file in `part`: its bytes inline, its media type as declared, a name that is safe to show."""
    content = part.content()
    name = safe_name(part.filename)
    if name is None and part.mime == "message/rfc822":
        name = "forwarded.eml"
    return Attachment(kind=kind(part.mime), name=name, mime=part.mime, size=len(content), content=content)


def kind(mime: str) -> AttachmentKind:
    """The kind of file that a media type declares."""
    if mime.startswith(OFFICE):
        return "document"
    return KINDS.get(mime) or KINDS.get(mime.partition("/")[0], "other")


def safe_name(name: str) -> str | None:
    """The last component of `name` without controls and direction overrides, cut to 150 characters; None if empty."""
    name = charset.one_line(name, 2000).replace("\\", "/").rpartition("/")[2]
    name = UNSAFE.sub("_", name).strip(" .")
    if RESERVED.match(name):
        name = f"_{name}"
    if len(name) > 150:
        stem, dot, suffix = name.rpartition(".")
        name = f"{stem[: 149 - len(suffix)]}.{suffix}" if dot and len(suffix) <= 10 else name[:150]
    return name or None


def unflow(text: str, join: bool) -> str:
    """`text` with its soft line breaks undone (RFC 3676 section 4.1); quoted lines and signatures keep theirs."""
    out: list[list[str]] = []
    open_line = False
    for line in text.split("\n"):
        quoted = line.startswith(">")
        line = line if quoted else line.removeprefix(" ")
        soft = line.endswith(" ") and not quoted and line != "-- "
        body = line[:-1] if soft and join else line
        if open_line and not quoted and line != "-- ":
            out[-1].append(body)
        else:
            out.append([body])
        open_line = soft
    return "\n".join(map("".join, out))


def tidy(text: str) -> str:
    """`text` without blanks at line ends and with at most two blank lines in a row: quote finders dislike more."""
    text = "\n".join([line.rstrip() for line in text.replace("\xa0", " ").split("\n")])
    return re.sub(r"\n{4,}", "\n\n\n", text).strip("\n")
