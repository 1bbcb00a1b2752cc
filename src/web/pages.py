"""Turns values into pages: Jinja2 templates with every value escaped, words from the wording files, hashed assets."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from aiohttp import web
from babel.dates import format_date
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from ruamel.yaml import YAML

from web import headers
from web.language import Language
from web.settings import WebSettings

_HERE = Path(__file__).parent
_WIB = timezone(timedelta(hours=7))
_TYPES = {".css": "text/css", ".svg": "image/svg+xml"}


class Asset:
    """One static file, in memory, under a name that holds its hash: it may be cached for ever."""

    def __init__(self, path: Path) -> None:
        self.body = path.read_bytes()
        self.name = f"{path.stem}.{hashlib.sha256(self.body).hexdigest()[:12]}{path.suffix}"
        self.content_type = _TYPES[path.suffix]


class Pages:
    """Everything that pages are made of, read once."""

    def __init__(self, settings: WebSettings) -> None:
        self._settings = settings
        self.words: dict[str, dict[str, str]] = {
            language: _words(_HERE / "wording" / f"{language}.yaml") for language in ("id", "en")
        }
        if self.words["id"].keys() != self.words["en"].keys():
            raise ValueError("the two wording files of the pages do not hold the same keys")
        self._assets = {p.name: Asset(p) for p in sorted((_HERE / "static").iterdir()) if p.suffix in _TYPES}
        self._by_name = {asset.name: asset for asset in self._assets.values()}
        # Autoescape is on for every template, whatever its name.
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["long_date"] = long_date
        self._templates.filters["wib"] = wib
        self._templates.filters["file_size"] = file_size

    def asset(self, name: str) -> Asset | None:
        """The static file that is served under `name`, or None."""
        return self._by_name.get(name)

    def render(
        self,
        template: str,
        language: Language,
        *,
        path: str,
        status: int = 200,
        frame_origins: Sequence[str] = (),
        secret: bool = False,
        extra_headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> web.Response:
        """The page as a response. `path` is the page's own path below the base, for the language links."""
        words = self.words[language]
        base = self._settings.base
        text = self._templates.get_template(template).render(
            t=words,
            lang=language,
            base=base,
            path=base + path,
            # Always said: a reader whose browser prefers the other language stays with the one on the screen.
            home_lang=f"?lang={language}",
            assets={name: f"{base}/assets/{asset.name}" for name, asset in self._assets.items()},
            **values,
        )
        found = headers.page_headers(frame_origins, secret=secret, secure=self._settings.secure)
        return web.Response(
            text=text,
            status=status,
            content_type="text/html",
            charset="utf-8",
            headers={**found, "Content-Language": language, **(extra_headers or {})},
        )


def long_date(day: date, language: str) -> str:
    """A date with its weekday as people say it ("Kamis, 8 Januari 2026")."""
    return format_date(day, "EEEE, d MMMM y", locale=language)


def wib(moment: datetime) -> datetime:
    """The same moment on a clock in Jakarta (UTC+7, no daylight saving)."""
    return moment.astimezone(_WIB)


def file_size(size: int) -> str:
    """A size as people read it."""
    return f"{max(1, round(size / 1024))} kB" if size < 1024 * 1024 else f"{size / 1024 / 1024:.1f} MB"


def _words(path: Path) -> dict[str, str]:
    words = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    if not isinstance(words, dict) or not all(isinstance(w, str) for pair in words.items() for w in pair):
        raise ValueError(f"{path.name} is not a list of words")
    return words
