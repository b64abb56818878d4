"""Images without a garment: what a merchant uploads beside its garments, and what has nothing to do with them.

`drawn` are charts, tables, pages of text, rooms and the like, made by a script; `cut` are parts of images that show
garments elsewhere. Both are made from a split's name and a number, so each run gives the same images, and those of
train and val differ. Nothing of it is kept in the repository.
"""

from .collection import Negative, write_negatives

__all__ = ["Negative", "write_negatives"]
