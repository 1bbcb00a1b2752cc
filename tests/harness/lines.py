"""The channels that complaints enter on, as the weather journeys play them: a further one is an entry in LINES."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from connectors_voice.kit import read_back
from harness.customer import NUMBER
from harness.forms import app_key, enter, post_complaint
from harness.installation import Aduan
from harness.weather import Got, Line
from simulator.facebook import Facebook
from simulator.facebook.people import id_of
from simulator.instagram import Instagram
from simulator.mail import Mail
from simulator.sms import Sms
from simulator.telegram import Telegram
from simulator.telegram.people import person_named
from simulator.twilio_voice import Key, Silence, TwilioVoice
from simulator.twilio_voice.calls import Act, speech
from simulator.weather import CLIMATES
from simulator.whatsapp_vonage import WhatsAppVonage
from simulator.x import X

SAID = "Saldo saya hilang setelah penarikan dana"
SECOND_BOT = Path(__file__).with_name("second-bot-token")
#: How many complain on each line.
EACH = 3
#: Where a provider may leave it open twice whether it took what was sent.
DOUBT = ("server-errors", "stall")
#: Weather that providers without a window have none of, and who need no subscription to lose either.
NO_WINDOW = ("window-closed",)
NO_WEBHOOK = ("window-closed", "unsubscribed")
#: What a conversation that asks the bot for updates still meets.
POLLED = ("rate-limit", "server-errors", "shuffle", "stall")


def weather_channels(config: dict[str, Any]) -> None:
    """Every channel that is published, impatient: short waits for answers, often a look for what was missed."""
    channels = config["channels"]
    # What a refused WhatsApp receipt would go out by must not stand beside it here, nor may it hide a closed window.
    channels["akseleran-sms"] = channels.pop("klikacc-sms") | {"organisation": "akseleran"}
    polled = channels["akseleran-telegram"] | {"organisation": "klikumkm", "mode": "poll", "poll_seconds": 1}
    channels["klikumkm-telegram"] = polled | {"bot_token": f"file:{SECOND_BOT}"}
    used = {line.source for line in LINES} | {line.sends_by for line in LINES if line.sends_by}
    config["channels"] = {name: channels[name] for name in channels if name in used}
    for channel in config["channels"].values():
        if channel["kind"] == "web_form":
            channel["minimum_fill_time"] = "PT0S"
        elif channel["kind"] == "email":
            channel["smtp"]["timeout_seconds"] = 2
        elif ("api_base" in channel and channel["kind"] != "voice_twilio") or channel["kind"] == "sms_http":
            channel["timeout_seconds"] = 2
    config["outbox"]["ambiguous_wait_seconds"] = 0.6
    config["limits"] |= {"reconcile_seconds": 1, "check_seconds": 1}


def _numbers(start: str) -> list[str]:
    return [f"{start}{n:07}" for n in range(EACH)]


def _names(start: str) -> list[str]:
    return [f"{start}_{n}" for n in range(EACH)]


def _whatsapp() -> list[Line]:
    common: dict[str, Any] = {
        "channel": "whatsapp", "reports": True, "doubtful": ("rate-limit", "server-errors"), "window": True,
        "waits": ("rate-limit", "server-errors"), "may_double": True,
    }  # fmt: skip
    return [
        Line(
            source="klikacc-whatsapp",
            sends_by="klikacc-whatsapp",
            people=_numbers("628170"),
            complain=lambda aduan, phone: aduan.clouds["klikacc"].inject_text(phone, SAID),
            reached=lambda aduan: [sent.to for sent in aduan.clouds["klikacc"].sent],
            provider=lambda aduan: aduan.clouds["klikacc"],
            listed=False,
            told_of_loss="subscribed",
            **common,
        ),
        Line(
            source="klikacc-twilio",
            sends_by="klikacc-twilio",
            people=_numbers("628180"),
            complain=lambda aduan, phone: aduan.twilios["klikacc"].inject_text(f"+{phone}", SAID),
            reached=lambda aduan: [sent.to for sent in aduan.twilios["klikacc"].sent],
            address=lambda phone: f"whatsapp:+{phone}",
            provider=lambda aduan: aduan.twilios["klikacc"],
            **common,
        ),
        Line(
            source="klikumkm-vonage",
            sends_by="klikumkm-vonage",
            people=_numbers("628171"),
            complain=lambda aduan, phone: aduan.provider("klikumkm", WhatsAppVonage).inject_text(phone, SAID),
            reached=lambda aduan: [sent.to for sent in aduan.provider("klikumkm", WhatsAppVonage).sent],
            provider=lambda aduan: aduan.provider("klikumkm", WhatsAppVonage),
            listed=False,
            told_of_loss="application_id",
            **common,
        ),
    ]


def _social(source: str, provider: Any, told_of_loss: str, private: Mapping[str, Any], public: Any) -> list[Line]:
    """Conversations and what is said in public at one provider; both get their receipts in private."""
    common: dict[str, Any] = {
        "source": source, "sends_by": source, "provider": provider, "told_of_loss": told_of_loss,
        "doubtful": ("rate-limit", *DOUBT), "waits": ("rate-limit", *DOUBT),
    }  # fmt: skip
    return [
        Line(people=_names(f"{source[10:12]}_a"), window=True, **common, **private),
        Line(people=_names(f"{source[10:12]}_b"), in_public=True, **common, **public),
    ]


def _facebook() -> list[Line]:
    def page(aduan: Aduan) -> Facebook:
        return aduan.provider("akseleran", Facebook)

    private = {
        "channel": "facebook_dm",
        "complain": lambda aduan, person: page(aduan).inject_text(person, SAID),
        "reached": lambda aduan: [sent.to for sent in page(aduan).sent],
        "address": id_of,
        "reports": True,
        "may_double": True,
        "listed": False,
    }
    public = {
        "channel": "facebook_comment",
        "complain": lambda aduan, person: page(aduan).comment(person, SAID),
        # A private reply that Meta says was given has no id of its own, so no report names it.
        "reached": lambda aduan: [sent.to for sent in page(aduan).sent if sent.comment_id],
        "address": id_of,
        "public": lambda aduan: Counter(answer.parent_id for answer in page(aduan).answers),
    }
    return _social("akseleran-facebook", page, "subscribed", private, public)


def _instagram() -> list[Line]:
    def account(aduan: Aduan) -> Instagram:
        return aduan.provider("akseleran", Instagram)

    def reached(aduan: Aduan) -> list[str]:
        return [sent.person.handle for sent in account(aduan).sent]

    private = {
        "channel": "instagram_dm",
        "complain": lambda aduan, person: account(aduan).inject_text(person, SAID),
        "reached": reached,
        "listed": False,
    }
    public = {
        "channel": "instagram_comment",
        "complain": lambda aduan, person: account(aduan).inject_comment(person, SAID),
        "reached": reached,
        "public": lambda aduan: Counter(answer.parent_id for answer in account(aduan).answers),
    }
    return _social("akseleran-instagram", account, "subscribed", private, public)


def _x() -> list[Line]:
    def account(aduan: Aduan) -> X:
        return aduan.provider("akseleran", X)

    def reached(aduan: Aduan) -> list[str]:
        return [sent.recipient.handle for sent in account(aduan).sent]

    def under(aduan: Aduan) -> Got:
        return Counter(each.in_reply_to.id for each in account(aduan).answers if each.in_reply_to is not None)

    private = {
        "channel": "x_dm",
        "complain": lambda aduan, person: account(aduan).inject_text(person, SAID),
        "reached": reached,
    }
    public = {
        "channel": "x_mention",
        "complain": lambda aduan, person: account(aduan).inject_mention(person, SAID),
        "reached": reached,
        "public": under,
    }
    return _social("akseleran-x", account, "webhook", private, public)


def _telegram(slug: str, untouched: Collection[str]) -> Line:
    def bot(aduan: Aduan) -> Telegram:
        return aduan.provider(slug, Telegram)

    return Line(
        source=f"{slug}-telegram",
        channel="telegram",
        sends_by=f"{slug}-telegram",
        people=_names(f"tg_{slug}"),
        complain=lambda aduan, person: bot(aduan).inject_text(person, SAID),
        reached=lambda aduan: [sent.chat_id for sent in bot(aduan).sent],
        address=lambda person: person_named(person).id,
        provider=bot,
        untouched=untouched,
        doubtful=DOUBT,
        may_double=True,
    )


def _aggregator(aduan: Aduan) -> Sms:
    return aduan.provider("akseleran", Sms)


def _texted(aduan: Aduan) -> list[str]:
    return [f"+{text.to.lstrip('+')}" for text in _aggregator(aduan).sent]


def _sms() -> Line:
    return Line(
        source="akseleran-sms",
        channel="sms",
        sends_by="akseleran-sms",
        people=[f"+{number}" for number in _numbers("628190")],
        complain=lambda aduan, phone: _aggregator(aduan).inject_text(phone, SAID),
        reached=_texted,
        provider=_aggregator,
        untouched=NO_WEBHOOK,
        # What was taken without an answer is settled by the report that names our key, so nothing goes out again.
        reports=True,
    )


COMPLAINS: Sequence[Act] = (Key("1"), Key("1"), speech(SAID), Key("1"), Silence())


def _phone(slug: str, sends_by: str | None) -> Line:
    def number(aduan: Aduan) -> TwilioVoice:
        return aduan.provider(slug, TwilioVoice)

    def heard(aduan: Aduan) -> list[str]:
        # Both times that the number is read out it is the same.
        return [call.from_ for call in number(aduan).calls.values() if len(set(read_back(call, "id"))) == 1]

    return Line(
        source=f"{slug}-phone",
        channel="phone",
        people=[f"+{number}" for number in _numbers("628120" if slug == "klikacc" else "628121")],
        complain=lambda aduan, phone: number(aduan).dial(phone, list(COMPLAINS)),
        reached=_texted if sends_by else heard,
        provider=number,
        sends_by=sends_by,
        # A call has no window, and credentials that are refused end by a person's hand.
        untouched=(*NO_WEBHOOK, "expired-token"),
        reports=sends_by is not None,
        files=1,
        mild=False,
    )


def _mailed(aduan: Aduan) -> list[str]:
    # A receipt sent again carries the same Message-ID (A13): no customer sees it twice.
    found = {(mail.recipients[0], str(mail.message["Message-ID"])) for mail in aduan.mail.outbox}
    return [recipient for recipient, _ in found]


def _mail(aduan: Aduan) -> Mail:
    return aduan.mail


def _by_mail(source: str, channel: str, sends_by: str, complain: Any) -> Line:
    return Line(
        source=source,
        channel=channel,
        people=[f"{name}@pelanggan.example" for name in _names(f"{source}-{channel}")],
        complain=complain,
        reached=_mailed,
        provider=_mail,
        sends_by=sends_by,
        untouched=NO_WEBHOOK,
        doubtful=DOUBT,
    )


def _email(slug: str, mailbox: str) -> Line:
    async def write(aduan: Aduan, person: str) -> None:
        await aduan.mail.write(person, mailbox, "Saldo belum masuk", SAID)

    return _by_mail(f"{slug}-email", "email", f"{slug}-email", write)


def _form(slug: str, door: str) -> Line:
    async def fill(aduan: Aduan, person: str) -> None:
        key = app_key(aduan) if door == "app" else None
        status, said = await post_complaint(aduan, slug, f"weather-{person}", {"narrative": SAID, "email": person}, key)
        assert (status, bool(NUMBER.fullmatch(said["ticket_number"]))) == (201, True), said

    return _by_mail(f"{slug}-{door}", f"{'app' if door == 'app' else 'web'}_form", f"{slug}-email", fill)


def _desk(slug: str, way: str) -> Line:
    async def tell(aduan: Aduan, person: str) -> None:
        fields = {"channel": way, "narrative": SAID, "email": person}
        status, said = await enter(aduan, slug, f"weather-{person}", fields)
        assert (status, said.get("receipt_goes_by")) == (201, ["email"]), said

    return _by_mail(f"{slug}-staff", way, f"{slug}-email", tell)


#: Each in every climate that it meets.
LINES: Sequence[Line] = (
    *_whatsapp(),
    *_facebook(),
    *_instagram(),
    *_x(),
    _telegram("akseleran", NO_WINDOW),
    _telegram("klikumkm", sorted(set(CLIMATES) - set(POLLED))),
    _sms(),
    _phone("klikacc", None),
    _phone("akseleran", "akseleran-sms"),
    _email("klikacc", "support@klikacc.demo"),
    _email("akseleran", "cs@akseleran.demo"),
    _form("akseleran", "form"),
    _form("akseleran", "app"),
    *(_desk(slug, way) for slug in ("klikacc", "akseleran") for way in ("walk_in", "letter")),
)


async def everybody_complains(aduan: Aduan, lines: Sequence[Line]) -> Mapping[str, Sequence[object]]:
    """The ids of what all customers wrote, by line; the lines at once, each line's people one after the other."""

    async def one_line(line: Line) -> list[object]:
        return [await line.complain(aduan, person) for person in line.people]

    ids = await asyncio.gather(*(one_line(line) for line in lines))
    return {line.name: said for line, said in zip(lines, ids, strict=True)}
