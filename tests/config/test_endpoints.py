"""Nothing is sent to a machine that the controller did not vouch for: refused before anything begins (promise N7)."""

import socket
from pathlib import Path

import pytest

from ami_bridge.config.endpoints import hosts, is_here, is_loopback, is_vouched
from ami_bridge.core.errors import ConfigurationError
from tests.config.samples import HEAD, from_text


def register(url: str) -> str:
    return f'[register]\nurl = "{url}"\n'


FAR = "postgresql://anna:hunter2@db1.example.com/recordings"


@pytest.mark.parametrize(("text", "said"), [
    (HEAD + register(FAR), "[register] url: db1.example.com is neither this machine nor among [controller] endpoints"),
    (HEAD + register("postgresql://anna@/x?host=db2.example.com"), "db2.example.com is neither"),
    (HEAD + register("postgresql://anna@localhost/x?hostaddr=203.0.113.7"), "203.0.113.7 is neither"),
    (HEAD + register("postgresql://anna@127.0.0.1,db3.example.com/x"), "db3.example.com is neither"),
    (HEAD + register("postgresql://anna@/x?service=far"), "service=far is neither"),
    (HEAD.replace("[ami]", '[ami]\nhost = "pbx.example.com"'), "[ami] host: pbx.example.com is neither"),
    (HEAD + '[alarm]\nmail_host = "198.51.100.9"\n', "[alarm] mail_host: 198.51.100.9 is neither"),
    (HEAD + '[controller]\nendpoints = ["db1.example.fi", "10.0.0.0/8"]\n' + register(FAR), "db1.example.com is neither"),
])
def test_a_stranger_is_refused_and_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        from_text(tmp_path, text)
    assert said in str(caught.value) and "EU or EEA" in str(caught.value) and "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", [
    register("postgresql://anna@/x?host=/var/run/postgresql"), register("postgresql://anna@localhost:5433/x"),
    register("postgresql://anna@[::1]/x"), register(f"postgresql://anna@{socket.gethostname()}/x"),
    '[controller]\nendpoints = ["DB1.example.com"]\n' + register(FAR),
    '[controller]\nendpoints = "10.0.0.0/8"\n' + register("postgresql://anna@10.9.8.7/x"),
    '[controller]\nendpoints = ["far"]\n' + '[alarm]\nmail_host = "far"\n',
])
def test_this_machine_and_who_was_vouched_for_are_well(tmp_path: Path, text: str) -> None:
    from_text(tmp_path, HEAD + text)


def test_the_drivers_own_variable_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "elsewhere.example.com")
    with pytest.raises(ConfigurationError, match=r"elsewhere\.example\.com is neither"):
        from_text(tmp_path, HEAD + register("postgresql://anna@/x"))
    from_text(tmp_path, HEAD + register("postgresql://anna@localhost/x"))


def test_hosts() -> None:
    assert hosts("sqlite:////var/lib/x.db") == [] and hosts("mail.example.fi") == ["mail.example.fi"]
    assert hosts("postgresql://u:p@a:1/n?host=b:2&host=c:3") == ["a", "b", "c"]
    assert hosts("postgresql://u@[2001:db8::1]:5/n") == ["2001:db8::1"]
    assert is_here("127.0.0.53") and is_here("LOCALHOST") and not is_here("192.0.2.1") and not is_here("224.0.0.1")
    assert is_loopback("::1") and not is_loopback(socket.gethostname() + ".example")
    assert is_vouched("2001:db8::9", ["2001:db8::/32"]) and not is_vouched("db.example", ["ample", "10.0.0.0/8", "not/a/net"])


@pytest.mark.parametrize(("text", "said"), [
    ('[purposes]\nfi = ["vain yksi"]\n', "[purposes] fi has 1 texts for 2 names"),
    ('[purposes]\nnames = []\n', "[purposes] names must not be empty"),
    ('[purposes]\nnames = ["Two Words"]\n', "[purposes] names must be small letters"),
    ('[purposes]\nen = ["a", " "]\n', "[purposes] en must not have an empty text in it"),
    ('[controller]\nname = "a\\nb"\n', "[controller] name must be one line"),
    ('[controller]\nlegal_basis = "g"\n', "[controller] legal_basis"),
    ('[controller]\nendpoints = ["https://a?b"]\n', "[controller] endpoints must be a host name"),
])
def test_what_the_notice_could_not_say_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        from_text(tmp_path, HEAD + text)
    assert said in str(caught.value)
