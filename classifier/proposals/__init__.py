"""From what the models said of each image to what is proposed for the product: a candidate per top-level category.

A product is one garment, but its images show whole outfits. Each module uses only those before it:

1. `seen`: what the models said of each image, as the database has it.
2. `words`: which garment the product's name or SKU mentions.
3. `evidence`: how probable it is that the product is the garment of a top-level category, and why.
4. `build`: the candidates with their attributes, and which of them is chosen without a person.
"""

from classifier.proposals.build import build, clear_top_category, failed_images, propose
from classifier.proposals.seen import Said, Seen, load, read
from classifier.proposals.words import Hint, hint_of

__all__ = ["Hint", "Said", "Seen", "build", "clear_top_category", "failed_images", "hint_of", "load", "propose", "read"]
