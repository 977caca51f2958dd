"""Asterisk's configuration files as Asterisk reads them."""

from pathlib import Path

import pytest

from ami_bridge.asterisk.conf import Conf, read


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
