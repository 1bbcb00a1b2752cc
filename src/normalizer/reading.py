"""What one message says, taken apart once: for a new complaint and for one that it is added to."""

from __future__ import annotations

from msgspec import Struct

from normalizer import attachments, fields, identity, language, privacy, text, thread
from normalizer.classify import Proposal, classify
from normalizer.complaint import Language, StoredAttachment
from normalizer.lexicon import Lexicon, words
from normalizer.message import Message

#: Classification reads this much of a text: who has not said by then what it is about, needs a person.
_CLASSIFIED_CHARACTERS = 8_000


class Reading(Struct, frozen=True, kw_only=True):
    """Everything that can be known from the message alone."""

    narrative: str
    narrative_redacted: str
    #: The narrative without what a mail program quoted.
    visible: str
    subject: str
    answers: fields.Answers
    proposal: Proposal
    language: Language
    language_confidence: float
    phone: str | None
    email: identity.Email | None
    profile_name: str | None
    attachments: tuple[StoredAttachment, ...]
    brings_documents: bool
    flags: tuple[str, ...]


def read(
    message: Message,
    lexicon: Lexicon,
    *,
    categories: tuple[str, ...] | None,
    kinds: tuple[str, ...] | None,
    default_language: Language,
    attachment_ids: tuple[str, ...],
    names_taken: tuple[str, ...] = (),
) -> Reading:
    """Return what the message says. Never raises on any message."""
    answers = fields.read(message.fields, categories, kinds)
    phone, email = identity.phone(message.sender.phone), identity.email(message.sender.email)
    narrative, cut = text.bounded(message.text)
    visible = thread.fold(narrative).visible
    kept = answers.unread + _other_contacts(message, answers, phone, email)
    if kept:
        narrative = "\n".join((narrative, *kept)).strip()[: text.NARRATIVE_LIMIT]
    spans = privacy.find(narrative)
    heading = text.line(answers.subject or message.subject)
    spoken = words(f"{heading}\n{visible[:_CLASSIFIED_CHARACTERS]}" if heading else visible[:_CLASSIFIED_CHARACTERS])
    spoken_language, confidence = language.detect(visible, spoken, lexicon.stop_words, default_language)
    redacted = privacy.mask(narrative, spans)
    return Reading(
        narrative=narrative,
        narrative_redacted=redacted,
        visible=visible,
        subject=_subject(heading, visible, redacted if visible == narrative else None),
        answers=answers,
        proposal=classify(spoken, lexicon, categories, kinds),
        language=spoken_language,
        language_confidence=confidence,
        phone=phone,
        email=email,
        profile_name=_profile_name(message.sender.name),
        attachments=attachments.store(message.attachments, attachment_ids, visible, lexicon, names_taken)
        if message.attachments
        else (),
        brings_documents=bool(message.attachments) and attachments.are_documents(message.attachments),
        flags=_unique(
            message.flags,
            answers.flags,
            # G13: a voice note stays written, and somebody has to listen to it.
            ("has_audio",) if any(item.kind == "audio" for item in message.attachments) else (),
            ("truncated",) if cut else (),
            ("personal_data_in_public",) if spans and message.visibility == "public" else (),
            _contact_flags(message, answers, phone, email),
        ),
    )


def _subject(heading: str | None, visible: str, redacted: str | None) -> str:
    """One line for lists; lists are seen by more people than the complaint, so it carries no personal data."""
    if heading:
        return text.first_line(privacy.redact(heading))
    return text.first_line(privacy.redact(visible[:1000]) if redacted is None else redacted)


def _profile_name(name: str | None) -> str | None:
    shown = text.line(name)
    return shown if shown is not None and any(map(str.isalpha, shown)) else None


def _other_contacts(
    message: Message, answers: fields.Answers, phone: str | None, email: identity.Email | None
) -> tuple[str, ...]:
    """Contacts that the answers give beside a different one that the provider vouches for: kept as text.

    A typed-in address must not inherit the provider's proof, so it does not become the contact.
    """
    if not message.sender.verified:
        return ()
    found = []
    if answers.phone is not None and phone is not None and answers.phone != phone:
        found.append(f"phone: {answers.phone}")
    if answers.email is not None and email is not None and answers.email.address != email.address:
        found.append(f"email: {answers.email.address}")
    return tuple(found)


def _contact_flags(
    message: Message, answers: fields.Answers, phone: str | None, email: identity.Email | None
) -> tuple[str, ...]:
    found = []
    if (email is not None and email.confusable) or (answers.email is not None and answers.email.confusable):
        found.append("confusable_address")
    if _other_contacts(message, answers, phone, email):
        found.append("other_contact")
    if message.sender.verified and (
        (phone is None and answers.phone is not None) or (email is None and answers.email is not None)
    ):
        found.append("unverified_contact")
    return tuple(found)


def _unique(*groups: tuple[str, ...]) -> tuple[str, ...]:
    if not any(groups):
        return ()
    return tuple(dict.fromkeys(shown for group in groups for raw in group if (shown := text.line(raw, 60)) is not None))
