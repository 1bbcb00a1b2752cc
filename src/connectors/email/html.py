"""HTML of a mail to plain text, in linear time and memory whatever the sender wrote."""

from __future__ import annotations

import re

from inscriptis import Inscriptis
from inscriptis.css_profiles import RELAXED_CSS_PROFILE
from inscriptis.html_properties import Display
from inscriptis.model.config import ParserConfig
from inscriptis.model.html_element import HtmlElement
from inscriptis.model.tag import CustomHtmlTagHandlerMapping
from lxml import etree  # type: ignore[import-untyped]  # it ships no types
from lxml import html as lxml_html

DROPPED = ("script", "style", "head", "title", "template", "noscript")
BLOCKS = frozenset(
    {
        "address", "article", "aside", "blockquote", "br", "center", "dd", "div", "dl", "dt", "fieldset", "figure",
        "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre",
        "section", "table", "td", "th", "tr", "ul",
    }
)  # fmt: skip
HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d]*[1-9])", re.I)
XML_DECLARATION = re.compile(r"^\s*<\?xml [^>]{0,200}\?>")
#: libxml2 reads 256 levels.
TOO_DEEP = f"boolean(/*{'/*' * 240})"
ENTITIES = {"nbsp": " ", "lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'", "rsquo": "\u2019"}
ENTITY = re.compile(r"&(?:#(\d{1,7})|([a-z]{2,6}));")


def to_text(source: str, limit: int) -> str:
    """What a reader of `source` sees; beyond `limit` characters, or where the tree is too deep, only stripped."""
    text = ""
    if len(source) <= limit:
        try:
            text = render(source)
        except (etree.LxmlError, ValueError, RecursionError, AttributeError, TypeError, IndexError):
            text = ""  # the renderer stumbled over markup nobody should send: its words still count
    return text if text.strip() else strip_tags(source)


def render(source: str) -> str:
    """The text of `source` by inscriptis, tables as lines: padded columns would square the size of hostile input."""
    source = XML_DECLARATION.sub("", source)
    if not source.strip():
        return ""
    tree = lxml_html.document_fromstring(source)
    if tree.xpath(TOO_DEEP):
        return ""  # libxml2 leaves out what lies deeper: better a plain look at all of it
    for element in list(tree.iter(*DROPPED)):
        element.drop_tree()
    for element in tree.iter():
        style = element.get("style") if isinstance(element.tag, str) else None
        if style is None:
            continue
        if HIDDEN.search(style):
            element.set("style", "display:none")
        else:
            del element.attrib["style"]  # lengths in it are written out as blanks
    return str(Inscriptis(tree, config()).get_text())


def config() -> ParserConfig:
    """How inscriptis lays out a mail."""
    css = dict(RELAXED_CSS_PROFILE)
    for name in ("tr", "table", "div", "center"):
        css[name] = HtmlElement(display=Display.block)
    for name in ("td", "th"):
        css[name] = HtmlElement(display=Display.inline, suffix=" ")
    for name in ("ul", "ol", "dl", "dd", "blockquote"):
        css[name] = HtmlElement(display=Display.block)
    nothing = dict.fromkeys(("table", "tr", "td", "th"))
    return ParserConfig(
        css=css,
        custom_html_tag_handler_mapping=CustomHtmlTagHandlerMapping(
            start_tag_mapping=nothing,
            end_tag_mapping=dict.fromkeys(("table", "td", "th")),
        ),
    )


def strip_tags(source: str) -> str:
    """`source` without its tags, in one pass; a block becomes a line."""
    out: list[str] = []
    skipping = ""
    for number, piece in enumerate(source.split("<")):
        tag, closed, text = piece.partition(">")
        if number == 0:
            tag, closed, text = "", ">", piece
        if not closed:
            out.append("" if skipping else f"<{piece}" if not piece[:1].isalpha() else "")
            continue
        name = re.split(r"[\s/>]", tag[:40].lstrip("/"), maxsplit=1)[0].lower()
        if skipping:
            if tag.startswith("/") and name == skipping:
                skipping = ""
                out.append(text)
            continue
        if name in DROPPED and not tag.startswith("/"):
            skipping = name
            continue
        if name in BLOCKS:
            out.append("\n")
        out.append(text)
    return ENTITY.sub(entity, "".join(out))


def entity(match: re.Match[str]) -> str:
    """The character that an entity stands for, or the entity itself."""
    number, name = match.groups()
    if number:
        code = int(number)
        return chr(code) if 32 <= code < 0xD800 or 0xE000 <= code < 0x110000 else " "
    return ENTITIES.get(name, match.group())
