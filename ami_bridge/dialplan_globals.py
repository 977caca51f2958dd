"""The generated part of the dialplan: what of the configuration Asterisk must know when no script answers.

One comparison a step, so that no line grows with the number of routes, and the order of steps is the order of
``core.notice.Route.matches``. What a caller dialled is reduced to harmless characters before it is compared, and a text
that loses any by it is equal to nothing.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from ami_bridge.config import Config
from ami_bridge.core.notice import Choice, OnFailure, Route

CONTEXT = "recorded-call-on-failure"
FILE_NAME = "ami_bridge_generated.conf"

HEADER = """\
; Written by ami-bridge from its configuration: do not edit, run `ami-bridge dialplan --write` instead.
; It holds a secret: keep it readable by Asterisk and ami-bridge only.
"""

HARMLESS = "-0-9A-Za-z+*#_."
"""For FILTER: the dash stands first, where every version takes it for itself."""

INPUTS = {"direction": "REC_DIRECTION", "context": "REC_CONTEXT", "did": "REC_DID", "queue": "REC_QUEUE"}
"""What is compared -> the channel variable it comes from. The local copies are named ``rec_<what>``."""

NO_ROUTE = (("REC_ROUTE", ""), ("REC_ON_FAILURE", "pass"), ("REC_PLAY", "0"), ("REC_NOTICE", ""), ("REC_STEREO", ""))
OFFER = "offer"
"""What the dialplan does with a call that is recorded on demand only: an extension's name, as those of ``OnFailure`` are."""


class Condition(NamedTuple):
    """One thing a route asks: which input, and the values of which any will do."""

    what: str
    values: tuple[str, ...]


def render(config: Config) -> str:
    """Return the whole file: global variables, then the context that decides for the dialplan alone."""
    return "\n".join([HEADER, *global_lines(config), "", *context_lines(config.policy_routes())]) + "\n"


def global_lines(config: Config) -> list[str]:
    """Return the section of global variables."""
    languages = config.notice.languages
    return [
        "[globals]",
        f"REC_AGI_URL=agi://{config.agi.host}:{config.agi.port}",
        f"REC_AGI_SECRET={config.agi.secret.get_secret_value()}",
        f"REC_AGI_PROCESS={config.agi.process}",
        f"REC_AGI_PROCESSES={config.agi.processes}",
        f"REC_SPOOL={config.spool.directory}",
        f"REC_LIVE={config.spool.directory / 'live'}",
        f"REC_PROMPTS={config.notice.played_from}",
        f"REC_LANGUAGES={'-'.join(languages)}",
        f"REC_LANGUAGE={languages[0]}",
        f"REC_NOTICE={config.notice.fallback_prompt}",
    ]


def context_lines(routes: tuple[Route, ...]) -> list[str]:
    """Return the context: the inputs made harmless, one block a route, and the answer where none matches."""
    lines = [f"[{CONTEXT}]", "exten => s,1,NoOp(no script answered)"]
    for what, variable in INPUTS.items():
        lost_some = f'$["${{LEN(${{rec_{what}}})}}" != "${{LEN(${{{variable}}})}}"]'
        lines += [f" same => n,Set(LOCAL(rec_{what})=${{FILTER({HARMLESS},${{{variable}}})}})",
                  f" same => n,ExecIf({lost_some}?Set(LOCAL(rec_{what})=))"]
    for number, route in enumerate(routes, 1):
        lines += route_lines(number, route)
    return [*lines, f" same => n(r{len(routes) + 1}),NoOp(no route matches)", *_answer(NO_ROUTE)]


def route_lines(number: int, route: Route) -> Iterator[str]:
    """Yield the block of one route: each condition leads on to the next or away to the next route."""
    label, following = f"r{number}", f"r{number + 1}"
    for condition in conditions(route):
        inside = f"r{number}{condition.what}"
        yield f" same => n({label}),NoOp(route {route.name}: {condition.what})"
        for value in condition.values:
            yield f" same => n,GotoIf({_equal(condition.what, value)}?{inside})"
        yield f" same => n,Goto({following})"
        label = inside
    yield f" same => n({label}),NoOp(route {route.name})"
    yield from _answer(outcome(route))


def conditions(route: Route) -> list[Condition]:
    """Return what a route asks; nothing where it takes everything."""
    asked = [Condition("direction", route.directions), Condition("context", route.contexts),
             Condition("did", route.dids), Condition("queue", route.queues)]
    return [condition for condition in asked if condition.values]


def outcome(route: Route) -> tuple[tuple[str, str], ...]:
    """Return the variables that say what the dialplan does with a call on this route when no script answers.

    It cannot ask a party to choose, so it does not record where there is a choice.
    """
    if not route.record:
        return (("REC_ROUTE", route.name), *NO_ROUTE[1:])
    alone = route.on_failure
    if route.choice is not Choice.NONE and alone is OnFailure.FALLBACK_RECORD:
        alone = OnFailure.ALLOW_UNRECORDED
    if route.on_demand:
        demanded = str(alone) if alone is OnFailure.FALLBACK_RECORD else "pass"
        when_asked = f'${{IF($["${{REC_DEMANDED}}" = "1"]?{demanded}:{OFFER})}}'
        return (*outcome(replace(route, on_demand=False)), ("REC_ON_FAILURE", when_asked))
    return (("REC_ROUTE", route.name), ("REC_ON_FAILURE", str(alone)),
            ("REC_PLAY", "1" if route.notice else "0"), ("REC_NOTICE", route.notice),
            ("REC_LANGUAGE", route.languages[0]), ("REC_STEREO", "1" if route.stereo else ""))


def _equal(what: str, value: str) -> str:
    if what == "did" and value.endswith("*"):
        return f'$["${{FILTER({HARMLESS},${{REC_DID:0:{len(value) - 1}}})}}" = "{value[:-1]}"]'
    return f'$["${{rec_{what}}}" = "{value}"]'


def _answer(values: tuple[tuple[str, str], ...]) -> list[str]:
    return [*(f" same => n,Set({name}={value})" for name, value in values), " same => n,Return()"]
