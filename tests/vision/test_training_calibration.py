"""Confidences are calibrated by one temperature, and figures count what they say they count."""

import numpy as np
import pytest

from vision.evaluation.validation import choose_threshold
from vision.training.calibration import (
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    softmax,
)
from vision.training.metrics import classification_metrics, confusion_matrix


def boastful_logits(count=400, classes=4, share_right=0.7):
    """Answers given with nearly full confidence of which only some are right."""
    generator = np.random.default_rng(5)
    targets = generator.integers(classes, size=count)
    said = np.where(generator.random(count) < share_right, targets, (targets + 1) % classes)
    return 8.0 * np.eye(classes)[said] + generator.normal(size=(count, classes)), targets


def test_it_makes_boastful_confidences_honest():
    logits, targets = boastful_logits()

    temperature = fit_temperature(logits, targets)

    assert temperature > 1.5
    assert negative_log_likelihood(logits, targets, temperature) < negative_log_likelihood(logits, targets, 1.0)
    before = expected_calibration_error(softmax(logits), targets)
    after = expected_calibration_error(softmax(logits, temperature), targets)
    assert after < before / 3


def test_it_finds_that_honest_confidences_need_no_change():
    generator = np.random.default_rng(6)
    logits = generator.normal(scale=2.0, size=(4000, 3))
    targets = np.array([generator.choice(3, p=row) for row in softmax(logits)])

    assert fit_temperature(logits, targets) == pytest.approx(1.0, abs=0.1)


def test_it_counts_a_class_that_is_not_offered_as_wrong():
    probabilities = np.array([[0.8, 0.2], [0.3, 0.7], [0.9, 0.1], [0.6, 0.4]])

    scores = classification_metrics(probabilities, np.array([0, 1, -1, 1]), ["a", "b"], minimum=2)

    assert scores["top1"] == 0.5
    assert scores["top3"] == 0.75
    assert scores["not_offered"] == 1
    assert scores["macro_classes"] == 1
    assert scores["macro_f1"] == pytest.approx(2 / 3)


def test_it_leaves_unknown_targets_out_of_the_confusion_matrix():
    matrix = confusion_matrix(np.array([0, 1, 1]), np.array([0, 0, -1]), 2)

    assert matrix.tolist() == [[1, 1], [0, 0]]


def test_it_chooses_the_lowest_threshold_that_keeps_false_garments_rare():
    assert choose_threshold([0.0] * 90 + [0.6] * 10) == 0.25
    assert choose_threshold([0.0] * 89 + [0.605] * 11) == 0.61
