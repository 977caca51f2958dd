"""A console without a certificate: for a browser on the same machine, and behind a proxy that ends TLS."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, expect

from ami_bridge.services.console_call import knock
from tests.cli.machine import Machine
from tests.ports import free_port
from tests.web.browser import chromium  # noqa: F401 - a fixture
from tests.web.console import PASSWORD, Console, running

NAME = "calls.example.fi"


@pytest.fixture
def bare(machine: Machine) -> Iterator[Console]:
    """A console on the loopback address, in the clear, that is known by a proxy's name too."""
    machine.ports["AMI_BRIDGE__CONSOLE__PORT"] = str(free_port())
    machine.ports["AMI_BRIDGE__CONSOLE__NAMES"] = f'["localhost", "{NAME}"]'
    with running(machine.config, machine.file) as found:
        found.employ("admin")
        yield found


@pytest.mark.browser
def test_a_browser_on_the_same_machine_signs_in(bare: Console, chromium: Browser) -> None:  # noqa: F811
    page = chromium.new_context().new_page()
    page.goto(bare.url)
    page.fill("[name=login]", "admin")
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=code]", bare.code("admin"))
    page.locator("main form button").first.click()
    expect(page.locator("main")).to_contain_text("Aino", timeout=15_000)
    (cookie,) = [one for one in page.context.cookies() if one["name"] == "__Host-ami-bridge"]
    assert cookie["secure"] and cookie["httpOnly"]
    page.context.close()


def behind_proxy(bare: Console, host: str = NAME, origin: str = f"https://{NAME}") -> httpx.Response:
    """Sign in as a browser does that a proxy has taken the TLS from."""
    with httpx.Client(base_url=bare.url, headers={"Host": host}, timeout=30) as proxy:
        form = proxy.get("/sign-in")
        ties = re.search(r'name="csrf" value="([^"]+)"', form.text)
        cookie = form.headers.get("set-cookie", "").partition(";")[0]
        sent = {"login": "admin", "password": PASSWORD, "code": bare.code("admin"), "csrf": ties[1] if ties else ""}
        return proxy.post("/sign-in", data=sent, headers={"Cookie": cookie, "Origin": origin, "Sec-Fetch-Site": "same-origin"})


def test_behind_a_proxy_that_passes_the_hosts_name_on_one_signs_in(bare: Console) -> None:
    answer = behind_proxy(bare)
    assert answer.status_code == 303 and "Secure" in answer.headers["set-cookie"]
    assert "strict-transport-security" not in answer.headers, "that is the proxy's to say"


def test_it_listens_on_ipv6_too(machine: Machine) -> None:
    machine.ports["AMI_BRIDGE__CONSOLE__PORT"] = str(free_port())
    machine.ports["AMI_BRIDGE__CONSOLE__HOST"] = "::1"
    with running(machine.config, machine.file) as found:
        console = found.config.console
        assert httpx.get(f"http://[::1]:{console.port}/sign-in").status_code == 200
        answer = knock(console)
        assert answer.ours and answer.address == f"http://[::1]:{console.port}"


def test_a_name_is_the_same_in_capital_letters(machine: Machine) -> None:
    machine.ports["AMI_BRIDGE__CONSOLE__PORT"] = str(free_port())
    machine.ports["AMI_BRIDGE__CONSOLE__NAMES"] = '["Calls.Example.FI"]'
    with running(machine.config, machine.file) as found:
        statuses = [httpx.get(f"{found.url}/sign-in", headers={"Host": host}).status_code
                    for host in ("calls.example.fi", "CALLS.example.fi:8443", "localhost")]
    assert statuses == [200, 200, 421]


def test_a_proxy_that_passes_its_own_name_on_is_told_which_setting_names_it(bare: Console) -> None:
    answer = behind_proxy(bare, host="127.0.0.1:8443")
    assert answer.status_code == 421 and "[console] names" in answer.text


def test_another_sites_form_is_refused_behind_a_proxy_too(bare: Console) -> None:
    assert behind_proxy(bare, origin="https://evil.example").status_code == 403
