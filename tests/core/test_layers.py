"""Imports run downwards only."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
FLOORS = {"core": 0, "sound": 1, "spool": 1, "systemd": 1, "config": 1, "prompts": 1, "certificates": 1, "heads": 1, "signing": 1, "credentials": 1, "clock": 1, "metrics": 1, "dialplan_globals": 1,
          "vault": 1, "register": 1, "asterisk": 1, "services": 2, "app": 3, "daemon": 3, "cli": 3, "web": 3}
SHARED_ON_FLOOR_1 = {"spool", "config", "sound", "signing"}
"""What other rooms of floor 1 may use: durable files, the settings, the sound converter, the keys that sign."""
STDLIB_ONLY_FOR_SCRIPTS = {"core", "spool"}


def imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def room(module: str) -> str:
    return module.split(".")[1]


def files(package: str) -> list[Path]:
    found = sorted((ROOT / package).rglob("*.py"))
    assert found, package
    return found


def ours(path: Path) -> set[str]:
    return {name for name in imports(path) if name.startswith("ami_bridge.") and room(name) in FLOORS}


def test_imports_run_downwards() -> None:
    wrong = []
    for path in files("ami_bridge"):
        own = path.relative_to(ROOT / "ami_bridge").parts[0].removesuffix(".py")
        if own in ("__init__", "__main__"):
            continue
        for name in ours(path):
            used = room(name)
            downwards = FLOORS[used] < FLOORS[own] or (used in SHARED_ON_FLOOR_1 and FLOORS[own] == 1)
            if used != own and not downwards and FLOORS[own] != 3:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong


def test_the_core_knows_only_the_standard_library() -> None:
    import sys

    for path in files("ami_bridge/core"):
        for name in imports(path):
            assert name.split(".")[0] in {*sys.stdlib_module_names, "ami_bridge"}, f"{path.name}: {name}"


def test_scripts_import_only_the_core_the_spool_and_pyst2() -> None:
    for path in files("agi_scripts"):
        for name in ours(path):
            assert room(name) in STDLIB_ONLY_FOR_SCRIPTS, f"{path.name}: {name}"


def test_the_core_reads_no_clock() -> None:
    for path in files("ami_bridge/core"):
        text = path.read_text("utf-8")
        assert ".now(" not in text and "time.time" not in text, path.name


def test_foreign_libraries_stay_behind_their_one_file() -> None:
    for package, library, allowed in (("ami_bridge", "panoramisk", {"protocol.py"}), ("ami_bridge", "asterisk", set()),
                                      ("agi_scripts", "asterisk", {"session.py"})):
        users = {p.name for p in files(package) if any(n.split(".")[0] == library for n in imports(p))}
        assert users <= allowed, library
