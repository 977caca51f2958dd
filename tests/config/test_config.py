"""What the configuration takes, and what it says to each thing it does not take."""

from pathlib import Path

import pytest

from ami_bridge.config import Config, load, reference
from ami_bridge.core.errors import ConfigurationError
from ami_bridge.core.notice import OnFailure, Route
from ami_bridge.core.parties import Direction
from tests.config.samples import HEAD, ROUTES, from_text

ROUTE = '[[route]]\nname = "in"\ndirection = "inbound"\n'


def refusal(folder: Path, text: str, **environ: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        from_text(folder, text, **environ)
    return str(caught.value)


def test_the_least_that_is_needed(tmp_path: Path) -> None:
    config = from_text(tmp_path, HEAD)
    assert config.register.url == "sqlite:////var/lib/ami-bridge/register.db"
    assert config.notice.played_from == Path("/var/lib/ami-bridge/prompts")
    assert config.controller.zone.key == "Europe/Helsinki"
    assert (config.ami.port, config.agi.port, config.retention.days) == (5038, 4573, 31)
    assert config.policy_routes() == ()


def test_routes_become_the_policys(tmp_path: Path) -> None:
    routes = from_text(tmp_path, HEAD + ROUTES).policy_routes()
    assert routes[0] == Route(name="training-lines", days=31, directions=(Direction.INBOUND,), dids=("09123*", "112"),
                              notice="training", languages=("sv", "fi"))
    assert routes[1] == Route(name="support", days=31, contexts=("from-outside",), queues=("support", "Support_2"),
                              languages=("fi", "sv", "en"), on_failure=OnFailure.REFUSE)
    assert [route.record for route in routes] == [True, True, False, True, True, True]


def test_the_environment_overrules_the_file(tmp_path: Path) -> None:
    config = from_text(tmp_path, HEAD, AMI_BRIDGE__AMI__PORT="5039", AMI_BRIDGE__AMI__SECRET="12345",
                       AMI_BRIDGE__NOTICE__LANGUAGES='["en"]', AMI_BRIDGE__SPOOL__DIRECTORY="/run/other", HOME="/root")
    assert (config.ami.port, config.ami.secret.get_secret_value()) == (5039, "12345")
    assert (config.notice.languages, config.spool.directory) == (("en",), Path("/run/other"))


def test_a_secret_may_lie_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from-the-file\n")
    text = HEAD.replace('secret = "ami-secret-of-the-tests"', f'secret_file = "{tmp_path}/secret"')
    assert from_text(tmp_path, text).ami.secret.get_secret_value() == "from-the-file"


def test_no_secret_is_ever_shown(tmp_path: Path) -> None:
    url = '[controller]\nendpoints = ["host"]\n[register]\nurl = "postgresql://user:very-hidden@host/name"\n'
    shown = repr(from_text(tmp_path, HEAD + url))
    assert "very-hidden" not in shown and "secret-of-the-tests" not in shown
    said = refusal(tmp_path, HEAD.replace("agi-secret-of-the-tests", "hidden key").replace("ami-secret", "hidden ami")
                   + url.replace("postgresql", "mysql"))
    assert "hidden" not in said and said.count("secret must be") == 2


def test_the_configuration_cannot_be_changed(tmp_path: Path) -> None:
    config = from_text(tmp_path, HEAD)
    with pytest.raises(ValueError, match="frozen"):
        config.ami.port = 1  # type: ignore[misc]


@pytest.mark.parametrize(("text", "said"), [
    ("", "[exchange] is missing"),
    (HEAD.replace('secret = "ami-secret-of-the-tests"', ""), "[ami] secret is missing (or give secret_file)"),
    (HEAD + "[amy]\nport = 1", "[amy] is not a setting; perhaps ami is meant"),
    (HEAD + "_env_file = 1", "[agi] _env_file is not a setting"),
    (HEAD.replace("[ami]", '[ami]\nhots = "x"'), "[ami] hots is not a setting; perhaps host is meant"),
    (HEAD.replace("[ami]", '[ami]\nport = "5038"'), "[ami] port must be a whole number, not '5038'"),
    (HEAD.replace("[ami]", "[ami]\nport = 5038.0"), "[ami] port must be a whole number, not 5038.0"),
    (HEAD.replace("[ami]", "[ami]\nport = true"), "[ami] port must be a whole number, not true"),
    (HEAD.replace("[ami]", "[ami]\nport = 65536"), "[ami] port must be at most 65535, not 65536"),
    (HEAD.replace("[ami]", "[ami]\nport = 0"), "[ami] port must be at least 1, not 0"),
    (HEAD.replace("[ami]", '[ami]\nhost = "a b"'), "[ami] host must be an address or a host name, not 'a b'"),
    (HEAD.replace("[ami]", '[ami]\nsecret_file = "/nowhere"'), "give either secret or secret_file, not both"),
    (HEAD.replace('secret = "ami-secret-of-the-tests"', 'secret_file = "/nowhere"'),
     "[ami] secret_file '/nowhere' cannot be read (No such file or directory)"),
    (HEAD.replace("agi-secret-of-the-tests", "short"), "[agi] secret must be 16 to 128 letters"),
    ("ami = 3\n" + HEAD.replace("[ami]", "[other]"), "[ami] must be a section in square brackets, not 3"),
    ("route = 3\n" + HEAD, "[[route]] must be"),
    ('route = ["x"]\n' + HEAD, "[[route]] number 1 must be a section in square brackets, not 'x'"),
    (HEAD + '[controller]\ntime_zone = "Mars/Olympus"', "time_zone must be a time zone that this machine knows"),
    (HEAD + '[controller]\ntime_zone = "../etc/passwd"', "[controller] time_zone must be a time zone"),
    (HEAD + "[retention]\ndays = 0", "[retention] days must be at least 1, not 0"),
    (HEAD + "[notice]\nlanguages = []", "[notice] languages must not be empty"),
    (HEAD + '[notice]\nlanguages = ["Finnish"]', "[notice] languages must be a language code"),
    (HEAD + '[spool]\ndirectory = "spool"', "[spool] directory must be a full path from /"),
    (HEAD + '[spool]\ndirectory = "/run/a\\nb"', "[spool] directory must be a full path from /"),
    (HEAD + '[vault]\ndirectory = "/var/../etc"', "[vault] directory must be a full path from /"),
    (HEAD + '[register]\nurl = "mysql://x"', "[register] url must be an address that begins with sqlite:///"),
    (HEAD + ROUTE + 'notice = ""', "[[route]] in notice may be empty only where direction is \"internal\" alone"),
    (HEAD + '[[route]]\nname = "all"\nnotice = ""', "[[route]] all notice may be empty only where"),
    (HEAD + '[[route]]\nname = "two"\ndirection = ["internal", "inbound"]\nnotice = ""', "notice may be empty only where"),
    (HEAD + ROUTE + ROUTE, "[[route]] name: 'in' stands 2 times"),
    (HEAD + ROUTE + 'languages = ["de"]', "[[route]] in, languages: 'de' is not among [notice] languages (fi, sv, en)"),
    (HEAD + ROUTE.replace("inbound", "sideways"), "[[route]] in, direction must be 'inbound', 'outbound' or 'internal'"),
    (HEAD + '[[route]]\ndirection = "inbound"', "[[route]] number 1, name is missing"),
    (HEAD + ROUTE + 'on_failure = "ignore"', "[[route]] in, on_failure must be 'fallback-record', 'refuse' or"),
    (HEAD + ROUTE + 'record = "yes"', "[[route]] in, record must be true or false, not 'yes'"),
    (HEAD + ROUTE + "context = 3", "[[route]] in, context must be text in quotes or a list of such, not 3"),
    (HEAD + ROUTE + 'notice = "a-v2"', "[[route]] in, notice must be the name of a prompt"),
    (HEAD + ROUTE + 'notice = "../x"', "[[route]] in, notice must be the name of a prompt"),
    (HEAD + ROUTE + 'did = "*"', "[[route]] in, did must be digits"),
])
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    message = refusal(tmp_path, text)
    assert said in message
    assert str(tmp_path / "ami-bridge.toml") in message
    assert not any(word in message.lower() for word in ("pydantic", "validation", "traceback", "extra_forbidden"))


@pytest.mark.parametrize("key", ["context", "did", "queue"])
@pytest.mark.parametrize("text", ['x"y', "x'y", "x]", "x[", "a,b", "a b", "${X}", "$", "", "a)", "a;b", "x\ny", "ä"])
def test_what_would_be_code_in_a_dialplan_is_refused(tmp_path: Path, key: str, text: str) -> None:
    escaped = text.replace('"', '\\"').replace("\n", "\\n")
    assert f"[[route]] in, {key} must be" in refusal(tmp_path, HEAD + ROUTE + f'{key} = "{escaped}"')


@pytest.mark.parametrize(("variable", "value", "said"), [
    ("AMI_BRIDGE__AMI__PORT", "http", "[ami] port (from AMI_BRIDGE__AMI__PORT) must be a whole number, not 'http'"),
    ("AMI_BRIDGE__AMI__PROT", "1", "the environment variable AMI_BRIDGE__AMI__PROT names no setting"),
    ("AMI_BRIDGE__AMI", "1", "the environment variable AMI_BRIDGE__AMI names no setting"),
    ("AMI_BRIDGE__ROUTE__NAME", "x", "the environment variable AMI_BRIDGE__ROUTE__NAME names no setting"),
    ("AMI_BRIDGE__AGI__SECRET", "hidden", "[agi] secret (from AMI_BRIDGE__AGI__SECRET) must be 16 to 128"),
])
def test_a_wrong_variable_is_named(tmp_path: Path, variable: str, value: str, said: str) -> None:
    message = refusal(tmp_path, HEAD, **{variable: value})
    assert said in message and "hidden" not in message


@pytest.mark.parametrize(("content", "said"), [
    (b"[exchange\n", "is not TOML"),
    (b"[exchange]\nname = \"\xff\"", "is not UTF-8 text"),
])
def test_a_file_that_is_no_configuration(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "x.toml").write_bytes(content)
    with pytest.raises(ConfigurationError, match=said):
        load(tmp_path / "x.toml", {})


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no configuration file .*ami-bridge init"):
        load(tmp_path / "none.toml", {})
    with pytest.raises(ConfigurationError, match=r"cannot be read \(Is a directory\)"):
        load(tmp_path, {})


def test_every_setting_is_explained() -> None:
    text = reference()
    sections = {field.alias or name for name, field in Config.model_fields.items()}
    assert all(f"[{section}]" in text for section in sections)
    assert "None" not in text


def test_the_reference_is_up_to_date() -> None:
    """After a change: paste what ``python -c 'from ami_bridge.config import reference; print(reference())'`` prints."""
    assert reference() in (Path(__file__).parents[2] / "docs" / "reference.md").read_text("utf-8")


def test_a_route_may_forget_sooner_but_never_later_than_the_notice_promises(tmp_path: Path) -> None:
    route = '[[route]]\nname = "one"\ndays = {}\n'
    assert from_text(tmp_path, HEAD + route.format(7)).policy_routes()[0].days == 7
    with pytest.raises(ConfigurationError, match="more than the notice promises"):
        from_text(tmp_path, HEAD + route.format(32))


def test_private_keys_may_be_on_another_host(tmp_path: Path) -> None:
    assert from_text(tmp_path, HEAD + '[keys]\nprivate = ""\n').keys.private is None
    assert from_text(tmp_path, HEAD).keys.private == Path("/var/lib/ami-bridge/keys")
