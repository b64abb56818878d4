"""Evaluating models on labelled images.

`model` opens whatever is to be measured, `readings` is what it says of each image, `metrics` and `detection` turn
that into numbers, `mistakes` and `comparison` pick out images, `report` and `comparison_report` write it all down.
`validation` measures the weights of a training run on val. For the quality run (`benchmarks/quality.py`), `outfits` has
the metrics of images with several garments, `pairs` and `negatives` make images, `outfit_sheets` draws what was found.
"""
