"""Starting a classifier from a smaller one: every channel twice, so that it answers as that one does (Net2Net).

Chen et al. 2016, "Net2Net: accelerating learning by knowledge transfer".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from vision.training.network import Network
from vision.training.run import RunError

NOISE = 0.15
"""How much the copies of a weight differ, as a share of it: equal ones would learn the same for ever."""
LINEAR = "linear"


def load_start(network: Network, base: nn.Module, heads: Mapping[str, Sequence[str]], own: str) -> None:
    """Take over a YOLOv8 network's layers, widened where this one has twice their channels, and its heads' classes.

    Args:
        network: what is to be trained.
        base: any YOLOv8 network; only a classifier has classes to take over, by their names.
        heads: the classes of each attribute.
        own: the attribute that is the network's own.

    Raises:
        RunError: its layers are neither as wide as this network's nor half as wide.
    """
    state = network.model.state_dict()
    given = {name: value.float() for name, value in base.state_dict().items() if value.is_floating_point()}
    taken = {}
    for name, value in state.items():
        if name not in given or LINEAR in name:
            continue
        grown = _widened(given[name], value.shape)
        if grown is not None:
            taken[name] = grown
    if not any(value.ndim == 4 for value in taken.values()):
        raise RunError("The start weights are of another width than the network, and not of half of it.")
    network.model.load_state_dict(taken, strict=False)
    _load_heads(network, base, heads, own)


def _widened(value: torch.Tensor, shape: torch.Size) -> torch.Tensor | None:
    """The weights for this shape: as they are, or each channel twice; None where they do not fit."""
    if value.shape == shape:
        return value
    if value.ndim != len(shape):
        return None
    for dimension in range(value.ndim):
        if shape[dimension] == 2 * value.shape[dimension]:
            value = value.repeat_interleave(2, dimension)
            if dimension == 1:  # both copies of an input count
                value = value / 2
    if value.shape != shape:
        return None
    return value * (1 + NOISE * torch.randn(shape)) if value.ndim > 1 else value


@torch.no_grad()
def _load_heads(network: Network, base: Any, heads: Mapping[str, Sequence[str]], own: str) -> None:
    """Copy the linear layer's rows of all classes that the base has, see `_places`."""
    last = base.model[-1]
    if not hasattr(last, LINEAR):
        return
    places = _places([str(base.names[index]) for index in range(len(base.names))], heads)
    linears = {own: network.layers[-1].linear, **network.auxiliary}
    for attribute, linear in linears.items():
        if linear.in_features != last.linear.in_features:
            return
        for row, name in enumerate(heads[attribute]):
            if (attribute, name) in places:
                linear.weight[row].copy_(last.linear.weight[places[attribute, name]])
                linear.bias[row].copy_(last.linear.bias[places[attribute, name]])


def _places(names: Sequence[str], heads: Mapping[str, Sequence[str]]) -> dict[tuple[str, str], int]:
    """The output of each class of each head among those of a network, which are called `names`.

    Several heads may have a class, as `not_visible`. Their outputs follow each other head by head, as the classes that
    only one of them has do; what cannot be told apart so is left out.
    """
    owners = {name: [head for head, classes in heads.items() if name in classes] for name in names}
    begins: dict[str, int] = {}
    for index, name in enumerate(names):
        if len(owners[name]) == 1:
            begins.setdefault(owners[name][0], index)
    places: dict[tuple[str, str], int] = {}
    for name, of in owners.items():
        known = of if len(of) == 1 else sorted((head for head in of if head in begins), key=begins.__getitem__)
        found = [index for index, other in enumerate(names) if other == name]
        if len(known) == len(found):
            places |= {(head, name): index for head, index in zip(known, found, strict=True)}
    return places
