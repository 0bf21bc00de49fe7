"""The book's typefaces, Source Serif and Source Sans (SIL Open Font License), from their installed packages."""

from __future__ import annotations

import hashlib
import importlib
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import MissingToolError


@dataclass(frozen=True)
class Face:
    """One font file and how CSS asks for it."""

    family: str
    weight: int
    style: str
    package: str
    file: str

    def path(self) -> Path:
        """Return the installed file; raises `MissingToolError` where its package is not installed."""
        try:
            module = importlib.import_module(self.package)
        except ImportError as error:
            raise MissingToolError(
                f"the typeface {self.family} is not installed: pip install {self.package.replace('_', '-')}"
            ) from error
        return Path(str(module.__file__)).parent / "files" / self.file

    def css(self, url: str) -> str:
        """Return the @font-face rule for the file at `url`."""
        return (
            f'@font-face{{font-family:"{self.family}";font-weight:{self.weight};font-style:{self.style};'
            f'font-display:swap;src:url("{url}") format("opentype")}}\n'
        )


FACES = (
    Face("Source Sans Pro", 400, "normal", "font_source_sans_pro", "SourceSansPro-Regular.otf"),
    Face("Source Sans Pro", 400, "italic", "font_source_sans_pro", "SourceSansPro-It.otf"),
    Face("Source Sans Pro", 600, "normal", "font_source_sans_pro", "SourceSansPro-Semibold.otf"),
    Face("Source Serif Pro", 400, "normal", "font_source_serif_pro", "SourceSerifPro-Regular.otf"),
    Face("Source Serif Pro", 600, "normal", "font_source_serif_pro", "SourceSerifPro-Semibold.otf"),
)


def write_faces(folder: Path) -> str:
    """Put the typefaces into `folder/assets`, named by content, and return the rules that name them from `folder`."""
    (folder / "assets").mkdir(parents=True, exist_ok=True)
    rules = ""
    for face in FACES:
        content = face.path().read_bytes()
        name = f"assets/{face.path().stem.lower()}-{hashlib.sha256(content).hexdigest()[:12]}.otf"
        (folder / name).write_bytes(content)
        rules += face.css(name)
    return rules
