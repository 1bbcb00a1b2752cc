"""What the public form of an organisation shows, read from its policy and the labels."""

from __future__ import annotations

from gateway.installation import Installation
from tickets.policy import Policy
from tickets.policy_clocks import OfficeHoursRule
from tickets.policy_labels import Group
from web.ports import Choice, ContactLine, OrganisationPage, Text

_ROLES = {
    "lender": Text("Pemberi dana", "Lender"),
    "borrower": Text("Penerima dana (peminjam)", "Borrower"),
    "user": Text("Pengguna", "User"),
    "prospect": Text("Calon pengguna", "Not yet a user"),
    "external_reporter": Text("Pihak lain (bukan pengguna)", "Somebody else (not a user)"),
}
PRIVACY_NOTICE = "2026-11"


def text_of(installation: Installation, group: Group, key: str) -> Text:
    """The words of a key in both languages."""
    labels = installation.labels
    return Text(labels.label(group, key, "id"), labels.label(group, key, "en"))


def page_of(installation: Installation, slug: str) -> OrganisationPage:
    """The page of one organisation."""
    organisation = installation.organisations[slug]
    policy = organisation.policy
    form = installation.channel_of(slug, "web_form")
    app = installation.channel_of(slug, "app_api")
    staff = installation.channel_of(slug, "staff")
    representative = policy.complainants.representative
    return OrganisationPage(
        slug=getattr(form.settings, "slug", None) or slug if form else slug,
        name=organisation.name,
        categories=tuple(
            Choice(value=key, label=text_of(installation, "category", key)) for key in policy.categories or ()
        ),
        roles=tuple(Choice(value=role, label=_ROLES[role]) for role in policy.complainants.roles if role in _ROLES),
        kinds=tuple(
            Choice(value=kind, label=text_of(installation, "kind", kind))
            for kind in (policy.intake.kinds if policy.intake else ())
        ),
        asks_id_address="id_address" in policy.documents.list,
        representative=representative.allowed is not False,
        contact=contact_lines(policy),
        documents=tuple(text_of(installation, "document", name) for name in policy.documents.list),
        promise=_promise(policy),
        privacy_notice_version=PRIVACY_NOTICE,
        form_channel_id=form.id if form else None,
        app_channel_id=app.id if app else None,
        staff_channel_id=staff.id if staff else None,
        allowed_origins=tuple(str(origin) for origin in getattr(form.settings, "allowed_origins", ())) if form else (),
    )


def contact_lines(policy: Policy) -> tuple[ContactLine, ...]:
    """Every published way to reach the organisation; the phone with its hours."""
    contact = policy.contact
    lines: list[ContactLine] = []
    if contact.whatsapp:
        digits = "".join(c for c in contact.whatsapp if c.isdigit())
        lines.append(
            ContactLine(label=Text("WhatsApp", "WhatsApp"), value=contact.whatsapp, href=f"https://wa.me/{digits}")
        )
    if contact.phone:
        hours = policy.hours_of("phone")
        lines.append(
            ContactLine(
                label=Text("Telepon", "Phone"),
                value=contact.phone,
                href=f"tel:{contact.phone}",
                hours=_hours(hours) if hours else None,
            )
        )
    if contact.email:
        lines.append(ContactLine(label=Text("Email", "Email"), value=contact.email, href=f"mailto:{contact.email}"))
    if contact.url:
        lines.append(ContactLine(label=Text("Situs", "Site"), value=contact.url, href=contact.url))
    return tuple(lines)


def _hours(hours: OfficeHoursRule) -> Text:
    span = f"{hours.open:%H.%M}-{hours.close:%H.%M} WIB"
    return Text(f"hari kerja {span}", f"working days {span}")


def _promise(policy: Policy) -> Text | None:
    first = policy.first_response
    if first is None:
        return None
    if first.from_ == "documents_complete":
        return Text(
            f"Kami menjawab paling lambat {first.days} hari kerja setelah dokumen Anda lengkap.",
            f"We answer within {first.days} working days after your documents are complete.",
        )
    return Text(
        f"Kami menjawab paling lambat {first.days} hari kerja setelah pengaduan kami terima.",
        f"We answer within {first.days} working days after we receive your complaint.",
    )
