"""The privacy notice and the record of processing: every promise in every language, and nothing that is not configured."""

import re
from pathlib import Path

import pytest
from jinja2 import Environment, meta, nodes

from ami_bridge.config import Config, load
from ami_bridge.core.errors import ConfigurationError
from ami_bridge.core.promises import CLAUSES
from ami_bridge.services.notice_text import LANGUAGES, TEMPLATES, Form, Kind, missing, publish, values, written

CONTROLLER = """
[exchange]
name = "pbx"
[ami]
secret = "0123456789abcdef"
[agi]
secret = "0123456789abcdef"
[controller]
name = "Example Town"
name_fi = "Esimerkkikaupunki"
name_sv = "Exempelstad"
address = "Example Street 1, 00100 Helsinki"
mail = "registry@town.example"
data_protection_officer = "dpo@town.example"
"""
BASIS = re.compile(r"6\(1\)\((\w)\)|6 artiklan 1 kohdan (\w) alakohta|artikel 6\.1 (\w)")


def configured(folder: Path, more: str = "", change: tuple[str, str] = ("", "")) -> Config:
    file = folder / "ami-bridge.toml"
    file.write_text(CONTROLLER.replace(*change) + more if change[0] else CONTROLLER + more)
    return load(file, {})


def one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_promise_has_its_sentence(tmp_path: Path, language: str) -> None:
    environment = Environment(trim_blocks=True, lstrip_blocks=True, autoescape=False)
    template = environment.from_string((TEMPLATES / f"notice.{language}.md").read_text("utf-8"))
    filled = values(configured(tmp_path), language)
    assert set(template.blocks) == set(CLAUSES) == {f"N{n}" for n in range(1, 13)}
    for clause, block in template.blocks.items():
        said = "".join(block(template.new_context(filled)))
        assert len(said.split()) >= 8 or clause == "N5", (clause, said)
    assert "31" in "".join(template.blocks["N8"](template.new_context(filled)))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", Kind)
def test_a_template_knows_only_what_it_is_given(tmp_path: Path, language: str, kind: Kind) -> None:
    tree = Environment(autoescape=True).parse((TEMPLATES / f"{kind}.{language}.md").read_text("utf-8"))
    given = values(configured(tmp_path), language)
    assert meta.find_undeclared_variables(tree) <= given.keys()
    for found in tree.find_all(nodes.Getattr):
        if isinstance(found.node, nodes.Name) and found.node.name in given:
            assert found.attr in given[found.node.name], (found.node.name, found.attr)


@pytest.mark.parametrize(("language", "words"), [
    ("fi", ("Esimerkkikaupunki", "31 vuorokautta", "palvelumme toimivuuden varmistaminen", "henkilöstön koulutus", "Tietosuojavaltuutetun toimisto", "21 artikla")),
    ("sv", ("Exempelstad", "31 dygn", "att utbilda personalen", "Dataombudsmannens byrå", "artikel 21")),
    ("en", ("Example Town", "31 days of 24 hours", "training our staff", "Data Protection Ombudsman", "article 21")),
])
def test_it_says_what_is_configured(tmp_path: Path, language: str, words: tuple[str, ...]) -> None:
    for form in Form:
        said = one_line(written(configured(tmp_path), language, form=form))
        for word in (*words, "dpo@town.example", "Example Street 1"):
            assert word in said.replace("\\", ""), (form, word)
        assert "{" not in said and "None" not in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_changed_changes_the_text(tmp_path: Path, language: str) -> None:
    before = written(configured(tmp_path), language)
    for more, word in (
        ("[retention]\ndays = 14\n", "14"), ('[authority]\nphone = "+46 8 657 61 00"\n', "+46 8 657 61 00"),
        (f'[purposes]\nnames = ["quality"]\nfi = ["laadun seuranta"]\nsv = ["kvalitet"]\nen = ["quality"]\n# {language}', {"fi": "laadun seuranta", "sv": "kvalitet", "en": "quality"}[language]),
        ('[[route]]\nname = "survey"\nchoice = "opt-out"\nchoice_key = "7"\n', " 7"),
        ('[[route]]\nname = "short"\ndays = 3\n', {"fi": "3 vuorokauden", "sv": "3 dygn", "en": "3 days"}[language]),
        ('[[route]]\nname = "asked"\non_demand = true\n', {"fi": "asiakaspalvelijan pyynnöstä", "sv": "på begäran av kundtjänstmedarbetaren", "en": "customer service agent asks"}[language]),
        ('[notice]\nlanguages = ["fi", "ru"]\n', {"fi": "venäjä", "sv": "ryska", "en": "Russian"}[language]),
    ):
        after = written(configured(tmp_path, more), language)
        assert after != before and word in one_line(after), more


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("letter", ["a", "b", "c", "e", "f"])
def test_the_legal_basis_stands_in_both_texts_and_the_right_to_object_follows_from_it(tmp_path: Path, language: str, letter: str) -> None:
    more = f'legal_basis = "{letter}"\nbasis_{language} = "the Example Act, section 3"\n'
    config = configured(tmp_path, more)
    for kind in Kind:
        said = one_line(written(config, language, kind))
        assert {found for match in BASIS.findall(said) for found in match if found} == {letter} and "the Example Act, section 3" in said
    objects = re.search(r"\(21 artikla\)|\(artikel 21\)|\(article 21\)", one_line(written(config, language)))
    assert bool(objects) is (letter in "ef")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_record_of_processing_has_what_article_30_asks(tmp_path: Path, language: str) -> None:
    said = written(configured(tmp_path, 'processors = ["Hosting Ltd, Espoo"]\n'), language, Kind.RECORD)
    assert said.count("\n---") == 8 and "Hosting Ltd, Espoo" in said and "31" in said and "dpo@town.example" in said


@pytest.mark.parametrize(("gone", "named"), [
    ('address = "Example Street 1, 00100 Helsinki"', "[controller] address"), ('mail = "registry@town.example"', "[controller] phone or mail"),
    ('data_protection_officer = "dpo@town.example"', "[controller] data_protection_officer")])
def test_what_the_law_asks_for_and_nobody_configured_is_named(tmp_path: Path, gone: str, named: str) -> None:
    config = configured(tmp_path, change=(gone, ""))
    with pytest.raises(ConfigurationError, match=re.escape(named)):
        written(config, "fi")
    assert missing(config, "fi") == [named]


def test_without_an_officer_none_is_named(tmp_path: Path) -> None:
    config = configured(tmp_path, change=("dpo@town.example", "none"))
    assert "Data protection officer" not in written(config, "en") and "Data protection officer: none" in written(config, "en", Kind.RECORD)


def test_what_is_configured_is_text_and_nothing_else(tmp_path: Path) -> None:
    config = configured(tmp_path, change=("Example Street 1", "<b>*Street* & [x](y) `1`</b>"))
    html = written(config, "en", form=Form.HTML)
    assert "&lt;b&gt;*Street* &amp; [x](y) `1`&lt;/b&gt;" in html and "<b>" not in html and "<em>" not in html and "<a " not in html
    assert "<b>*Street* & [x](y) `1`</b>" in one_line(written(config, "en"))
    assert re.search(r'(src|href)=|@import|url\(', html) is None


@pytest.mark.parametrize("name", ["- Hosting", "+ Hosting", "1. Hosting", "2) Hosting", "=", "-", "3.", "Hosting - and 1. more", "-5 degrees"])
def test_a_name_is_never_a_list_of_its_own(tmp_path: Path, name: str) -> None:
    html = written(configured(tmp_path, f'processors = ["{name}"]\n'), "en", form=Form.HTML)
    assert f"<li>{name}</li>" in html and "<ol" not in html and "<ul>\n<li>\n<ul" not in html


@pytest.mark.parametrize("language", LANGUAGES)
def test_plain_text_fits_a_letter(tmp_path: Path, language: str) -> None:
    for kind in Kind:
        lines = written(configured(tmp_path), language, kind).splitlines()
        assert max(map(len, lines)) <= 78 and not [line for line in lines if line.startswith(("#", " -"))]


def test_it_is_published_in_all_languages_and_readable_for_all(tmp_path: Path) -> None:
    config = configured(tmp_path, f'published = "{tmp_path}/www"\n')
    made = publish(config)
    assert [path.name for path in made] == ["notice.fi.html", "notice.sv.html", "notice.en.html"]
    assert {path.stat().st_mode & 0o777 for path in made} == {0o644}
    assert '<html lang="sv">' in made[1].read_text("utf-8") and "<h1>" in made[1].read_text("utf-8")


def test_where_nobody_said_where_nothing_is_published(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not configured where"):
        publish(configured(tmp_path))
