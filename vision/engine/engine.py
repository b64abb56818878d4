"""Images in, garments with their attributes out."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from .attributes import ClassifierReader, Crops, DetectorReader, NotVisible, Reader, Subject, detected_value
from .crop_classifier import CropClassifier
from .decode import MAX_PIXELS, Decoded, Limits, Source, decode
from .detector import Detector
from .errors import DecodeError
from .given import given_subjects
from .manifest import Manifest, ModelSpec
from .precision import AUTO, F32, OPENVINO, choose
from .results import Alternative, Garment, Given, ImageResult
from .runtime import THREADS, Network, load_networks
from .taxonomy import CATEGORY, Taxonomy

BATCH = 8
MOST_PIXELS = 5_000_000
"""Of an image as it is looked at."""

HELD_PIXELS = 10_000_000
"""Of a batch that is decoded at once: four to six display copies of photos, or two tall pages."""


@dataclass(frozen=True, slots=True)
class _Timed:
    """A decoded image and the milliseconds that it took."""

    decoded: Decoded
    milliseconds: float


class Engine:
    """The models of one manifest, loaded. Safe to use from several threads."""

    def __init__(
        self,
        manifest: Manifest,
        networks: Mapping[str, Network],
        *,
        taxonomy: Taxonomy | None = None,
        max_pixels: int | Limits = MAX_PIXELS,
        precisions: Mapping[str, str] | None = None,
    ) -> None:
        """`networks` maps every role of the manifest to its loaded network. `Engine.load` is the usual way."""
        self.manifest = manifest
        self.networks = dict(networks)
        self.precisions = dict(precisions or dict.fromkeys(networks, F32))
        self.models = {role: spec.name for role, spec in manifest.models.items()}
        self._taxonomy = taxonomy or Taxonomy.load()
        self._max_pixels = max_pixels
        # Twice the largest input: a garment that fills half of the image still fills the network's input.
        self._detail = 2 * max(spec.input_size for spec in manifest.models.values())
        self._finder = Detector(manifest.finder, self.networks[manifest.finder.role], self._taxonomy)
        self._readers = [self._reader(spec) for spec in manifest.attributes if spec is not manifest.finder]

    @classmethod
    def load(
        cls,
        weights: Path,
        *,
        runtime: str = OPENVINO,
        precision: str = F32,
        unverified: bool = False,
        taxonomy: Taxonomy | None = None,
        max_pixels: int | Limits = MAX_PIXELS,
    ) -> Engine:
        """Load every model of `weights`/manifest.json with `runtime` (openvino or torch), each file verified first.

        `precision` and `unverified` as for `precision.choose`; torch computes in f32, which `auto` is there. Raises
        WeightsMissing, WeightsMismatch (by file name), ManifestInvalid, or PrecisionUnavailable.
        """
        manifest = Manifest.load(weights)
        asked = F32 if precision == AUTO and runtime != OPENVINO else precision
        precisions = choose(manifest.models, asked, unverified=unverified)
        networks = load_networks(manifest.models, runtime, precisions)
        return cls(manifest, networks, taxonomy=taxonomy, max_pixels=max_pixels, precisions=precisions)

    def classify(self, source: Source) -> ImageResult:
        """The garments of one image, given as bytes or as a path. Raises DecodeError."""
        return self._look([self._decode(source)], [Given()])[0]

    def classify_batch(
        self, sources: Sequence[Source], given: Sequence[Given] | None = None
    ) -> list[ImageResult | DecodeError]:
        """One result for each source, in order; an image that cannot be decoded gives its error instead.

        `given` says of each source what is known of it: boxes to describe beside what is found, or in place of it.
        Runs on the calling thread. `THREADS` threads that do this at the same time keep the machine busy.
        """
        known = [Given()] * len(sources) if given is None else given
        results: list[ImageResult | DecodeError] = []
        waiting = zip(sources, known, strict=True)
        while some := list(self._decoded(waiting)):
            good = [(item, asked) for item, asked in some if isinstance(item, _Timed)]
            looked = iter(self._look([item for item, _asked in good], [asked for _item, asked in good]))
            results += [item if isinstance(item, DecodeError) else next(looked) for item, _asked in some]
        return results

    def _decoded(self, waiting: Iterator[tuple[Source, Given]]) -> Iterator[tuple[_Timed | DecodeError, Given]]:
        """Decode the next ones: as many as may be held at once."""
        held = 0
        for source, asked in waiting:
            item = self._try_decode(source)
            yield item, asked
            if isinstance(item, _Timed):
                held += item.decoded.image.width * item.decoded.image.height
            if held >= HELD_PIXELS:
                return

    def classify_many(self, sources: Iterable[Source]) -> Iterator[ImageResult | DecodeError]:
        """Like `classify_batch`, for any number of sources, on all lanes.

        Streams: only a few batches are on their way at once, so the memory needed does not grow with the number of
        sources.
        """
        waiting = iter(sources)
        with ThreadPoolExecutor(THREADS, thread_name_prefix="lane") as pool:
            ahead: deque[Future[list[ImageResult | DecodeError]]] = deque()
            while True:
                while len(ahead) <= THREADS and (batch := list(islice(waiting, BATCH))):
                    ahead.append(pool.submit(self.classify_batch, batch))
                if not ahead:
                    return
                yield from ahead.popleft().result()

    def _reader(self, spec: ModelSpec) -> Reader:
        network = self.networks[spec.role]
        if spec.task == "detect":
            return DetectorReader(Detector(spec, network, self._taxonomy), self._taxonomy)
        return ClassifierReader(CropClassifier(spec, network), self._taxonomy)

    def _decode(self, source: Source) -> _Timed:
        started = time.perf_counter()
        decoded = decode(source, detail=self._detail, most_pixels=MOST_PIXELS, max_pixels=self._max_pixels)
        return _Timed(decoded, _milliseconds_since(started))

    def _try_decode(self, source: Source) -> _Timed | DecodeError:
        try:
            return self._decode(source)
        except DecodeError as error:
            error.__traceback__ = error.__cause__ = error.__context__ = None  # their frames hold the pixels
            return error

    def _look(self, items: Sequence[_Timed], known: Sequence[Given]) -> list[ImageResult]:
        """Run the networks over one batch of decoded images, of each of which something may be `known`."""
        if not items:
            return []
        crops = Crops([item.decoded.image for item in items])
        started = time.perf_counter()
        subjects = self._find(crops, [index for index, asked in enumerate(known) if not asked.only])
        drawn = given_subjects(crops.images, known, self._finder, self._taxonomy)
        detect = _milliseconds_since(started) / len(items)
        started = time.perf_counter()
        for reader in self._readers:
            # Apart: a detector's box belongs to one garment of an image, and what was drawn may be one that it found.
            self._read(reader, subjects, crops)
            self._read(reader, drawn, crops)
        classify = _milliseconds_since(started) / len(items)
        garments, given = self._by_image(subjects, len(items)), self._by_image(drawn, len(items))
        return [
            ImageResult(
                width=item.decoded.width,
                height=item.decoded.height,
                garments=tuple(found),
                models=self.models,
                timings={"decode": item.milliseconds, "detect": detect, "classify": classify},
                given=tuple(described),
            )
            for item, found, described in zip(items, garments, given, strict=True)
        ]

    def _by_image(self, subjects: Sequence[Subject], images: int) -> list[list[Garment]]:
        garments: list[list[Garment]] = [[] for _ in range(images)]
        for subject in subjects:
            garments[subject.image].append(self._garment(subject))
        return garments

    def _garment(self, subject: Subject) -> Garment:
        top = _most_probable(subject.top_levels)
        return Garment(
            box=subject.box,
            confidence=subject.confidence,
            model=self._finder.spec.name,
            attributes=subject.attributes,
            hidden=tuple(subject.hidden),
            top_category=Alternative(top, subject.top_levels[top]) if top is not None else None,
        )

    def _find(self, crops: Crops, images: Sequence[int]) -> list[Subject]:
        """The garments of some images of a batch, by image and falling confidence."""
        spec = self._finder.spec
        subjects = []
        for image, detections in zip(images, self._finder.find([crops.images[index] for index in images]), strict=True):
            for index, (box, score) in enumerate(zip(detections.boxes, detections.scores, strict=True)):
                x1, y1, x2, y2 = (float(edge) for edge in box)
                top_levels = self._finder.top_levels(detections.class_scores[index])
                outfit = len(detections.boxes) > 1
                subject = Subject(image, (x1, y1, x2, y2), float(score), top_levels, outfit)
                if spec.role == CATEGORY:  # the original's kind: the detector that finds garments also names them
                    subject.attributes[CATEGORY] = detected_value(detections, index, spec, self._taxonomy)
                subjects.append(subject)
        return subjects

    def _read(self, reader: Reader, subjects: Sequence[Subject], crops: Crops) -> None:
        """Add one attribute to every garment; None where its top-level category has no such attribute."""
        role = reader.spec.role
        having = []
        for subject in subjects:
            subject.attributes[role] = None
            category = subject.attributes.get(CATEGORY)
            top_category = (category.parent or category.value) if category else _most_probable(subject.top_levels)
            if role == CATEGORY or self._taxonomy.applies(role, top_category):
                having.append(subject)
        if having:
            for subject, answer in zip(having, reader.read(having, crops), strict=True):
                if isinstance(answer, NotVisible):
                    subject.hidden.append(role)
                else:
                    subject.attributes[role] = answer


def _most_probable(top_levels: Mapping[str, float]) -> str | None:
    return max(top_levels, key=lambda code: top_levels[code]) if top_levels else None


def _milliseconds_since(started: float) -> float:
    return 1000 * (time.perf_counter() - started)
