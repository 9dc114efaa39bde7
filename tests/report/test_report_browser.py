"""The report in a real browser: headless Chromium opens the page from disk."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from ntmbench.report.__main__ import main
from tests.fabricated import fabricate_campaign

Models = Sequence[tuple[str, Mapping[str, str]]]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")

pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None,
    reason="needs chromium and chromedriver (Debian: chromium, chromium-driver)",
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a small campaign."""
    results = tmp_path_factory.mktemp("campaign")
    models: Models = (("ntm", {"controller": "lstm"}), ("lstm", {}), ("oracle", {}))
    fabricate_campaign(results, ("copy", "ngrams"), models, seeds=3, points=10)
    assert main([str(results)]) == 0
    return results / "report" / "index.html"


@pytest.fixture(scope="module")
def started() -> Iterator[webdriver.Chrome]:
    """A browser that keeps a log of its console and its requests."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    # Without a sandbox it also starts as root, as in a container.
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    # The page then scrolls at once, so that a click need not wait for what it clicks on.
    options.add_argument("--force-prefers-reduced-motion")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def browser(started: webdriver.Chrome, page: Path) -> webdriver.Chrome:
    """The page, freshly opened in a wide window."""
    started.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    started.set_window_size(1280, 900)
    for log in ("browser", "performance"):
        read_log(started, log)
    started.get(page.as_uri())
    return started


def read_log(browser: webdriver.Chrome, name: str) -> list[dict[str, str]]:
    """What a log has had since it was last read."""
    return list(browser.get_log(name))  # type: ignore[no-untyped-call]


def requests(browser: webdriver.Chrome) -> list[str]:
    """The addresses that were asked for since the page was opened."""
    messages = [
        json.loads(entry["message"])["message"] for entry in read_log(browser, "performance")
    ]
    return [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]


def column(browser: webdriver.Chrome, number: int) -> list[str]:
    """The ranks, or the texts, of a column of the main table."""
    cells = browser.find_elements(By.CSS_SELECTOR, f"table.main tbody td:nth-child({number})")
    return [cell.get_attribute("data-rank") or cell.text.split("\n")[0] for cell in cells]


def header(browser: webdriver.Chrome, name: str) -> tuple[int, WebElement]:
    """The place of a column, and its button."""
    buttons = browser.find_elements(By.CSS_SELECTOR, "table.main th button")
    place = [button.text for button in buttons].index(name)
    return place + 1, buttons[place]


def sorting(button: WebElement) -> str | None:
    return button.find_element(By.XPATH, "..").get_attribute("aria-sort")


def test_nothing_is_asked_of_a_network_and_nothing_goes_wrong(
    browser: webdriver.Chrome, page: Path
) -> None:
    for link in browser.find_elements(By.CSS_SELECTOR, "table.main a.open")[:2]:
        browser.execute_script("arguments[0].click()", link)
        browser.find_element(By.CSS_SELECTOR, "dialog button").click()
    asked = requests(browser)
    assert asked[0] == page.as_uri()
    assert all(address.startswith("data:") for address in asked[1:])
    assert read_log(browser, "browser") == []


def by_task(browser: webdriver.Chrome, number: int) -> dict[str, list[str]]:
    """A column of the main table, task by task in the order that is shown."""
    found: dict[str, list[str]] = {}
    for task, value in zip(column(browser, 1), column(browser, number), strict=True):
        found.setdefault(task, []).append(value)
    return found


def test_a_click_on_a_header_sorts_each_task_and_another_turns_it_round(
    browser: webdriver.Chrome,
) -> None:
    place, button = header(browser, "wrong bits")
    before = by_task(browser, place)
    button.click()
    assert sorting(button) == "ascending"
    ascending = by_task(browser, place)
    assert list(ascending) == list(before)  # bits of two tasks are not compared
    for task, ranks in ascending.items():
        assert ranks == sorted(before[task], key=float)
    button.click()
    assert sorting(button) == "descending"
    descending = by_task(browser, place)
    assert descending == {task: ranks[::-1] for task, ranks in ascending.items()}
    assert descending != before or ascending != before


@pytest.mark.parametrize("name", ["solved", "99% exact to length"])
def test_arrows_say_which_way_the_values_go(browser: webdriver.Chrome, name: str) -> None:
    """Where more is better, the first click shows the greatest first, and says so."""
    place, button = header(browser, name)
    for order in ("descending", "ascending"):
        button.click()
        assert sorting(button) == order
        for ranks in by_task(browser, place).values():
            known = [float(rank) for rank in ranks if rank != "Infinity"]
            assert known == sorted(known, reverse=order == "descending")


def test_the_names_of_tasks_sort_the_tasks(browser: webdriver.Chrome) -> None:
    _, button = header(browser, "task")
    for descending in (False, True):
        button.click()
        tasks = column(browser, 1)
        assert tasks == sorted(tasks, reverse=descending)


def test_the_keyboard_sorts_too(browser: webdriver.Chrome) -> None:
    place, button = header(browser, "model")
    button.send_keys(Keys.ENTER)
    assert sorting(button) == "ascending"
    for models in by_task(browser, place).values():
        assert models == sorted(models)
    _, other = header(browser, "runs")
    other.send_keys(Keys.SPACE)
    assert sorting(other) == "ascending"
    assert sorting(button) is None


def test_what_is_not_defined_stays_last(browser: webdriver.Chrome) -> None:
    place, button = header(browser, "solved")
    for _ in range(2):
        button.click()
        assert by_task(browser, place)["ngrams"] == ["Infinity", "Infinity"]


def test_a_click_on_a_cell_shows_its_seeds_and_their_commands(browser: webdriver.Chrome) -> None:
    place, _ = header(browser, "wrong bits")
    cell = browser.find_element(By.CSS_SELECTOR, f"table.main tbody td:nth-child({place}) a")
    dialog = browser.find_element(By.ID, "panel")
    assert not dialog.is_displayed()
    cell.click()
    assert dialog.is_displayed()
    assert dialog.find_element(By.CSS_SELECTOR, "summary").text.startswith("copy: ntm")
    rows = dialog.find_elements(By.CSS_SELECTOR, "tbody tr")
    assert [row.find_element(By.CSS_SELECTOR, "td").text for row in rows] == ["0", "1", "2"]
    command = rows[1].find_element(By.CSS_SELECTOR, "code").text
    assert command.startswith("python -m ntmbench task=copy model=ntm ")
    assert command.endswith(" seed=1")
    assert rows[1].find_element(By.CSS_SELECTOR, "a").text.startswith("copy-ntm-s1-")
    browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not dialog.is_displayed()


def test_one_click_selects_a_whole_command(browser: webdriver.Chrome) -> None:
    browser.find_element(By.CSS_SELECTOR, "table.main a.open").click()
    code = browser.find_element(By.CSS_SELECTOR, "dialog td code")
    code.click()
    selected = browser.execute_script("return getSelection().toString()")
    assert selected.strip() == code.text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_have_the_colours_of_the_scheme(browser: webdriver.Chrome, scheme: str) -> None:
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    colours = "return [getComputedStyle(document.body).backgroundColor, " + (
        "getComputedStyle(document.querySelector('figure svg text')).fill]"
    )
    ground, ink = browser.execute_script(colours)
    brightness = [sum(map(int, c.strip("rgb()").split(","))) for c in (ground, ink)]
    assert (brightness[0] > brightness[1]) == (scheme == "light")
    assert abs(brightness[0] - brightness[1]) > 400


def test_a_phone_shows_the_page_in_its_width(browser: webdriver.Chrome) -> None:
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    width = browser.execute_script("return document.documentElement.scrollWidth")
    assert width == 390
    # The main table scrolls inside, and its models stay in sight.
    scrolled = browser.execute_script(
        "const box = document.querySelector('table.main').parentElement;"
        "box.scrollLeft = 300;"
        "const cell = box.querySelector('tbody td:nth-child(2)').getBoundingClientRect();"
        "return [box.scrollLeft, cell.left, cell.right]"
    )
    assert scrolled[0] == 300
    assert 0 <= scrolled[1] < scrolled[2] < 200
