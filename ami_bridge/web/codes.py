"""An address as a picture for a telephone's camera."""

import io

import segno
from markupsafe import Markup

PIXELS = 5
"""Of a module's side."""


def as_picture(address: str) -> Markup:
    """Return a QR code as SVG for a page: dark on light in each scheme, without a style or a script."""
    picture = io.BytesIO()
    segno.make(address, micro=False).save(picture, kind="svg", scale=PIXELS, dark="#000", light="#fff", xmldecl=False,
                                          svgns=False, svgclass=None, lineclass=None, nl=False)
    return Markup(picture.getvalue().decode("ascii"))  # noqa: S704 - made by a library of modules, nothing of the address
