"""Pictures of the Space for README and its card, in both themes: what headless Chromium shows of a running one.

    make space &                                  # or: NOTCLIP_SPACE_RELEASE=build/hub python space/app.py
    python benchmarks/space_pictures.py           # writes space/assets/*.png, each under 300 KB

`search` shows both side by side, `search-phone` the end of the change, `question` both models' belief.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

ASSETS = Path(__file__).resolve().parents[1] / "space" / "assets"
LARGEST = 300_000  # bytes


def save(page: Any, name: str, folder: Path) -> None:
    """Write what the page shows now."""
    from notclip.remote.photo_notclip import open_photo

    file = folder / f"{name}.png"
    open_photo(page.screenshot()).save(file, optimize=True)  # without the channel of transparency
    size = file.stat().st_size
    print(f"{file}: {size / 1000:.0f} KB")
    if size > LARGEST:
        raise RuntimeError(f"{file} has {size:,} bytes; at most {LARGEST:,} may be shown.")


def main() -> int:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", default="http://127.0.0.1:7860")
    parser.add_argument("--out", type=Path, default=ASSETS)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox"])
        for scheme, ending in (("light", ""), ("dark", "-dark")):
            for width, size in ((1280, ""), (390, "-phone")):
                # Without motion the change has happened when the page is there.
                context = browser.new_context(
                    viewport={"width": width, "height": 820}, color_scheme=scheme, reduced_motion="reduce"
                )
                page = context.new_page()
                page.goto(options.address)
                page.wait_for_selector("#results .nc-found[data-view=ours]")
                if width == 390:
                    save(page, f"search{size}{ending}", options.out)
                    continue
                page.locator(".nc-switch label", has_text="Side by side").click()
                page.mouse.move(0, 0)
                save(page, f"search{ending}", options.out)
                page.get_by_role("tab", name="Question", exact=True).click()
                page.locator("#ask").click()
                page.wait_for_selector("#answers .nc-choice")
                page.mouse.move(0, 0)
                save(page, f"question{ending}", options.out)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
