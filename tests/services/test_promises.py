"""The self-check of the notice on real calls, keys, files and databases: all is kept, until one thing is broken."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import create_engine, text

from ami_bridge.cli import VERBS
from ami_bridge.config import Config, load
from ami_bridge.core import disclosures
from ami_bridge.core.accounts import Account, Language
from ami_bridge.core.duties import Duty
from ami_bridge.core.findings import Finding, Kind, Outcome
from ami_bridge.core.gaps import Cause, Gap
from ami_bridge.core.notice import NoticeProof, Reason
from ami_bridge.core.parties import Direction
from ami_bridge.core.promise_evidence import Rest, Verdict
from ami_bridge.core.promises import CHECKS, Line
from ami_bridge.core.proposals import Proposal
from ami_bridge.heads import Heads
from ami_bridge.prompts import PromptStore
from ami_bridge.register.engine import address_of
from ami_bridge.services import promises_places
from ami_bridge.services.mounts import Mount, encrypted, mount_of
from ami_bridge.services.promises import GATHERERS, examine
from ami_bridge.services.promises_house import House as Looked
from ami_bridge.services.trail_keeping import TrailKeeping
from tests.pbx.tones import tone_wav
from tests.ports import free_port
from tests.register.test_audit import leave, without_triggers
from tests.samples import START
from tests.services.test_purge import EXPIRES, House

NOW = START + timedelta(days=1)
CALL = UUID(int=1 << 64)
DAY = "2026-12-24"
CONTROLLER = """
[controller]
name = "City of Example"
address = "Main Street 1, 00100 Helsinki"
phone = "09 310 1691"
data_protection_officer = "dpo@example.org"
"""
SETTINGS = """
[exchange]
name = "pbx"
configuration = ""
[ami]
secret = "secret"
[agi]
secret = "{agi_secret}"
[spool]
directory = "{root}/spool"
[vault]
directory = "{root}/vault"
[keys]
recipients = "{root}/recipients"
private = "{root}/keys"
[certificates]
directory = "{root}/certificates"
key = "{root}/certificate.key"
[audit]
directory = "{root}/audit"
key = "{root}/audit.key"
[accounts]
key = "{root}/accounts.key"
[cel]
file = ""
[metrics]
port = 0
[register]
url = "{url}"
[notice]
directory = "{root}/prompts"
languages = ["en"]
[purge]
clock = "trusted"
leftovers = ["{root}/exports/*"]
journals = ["{root}/journal.csv"]
[[route]]
name = "inbound"
direction = "inbound"
[[route]]
name = "internal"
direction = "internal"
notice = ""
"""


class Noticed(House):
    """A house with a configuration and a notice, whose calls heard that notice."""

    def __init__(self, root: Path, url: str) -> None:
        super().__init__(root, url)
        self.url = url
        prompt = PromptStore(root / "prompts").add(tone_wav(root / "notice.wav", 1000, 1.2), "recorded", "en", START)
        self.proof = NoticeProof(prompt=prompt.name, language="en", version=prompt.version, sha256=prompt.sha256,
                                 samples=prompt.samples, heard_samples=prompt.samples, at=START)
        self.file = root / "ami-bridge.toml"
        self.configure()

    def configure(self, settings: str = SETTINGS + CONTROLLER) -> None:
        self.file.write_text(settings.format(root=self.root, url=self.url, agi_secret="s" * 32), "utf-8")
        self.file.chmod(0o600)

    @property
    def config(self) -> Config:
        return load(self.file, {"AMI_BRIDGE__AMI__PORT": str(free_port())})

    def told(self, *numbers: int, **changes) -> None:
        """Take in calls that heard the notice."""
        self.take(*numbers, notice=self.proof, **changes)

    def checked(self, now: datetime = NOW) -> dict[str, Line]:
        return {line.about: line for line in examine(self.config, self.file, now, tuple(VERBS))}

    def sql(self, statement: str) -> None:
        engine = create_engine(address_of(self.url))
        with engine.begin() as connection:
            connection.execute(text(statement))
        engine.dispose()


@pytest.fixture
def noticed(tmp_path: Path, url: str) -> Iterator[Noticed]:
    house = Noticed(tmp_path / "house", url)
    house.told(1, 2)
    house.take(3, notice=None, reason=Reason.NOTICE_NOT_REQUIRED, direction=Direction.INTERNAL, route="internal")
    yield house
    house.register.close()


def broken(lines: dict[str, Line]) -> dict[str, str]:
    return {about: line.reason for about, line in lines.items() if line.verdict is Verdict.BROKEN}


BY_HAND = {"copies", "other-programs", "backup", "accounts", "published"}
OF_THE_MACHINE = {"timer", "at-rest", "elsewhere", "hearing", "duties", "supervision"}


def test_in_a_house_in_order_all_that_can_be_kept_is_kept(noticed: Noticed) -> None:
    lines = noticed.checked()
    assert {about for about, line in lines.items() if line.verdict is not Verdict.KEPT} - OF_THE_MACHINE == BY_HAND
    assert lines["proofs"].reason == "3 recorded calls: 2 heard the notice to its last sample, 1 internal without one"
    assert lines["proved-prompts"].reason.startswith("1 version") and lines["whole"].reason.startswith("6 sealed files")
    assert lines["sealed"].reason.startswith("6 files") and lines["search"].reason.endswith("worked")
    assert lines["opening"].reason.endswith("worked") and "root" in lines["accounts"].reason


def test_nobodys_number_or_name_is_told(noticed: Noticed) -> None:
    (noticed.root / "exports").mkdir()
    (noticed.root / "exports" / "0401234567.wav").write_bytes(b"x")
    os.utime(noticed.root / "exports" / "0401234567.wav", (1, 1))
    (noticed.root / "vault" / DAY / "0401234567.wav").write_bytes(b"RIFF")
    said = json.dumps([line.reason + line.look for line in noticed.checked().values()], ensure_ascii=False)
    assert "exports" not in said and "leftover" in said
    for canary in ("0401234567", "Maija", "PJSIP/6001", "pbx-1.1"):
        assert canary not in said


def a_sound(house: Noticed) -> Path:
    return next(house.vault.path(file) for file in house.sealed() if file.endswith(".wav.age"))


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (1, 1))


def keep(house: Noticed, kind: Kind) -> None:
    with house.register.writing() as work:
        work.findings.add(Finding(id=UUID(int=9), exchange="pbx", kind=kind, subject="x", outcome=Outcome.REPORTED, at=NOW,
                                  found_at=NOW))


def past_key(house: Noticed) -> None:
    house.keys.make(["2026-11-20"])


def damaged_prompt(house: Noticed) -> None:
    path = house.root / "prompts" / "en" / "recorded-v1.wav"
    content = path.read_bytes()
    path.write_bytes(content[:-2] + bytes([content[-2] ^ 1, content[-1]]))


def in_another_place(house: Noticed) -> None:
    (house.root / "prompts").rename(house.root / "gone")


BREAKS: list[tuple[str, Callable[[Noticed], object], dict[str, str]]] = [
    ("no proof", lambda h: h.sql("DELETE FROM notice_proofs"), {"proofs": "2 of 3 recorded calls without proof of notice"}),
    ("cut short", lambda h: h.sql("UPDATE notice_proofs SET heard_samples = samples - 1"),
     {"proofs": "2 of 3 recorded calls with a notice not heard to its end"}),
    ("not internal", lambda h: h.sql("UPDATE calls SET direction = 'outbound' WHERE direction = 'internal'"),
     {"proofs": "1 of 3 recorded calls without notice, and not internal", "opening": "the sealed entry says otherwise"}),
    ("prompt damaged", damaged_prompt, {"prompts": "was changed since it was added", "proved-prompts": "not the one that callers"}),
    ("prompts gone", in_another_place, {"prompts": "recorded in en", "proved-prompts": "the store lacks it"}),
    ("rogue", lambda h: keep(h, Kind.ROGUE_RECORDING), {"rogue-recordings": "1 recording that another program made"}),
    ("lost", lambda h: keep(h, Kind.AUDIO_LOST), {"losses": "the sound of 1 call was lost"}),
    ("a column", lambda h: h.sql("ALTER TABLE agents ADD COLUMN score INTEGER"),
     {"columns": "agents.score is not declared", "scoring": "agents.score is not declared"}),
    ("a table", lambda h: h.sql("CREATE TABLE profiles (caller TEXT)"),
     {"columns": "profiles.caller is not declared", "scoring": "profiles.caller"}),
    ("sound gone", lambda h: [a.unlink() for a in (h.root / "vault").rglob("*.wav.age")],
     {"whole": "3 sealed files registered and not in the vault", "opening": "a sealed file is gone"}),
    ("stray", lambda h: write(h.root / "vault" / DAY / f"{UUID(int=7)}.wav.age", b"age-encryption.org/v1\n"),
     {"whole": "1 file in the vault of no entry"}),
    ("unsealed", lambda h: write(h.root / "vault" / DAY / "x.wav", b"RIFF"),
     {"sealed": "1 file in the vault not sealed", "whole": "1 file in the vault of no entry"}),
    ("unsealed elsewhere", lambda h: write(h.root / "vault" / "exports" / "x.wav", b"RIFF"), {"sealed": "vault/exports"}),
    ("unsealed in disguise", lambda h: write(a_sound(h), b"RIFF"), {"sealed": "1 file in the vault not sealed"}),
    ("key of a past day", past_key, {"keys": "1 private key of a day, since 2026-11-21 00:00 UTC"}),
    ("folder of a past day", lambda h: write(h.root / "vault" / "2026-11-20" / f"{UUID(int=7)}.json.age", b"age-encryption.org/v1\n"),
     {"sealed-files": "1 file of the vault", "whole": "1 file in the vault of no entry"}),
    ("spool", lambda h: write(h.spool.live / "x.wav", b"RIFF"), {"spool": "1 file of the spool, since 1970-02-01"}),
    ("leftover", lambda h: write(h.root / "exports" / "x.csv", b"x"), {"leftovers": "1 leftover, since 1970-02-01"}),
    ("journal", lambda h: write(h.root / "journal.csv", b"2026-10-01 12:00:00,x\n"), {"journals": "1 journal, since 2026-11-01"}),
    ("journal set aside", lambda h: write(h.root / "journal.csv.20261001T000000", b"x\n"), {"journals": "1 journal"}),
    ("open vault", lambda h: (h.root / "vault").chmod(0o755), {"permissions": "open to others: "}),
    ("open key", lambda h: (h.root / "keys" / f"{DAY}.key").chmod(0o640), {"permissions": f"{DAY}.key"}),
    ("open configuration", lambda h: h.file.chmod(0o644), {"permissions": "ami-bridge.toml"}),
    ("no contacts", lambda h: h.configure(SETTINGS), {"contacts": "[controller] address, [controller] phone or mail, [controller] "
                                                      "data_protection_officer, [controller] name or name_en"}),
    ("no purposes", lambda h: h.configure(SETTINGS + CONTROLLER + "[purposes]\nen = []\n"), {"purposes": "[purposes] en"}),
]


@pytest.mark.parametrize(("breaking", "wanted"), [one[1:] for one in BREAKS], ids=[one[0] for one in BREAKS])
def test_each_thing_that_breaks_is_named_by_its_clause_and_no_other(
        noticed: Noticed, breaking: Callable[[Noticed], object], wanted: dict[str, str]) -> None:
    breaking(noticed)
    found = broken(noticed.checked())
    assert found.keys() - {"opening"} == wanted.keys() - {"opening"}, found
    for about, words in wanted.items():
        assert words in found[about], found


def test_what_is_past_its_time_is_named_until_the_purge_ran(noticed: Noticed) -> None:
    hold = noticed.hold(str(CALL))
    late = EXPIRES + timedelta(hours=25)
    assert "entries" not in broken(noticed.checked(late)), "the nightly job has its hours"
    much_later = EXPIRES + timedelta(days=12)
    found = broken(noticed.checked(much_later))
    assert found["entries"] == f"past its time and still here: 3 calls of the register, since {EXPIRES:%Y-%m-%d %H:%M} UTC"
    assert found["sealed-files"].startswith("past its time and still here: 6 files of the vault")
    assert found["holds"].startswith("past its time and still here: 1 hold") and "keys" in found and hold
    noticed.purge(much_later, accept_clock=True)
    lines = noticed.checked(much_later)
    assert broken(lines) == {} and "of destruction, signed and chained" in lines["certificates"].reason
    assert lines["runs"].reason.startswith("the last good run")


def test_a_certificate_that_was_changed_or_taken_away_is_found(noticed: Noticed) -> None:
    noticed.purge(EXPIRES + timedelta(days=2), accept_clock=True)
    file = noticed.certificates.directory / "000001.json"
    content = file.read_bytes()
    file.write_bytes(content.replace(b'"calls": 0', b'"calls": 1'))
    assert "certificates" in broken(noticed.checked(EXPIRES + timedelta(days=2)))
    file.unlink()
    assert "certificates" in broken(noticed.checked(EXPIRES + timedelta(days=2)))


def test_a_purge_that_does_not_run_is_found(noticed: Noticed) -> None:
    noticed.purge(NOW, accept_clock=True)
    assert "runs" not in broken(noticed.checked(NOW + timedelta(hours=25)))
    assert broken(noticed.checked(NOW + timedelta(hours=27)))["runs"].startswith("the purge has had no good run since")


def test_an_open_gap_leaves_it_unclear_who_was_recorded(noticed: Noticed) -> None:
    with noticed.register.writing() as work:
        work.gaps.keep(Gap(id=UUID(int=8), exchange="pbx", cause=Cause.LINK_LOST, began_at=NOW))
    line = noticed.checked()["hearing"]
    assert line.verdict is Verdict.UNCLEAR and "2026-11-24 12:00 UTC" in line.reason


def test_without_a_register_the_search_is_not_kept_and_the_rest_unclear(noticed: Noticed) -> None:
    noticed.register.close()
    noticed.url = f"sqlite:///{noticed.root}/nowhere.db"
    noticed.configure()
    lines = noticed.checked()
    assert broken(lines).keys() == {"search", "holding"} and lines["proofs"].verdict is Verdict.UNCLEAR
    assert "there is no register" in lines["proofs"].reason and lines["sealed"].verdict is Verdict.KEPT


def test_where_private_keys_are_elsewhere_it_says_so(noticed: Noticed) -> None:
    noticed.configure((SETTINGS + CONTROLLER).replace("{root}/keys", ""))
    lines = noticed.checked()
    assert [lines[about].verdict for about in ("keys", "opening", "accounts")] == [Verdict.UNCLEAR] * 3
    assert "Read the private keys: on another host" in lines["accounts"].reason


def test_a_language_that_we_have_no_texts_in_is_for_a_person_to_look_at(noticed: Noticed) -> None:
    noticed.configure((SETTINGS + CONTROLLER).replace('["en"]', '["en", "se"]'))
    assert "no texts in se" in noticed.checked()["contacts"].reason
    assert "recorded in se (route inbound)" in broken(noticed.checked())["prompts"]


def test_looking_changes_nothing(noticed: Noticed) -> None:
    def there() -> dict[str, bytes]:
        files = (path for path in noticed.root.rglob("*") if path.is_file() and not path.name.startswith("register"))
        return {str(path): path.read_bytes() for path in files}

    (noticed.root / "exports").mkdir()
    before, folders = there(), sorted(noticed.root.rglob("*"))
    noticed.checked()
    assert there() == before and sorted(noticed.root.rglob("*")) == folders


def test_a_trail_that_was_changed_is_found(noticed: Noticed) -> None:
    leave(noticed.register, 3)
    assert "no signed head vouches" in noticed.checked()["trail"].reason
    TrailKeeping(noticed.register, Heads(noticed.root / "audit", noticed.root / "audit.key"), None).write_head()
    assert noticed.checked()["trail"].reason == "the trail of 3 actions is whole"
    without_triggers(noticed.url, "UPDATE audit_entries SET actor = 'nobody' WHERE number = 2")
    assert broken(noticed.checked()) == {"trail": "entry 2 was changed after it was written"}


def test_a_trail_that_was_cut_off_is_found_by_its_head(noticed: Noticed) -> None:
    leave(noticed.register, 3)
    heads = Heads(noticed.root / "audit", noticed.root / "audit.key")
    TrailKeeping(noticed.register, heads, None).write_head()
    assert broken(noticed.checked()) == {}
    without_triggers(noticed.url, "DELETE FROM audit_entries WHERE number = 3")
    assert "entry 3 and all after it were cut off" in broken(noticed.checked())["trail"]


def test_accounts_are_counted_by_what_they_may_do(noticed: Noticed) -> None:
    assert noticed.checked()["duties"].verdict is Verdict.UNCLEAR
    ids = [UUID(int=n) for n in (1, 2, 3)]
    with noticed.register.writing() as work:
        for number, account in enumerate(ids):
            work.accounts.add(Account(id=account, login=f"person{number}", name="Somebody", language=Language.ENGLISH,
                                      created_at=START))
        work.accounts.grant(ids[0], Duty.LISTENER)
        work.accounts.grant(ids[1], Duty.TRAINER)
        work.accounts.grant(ids[2], Duty.AUDITOR)
        work.accounts.change(ids[1], clearance_until=NOW + timedelta(days=1))
    assert noticed.checked()["duties"].reason == (
        "3 personal accounts: 2 may hear recordings; 1 of them not cleared, and so refused")
    assert "2 of them not cleared" in noticed.checked(NOW + timedelta(days=1))["duties"].reason
    with noticed.register.writing() as work:
        work.accounts.grant(ids[2], Duty.LISTENER)
    assert broken(noticed.checked()) == {"duties": "1 account with duties that nobody may hold together"}


def test_every_check_has_its_evidence_or_is_for_a_person() -> None:
    assert GATHERERS.keys() == {check.about for check in CHECKS} - (BY_HAND - {"accounts", "published"})


MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
tmpfs /run tmpfs rw 0 0
nas.example:/export /srv/vault nfs4 rw 0 0
//files.example/share /srv/cifs cifs rw 0 0
me@far.example:/home /srv/ssh fuse.sshfs rw 0 0
[2001:db8::1]:/x /srv/six nfs rw 0 0
bucket@de /srv/s3 fuse.s3fs rw 0 0
/dev/sdb1 /srv/with\\040space xfs rw 0 0
"""


@pytest.mark.parametrize(("folder", "remote", "host"), [
    ("/srv/vault/a", True, "nas.example"), ("/srv/cifs", True, "files.example"), ("/srv/ssh", True, "far.example"),
    ("/srv/six", True, "2001:db8::1"), ("/srv/s3", True, "bucket@de"), ("/srv/with space", False, "/dev/sdb1"),
    ("/run/spool", False, "tmpfs"), ("/srv/vaulted", False, "/dev/sda1")])
def test_a_folder_that_comes_over_the_network_is_known_with_its_host(folder: str, remote: bool, host: str) -> None:
    mount = mount_of(Path(folder), MOUNTS)
    assert (mount.remote, mount.host) == (remote, host) and mount.in_memory == (folder == "/run/spool")


@pytest.mark.parametrize(("vouched", "verdict"), [("", Verdict.BROKEN), ('endpoints = ["nas.example"]', Verdict.KEPT)])
def test_a_vault_on_another_machine_needs_the_controllers_word(
        noticed: Noticed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, vouched: str, verdict: Verdict) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\nnas.example:/export {noticed.root.resolve()}/vault nfs4 rw 0 0\n")
    monkeypatch.setattr(promises_places, "MOUNTS", mounts)
    noticed.configure(SETTINGS + CONTROLLER + vouched + "\n")
    lines = noticed.checked()
    assert lines["storage"].verdict is verdict and "nas.example" in lines["storage"].reason
    assert lines["traffic"].verdict is Verdict.UNCLEAR, "it is not we who encrypt the way to a file server"


def test_an_encrypted_disk_is_known_at_any_depth(tmp_path: Path) -> None:
    status = tmp_path.stat()
    device = tmp_path / f"{os.major(status.st_dev)}:{os.minor(status.st_dev)}"
    assert not encrypted(tmp_path, tmp_path)
    for name, uuid in ((".", "LVM-abc"), ("slaves/dm-0", "CRYPT-LUKS2-abc")):
        (device / name / "dm").mkdir(parents=True)
        (device / name / "dm" / "uuid").write_text(uuid + "\n")
    assert encrypted(tmp_path, tmp_path)
    (device / "slaves" / "sdb" / "dm").mkdir(parents=True)
    assert not encrypted(tmp_path, tmp_path), "a volume over two disks, of which one is plain"


def test_memory_is_no_disk(tmp_path: Path) -> None:
    assert promises_places._lies(tmp_path, Mount("tmpfs", "/run", "tmpfs")) == "memory"
    assert promises_places._lies(tmp_path, Mount("nas:/x", "/srv", "nfs")) == "away"


@pytest.mark.parametrize(("query", "safe"), [("", False), ("?sslmode=prefer", False), ("?sslmode=verify-full", True)])
def test_the_way_to_a_database_elsewhere_must_insist_on_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: str, safe: bool) -> None:
    monkeypatch.delenv("PGSSLMODE", raising=False)
    file = tmp_path / "ami-bridge.toml"
    settings = SETTINGS + CONTROLLER + 'endpoints = ["db.example", "pbx.example"]\n'
    file.write_text(settings.replace('secret = "secret"', 'secret = "secret"\nhost = "pbx.example"').format(
        root=tmp_path, url=f"postgresql://me@db.example/x{query}", agi_secret="s" * 32))
    house = Looked(load(file, {}), file, NOW, (), None)
    ways = {way.what: way.safe for way in promises_places.traffic(house)}
    assert ways == {"[register] url": safe, "[ami] host": None}
    house.spool.create()
    assert Rest("[register] url", "away") in promises_places.at_rest(house)


def test_who_can_read_a_file_follows_from_its_bits(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.touch()
    os.chown(file, os.getuid(), os.getgid())
    for mode, everybody in ((0o600, False), (0o604, True)):
        file.chmod(mode)
        found = promises_places.readers(file)
        assert "root" in found and ("everybody" in found) == everybody
    assert set(promises_places.members("no-such-group")) == set()


def test_calls_under_one_proof_are_counted_together(noticed: Noticed) -> None:
    noticed.take(4, notice=replace(noticed.proof, heard_samples=noticed.proof.samples - 1))
    with noticed.register.reading() as work:
        told = work.proofs.told()
    assert sorted((one.calls, one.whole, one.prompt is None) for one in told) == [(1, False, False), (1, False, True), (2, True, False)]


def test_what_left_without_two_persons_is_told(noticed: Noticed) -> None:
    disclosure = disclosures.Disclosure(id=UUID(int=1), kind=disclosures.Kind.COPY, call=UUID(int=2), recipient="data subject", country="FI", statute="",
                            recipient_key="", made_by="os:root/maija", made_at=NOW)
    proposal = Proposal(id=UUID(int=3), action=disclosure.action, object=str(disclosure.id), digest=disclosures.digest_of(disclosure),
                        made_by="os:root/maija", made_at=NOW)
    with noticed.register.writing() as work:
        work.disclosures.add(disclosure)
        work.proposals.add(proposal)
        work.disclosures.hand_out(disclosure.id, disclosures.HandedOut(NOW, "0" * 64))
    assert broken(noticed.checked())["disclosures"].startswith("1 file handed out that no second person agreed to as it is")
    with noticed.register.writing() as work:
        work.proposals.approve(proposal.id, "os:root/ville", NOW)
    assert noticed.checked()["disclosures"].reason.startswith("1 file handed out, each with its recipient, basis and two persons")
    noticed.sql("UPDATE disclosures SET country = 'US'")
    assert broken(noticed.checked()).keys() >= {"disclosures", "recipients"}
