"""Who handles the complaint, and more time for it."""

from __future__ import annotations

from datetime import date

import pytest

from normalizer.complaint import Tier
from ticket_life import Told, day
from tickets import lifecycle_events as e


def test_k13_the_next_level_with_its_units() -> None:
    told = Told("klikacc").begun()
    change = told.do(e.Escalated(level=2, units=("other_department",)))
    assert (told.ticket.state, told.ticket.level, told.ticket.life.units) == ("escalated", 2, ("other_department",))
    assert change.data == {"level": 2, "units": ["other_department"], "tier": "single_unit"}
    told.do(e.Escalated(level=3))
    assert (told.ticket.level, told.ticket.life.units) == (3, ("directors",))
    assert told.refused(e.Escalated(level=4)).values == {"given": "4", "last": "3"}


def test_k13_a13_a_level_is_skipped_only_with_a_reason() -> None:
    told = Told("akseleran").begun()
    found = told.refused(e.Escalated(level=3))
    assert (found.code, found.sources, found.values["next"]) == ("level_skipped", ("A13",), "2")
    told.do(e.Escalated(level=3, reason="Hanya direksi yang berwenang."))
    assert (told.ticket.level, told.ticket.tier) == (3, "directors")


def test_a13_units_must_be_units_of_the_level() -> None:
    found = Told("akseleran").begun().refused(e.Escalated(level=2, units=("operation_manager", "directors")))
    assert (found.code, found.values["given"]) == ("unit_not_of_level", "directors")


def test_a10_case_10_the_tier_rises_and_counts_from_the_same_start() -> None:
    told = Told("akseleran", day("06-15"), documents_complete_at=day("06-15")).begun()
    assert told.ticket.life.promised["resolve"].due == date(2026, 6, 18)
    told.do(e.Escalated(level=2), day("06-18"))
    assert (told.ticket.tier, told.complaint.assessment.tier) == ("cross_unit", "cross_unit")
    assert told.ticket.life.promised["resolve"].due == date(2026, 6, 22)


def test_a10_a_level_never_lowers_the_tier() -> None:
    told = Told("akseleran", tier="external_party").begun()
    told.do(e.Escalated(level=2))
    assert told.ticket.tier == "external_party"


@pytest.mark.parametrize(
    ("tier", "due"),
    [
        ("cross_unit", date(2026, 6, 12)),
        ("directors", date(2026, 6, 23)),
        ("external_party", date(2026, 7, 7)),
    ],
)
def test_a10_each_tier_has_its_time(tier: Tier, due: date) -> None:
    told = Told("akseleran", documents_complete_at=day("06-08")).begun()
    told.do(e.TierChanged(tier=tier))
    assert told.ticket.life.promised["resolve"].due == due


def test_r6_a10_who_was_told_a_date_is_told_the_later_one_and_why() -> None:
    """R6, A10, section 8: another tier moves the promised date; the customer hears both dates and the reason."""
    told = Told("akseleran", documents_complete_at=day("06-08")).begun()
    (notice,) = told.do(e.Escalated(level=2)).notices
    assert (notice.kind, notice.ground, notice.old_due, notice.due, notice.forums) == (
        "extension", "cross_unit", date(2026, 6, 10), date(2026, 6, 12), ("court", "laps_sjk"),
    )  # fmt: skip
    assert told.do(e.TierChanged(tier="single_unit", reason="Ternyata cukup satu unit.")).notices == ()


def test_r6_who_was_told_no_date_hears_of_none() -> None:
    told = Told("akseleran", documents_complete_at=day("06-08"))
    told.do(e.Classified(category="withdrawal"))
    assert told.do(e.TierChanged(tier="directors")).notices == ()


def test_r6_u5_u6_a_receipt_that_named_the_day_is_corrected() -> None:
    """U5, U6: klikUMKM's receipt names the day; a question that turns out to be a problem takes longer."""
    told = Told("klikumkm", kind="information")
    (notice,) = told.do(e.Classified(kind="complaint")).notices
    assert (notice.kind, notice.ground) == ("extension", "kind")
    assert notice.old_due is not None
    assert notice.due is not None
    assert notice.old_due < notice.due
    assert told.do(e.Classified(urgency="high")).notices == ()


def test_u7_another_unit_takes_part() -> None:
    told = Told("klikumkm").begun()
    assert told.ticket.life.promised["resolve"].due == date(2026, 6, 15)
    told.do(e.Escalated(level=2))
    assert told.ticket.tier == "cross_unit"
    assert told.ticket.life.promised["resolve"].due == date(2026, 7, 7)
    assert told.ticket.resolve_earliest == date(2026, 6, 9)


def test_a10_a_tier_falls_only_with_a_reason() -> None:
    told = Told("akseleran", tier="directors").begun()
    assert told.refused(e.TierChanged(tier="cross_unit")).code == "tier_falls"
    told.do(e.TierChanged(tier="cross_unit", reason="Cukup antarunit."))
    assert told.ticket.tier == "cross_unit"


def extension(**kwargs: object) -> e.ExtensionGranted:
    values: dict[str, object] = {"ground": "external_party", "cause": "Kami menunggu jawaban bank.", **kwargs}
    return e.ExtensionGranted(**values)  # type: ignore[arg-type]  # a table of fields


def test_k11_case_7_an_extension_counts_from_the_old_date_and_its_notice_says_why_and_until_when() -> None:
    told = Told("klikacc", day("03-02")).begun()
    assert told.ticket.life.promised["resolve"].due == date(2026, 4, 7)
    change = told.do(extension(), day("04-07"))
    assert told.ticket.life.promised["resolve"].due == told.ticket.resolve_due == date(2026, 5, 6)
    assert told.ticket.state == "in_progress"
    notice = change.notices[0]
    assert (notice.kind, notice.ground, notice.old_due, notice.due) == (
        "extension", "external_party", date(2026, 4, 7), date(2026, 5, 6),
    )  # fmt: skip
    assert (notice.text, notice.letter) == ("Kami menunggu jawaban bank.", True)
    assert change.data == {"ground": "external_party", "old_due": "2026-04-07", "new_due": "2026-05-06"}


def test_k11_case_7_a_day_later_is_too_late_and_a_second_one_too_many() -> None:
    told = Told("klikacc", day("03-02")).begun()
    found = told.refused(extension(), day("04-08"))
    assert (found.code, found.sources, found.values["due"]) == ("extension_too_late", ("K11",), "2026-04-07")
    told.do(extension(ground="special_examination", days=5), day("04-06"))
    found = told.refused(extension(), day("04-07"))
    assert (found.code, found.rule, found.sources) == ("extension_used_up", "tracks.written.extend.times", ("K11",))


def test_k11_only_the_two_published_grounds() -> None:
    found = Told("klikacc").begun().refused(extension(ground="busy"))
    assert found.values["listed"] == "special_examination, external_party"


def test_k8_an_oral_complaint_is_not_extended() -> None:
    found = Told("klikacc", channel="phone").begun().refused(extension())
    assert (found.code, found.sources) == ("extension_not_offered", ("K8",))


def test_a10_akseleran_published_no_extension() -> None:
    assert Told("akseleran").begun().refused(extension()).code == "extension_not_offered"


def test_u8_more_time_needs_the_stage_and_a_new_date_and_may_come_again() -> None:
    told = Told("klikumkm").begun()
    until = extension(ground="menunggu mitra", until=date(2026, 6, 19))
    found = told.refused(until)
    assert (found.code, found.sources) == ("stage_update_needed", ("U8",))
    more = extension(ground="menunggu mitra", until=date(2026, 6, 19), stage_update="Sudah di mitra pembayaran.")
    change = told.do(more)
    assert told.ticket.life.promised["resolve"].due == date(2026, 6, 19)
    notice = change.notices[0]
    assert notice.text == "Kami menunggu jawaban bank.\n\nSudah di mitra pembayaran."
    # A ground in a person's own words stays out of the audit log and of the notice's labels.
    assert notice.ground is None
    assert "ground" not in change.data
    told.do(extension(ground="menunggu mitra", days=2, stage_update="Hampir selesai."))
    assert told.ticket.life.promised["resolve"].due == date(2026, 6, 23)
    assert [each.days for each in told.ticket.life.extensions] == [3, 2]


def test_k11_more_time_while_documents_are_awaited() -> None:
    told = Told("klikacc").begun()
    told.do(e.DocumentsRequested(documents=("supporting_documents",)))
    told.do(extension())
    assert told.ticket.state == "awaiting_documents"
    assert told.ticket.life.extensions[0].new_due > told.ticket.life.extensions[0].old_due
