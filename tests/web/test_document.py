"""The API against its own description: asked with what the document allows, and with what it does not, by several people."""

from collections.abc import Iterator

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from ami_bridge.web import api
from tests.web.console import Console
from tests.web.routes import DOCUMENT, doors

pytestmark = pytest.mark.xdist_group("document")
EXAMPLES = 4
REJECTED = ["400", "401", "403", "404", "405", "409", "413", "422", "503"]
PROMISES = [not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
            checks.response_headers_conformance, checks.response_schema_conformance, checks.negative_data_rejection]
"""Not that whatever fits the document is taken: which purpose, day or key is good, it cannot say."""


@pytest.fixture
def wire() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False  # it may name certificates of its own
        yield session


def test_the_document_has_each_operation_and_says_what_each_is_for(shared: Console) -> None:
    with shared.stranger() as client:
        paths = client.get(DOCUMENT).json()["paths"]
    described = {(path, method.upper()): said for path, methods in paths.items() for method, said in methods.items()}
    assert set(described) == {(door.path, door.method) for door in doors(shared) if door.of_api}
    assert {key for key, said in described.items() if not said.get("description")} == set()


def test_everything_that_is_sent_and_answered_is_described(shared: Console) -> None:
    """Each text that is taken has a longest length, and each field that its name does not explain a description."""
    with shared.stranger() as client:
        schemas = client.get(DOCUMENT).json()["components"]["schemas"]
    sent = {name for name in schemas if name.startswith("HTTPValidationError") or name == "ValidationError"}
    endless = [f"{name}.{field}" for name, schema in schemas.items() if name not in sent and name in taken(shared)
               for field, said in schema.get("properties", {}).items() for one in (said, *said.get("anyOf", ()))
               if one.get("type") == "string" and not {"maxLength", "format", "enum", "const", "pattern"} & one.keys()]
    assert endless == []


def taken(console: Console) -> set[str]:
    """The names of what operations take."""
    with console.stranger() as client:
        paths = client.get(DOCUMENT).json()["paths"]
    bodies = [said["requestBody"]["content"] for methods in paths.values() for said in methods.values() if "requestBody" in said]
    return {content["schema"]["$ref"].rpartition("/")[2] for body in bodies for content in body.values() if "$ref" in content["schema"]}


@pytest.mark.parametrize(("login", "mode"), [(login, mode) for login in ("officer", "admin") for mode in GenerationMode]
                         + [("auditor", GenerationMode.POSITIVE)])
def test_no_operation_answers_what_the_document_does_not_say(shared: Console, wire: requests.Session, login: str,
                                                             mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_url(shared.url + DOCUMENT, verify=str(shared.authority))
    schema.config.generation.update(with_security_parameters=False)  # the token is ours
    schema.config.checks.negative_data_rejection.expected_statuses = REJECTED
    for found in schema.get_all_operations():
        operation = found.ok()
        if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query or operation.path_parameters):
            continue

        @settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
                  suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(mode))
        def tried(case: Case) -> None:
            token, _ = shared.house.sessions.begin(shared.account(login), bearer=True)  # the last may have signed out
            case.call_and_validate(session=wire, headers={"Authorization": f"Bearer {token}"}, checks=PROMISES,
                                   verify=str(shared.authority), timeout=30)

        tried()


def test_the_document_can_be_read_without_signing_in_and_names_its_version(shared: Console) -> None:
    with shared.stranger() as client:
        document = client.get(DOCUMENT).json()
    assert document["info"]["title"] == "ami-bridge console" and document["openapi"].startswith("3.")
    assert all(path.startswith(f"{api.PREFIX}/") for path in document["paths"])
