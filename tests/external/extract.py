"""Take the OpenAPI documents out of the providers' pages: `python tests/external/extract.py FOLDER_OF_SEEDS`.

Each page of the providers' documentation holds one document between four backticks; it is copied to the letter.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

OPENAPI = Path(__file__).parent / "openapi"
PAGES = {"flexportal_list": "000", "flexportal_get": "002", "flatpeak": "004"}


def main():
    """Write the three documents."""
    folder = Path(sys.argv[1])
    for name, number in PAGES.items():
        (page,) = folder.glob(f"{number}_*.txt")
        text = page.read_text(encoding="utf-8")
        (document,) = re.findall(r"^````yaml[^\n]*\n(.*?)^````", text, re.DOTALL | re.MULTILINE)
        (OPENAPI / f"{name}.yaml").write_text(document, encoding="utf-8")
        print(OPENAPI / f"{name}.yaml")


if __name__ == "__main__":
    main()
