"""What Meta accepts as an outgoing message. Pure: each rule raises GraphError with Meta's code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simulator.whatsapp_cloud.errors import GraphError

TEXT_LIMIT = 4_096
CAPTION_LIMIT = 1_024
INTERACTIVE_BODY_LIMIT = 1_024
FOOTER_LIMIT = 60
BUTTONS = 3
BUTTON_TITLE_LIMIT = 20
LIST_ROWS = 10
ROW_TITLE_LIMIT = 24
ROW_DESCRIPTION_LIMIT = 72
CALLBACK_DATA_LIMIT = 512

MEDIA_TYPES = frozenset({"image", "video", "audio", "document", "sticker"})
WITH_CAPTION = frozenset({"image", "video", "document"})
TYPES = MEDIA_TYPES | {"text", "template", "interactive", "location", "contacts", "reaction"}

Json = Mapping[str, Any]


def check(body: Any) -> str:
    """The type of an acceptable message; raises GraphError for any other."""
    if not isinstance(body, dict):
        raise GraphError(100, "Invalid parameter")
    if body.get("messaging_product") != "whatsapp":
        raise GraphError(100, "The parameter messaging_product is required.")
    if not body.get("to") and not body.get("recipient"):
        raise GraphError(100, "The parameter to is required.")
    for key in ("to", "recipient"):
        if body.get(key) is not None and not isinstance(body[key], str):
            raise GraphError(100, f"Param {key} must be a string.")
    if body.get("recipient_type", "individual") not in ("individual", "group"):
        raise GraphError(131009, "recipient_type must be individual or group")
    type_ = body.get("type", "text")
    if type_ not in TYPES:
        raise GraphError(100, f"Param type must be one of {{{', '.join(sorted(TYPES)).upper()}}}")
    content = body.get(type_)
    if content is None:
        raise GraphError(131008, f"Required parameter is missing: {type_}")
    if not isinstance(content, list if type_ == "contacts" else dict):
        raise GraphError(100, f"Param {type_} has the wrong shape.")
    context = body.get("context")
    if context is not None and not (isinstance(context, dict) and isinstance(context.get("message_id"), str)):
        raise GraphError(131009, "context needs message_id")
    data = body.get("biz_opaque_callback_data")
    if data is not None and not (isinstance(data, str) and len(data) <= CALLBACK_DATA_LIMIT):
        raise GraphError(100, f"biz_opaque_callback_data must be a string of at most {CALLBACK_DATA_LIMIT} characters")
    _CONTENT[type_ if type_ not in MEDIA_TYPES else "media"](type_, content)
    return str(type_)


def _text(value: Any, limit: int, what: str, *, needed: bool = True) -> None:
    if value is None and not needed:
        return
    if not isinstance(value, str) or (needed and not value.strip()):
        raise GraphError(131008, f"Required parameter is missing: {what}")
    if len(value) > limit:
        raise GraphError(100, f"Param {what} must be at most {limit} characters long.")


def _check_text(_: str, content: Json) -> None:
    _text(content.get("body"), TEXT_LIMIT, "text['body']")


def _check_media(type_: str, content: Json) -> None:
    given = [key for key in ("id", "link") if content.get(key)]
    if len(given) != 1 or not isinstance(content[given[0]], str):
        raise GraphError(131008, f"Required parameter is missing: {type_} needs either id or link")
    if content.get("caption") is not None:
        if type_ not in WITH_CAPTION:
            raise GraphError(100, f"Param caption is not allowed for {type_}")
        _text(content["caption"], CAPTION_LIMIT, f"{type_}['caption']", needed=False)


def _check_template(_: str, content: Json) -> None:
    _text(content.get("name"), 512, "template['name']")
    language = content.get("language")
    if not isinstance(language, dict) or not isinstance(language.get("code"), str):
        raise GraphError(131008, "Required parameter is missing: template['language']['code']")
    components = content.get("components", [])
    if not isinstance(components, list) or not all(isinstance(each, dict) for each in components):
        raise GraphError(132012, "components must be a list of objects")


def _check_interactive(_: str, content: Json) -> None:
    if not isinstance(content.get("type"), str):
        raise GraphError(131008, "Required parameter is missing: interactive['type']")
    action = content.get("action")
    if not isinstance(action, dict):
        raise GraphError(131008, "Required parameter is missing: interactive['action']")
    body = content.get("body")
    if content["type"] in ("button", "list"):
        _text(body.get("text") if isinstance(body, dict) else None, INTERACTIVE_BODY_LIMIT, "interactive['body']")
    footer = content.get("footer")
    if isinstance(footer, dict):
        _text(footer.get("text"), FOOTER_LIMIT, "interactive['footer']")
    if content["type"] == "button":
        _check_buttons(action.get("buttons"))
    elif content["type"] == "list":
        _check_rows(action)


def _check_buttons(buttons: Any) -> None:
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= BUTTONS:
        raise GraphError(131009, f"Buttons count must be between 1 and {BUTTONS}")
    replies: list[Json] = [
        each["reply"] for each in buttons if isinstance(each, dict) and isinstance(each.get("reply"), dict)
    ]
    if len(replies) < len(buttons) or not all(reply.get("id") for reply in replies):
        raise GraphError(131008, "Required parameter is missing: reply['id']")
    for reply in replies:
        _text(reply.get("title"), BUTTON_TITLE_LIMIT, "reply['title']")
    if len({reply["id"] for reply in replies}) < len(replies) or len({r["title"] for r in replies}) < len(replies):
        raise GraphError(131009, "Buttons must have unique ids and titles")


def _check_rows(action: Json) -> None:
    _text(action.get("button"), BUTTON_TITLE_LIMIT, "action['button']")
    sections = action.get("sections")
    if not isinstance(sections, list) or not all(isinstance(each, dict) for each in sections):
        raise GraphError(131008, "Required parameter is missing: action['sections']")
    rows = [row for section in sections for row in section.get("rows", [])]
    if not 1 <= len(rows) <= LIST_ROWS:
        raise GraphError(131009, f"Total row count must be between 1 and {LIST_ROWS}")
    for row in rows:
        _text(row.get("id"), 200, "row['id']")
        _text(row.get("title"), ROW_TITLE_LIMIT, "row['title']")
        _text(row.get("description"), ROW_DESCRIPTION_LIMIT, "row['description']", needed=False)


def _check_location(_: str, content: Json) -> None:
    for key in ("latitude", "longitude"):
        try:
            float(content[key])
        except (KeyError, TypeError, ValueError):
            raise GraphError(131008, f"Required parameter is missing: location['{key}']") from None


def _check_contacts(_: str, content: Any) -> None:
    if not content:
        raise GraphError(131008, "Required parameter is missing: contacts")
    for each in content:
        name = each.get("name") if isinstance(each, dict) else None
        if not isinstance(name, dict) or not name.get("formatted_name"):
            raise GraphError(131008, "Required parameter is missing: contacts['name']['formatted_name']")


def _check_reaction(_: str, content: Json) -> None:
    _text(content.get("message_id"), 512, "reaction['message_id']")
    if not isinstance(content.get("emoji", ""), str):
        raise GraphError(100, "Param reaction['emoji'] must be a string.")


_CONTENT: Mapping[str, Callable[[str, Any], None]] = {
    "text": _check_text,
    "media": _check_media,
    "template": _check_template,
    "interactive": _check_interactive,
    "location": _check_location,
    "contacts": _check_contacts,
    "reaction": _check_reaction,
}


def check_template_known(content: Json, known: Mapping[tuple[str, str], int] | None) -> None:
    """Raises 132001 for an unknown template and 132000 for a wrong count of body parameters."""
    if known is None:
        return
    name, language = content["name"], content["language"]["code"]
    if (name, language) not in known:
        raise GraphError(132001, f"template name ({name}) does not exist in {language}")
    given = sum(
        len(each.get("parameters", []))
        for each in content.get("components", [])
        if str(each.get("type", "")).lower() == "body"
    )
    if given != known[name, language]:
        raise GraphError(
            132000,
            f"number of localizable_params ({given}) does not match the expected number of params "
            f"({known[name, language]})",
        )
