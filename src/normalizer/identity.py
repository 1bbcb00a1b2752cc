"""Who wrote: telephone numbers in E.164, e-mail addresses in one spelling, keys by which a person is found again."""

from __future__ import annotations

import re
import unicodedata

import phonenumbers
from msgspec import Struct
from phonenumbers import PhoneNumberFormat

from normalizer.message import Sender

_REGION = "ID"
_LONGEST_PHONE = 40  # characters with every separator a person may type
_LONGEST_DOMAIN = 253  # RFC 1035 section 3.1
_LONGEST_LOCAL = 64  # RFC 5321 section 4.5.3.1.1

_SEPARATORS = re.compile(r"[\s\-.()/\u00a0\u2010-\u2015]+")
_SCHEME = re.compile(r"^(?:whatsapp|tel|sms|wa)\s*:\s*", re.IGNORECASE)
# The mobile numbers of Indonesia as phonenumbers describes them; a test holds the two together. Nearly every number is
# one of these, and the library takes longer than all the rest of a message.
_INDONESIAN_MOBILE = re.compile(r"(?:\+62|0062|62|0)0?(8[1-35-9][0-9]{7,10})")
_PHONE_SHAPE = re.compile(r"\+?[0-9]{5,17}")

_LOCAL = re.compile(r"[^\s@<>\"(),:;\[\]\\\x00-\x20\x7f-\x9f\ud800-\udfff]{1,64}")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_LATIN_LOOKALIKES = frozenset("аеорсухіјԁһӏѕԛԝɡοαικνρτυ")


class Email(Struct, frozen=True, kw_only=True):
    """An e-mail address in its one spelling."""

    address: str
    #: True when the address contains characters that look like others, so that a person must look twice (A10).
    confusable: bool = False


def phone(raw: str | None) -> str | None:
    """Return the telephone number in E.164, or None when it is none; a number without a country is Indonesian."""
    if not raw or len(raw) > _LONGEST_PHONE:
        return None
    mobile = _INDONESIAN_MOBILE.fullmatch(raw)  # as providers give it
    if mobile is None:
        digits = _SEPARATORS.sub("", _SCHEME.sub("", raw.strip()))
        mobile = _INDONESIAN_MOBILE.fullmatch(digits)
    if mobile is not None:
        return "+62" + mobile[1]
    if _PHONE_SHAPE.fullmatch(digits) is None:
        return None
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    # Providers give "62812..." and "6512..." without the plus: a full number, as no trunk zero leads it.
    candidates = (digits,) if digits[0] in "+0" else ("+" + digits, digits)
    for candidate in candidates:
        try:
            number = phonenumbers.parse(candidate, _REGION)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))
    return None


def email(raw: str | None) -> Email | None:
    """Return the address without its display name, the domain in lower case and IDNA; None when it is no address.

    The local part stays as written (RFC 5321 section 2.4). Never raises.
    """
    if not raw or len(raw) > 1000:
        return None
    text = raw.strip()
    if text.endswith(">") and "<" in text:
        text = text[text.rfind("<") + 1 : -1].strip()
    if text[:7].lower() == "mailto:":
        text = text[7:]
    local, at, domain = text.rpartition("@")
    if not at or len(local) > _LONGEST_LOCAL or _LOCAL.fullmatch(local) is None:
        return None
    if local.startswith(".") or local.endswith(".") or ".." in local:
        return None
    spelled = _domain(domain.strip().rstrip("."))
    if spelled is None:
        return None
    ascii_domain, confusable = spelled
    return Email(address=f"{local}@{ascii_domain}", confusable=confusable or _is_confusable(local))


def identity_keys(sender: Sender) -> tuple[str, ...]:
    """Return the keys under which the same person may be found on another channel, the provider's own key first (B9).

    Telephone and e-mail count only where the provider vouches for them: a forged From must never link two people.
    A sender without a telephone number is known by the provider's key alone (business-scoped ids of WhatsApp).
    """
    keys = [sender.key] if sender.key else []
    if sender.verified:
        number = phone(sender.phone)
        if number is not None:
            keys.append(f"tel:{number}")
        address = email(sender.email)
        if address is not None and not address.confusable:
            keys.append(f"mailto:{address.address}")
    return tuple(dict.fromkeys(keys))


def _domain(domain: str) -> tuple[str, bool] | None:
    if not domain or len(domain) > _LONGEST_DOMAIN:
        return None
    lowered = domain.lower()
    shown = lowered
    if not lowered.isascii():
        try:
            lowered = unicodedata.normalize("NFKC", lowered).encode("idna").decode("ascii").lower()
        except UnicodeError:
            return None
    elif "xn--" in lowered:
        try:
            shown = lowered.encode("ascii").decode("idna")
        except UnicodeError:
            return None
    labels = lowered.split(".")
    if len(labels) < 2 or len(lowered) > _LONGEST_DOMAIN or any(_LABEL.fullmatch(label) is None for label in labels):
        return None
    return lowered, any(_is_confusable(label) for label in shown.split("."))


def _is_confusable(label: str) -> bool:
    if label.isascii():
        return False
    letters = [char for char in label.lower() if char.isalpha()]
    scripts = {unicodedata.name(char, "UNKNOWN").split(" ", 1)[0] for char in letters}
    mixes_scripts = "LATIN" in scripts and bool(scripts & {"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"})
    return mixes_scripts or (bool(letters) and all(char in _LATIN_LOOKALIKES for char in letters))
