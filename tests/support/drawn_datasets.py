"""A data folder like the real one, drawn: coloured shapes in place of garments."""

from pathlib import Path

from PIL import Image, ImageDraw

HEADER = "image,split,sender,category,material,sleeve_length,x1,y1,x2,y2,box_ok"
KINDS = {
    "Tshirt": ("crimson", "jersey", "short"),
    "Dress": ("royalblue", "woven", "long"),
    "Coat": ("seagreen", "wool", "long"),
}


def draw_garments(root: Path) -> Path:
    """18 images: 12 garments and 1 background to train on, 4 and 1 to measure. Coat is too rare: it has one."""
    rows = [HEADER]
    (root / "images").mkdir(parents=True)
    kinds = ["Tshirt", "Dress"] * 5 + ["Tshirt", "Coat", None, "Tshirt", "Dress", "Tshirt", "Dress", None]
    for index, kind in enumerate(kinds):
        split = "train" if index < 13 else "val"
        name = f"{index}.png"
        rows.append(f"{name},{split},{1 if split == 'train' else 2}," + _draw(root / "images" / name, kind, index))
    (root / "labels.csv").write_text("\n".join(rows) + "\n")
    return root


def _draw(path: Path, kind: str | None, index: int) -> str:
    """Draw one image; returns the end of its row."""
    image = Image.new("RGB", (96, 72), "beige")
    if kind is None:
        image.save(path)
        return ",,,,,,,"
    colour, material, sleeve = KINDS[kind]
    left, top = 10 + index, 8 + index % 5
    box = (left, top, left + 50, top + 52)
    draw = ImageDraw.Draw(image)
    if kind == "Dress":
        draw.polygon([((box[0] + box[2]) // 2, box[1]), (box[2], box[3]), (box[0], box[3])], fill=colour)
    else:
        draw.rectangle(box, fill=colour)
    image.save(path)
    x1, y1, x2, y2 = box[0] / 96, box[1] / 72, box[2] / 96, box[3] / 72
    return f"{kind},{material},{sleeve},{x1:.4f},{y1:.4f},{x2:.4f},{y2:.4f},1"
