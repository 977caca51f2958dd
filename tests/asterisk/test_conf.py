"""Asterisk's configuration files as Asterisk reads them."""

from pathlib import Path

import pytest

from ami_bridge.asterisk.conf import Conf, included, of_text, read, section_line, values


def conf(folder: Path, text: str, **others: str) -> Conf:
    (folder / "a.conf").write_text(text)
    for name, content in others.items():
        path = folder / name.replace("__", "/").replace("_conf", ".conf")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return read(folder, "a.conf")


def test_the_last_value_counts_and_all_are_there(tmp_path: Path) -> None:
    found = conf(tmp_path, "[one]\nKey = a\nkey=>b\n key = c = d ; said\n[two]\nkey = e\n")
    assert found.all("one", "key") == ["a", "b", "c = d"] and found.last("one", "key") == "c = d" and found.last("two", "key") == "e"
    assert found.last("three", "key", "none") == "none" and not found.has("three")


@pytest.mark.parametrize("text", [";key = no", ";-- key = no\nkey = no\n--;", "", "; [two]\n"])
def test_comments_say_nothing(tmp_path: Path, text: str) -> None:
    assert conf(tmp_path, f"[one]\nkey = yes\n{text}\n").all("one", "key") == ["yes"]


def test_a_semicolon_can_be_meant(tmp_path: Path) -> None:
    assert conf(tmp_path, "[one]\nkey = a\\;b ;c\n").last("one", "key") == "a;b"


def test_a_template_lends_its_settings_and_says_nothing_itself(tmp_path: Path) -> None:
    found = conf(tmp_path, "[base](!)\nread = call\nread = user\n[own](base)\nread = agent\n[own](+)\nwrite = user\n")
    assert found.all("own", "read") == ["call", "user", "agent"] and found.last("own", "write") == "user"
    assert not found.has("base") and found.all("base", "read") == [] and found.keys("own") == ["read"] * 3 + ["write"]


def test_includes_are_read_in_their_place(tmp_path: Path) -> None:
    found = conf(tmp_path, '[one]\nkey = a\n#include "d/*.conf"\n#tryinclude gone.conf\n#include ' + str(tmp_path / "e.conf") + "\nkey = z\n",
                 d__1_conf="key = b\n[two]\nkey = c\n", d__2_conf="[two](+)\nkey = d\n", e_conf="[three]\nkey = e\n")
    assert found.all("one", "key") == ["a", "b", "z"] and found.all("two", "key") == ["c", "d"] and found.last("three", "key") == "e"
    assert [file.name for file in found.files] == ["a.conf", "1.conf", "2.conf", "e.conf"]


def test_a_file_that_includes_itself_comes_to_an_end(tmp_path: Path) -> None:
    assert len(conf(tmp_path, "#include a.conf\n[one]\nkey = a\n").files) == 11


def test_what_exec_would_run_is_not_run(tmp_path: Path) -> None:
    conf(tmp_path, f"#exec touch {tmp_path}/ran\n[one]\n")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(("value", "said"), [("yes", True), ("On", True), ("1", True), ("no", False), ("nonsense", False), ("", False)])
def test_words_for_yes(tmp_path: Path, value: str, said: bool) -> None:
    assert conf(tmp_path, f"[one]\nkey = {value}\n").yes("one", "key") is said


def test_the_event_filters_of_our_own_file_are_keys(tmp_path: Path) -> None:
    ours = Path(__file__).parents[2] / "dialplan" / "manager_ami_bridge.conf"
    found = conf(tmp_path, ours.read_text("utf-8"))
    assert found.last("ami-bridge", "write") == "reporting,call,user"
    assert "eventfilter(action(include),name(UserEvent))" in found.keys("ami-bridge")


# -- a text by itself

SAMPLE = """\
; a comment with [general] in it
[options](!)
systemname = template
[general]
Enabled = yes ; on
port=5038
secret = a\\;b
;-- [hidden]
all = of
this --; bindaddr => 127.0.0.1
;--- no comment of several lines
enabled = no
#include "manager.d/*.conf"
[other](tmpl,+)
enabled = 1
[defaults](!)
enabled = yes
[borrower](defaults)
"""


def test_sections_and_values_are_read_as_asterisk_reads_them() -> None:
    assert values(SAMPLE, "general") == {"enabled": "no", "port": "5038", "secret": "a;b", "bindaddr": "127.0.0.1"}
    assert values(SAMPLE, "options") == {} and values(SAMPLE, "hidden") == {}
    assert of_text(SAMPLE).has("general") and not of_text(SAMPLE).has("options") and not of_text(SAMPLE).has("hidden")
    assert values(SAMPLE, "borrower") == {"enabled": "yes"} and values(SAMPLE, "defaults") == {}
    assert section_line(SAMPLE, "general") == "[general](+)" and section_line(SAMPLE, "mappings") == "[mappings]"


@pytest.mark.parametrize(("line", "path"), [
    ('#include "manager.d/*.conf" ', "manager.d/*.conf"), ("#include x.conf", "x.conf"), ("#tryinclude <y.conf>", "y.conf"),
    ("  #INCLUDE /etc/z.conf", "/etc/z.conf"), ("#exec /bin/x", None), ("include => demo", None), ("; #include x", None)])
def test_includes(line: str, path: str | None) -> None:
    assert included(line) == path
