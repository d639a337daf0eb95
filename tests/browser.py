# browser.py: a page in headless Chromium, driven by a test. What the page says on its console, what it throws and every
# request that it makes are kept, so that a test can insist on none.
#
#   with Browser(screens="build/screens") as b:
#       b.open("page.html")
#       b.click("#start"); b.keys("2"); b.wait("document.title == 'done'")
#       b.screenshot("page-start")
#   assert not b.complaints and not b.foreign
import json
import os
import pathlib
import shutil
import sys
import time


def missing():
    """What is not installed here, or None."""
    for program in ("chromium", "chromedriver"):
        if not shutil.which(program):
            return program + " is not installed"
    try:
        import selenium.webdriver  # noqa: F401
    except ImportError:
        return "python3-selenium is not installed"
    return None


def start(make):
    """What make() returns; on a busy machine the driver may not answer in time, so it is tried three times."""
    from selenium.common.exceptions import WebDriverException
    for left in (2, 1, 0):
        try:
            return make()
        except WebDriverException:
            if not left:
                raise


class Browser:
    """One window. size: (width, height) in pixels; dark: what prefers-color-scheme says; screens: folder for
    screenshots or None; downloads: folder for what the page saves; autoplay: sound may start without a click."""

    def __init__(self, size=(1100, 850), dark=False, screens=None, downloads=None, autoplay=False):
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for flag in ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                     "--disable-background-networking", "--mute-audio", "--force-color-profile=srgb",
                     "--hide-scrollbars", f"--window-size={size[0]},{size[1]}"):
            options.add_argument(flag)
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")
        if autoplay:
            options.add_argument("--autoplay-policy=no-user-gesture-required")
        if downloads:
            options.add_experimental_option("prefs", {"download.default_directory": os.path.abspath(downloads),
                                                      "download.prompt_for_download": False})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = start(lambda: webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options))
        self.driver.set_script_timeout(30)
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
        self.screens = screens
        self.complaints = []  # texts of the console's warnings and errors, and of exceptions that nobody caught
        self.requests = []    # every URL asked for

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.collect()
        finally:
            self.driver.quit()

    def open(self, path):
        """path: of a file, with ?query or #fragment if wanted."""
        name, mark, rest = str(path).partition("?")
        self.driver.get(pathlib.Path(name).absolute().as_uri() + mark + rest)

    def reload(self):
        self.driver.refresh()

    # -- looking
    def js(self, expression, *args):
        """The value of an expression; args are arguments[0] and so on."""
        return self.driver.execute_script("return " + expression, *args)

    def wait(self, expression, seconds=10, *args):
        """Until the expression holds; its value. AssertionError when it does not come to that."""
        end = time.monotonic() + seconds
        while True:
            value = self.js(expression, *args)
            if value:
                return value
            if time.monotonic() > end:
                raise AssertionError(f"after {seconds} s still not: {expression}")
            time.sleep(0.03)

    def text(self, selector):
        return self.js("document.querySelector(arguments[0]).innerText", selector)

    def visible(self, selector):
        return self.js("[...document.querySelectorAll(arguments[0])].some(e => e.checkVisibility())", selector)

    def screenshot(self, name, whole=False):
        """NAME.png in the folder of screenshots; whole: all of the page, not only what the window shows."""
        if not self.screens:
            return
        import base64
        os.makedirs(self.screens, exist_ok=True)
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot",
                                           {"format": "png", "captureBeyondViewport": whole})
        with open(os.path.join(self.screens, name + ".png"), "wb") as f:
            f.write(base64.b64decode(shot["data"]))

    # -- acting: real input events, as from a user
    def find(self, selector):
        from selenium.webdriver.common.by import By
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def click(self, selector):
        self.find(selector).click()

    def pointer(self, selector, x, y, click=True):
        """Moves to (x, y), in pixels from the left upper corner of the element, and clicks there."""
        from selenium.webdriver.common.action_chains import ActionChains
        e = self.find(selector)
        box = e.rect
        chain = ActionChains(self.driver)
        chain.move_to_element_with_offset(e, round(x - box["width"] / 2), round(y - box["height"] / 2))
        if click:
            chain.click()
        chain.perform()

    def keys(self, *keys, shift=False):
        """Presses keys where the focus is: characters, or names as ARROW_LEFT, ENTER, TAB."""
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.keys import Keys
        chain = ActionChains(self.driver)
        if shift:
            chain.key_down(Keys.SHIFT)
        for k in keys:
            chain.send_keys(getattr(Keys, k) if len(k) > 1 else k)
        if shift:
            chain.key_up(Keys.SHIFT)
        chain.perform()

    # -- what went on
    def collect(self):
        """Brings complaints and requests up to date."""
        for entry in self.driver.get_log("browser"):
            if entry["level"] in ("SEVERE", "WARNING"):
                self.complaints.append(entry["message"])
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            method, params = message["method"], message["params"]
            if method == "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            elif method == "Network.webSocketCreated":
                self.requests.append(params["url"])
            elif method == "Runtime.exceptionThrown":
                self.complaints.append(params["exceptionDetails"].get("text", "exception"))

    @property
    def foreign(self):
        """The requests that left this machine's files: neither file: nor data: nor blob: nor about:."""
        return [u for u in self.requests if not u.startswith(("file:", "data:", "blob:", "about:"))]


class Tap:
    """Checks that print the Test Anything Protocol."""

    def __init__(self):
        self.count = self.failed = 0

    def ok(self, good, name, detail=""):
        self.count += 1
        self.failed += not good
        print(("" if good else "not ") + f"ok {self.count} - {name}" + ("" if good or detail == "" else f": {detail}"),
              flush=True)
        return good

    def same(self, got, want, name):
        return self.ok(got == want, name, f"got {got!r}, want {want!r}")

    def skip(self, name, why):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {why}")

    def done(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed or not self.count else 0)
