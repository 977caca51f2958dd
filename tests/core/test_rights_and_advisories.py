"""Rights of the manager user, and what is known of releases: each judgement on values."""

import re
from datetime import date

import pytest

from ami_bridge.core.advisories import END_OF_LIFE, FAULTS, standing
from ami_bridge.core.rights import granted, judge_read, judge_write
from ami_bridge.core.versions import chooses_events, release_of

OURS = {"Atxfer": "Attended transfer.  (Priv: call,all)", "CoreShowChannels": "List.  (Priv: system,reporting,all)",
        "Getvar": "Gets.  (Priv: call,reporting,all)", "Ping": "Keepalive command.  (Priv: <none>)",
        "UserEvent": "Send an arbitrary event.  (Priv: user,all)"}
TODAY = date(2026, 11, 25)


def names(version: str, today: date = TODAY) -> set[str]:
    release = release_of(version)
    assert release
    return {fault.name for fault in standing(release, today).faults}


def test_the_classes_follow_from_the_actions_told() -> None:
    assert granted(OURS) == {"call", "reporting", "user"}
    assert granted({"Originate": "Originate a call.  (Priv: originate,all)"}) == {"originate"}
    assert granted({**OURS, "DBPut": "Put DB entry.  (Priv: system,all)"}) == {"call", "user", "system"}
    assert granted({"Ping": "Keepalive command.  (Priv: <none>)", "Response": "Success"}) == frozenset()


def test_our_rights_are_enough_and_no_more() -> None:
    assert judge_write(granted(OURS)) == ({}, {}, ())
    assert judge_read(["call", "agent", "user"]) == ({}, {}, ())


@pytest.mark.parametrize("missing", ["reporting", "call", "user"])
def test_each_class_that_lacks_is_named_with_what_is_lost(missing: str) -> None:
    lacking = judge_write({"reporting", "call", "user"} - {missing}).lacking
    assert list(lacking) == [missing] and lacking[missing]


@pytest.mark.parametrize("more", ["system", "command", "config", "originate", "agi", "all"])
def test_each_dangerous_class_is_named_with_what_it_allows(more: str) -> None:
    assert list(judge_write({"reporting", "call", "user", more}).dangerous) == [more]


def test_what_is_for_nothing_is_named() -> None:
    assert judge_write(["reporting", "call", "user", "message", "agent"]).needless == ("agent", "message")
    assert judge_read(["call", "agent", "user", "cdr"]).needless == ("cdr",)
    assert judge_read(["all"]) == ({}, {}, ("all",))


def test_who_may_everything_lacks_nothing() -> None:
    assert judge_write(["all"]).lacking == {} and judge_write(["system", "call", "user"]).lacking == {}


@pytest.mark.parametrize(("version", "number", "elsewhere"), [
    ("22.10.1+dfsg+~cs6.17.60671434-1", (22, 10, 1), True), ("16.28.0~dfsg-0+deb11u4", (16, 28, 0), True),
    ("20.9.2", (20, 9, 2), False), ("certified/20.7-cert3", (20, 7, 0), True), ("20.7-cert3", (20, 7, 0), True),
    ("23.0.0-rc1", (23, 0, 0), False)])
def test_a_version_is_read(version: str, number: tuple[int, int, int], elsewhere: bool) -> None:
    assert release_of(version) == (number, elsewhere)


def test_what_is_no_version_is_none() -> None:
    assert release_of("GIT-master-abc") is None and release_of("") is None


@pytest.mark.parametrize(("version", "can"), [("16.28.0", False), ("18.25.0", False), ("18.26.0", True), ("20.10.9", False), ("20.11.0", True),
                                              ("21.6.0", True), ("22.0.0", False), ("22.1.0", True), ("23.0.0", True), ("19.8.1", False)])
def test_who_can_choose_events_by_name(version: str, can: bool) -> None:
    release = release_of(version)
    assert release and chooses_events(release) is can


def test_each_fault_ends_with_the_release_that_mended_it() -> None:
    for fault in FAULTS:
        for major, (_, minor, patch) in fault.mended.items():
            before = f"{major}.{minor}.{patch - 1}" if patch else f"{major}.{minor - 1}.0"
            assert fault.name in names(before), (fault.name, before)
            assert fault.name not in names(f"{major}.{minor}.{patch}"), fault.name


def test_a_regression_begins_with_a_release() -> None:
    assert "#1276" not in names("20.11.1") and "#1276" in names("20.12.0") and "#1276" not in names("16.30.0")
    assert "GHSA-qqxj-v78h-hrf9" not in names("20.7.0")


def test_a_branch_that_was_never_mended_has_it_for_ever() -> None:
    assert "GHSA-c4cg-9275-6w44" in names("19.8.1") and "GHSA-c4cg-9275-6w44" in names("16.30.1")
    assert "GHSA-c4cg-9275-6w44" not in names("22.0.0")


def test_a_distribution_mends_without_a_new_number() -> None:
    assert names("16.28.0~dfsg-0+deb11u4") == {"#1673"} and names("22.10.1+dfsg-1") == set()


def test_the_end_of_a_branch() -> None:
    old, new, newer = release_of("16.30.1"), release_of("22.10.1"), release_of("24.0.0")
    assert old and new and newer
    assert standing(old, TODAY).ended == date(2023, 10, 9) and standing(new, TODAY).ended is None
    assert standing(new, END_OF_LIFE[22]).ended is None and not standing(newer, TODAY).known


def test_the_table_names_public_numbers() -> None:
    assert all(re.fullmatch(r"#\d+|GHSA(-[0-9a-z]{4}){3}", fault.name) for fault in FAULTS)
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
