"""What models are worth on labelled images.

`model` opens whatever is to be measured, `readings` is what it says of each image, `figures` and `detection` turn
that into numbers, `mistakes` and `comparison` pick out images, `report` and `comparison_report` write it all down;
`runs` measures what a training run has made.
"""
