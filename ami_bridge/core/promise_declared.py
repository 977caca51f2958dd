"""What is declared of the program: everything that the register keeps, and everything that a verb can do. Pure.

Who adds a table, a column or a verb adds it here, having looked whether the privacy notice allows it.
"""

OF_CALLS = {
    "calls": frozenset({"expiry_day", "id", "exchange", "direction", "route", "reason", "origin", "caller", "callee",
                        "caller_digits", "callee_digits", "caller_tail", "callee_tail", "uniqueid", "linkedid", "started_at",
                        "answered_at", "ended_at", "expires_at", "entry_sha256", "silences", "queue"}),
    "recordings": frozenset({"expiry_day", "id", "call_id", "exchange", "segment", "state", "file", "frames", "rate", "size",
                             "sha256", "sealed_size", "sealed_sha256", "found_sha256"}),
    "participants": frozenset({"expiry_day", "call_id", "position", "exchange", "interface", "name", "joined_at",
                               "left_at", "team", "started_at"}),
    "notice_proofs": frozenset({"expiry_day", "call_id", "exchange", "prompt", "language", "version", "sha256", "samples",
                                "heard_samples", "at", "witness", "pressed"}),
}
"""What is kept of a call: direction, times (hence duration), both numbers (also as digits, for the search), the agents with
their devices, the proof of notice, where the sound lies; else only what ties these together and tells when they go, and
which queue the call was of and which team each agent: by that it is decided who may hear it (N10). Neither says anything of
the caller."""

OF_THE_WORK = {
    "agents": frozenset({"exchange", "key", "name", "team", "valid_from", "valid_to"}),
    "holds": frozenset({"id", "call", "exchange", "expires_at", "reason", "basis", "placed_by", "placed_at", "until",
                        "remind_at", "released_at", "released_by"}),
    "destructions": frozenset({"number", "key", "whole", "as_of", "begun_at", "fingerprint", "calls", "step", "files",
                               "digests", "digests_sha256", "unregistered", "certificate_sha256", "finished_at",
                               "request"}),
    "runs": frozenset({"id", "started_at", "finished_at", "outcome", "boot", "since_boot"}),
    "gaps": frozenset({"id", "exchange", "cause", "began_at", "ended_at"}),
    "findings": frozenset({"id", "exchange", "kind", "subject", "call", "outcome", "at", "found_at"}),
    "audit_entries": frozenset({"number", "at", "actor", "action", "object", "purpose", "outcome", "reason", "detail",
                                "previous", "digest"}),
    "audit_checkpoints": frozenset({"number", "digest", "at", "signature"}),
    "accounts": frozenset({"id", "login", "name", "language", "created_at", "password", "codes", "last_step", "failed",
                           "last_failed_at", "locked_until", "clearance_until", "disabled_at", "password_due"}),
    "account_duties": frozenset({"account", "duty"}),
    "account_scopes": frozenset({"account", "kind", "name"}),
    "proposals": frozenset({"id", "action", "object", "digest", "made_by", "made_at", "approved_by", "approved_at",
                            "declined_by", "declined_at", "done_at"}),
    "disclosures": frozenset({"id", "kind", "call", "request", "recipient", "country", "statute", "recipient_key", "made_by",
                              "made_at"}),
    "hand_outs": frozenset({"disclosure", "at", "sha256"}),
    "request_calls": frozenset({"request", "call", "hold", "found_at", "answer", "transcript"}),
    "supervised_sessions": frozenset({"id", "request", "supervisor", "begun_at", "ends_at", "ended_at"}),
    "alembic_version": frozenset({"version_num"}),
}
"""What the register needs for its own work. No column holds a caller's number or name, a score or a rating, but one: while a
request stands, ``request_calls.transcript`` may hold what was said in a call, for its caller (N11).

``proposals``, ``disclosures`` and ``hand_outs`` are the register of what left (N6, N7): a recipient is an organisation.
"""

OF_WHO_ASKS = {
    "subject_requests": frozenset({"id", "kind", "received_at", "due_at", "identity", "checked_by", "opened_by", "opened_at",
                                   "name", "numbers", "contact", "extended_at", "extension", "answered_at", "closed_at",
                                   "outcome"}),
}
"""The requests of callers (N11): ``name``, ``numbers`` and ``contact`` are theirs, given by themselves so that they can be
answered, and emptied when the request is closed. What stays shows that it was answered in time (GDPR article 5(2))."""

DECLARED = {**OF_CALLS, **OF_THE_WORK, **OF_WHO_ASKS}

VERBS = frozenset({
    "init", "run", "calls", "show", "pause", "resume", "notice", "agents", "doctor", "status", "dashboards", "keys", "purge",
    "hold", "certificate", "findings", "verify", "rebuild", "account", "audit", "dialplan", "register", "uninstall",
    "capture", "notice-check", "notice-text", "console"})
"""Every verb of ours, looked at: none but ``console`` plays, copies or sends sound, and that asks duty, clearance and
purpose (``core.duties``); none scores or decides about a person. ``calls``,
``show`` and ``hold show`` print entries. ``capture`` writes the exchange's events with people replaced."""
