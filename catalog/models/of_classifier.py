"""Types of the rows that the catalogue's foreign keys lead to, named here alone and for type checkers only.

At run time the classifier imports the catalogue, never the other way round: the keys name their tables by text.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from classifier.models import Classification, Garment, ModelVersion, Prediction

__all__ = ["Classification", "Garment", "ModelVersion", "Prediction"]
