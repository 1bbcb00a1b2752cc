"""The page on which a visitor plays the customer: server-rendered, no script, Indonesian first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote, urlencode

import jinja2
from aiohttp import web

from simulator.place import Asks, Attachment, Choice, Line, Provider, Talk
from simulator.weather import CLIMATES, Weather

WIB = timezone(timedelta(hours=7), "WIB")
MOST_FILE_BYTES = 16 * 1024 * 1024
FOLLOW_TIMES = 5  # how often the conversation reloads itself while it waits for an answer
FOLLOW_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Field:
    """What the visitor fills in to be a customer; texts as (Indonesian, English)."""

    label: tuple[str, str]
    type: str
    example: str
    pattern: re.Pattern[str]
    mistake: str


FIELDS: Mapping[Asks, Field] = {
    "number": Field(
        ("Nomor telepon Anda (WhatsApp, SMS, telepon)", "Your phone number (WhatsApp, SMS, phone)"),
        "tel",
        "+6281234567890",
        re.compile(r"\+\d{8,15}"),
        "Nomor harus seperti +6281234567890. / The number must look like +6281234567890.",
    ),
    "email": Field(
        ("E-mail Anda (hanya untuk saluran e-mail)", "Your e-mail (only for the e-mail channel)"),
        "email",
        "budi@contoh.example",
        re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]+"),
        "Alamat e-mail tidak lengkap. / The e-mail address is not complete.",
    ),
    "handle": Field(
        ("Nama pengguna Anda (media sosial)", "Your user name (social media)"),
        "text",
        "budi.santoso",
        re.compile(r"[A-Za-z0-9_.]{2,30}"),
        "Nama pengguna: 2-30 huruf, angka, titik atau garis bawah. / "
        "A user name: 2-30 letters, digits, dots or underscores.",
    ),
}

# note of a line -> (Indonesian, English)
NOTES = {
    "accepted": ("diterima penyedia", "accepted"),
    "queued": ("dalam antrean", "queued"),
    "sent": ("terkirim", "sent"),
    "delivered": ("sampai", "delivered"),
    "read": ("dibaca", "read"),
    "failed": ("gagal", "failed"),
    "image": ("gambar", "image"),
    "document": ("dokumen", "document"),
    "interactive": ("pilihan", "choice"),
    "button": ("pilihan", "choice"),
}

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Written:
    """What the visitor filled in."""

    talk: Talk
    index: int
    person: str
    text: str
    attachment: Attachment | None


class Mistake(ValueError):
    """The visitor's form cannot be used; the text says why, in both languages."""


class Page:
    """The routes of the page."""

    def __init__(self, providers: Sequence[Provider]) -> None:
        self._providers = list(providers)
        self._talks = [talk for provider in providers for talk in provider.talks()]
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader("simulator"), autoescape=True, trim_blocks=True, lstrip_blocks=True
        )
        self._templates.filters["clock"] = clock
        self._templates.filters["note"] = note

    def routes(self) -> list[web.RouteDef]:
        """The routes, to be mounted at the root."""
        return [
            web.get("/", self.home),
            web.get("/style.css", self.style),
            web.post("/messages", self.write),
            web.get("/talk/{talk}", self.talk),
            web.post("/talk/{talk}/choose", self.choose),
            web.get("/talk/{talk}/files/{line}/{file}", self.file),
            web.post("/weather", self.weather),
        ]

    async def home(self, request: web.Request) -> web.StreamResponse:
        """GET /: whom to write to, as whom, and what."""
        return self._home({})

    async def style(self, request: web.Request) -> web.StreamResponse:
        """GET /style.css"""
        text = self._templates.get_template("style.css").render()
        return web.Response(text=text, content_type="text/css", headers={"X-Content-Type-Options": "nosniff"})

    async def write(self, request: web.Request) -> web.StreamResponse:
        """POST /messages: the customer writes; then the conversation."""
        form = await _form(request)
        try:
            written = self._read(form)
        except Mistake as mistake:
            return self._home(form, str(mistake))
        await written.talk.say(written.person, written.text, written.attachment)
        raise web.HTTPSeeOther(_talk_url(written.index, written.person, follow=FOLLOW_TIMES))

    async def talk(self, request: web.Request) -> web.StreamResponse:
        """GET /talk/{talk}?person=: what was written and what came back."""
        index, talk = self._talk(request)
        person = request.query.get("person", "")
        lines = talk.conversation(person)
        waiting = bool(lines) and lines[-1].mine
        left = int(request.query.get("follow", "0")) if request.query.get("follow", "0").isdigit() else 0
        follow = _talk_url(index, person, follow=min(left, FOLLOW_TIMES) - 1) if waiting and left > 0 else None
        return self._render(
            "talk.html",
            talk=talk,
            index=index,
            person=person,
            lines=lines,
            follow=follow,
            seconds=FOLLOW_SECONDS,
            here=_talk_url(index, person),
        )

    async def choose(self, request: web.Request) -> web.StreamResponse:
        """POST /talk/{talk}/choose: the customer taps a button."""
        index, talk = self._talk(request)
        form = await _form(request)
        person, id_, title = (str(form.get(name, "")) for name in ("person", "id", "title"))
        await talk.choose(person, Choice(id_, title))
        raise web.HTTPSeeOther(_talk_url(index, person, follow=FOLLOW_TIMES))

    async def file(self, request: web.Request) -> web.StreamResponse:
        """GET /talk/{talk}/files/{line}/{file}?person=: an attachment, always as a download."""
        _, talk = self._talk(request)
        lines = talk.conversation(request.query.get("person", ""))
        try:
            file = lines[int(request.match_info["line"])].attachments[int(request.match_info["file"])]
        except (IndexError, ValueError):
            raise web.HTTPNotFound(text="Berkas tidak ada. / No such file.") from None
        type_ = "application/pdf" if file.media_type == "application/pdf" else "application/octet-stream"
        disposition = f"attachment; filename*=UTF-8''{quote(file.filename or 'berkas', safe='')}"
        return web.Response(
            body=file.content, content_type=type_, headers=HEADERS | {"Content-Disposition": disposition}
        )

    async def weather(self, request: web.Request) -> web.StreamResponse:
        """POST /weather: the same weather for every provider."""
        form = await _form(request)
        name, seed = str(form.get("weather", "")), str(form.get("seed", "0"))
        if name not in CLIMATES or not seed.isdigit():
            return self._home(form, "Cuaca tidak dikenal. / Unknown weather.")
        for index, provider in enumerate(self._providers):
            provider.weather = Weather.named(name, int(seed[:9]) + index)
        raise web.HTTPSeeOther("/")

    def _read(self, form: dict[str, Any]) -> Written:
        index = str(form.get("talk", ""))
        if not index.isdigit() or int(index) >= len(self._talks):
            raise Mistake("Pilih saluran dan perusahaan. / Choose a channel and a company.")
        talk = self._talks[int(index)]
        person = re.sub(r"[\s()-]", "", str(form.get(talk.asks, "")))
        if talk.asks == "number" and person.startswith("0"):
            person = "+62" + person[1:]
        if not FIELDS[talk.asks].pattern.fullmatch(person):
            raise Mistake(FIELDS[talk.asks].mistake)
        text = str(form.get("text", "")).replace("\r\n", "\n").strip()
        attachment = None
        upload = form.get("file")
        if isinstance(upload, web.FileField) and upload.filename:
            content = upload.file.read(MOST_FILE_BYTES + 1)
            if len(content) > MOST_FILE_BYTES:
                raise Mistake("Berkas lebih dari 16 MB. / The file is larger than 16 MB.")
            attachment = Attachment(upload.filename, upload.content_type, content)
        if not text and attachment is None:
            raise Mistake("Tulis pesan atau pilih berkas. / Write a message or choose a file.")
        return Written(talk, int(index), person, text, attachment)

    def _talk(self, request: web.Request) -> tuple[int, Talk]:
        index = request.match_info["talk"]
        if not index.isdigit() or int(index) >= len(self._talks):
            raise web.HTTPNotFound(text="Percakapan tidak ada. / No such conversation.")
        return int(index), self._talks[int(index)]

    def _home(self, form: dict[str, Any], mistake: str = "") -> web.Response:
        channels: dict[str, list[tuple[int, Talk]]] = {}
        for index, talk in enumerate(self._talks):
            channels.setdefault(talk.channel, []).append((index, talk))
        weather = self._providers[0].weather.name if self._providers else "calm"
        return self._render(
            "home.html",
            status=400 if mistake else 200,
            channels=channels,
            fields={asks: FIELDS[asks] for asks in FIELDS if any(talk.asks == asks for talk in self._talks)},
            form=form,
            mistake=mistake,
            climates=list(CLIMATES),
            weather=weather,
        )

    def _render(self, template: str, *, status: int = 200, **values: Any) -> web.Response:
        text = self._templates.get_template(template).render(values)
        return web.Response(text=text, status=status, content_type="text/html", headers=HEADERS)


async def _form(request: web.Request) -> dict[str, Any]:
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise web.HTTPForbidden(text="Formulir dari situs lain ditolak. / Forms of other sites are refused.")
    return dict(await request.post())


def _talk_url(index: int, person: str, *, follow: int = 0) -> str:
    query = {"person": person} | ({"follow": str(follow)} if follow > 0 else {})
    return f"/talk/{index}?{urlencode(query)}"


def clock(line: Line) -> str:
    """The time of a line in Jakarta."""
    return datetime.fromtimestamp(line.at, UTC).astimezone(WIB).strftime("%d-%m-%Y %H.%M.%S WIB")


def note(line: Line) -> str:
    """The note of a line in both languages, or as it is."""
    indonesian, english = NOTES.get(line.note, (line.note, ""))
    return f"{indonesian} / {english}" if english else "" if indonesian == "text" else indonesian
