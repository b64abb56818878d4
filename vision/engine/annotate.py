"""Drawing what was found onto the image."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

from .results import Box, Garment

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

# Okabe and Ito's palette: told apart with any colour vision. The numbers on the boxes say the same without colour.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
DARK_TEXT_ON = ("#E69F00", "#56B4E9", "#F0E442")


def annotate(image: Image.Image, garments: tuple[Garment, ...]) -> Image.Image:
    """A copy of an upright RGB image with each garment's box, number and values."""
    drawn = image.copy()
    font = ImageFont.load_default(max(11, min(image.size) // 35))
    line = max(2, min(image.size) // 200)
    for number, garment in reversed(list(enumerate(garments, start=1))):  # the surest one ends up on top
        colour = COLOURS[(number - 1) % len(COLOURS)]
        x1, y1, x2, y2 = garment.box
        left, top = x1 * image.width, y1 * image.height
        right, bottom = max(left + 1, x2 * image.width), max(top + 1, y2 * image.height)
        draw_box(drawn, (left, top, right, bottom), f"{number} {caption(garment)}", colour, font=font, line=line)
    return drawn


def draw_box(image: Image.Image, box: Box, text: str, colour: str, *, font: Font, line: int) -> None:
    """Draw a box, in pixels, onto an image, and its text above it, or in its upper corner where there is no room."""
    draw = ImageDraw.Draw(image)
    left, top, _, _ = box
    draw.rectangle(box, outline=colour, width=line)
    if not text:
        return
    x, y, x_end, y_end = draw.textbbox((0, 0), text, font=font)
    pad = line + 1
    text_width, text_height = x_end - x + 2 * pad, y_end - y + 2 * pad
    x0 = max(0.0, min(left, image.width - text_width))
    y0 = top - text_height if top >= text_height else top
    draw.rectangle((x0, y0, x0 + text_width, y0 + text_height), fill=colour)
    ink = "black" if colour in DARK_TEXT_ON else "white"
    draw.text((x0 + pad - x, y0 + pad - y), text, fill=ink, font=font)


def caption(garment: Garment) -> str:
    """The garment's values and their confidences on one line."""
    known = [result for result in garment.attributes.values() if result]
    return ", ".join(f"{result.value} {result.confidence:.0%}" for result in known) or f"{garment.confidence:.0%}"
