"""A folder of outfits, drawn: people of coloured shapes, who wear a top, trousers and maybe a coat."""

from pathlib import Path

from PIL import Image, ImageDraw

HEADER = "image,split,category,sleeve_length,material,x1,y1,x2,y2,flag,complete"
WIDTH, HEIGHT = 60, 120
TOP, TROUSERS, COAT = (18, 24, 42, 60), (20, 58, 40, 108), (12, 22, 48, 80)


def draw_outfits(root: Path) -> Path:
    """Eight images to train on, of which two are incomplete, and four to measure on.

    Every other one has a coat, which hides the sleeves of the top; every fourth top's material cannot be seen.
    """
    rows = [HEADER]
    (root / "images").mkdir(parents=True)
    for index in range(12):
        split = "train" if index < 8 else "val"
        name, coat, complete = f"p{index}.png", index % 2 == 1, index not in (2, 5)
        _draw(root / "images" / name, coat, index)
        start = f"{name},{split}"
        flag = "" if complete else "m"
        sleeve, material = ("" if coat else "short"), ("" if index % 4 == 1 else "jersey")
        rows.append(f"{start},Tshirt,{sleeve},{material},{_fractions(TOP)},{flag},{int(complete)}")
        rows.append(f"{start},Jeans,,denim,{_fractions(TROUSERS)},,{int(complete)}")
        if coat:
            rows.append(f"{start},Coat,long,wool,{_fractions(COAT)},,{int(complete)}")
    (root / "garments.csv").write_text("\n".join(rows) + "\n")
    return root


def _draw(path: Path, coat: bool, index: int) -> None:
    image = Image.new("RGB", (WIDTH, HEIGHT), (200 + index, 210, 190))
    draw = ImageDraw.Draw(image)
    draw.ellipse((24, 8, 36, 22), fill="peru")
    draw.rectangle(TROUSERS, fill="navy")
    if coat:
        draw.rectangle(COAT, fill="seagreen")
        draw.rectangle((26, 24, 34, 60), fill="crimson")
    else:
        draw.rectangle(TOP, fill="crimson")
    image.save(path)


def _fractions(box: tuple[int, int, int, int]) -> str:
    x1, y1, x2, y2 = box
    return f"{x1 / WIDTH:.4f},{y1 / HEIGHT:.4f},{x2 / WIDTH:.4f},{y2 / HEIGHT:.4f}"
