"""What the site shows from beyond docs/: the dialplan's files, the changes, the licence. Links work in both places."""

import posixpath
import re
from pathlib import Path
from typing import Any

from properdocs.structure.files import File

ROOT = Path(__file__).parents[2]
SHOWN = ("CHANGELOG.md", "LICENSE", "dialplan/*.md", "dialplan/*.conf")
LINK = re.compile(r"(\]\()([^)#\s:]+)")


def on_files(files: Any, config: Any) -> Any:
    """Add the files from beyond docs/, at the places that they have in the repository."""
    for pattern in SHOWN:
        for path in sorted(ROOT.glob(pattern)):
            files.append(File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Turn each link, which is right in the repository, into one that is right in the site."""
    place = page.file.src_uri
    here = posixpath.dirname(place if (ROOT / place).is_file() else f"docs/{place}")

    def in_site(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(here, found[2])).removeprefix("docs/")
        return found[1] + posixpath.relpath(target, posixpath.dirname(place) or ".")

    return LINK.sub(in_site, markdown)
