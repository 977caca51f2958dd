"""Alarms that another process raised, said by one who knows that they hold, and not the case. Pure."""

from ami_bridge.core.alarms import MAKE_KEYS, Alarm, Name, events_shed, link_down

IN_GENERAL = {
    Name.CALLS_WAIT: ("Finished calls cannot be taken in", "See the log, action=intake_waits, for what is in the way."),
    Name.CALLS_WAIT_FOR_KEY: ("Finished calls cannot be sealed, because a key is missing", MAKE_KEYS),
    Name.KEYS_NOT_MADE: ("Keys, or room in the register, could not be made ahead", "See the log, alarm=keys-not-made."),
    Name.EXCHANGE_REFUSES: ("The exchange refuses our manager user", "Run 'ami-bridge doctor'."),
    Name.EXCHANGE_FAULT: ("The exchange gives less than is needed", "Run 'ami-bridge doctor'."),
    Name.TRAIL_UNWRITTEN: ("Something went on without an entry in the trail", "See the log, alarm=trail-unwritten."),
    Name.TRAIL_BROKEN: ("The trail is not the one that was written down", "Run 'ami-bridge audit verify': it says where."),
    Name.HEAD_UNWRITTEN: ("The end of the trail could not be written down", "See the log, alarm=head-unwritten."),
}
"""What is said of an alarm by those who know that it holds, and not the case."""


def in_general(name: Name) -> Alarm:
    """Return an alarm that somebody else raised, in such words as are true of each of its name."""
    known = {alarm.name: alarm for alarm in (link_down(), events_shed())}
    sentence, remedy = IN_GENERAL.get(name, (f"The daemon alarms of {name}", f"See its log, alarm={name}."))
    return known.get(name) or Alarm(name, sentence, remedy)
