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


def _among(people: Sequence[str], found: Collection[str] | Sequence[str]) -> Got:
    return Counter(each for each in found if each in set(people))


def _whatsapp() -> list[Line]:
    meta, twilio = _numbers("628170"), _numbers("628180")
    common: dict[str, Any] = {
        "channel": "whatsapp", "reports": True, "doubtful": ("rate-limit", "server-errors"), "window": True,
        "waits": ("rate-limit", "server-errors"), "may_double": True,
    }  # fmt: skip
    return [
        Line(
            source="klikacc-whatsapp",
            sends_by="klikacc-whatsapp",
            people=meta,
            complain=lambda aduan, phone: aduan.clouds["klikacc"].inject_text(phone, SAID),
            got=lambda aduan: _among(meta, [sent.to for sent in aduan.clouds["klikacc"].sent]),
            provider=lambda aduan: aduan.clouds["klikacc"],
            listed=False,
            told_of_loss="subscribed",
            **common,
        ),
        Line(
            source="klikacc-twilio",
            sends_by="klikacc-twilio",
            people=twilio,
            complain=lambda aduan, phone: aduan.twilios["klikacc"].inject_text(f"+{phone}", SAID),
            got=lambda aduan: _among(
                twilio, [sent.to.removeprefix("whatsapp:+") for sent in aduan.twilios["klikacc"].sent]
            ),
            provider=lambda aduan: aduan.twilios["klikacc"],
            **common,
        ),
    ]


def _page(aduan: Aduan) -> Facebook:
    return aduan.provider("akseleran", Facebook)


def _facebook() -> list[Line]:
    writing, commenting = _names("fb"), _names("fbk")
    ids = {id_of(person): person for person in (*writing, *commenting)}
    common: dict[str, Any] = {
        "source": "akseleran-facebook", "sends_by": "akseleran-facebook", "provider": _page,
        "told_of_loss": "subscribed", "doubtful": ("rate-limit", *DOUBT), "waits": ("rate-limit", *DOUBT),
    }  # fmt: skip
    message = Line(
        channel="facebook_dm",
        people=writing,
        complain=lambda aduan, person: _page(aduan).inject_text(person, SAID),
        got=lambda aduan: _among(writing, [ids.get(sent.to, sent.to) for sent in _page(aduan).sent]),
        reports=True,
        may_double=True,
        window=True,
        listed=False,
        **common,
    )
    comment = Line(
        channel="facebook_comment",
        people=commenting,
        complain=lambda aduan, person: _page(aduan).comment(person, SAID),
        # A private reply that Meta says was given has no id of its own, so no report names it.
        got=lambda aduan: _among(commenting, [ids.get(s.to, s.to) for s in _page(aduan).sent if s.comment_id]),
        public=lambda aduan: Counter(answer.parent_id for answer in _page(aduan).answers),
        in_public=True,
        **common,
    )
    return [message, comment]


def _instagram_account(aduan: Aduan) -> Instagram:
    return aduan.provider("akseleran", Instagram)


def _instagram() -> list[Line]:
    writing, commenting = _names("ig"), _names("igk")
    common: dict[str, Any] = {
        "source": "akseleran-instagram", "sends_by": "akseleran-instagram", "provider": _instagram_account,
        "told_of_loss": "subscribed", "doubtful": ("rate-limit", *DOUBT), "waits": ("rate-limit", *DOUBT),
    }  # fmt: skip
    message = Line(
        channel="instagram_dm",
        people=writing,
        complain=lambda aduan, person: _instagram_account(aduan).inject_text(person, SAID),
        got=lambda aduan: _among(writing, [sent.person.handle for sent in _instagram_account(aduan).sent]),
        window=True,
        listed=False,
        **common,
    )
    comment = Line(
        channel="instagram_comment",
        people=commenting,
        complain=lambda aduan, person: _instagram_account(aduan).inject_comment(person, SAID),
        got=lambda aduan: _among(commenting, [sent.person.handle for sent in _instagram_account(aduan).sent]),
        public=lambda aduan: Counter(answer.parent_id for answer in _instagram_account(aduan).answers),
        in_public=True,
        **common,
    )
    return [message, comment]


def _x_account(aduan: Aduan) -> X:
    return aduan.provider("akseleran", X)


def _x() -> list[Line]:
    writing, mentioning = _names("xd"), _names("xm")
    common: dict[str, Any] = {
        "source": "akseleran-x", "sends_by": "akseleran-x", "provider": _x_account, "told_of_loss": "webhook",
        "doubtful": ("rate-limit", *DOUBT), "waits": ("rate-limit", *DOUBT),
    }  # fmt: skip
    message = Line(
        channel="x_dm",
        people=writing,
        complain=lambda aduan, person: _x_account(aduan).inject_text(person, SAID),
        got=lambda aduan: _among(writing, [sent.recipient.handle for sent in _x_account(aduan).sent]),
        window=True,
        **common,
    )
    mention = Line(
        channel="x_mention",
        people=mentioning,
        complain=lambda aduan, person: _x_account(aduan).inject_mention(person, SAID),
        got=lambda aduan: _among(mentioning, [sent.recipient.handle for sent in _x_account(aduan).sent]),
        public=lambda aduan: Counter(
            answer.in_reply_to.id for answer in _x_account(aduan).answers if answer.in_reply_to is not None
        ),
        in_public=True,
        **common,
    )
    return [message, mention]


def _telegram(slug: str, untouched: Collection[str]) -> Line:
    people = _names(f"tg_{slug}")
    chats = {person_named(person).id: person for person in people}

    def bot(aduan: Aduan) -> Telegram:
        return aduan.provider(slug, Telegram)

    return Line(
        source=f"{slug}-telegram",
        channel="telegram",
        sends_by=f"{slug}-telegram",
        people=people,
        complain=lambda aduan, person: bot(aduan).inject_text(person, SAID),
        got=lambda aduan: _among(people, [chats.get(sent.chat_id, "") for sent in bot(aduan).sent]),
        provider=bot,
        untouched=untouched,
        doubtful=DOUBT,
        may_double=True,
    )


def _aggregator(aduan: Aduan) -> Sms:
    return aduan.provider("akseleran", Sms)


def _texted(aduan: Aduan, people: Sequence[str]) -> Got:
    return _among(people, [f"+{text.to.lstrip('+')}" for text in _aggregator(aduan).sent])


def _sms() -> Line:
    people = [f"+{number}" for number in _numbers("628190")]
    return Line(
        source="akseleran-sms",
        channel="sms",
        sends_by="akseleran-sms",
        people=people,
        complain=lambda aduan, phone: _aggregator(aduan).inject_text(phone, SAID),
        got=lambda aduan: _texted(aduan, people),
        provider=_aggregator,
        untouched=NO_WEBHOOK,
        # What was taken without an answer is settled by the report that names our key, so nothing goes out again.
        reports=True,
    )


COMPLAINS: Sequence[Act] = (Key("1"), Key("1"), speech(SAID), Key("1"), Silence())


def _phone(slug: str, sends_by: str | None) -> Line:
    people = [f"+{number}" for number in _numbers("628120" if slug == "klikacc" else "628121")]

    def number(aduan: Aduan) -> TwilioVoice:
        return aduan.provider(slug, TwilioVoice)

    def heard(aduan: Aduan) -> Got:
        # Both times that the number is read out it is the same.
        calls = [call for call in number(aduan).calls.values() if len(set(read_back(call, "id"))) == 1]
        return _among(people, [call.from_ for call in calls])

    return Line(
        source=f"{slug}-phone",
        channel="phone",
        people=people,
        complain=lambda aduan, phone: number(aduan).dial(phone, list(COMPLAINS)),
        got=(lambda aduan: _texted(aduan, people)) if sends_by else heard,
        provider=number,
        sends_by=sends_by,
        # A call has no window, and credentials that are refused end by a person's hand.
        untouched=(*NO_WEBHOOK, "expired-token"),
        reports=sends_by is not None,
        files=1,
        mild=False,
    )


def _mailed(aduan: Aduan, people: Sequence[str]) -> Got:
    # A receipt sent again carries the same Message-ID (A13): no customer sees it twice.
    found = {(mail.recipients[0], str(mail.message["Message-ID"])) for mail in aduan.mail.outbox}
    return _among(people, [recipient for recipient, _ in found])


def _mail(aduan: Aduan) -> Mail:
    return aduan.mail


def _by_mail(source: str, channel: str, sends_by: str, complain: Any) -> Line:
    people = [f"{name}@pelanggan.example" for name in _names(f"{source}-{channel}")]
    return Line(
        source=source,
        channel=channel,
        people=people,
        complain=complain,
        got=lambda aduan: _mailed(aduan, people),
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
