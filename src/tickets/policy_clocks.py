"""The parts of a policy that run on a calendar: tracks, windows, hours and reports. Days are working days."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, field_serializer, model_validator

from normalizer.complaint import Form, Kind, RejectionGround, Severity, Tier, Urgency
from tickets.calendar import JointLeave
from tickets.policy_part import Part, Text, Word

ClockStart = Literal["received", "first_response", "documents_complete", "objection_received", "due"]
Days = Annotated[int, Field(ge=1, le=366, strict=True, description="working days, a maximum")]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ReportSection = Literal["product_problem", "settled_in_period", "causes", "negative_publication"]


def _several(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


def _named_day(value: Any) -> Any:
    return {"date": value} if isinstance(value, date | str) else value


class ExtraHoliday(Part):
    """A day the operator does not work, beside the published calendar (a regional election, a flood)."""

    date: date
    name: Text = "hari libur operator"


class CalendarRule(Part):
    """Which days count for this institution (R3, R4)."""

    weekend: tuple[Weekday, ...]
    holidays: Annotated[Word, Field(description="the name of a calendar in config/calendars")]
    joint_leave: JointLeave
    extra_holidays: tuple[Annotated[ExtraHoliday, BeforeValidator(_named_day)], ...] = ()


class OfficeHoursRule(Part):
    """Opening time (inclusive) and closing time (exclusive) on working days, WIB (K6, A6)."""

    days: Literal["working"]
    open: time
    close: time

    @field_serializer("open", "close")
    def _clock(self, value: time) -> str:
        return value.strftime("%H:%M")

    @model_validator(mode="after")
    def _open_before_close(self) -> OfficeHoursRule:
        if self.open >= self.close:
            raise ValueError("the opening time must lie before the closing time")
        return self


class Clock(Part):
    """At most `days` after the event `from`."""

    days: Days
    from_: ClockStart = Field(alias="from")


class ResolveClock(Clock):
    """A clock to the end of handling; `min` is the earliest promise and only informs (G1)."""

    min: Annotated[int | None, Field(ge=0, strict=True)] = None


class When(Part):
    """What a complaint must be for a track; an absent key matches everything, a list means any of it."""

    tier: Annotated[tuple[Tier, ...], BeforeValidator(_several)] | None = None
    kind: Annotated[tuple[Kind, ...], BeforeValidator(_several)] | None = None
    urgency: Annotated[tuple[Urgency, ...], BeforeValidator(_several)] | None = None
    form: Form | None = None
    severity: Severity | None = None
    has_documents: Annotated[bool | None, Field(strict=True)] = None

    @property
    def matches_everything(self) -> bool:
        """True when no condition is set."""
        return self == When()


class ExtendRule(Part):
    """How a track may be extended; None where the text is silent. Null `days`: a person types the new date (U8)."""

    days: Days | None
    times: Annotated[int | None, Field(ge=1, strict=True)]
    from_: Literal["due"] = Field(alias="from")
    grounds: tuple[Word, ...] | None
    notify: Literal["before_due", "with_stage_update"]


class Track(Part):
    """One promise for one sort of complaint."""

    id: Word
    when: When
    resolve: Annotated[
        Annotated[Literal["forum"], Tag("forum")] | Annotated[ResolveClock, Tag("clock")],
        Discriminator(lambda value: "forum" if isinstance(value, str) else "clock"),
    ]
    extend: ExtendRule | None = None
    on_expiry: Literal["may_request_written_documents"] | None = None


class DocumentWindow(Part):
    """How long the complainant may take to complete documents, and the one extension (G7)."""

    days: Days
    extend: Days | None = None


class OnDocumentTimeout(Part):
    """What a person may do when the window and its extension have passed."""

    may_reject: RejectionGround


class DocumentsRule(Part):
    """Which documents may be asked for and what a request does to the resolve clock (R9)."""

    list: tuple[Word, ...]
    on_request_only: bool = False
    required_when: dict[Word, Literal["represented", "technical", "about_transaction"]] = Field(default_factory=dict)
    clock: Literal["none", "pause", "start_on_complete"]
    window: DocumentWindow | None = None
    on_timeout: OnDocumentTimeout | None = None
    complete_if_not_requested_by: Literal["first_response"] | None = None


class Window(Part):
    """A number of working days in which the complainant may act."""

    days: Days


class ObjectionRule(Part):
    """When a complainant may object and by when the institution answers (K16, A18, G10)."""

    window: Window
    answer: Clock
    new_documents: bool
    if_no_effect: Literal["may_reject"] | None = None


class ReportDueRule(Part):
    """The n-th working day, or a day of the month moved to a working day, of the month after the period (K18, K20)."""

    working_day: Annotated[int | None, Field(ge=1, le=20, strict=True)] = None
    day_of_month: Annotated[int | None, Field(ge=1, le=28, strict=True)] = None
    shift: Literal["next_working_day"] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> ReportDueRule:
        if (self.working_day is None) == (self.day_of_month is None):
            raise ValueError("give either `working_day` or `day_of_month`")
        if self.shift and self.working_day is not None:
            raise ValueError("`shift` belongs to `day_of_month`: a working day needs no shift")
        return self


class ReportFallback(Part):
    """What to do when the electronic system fails (K21)."""

    by: Literal["letter"]
    to: Text
    cc: Text | None = None


class ReportRule(Part):
    """One periodic report; a null period or due date means that the text does not state it (A23)."""

    id: Word
    period: Literal["month", "quarter"] | None
    due: ReportDueRule | None
    to: Text | None = None
    electronic: bool = False
    fallback: ReportFallback | None = None
    form: Literal["set_by_ojk"] | None = None
    every_complaint: bool = False
    sections: tuple[ReportSection, ...] = ()
    sections_are_minimum: bool = False
