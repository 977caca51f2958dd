"""The announce script, step by step, as a conversation: every step asked is compared, every answer is given by hand."""

import base64
import errno
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_scripts.announce import Desk, announce
from agi_scripts.variables import answer, question
from ami_bridge.core.agi import Command, Reply
from ami_bridge.core.errors import AgiHangup, AgiSyntaxError
from ami_bridge.core.notice import Choice, OnFailure, Policy, Prompt, Reason, Route
from ami_bridge.core.parties import Direction
from ami_bridge.core.tickets import Ticket

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FI = Prompt(name="recorded", language="fi", version=1, file="/prompts/fi/recorded-v1", samples=40000, sha256="a" * 64)
SV = Prompt(name="recorded", language="sv", version=2, file="/prompts/sv/recorded-v2", samples=32000, sha256="b" * 64)
ALL = Route(name="all", days=31, languages=("fi", "sv"))
VALUES = {"direction": "inbound", "context": "from-trunk", "did": "1000", "queue": "", "caller": "0401234567",
          "presentation": "allowed_not_screened", "company": "", "company_name": "", "demanded": "", "language": "fi", "channel": "PJSIP/trunk-1",
          "uniqueid": "pbx-1.1", "linkedid": "pbx-1.1"}


class Conversation:
    """A script under test, what it asked, and the tickets it kept."""

    def __init__(self, route: Route = ALL, prompts: tuple[Prompt, ...] = (FI, SV), *,
                 obstacle: Reason | None = None, **values: str) -> None:
        self.tickets: list[Ticket] = []
        self.full = False
        self.asked: list[str] = []
        desk = Desk(Policy(exchange="pbx", days=31, floor=0, routes=(route,), prompts=prompts), self._keep, lambda: NOW,
                    self._ids(), lambda: obstacle)
        self.script = announce(desk, {})
        self.values = VALUES | values

    def _keep(self, ticket: Ticket) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.tickets.append(ticket)

    def _ids(self) -> Callable[[datetime], UUID]:
        ids = iter([UUID(int=1), UUID(int=2)])
        return lambda now: next(ids)

    def run(self, replies: dict[str, Reply | Exception]) -> "Conversation":
        """Answer each command by its first words; everything else with success."""
        step = next(self.script)
        try:
            while True:
                step = self._advance(step, replies)
        except StopIteration:
            return self

    def _advance(self, step, replies):
        if not isinstance(step, Command):
            try:
                kept = step()
            except OSError as error:
                return self.script.throw(error)
            return self.script.send(kept)
        self.asked.append(step.line)
        given = next((reply for words, reply in replies.items() if step.line.startswith(words)), self._usual(step.line))
        return self.script.throw(given) if isinstance(given, Exception) else self.script.send(given)

    def _usual(self, line: str) -> Reply:
        if line.startswith("GET FULL"):
            return Reply("1", ",".join(base64.b64encode(b"-" + v.encode() + b"|--").decode() for v in self.values.values()))
        return Reply("0", "", 40000)

    @property
    def said(self) -> str:
        return next((line for line in self.asked if "MSet" in line), "")


def test_a_caller_who_heard_the_notice_to_its_end_is_recorded_and_the_ticket_came_first() -> None:
    talk = Conversation().run({})
    (ticket,) = talk.tickets
    assert ticket.recording == UUID(int=2) and ticket.reason is Reason.ANNOUNCED
    assert (ticket.caller, ticket.callee, ticket.direction) == ("0401234567", "1000", Direction.INBOUND)
    assert ticket.notice and ticket.notice.sha256 == FI.sha256 and ticket.notice.heard_samples == 40000
    assert talk.said == f'EXEC "MSet" "REC_CALL={UUID(int=1)},REC_FILE={UUID(int=2)},REC_ROUTE=all,' \
                        'REC_STEREO=,REC_NOTICE=recorded,REC_LANGUAGE=fi,REC_VERDICT=record"'
    assert [line.split(" ")[0] for line in talk.asked] == ["SET", "GET", "ANSWER", "SET", "STREAM", "EXEC"]


@pytest.mark.parametrize(("said", "kept"), [("support", "support"), ("", ""), (" tuki\u202e\n", "tuki")])
def test_the_ticket_names_the_queue_of_the_entry_point_recorded_or_not(said: str, kept: str) -> None:
    for replies in ({}, {"STREAM": Reply("-1", "", 20000)}):
        assert [ticket.queue for ticket in Conversation(queue=said).run(replies).tickets] == [kept]


@pytest.mark.parametrize("reply", [Reply("0", "", 39000), Reply("-1", "", 20000), Reply("35", "", 8000)])
def test_a_notice_cut_short_is_no_notice(reply: Reply) -> None:
    talk = Conversation().run({"STREAM": reply})
    (ticket,) = talk.tickets
    assert ticket.recording is None and ticket.reason is Reason.PROMPT_CUT_SHORT
    assert "REC_VERDICT=pass" in talk.said and "REC_FILE" not in talk.said


def test_one_frame_less_is_still_the_end() -> None:
    assert Conversation().run({"STREAM": Reply("0", "", 40000 - 160)}).tickets[0].recording


def test_a_missing_prompt_falls_back_to_the_next_language() -> None:
    talk = Conversation().run({'STREAM FILE "/prompts/fi': Reply("-1", "", 0), "STREAM": Reply("0", "", 32000)})
    assert talk.tickets[0].notice and talk.tickets[0].notice.language == "sv"


def test_no_prompt_at_all_means_no_recording_and_an_entry_that_says_why() -> None:
    talk = Conversation().run({"STREAM": Reply("-1", "", 0)})
    assert talk.tickets[0].recording is None and talk.tickets[0].reason is Reason.PROMPT_MISSING
    assert "REC_VERDICT=pass" in talk.said


def test_a_route_that_refuses_rather_than_goes_unrecorded_refuses() -> None:
    route = Route(name="all", days=31, languages=("fi",), on_failure=OnFailure.REFUSE)
    assert "REC_VERDICT=refuse" in Conversation(route).run({"STREAM": Reply("-1", "", 0)}).said
    assert "REC_VERDICT=refuse" in Conversation(route, prompts=()).run({}).said


@pytest.mark.parametrize("where", ["ANSWER", "STREAM", "CHANNEL"])
def test_a_caller_who_hangs_up_in_the_notice_is_not_recorded_but_noted(where: str) -> None:
    talk = Conversation()
    replies: dict[str, Reply | Exception] = {"STREAM": Reply("-1", "", 9000)} if where == "CHANNEL" else {}
    with pytest.raises(AgiHangup):
        talk.run({where: AgiHangup("gone")} | replies)
    assert [(t.recording, t.reason) for t in talk.tickets] == [(None, Reason.HUNG_UP_IN_NOTICE)]


def test_a_caller_who_hangs_up_before_the_verdict_takes_the_promise_of_a_file_back() -> None:
    talk = Conversation()
    with pytest.raises(AgiHangup):
        talk.run({"EXEC": AgiHangup("gone")})
    assert [t.recording for t in talk.tickets] == [UUID(int=2), None]


def test_a_call_that_nobody_wants_recorded_leaves_no_trace() -> None:
    for route in (Route(name="no", days=31, record=False), Route(name="other", days=31, queues=("sales",))):
        talk = Conversation(route).run({})
        assert talk.tickets == [] and 'REC_VERDICT=pass"' in talk.said and "ANSWER" not in talk.asked


def test_internal_calls_may_go_without_a_notice() -> None:
    talk = Conversation(Route(name="staff", days=31, notice=""), direction="internal").run({})
    assert talk.tickets[0].reason is Reason.NOTICE_NOT_REQUIRED and talk.tickets[0].notice is None
    assert not any(line.startswith("STREAM") for line in talk.asked)


def test_a_withheld_number_is_not_kept() -> None:
    assert Conversation(presentation="prohib_passed_screen").run({}).tickets[0].caller == ""


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_number_can_break_the_question(caller: str, did: str) -> None:
    text = ",".join(base64.b64encode(b"-" + v.encode("utf-8", "surrogatepass") + b"|--").decode()
                    for v in (VALUES | {"caller": caller, "did": did}).values())
    line = answer(text)
    assert not any(ord(c) < 32 for c in line.caller + line.did) and len(line.caller) <= 128


@given(st.text(max_size=100))
def test_anything_else_is_refused_as_a_syntax_error(text: str) -> None:
    with pytest.raises(AgiSyntaxError):
        answer(text)


def test_the_question_fits_into_one_line() -> None:
    assert len(question().line) < 1024


@pytest.mark.parametrize("obstacle", [Reason.NO_KEY, Reason.NO_ROOM])
def test_while_nothing_can_be_sealed_or_kept_nothing_is_recorded_and_the_entry_says_why(obstacle: Reason) -> None:
    talk = Conversation(obstacle=obstacle).run({})
    (ticket,) = talk.tickets
    assert (ticket.reason, ticket.recording, ticket.days) == (obstacle, None, 31)
    assert not any("STREAM" in line for line in talk.asked) and "REC_VERDICT=pass" in talk.asked[-1]


OUT = replace(ALL, choice=Choice.OPT_OUT, choice_key="9")
IN = replace(ALL, choice=Choice.OPT_IN, choice_key="1")
NINE, ONE, HASH = (Reply(str(ord(key))) for key in "91#")


@pytest.mark.parametrize(("route", "replies", "reason", "pressed"), [
    (OUT, {}, Reason.ANNOUNCED, ""),
    (OUT, {"STREAM FILE": Reply(NINE.result, "", 8000)}, Reason.OPTED_OUT, "9"),
    (OUT, {"WAIT FOR DIGIT": NINE}, Reason.OPTED_OUT, "9"),
    (OUT, {"WAIT FOR DIGIT": ONE}, Reason.ANNOUNCED, ""),
    (OUT, {"STREAM FILE": Reply("0", "", 100)}, Reason.PROMPT_CUT_SHORT, ""),
    (OUT, {"STREAM FILE": Reply("0", "", 100), "WAIT FOR DIGIT": NINE}, Reason.OPTED_OUT, "9"),
    (IN, {}, Reason.NOT_OPTED_IN, ""),
    (IN, {"WAIT FOR DIGIT": ONE}, Reason.ANNOUNCED, "1"),
    (IN, {"WAIT FOR DIGIT": HASH}, Reason.NOT_OPTED_IN, ""),
    (IN, {"STREAM FILE": Reply("0", "", 100), "WAIT FOR DIGIT": ONE}, Reason.PROMPT_CUT_SHORT, "1"),
    (replace(OUT, on_failure=OnFailure.REFUSE), {"WAIT FOR DIGIT": NINE}, Reason.OPTED_OUT, "9"),
])
def test_a_party_that_may_choose_is_recorded_only_as_it_chose(route: Route, replies: dict, reason: Reason, pressed: str) -> None:
    talk = Conversation(route).run({"WAIT FOR DIGIT": Reply("0")} | replies)
    (ticket,) = talk.tickets
    assert ticket.notice
    assert (ticket.reason, ticket.notice.pressed) == (reason, pressed)
    assert (ticket.recording is not None) == (reason is Reason.ANNOUNCED)
    assert f"REC_VERDICT={'record' if ticket.recording else 'pass'}" in talk.asked[-1]
    escape = next(line for line in talk.asked if line.startswith("STREAM"))
    assert escape.endswith('"9"' if route.choice is Choice.OPT_OUT else '""')


def test_without_a_choice_no_key_is_waited_for() -> None:
    assert not any(line.startswith("WAIT") for line in Conversation().run({}).asked)


def test_a_party_that_leaves_while_it_may_choose_is_not_recorded() -> None:
    talk = Conversation(OUT)
    with pytest.raises(AgiHangup):
        talk.run({"WAIT FOR DIGIT": AgiHangup("gone")})
    assert [(ticket.reason, ticket.recording) for ticket in talk.tickets] == [(Reason.HUNG_UP_IN_NOTICE, None)]


@pytest.mark.parametrize("replies", [{}, {"STREAM FILE": Reply("-1", "", 0)}, {"STREAM FILE": Reply("0", "", 100)}])
@pytest.mark.parametrize("obstacle", [None, Reason.NO_ROOM])
def test_without_a_ticket_nothing_is_recorded_and_the_dialplan_is_told_to_note_the_call(
        replies: dict, obstacle: Reason | None) -> None:
    talk = Conversation(obstacle=obstacle)
    talk.full = True
    assert "REC_VERDICT=unkept" in talk.run(replies).asked[-1] and "REC_CALL" not in talk.asked[-1]


def test_a_full_spool_does_not_hide_that_the_caller_left() -> None:
    talk = Conversation()
    talk.full = True
    with pytest.raises(AgiHangup):
        talk.run({"STREAM FILE": AgiHangup("gone")})


def test_on_demand_a_call_is_offered_and_recorded_only_when_the_company_asks() -> None:
    route = replace(ALL, on_demand=True)
    offered = Conversation(route).run({})
    assert offered.said == 'EXEC "MSet" "REC_VERDICT=offer"' and offered.tickets == []
    asked = Conversation(route, demanded="1").run({"STREAM": Reply("0", "", 40000)})
    assert asked.said.endswith('REC_VERDICT=record"') and [ticket.reason for ticket in asked.tickets] == [Reason.ANNOUNCED]


def test_both_sides_apart_is_said_to_the_dialplan() -> None:
    apart = Conversation(replace(ALL, stereo=True)).run({"STREAM": Reply("0", "", 40000)})
    assert "REC_STEREO=1," in apart.said
