"""What is said of a device that PyTorch cannot use."""

from __future__ import annotations

import pytest
import torch

from core.errors import DeviceAbsent, DeviceFailed
from core.torch_faults import check_device


def test_the_cpu_is_always_there() -> None:
    check_device("cpu")


def test_a_card_beyond_those_there_are_is_told_with_the_reason() -> None:
    # given more cards than anybody has
    with pytest.raises(DeviceFailed) as caught:
        check_device("cuda:99")
    # then the reason is PyTorch's build, or what it finds; only the latter may change without a new one
    reason = caught.value.params["reason"]
    if torch.cuda.is_available():
        assert reason == f"there are only {torch.cuda.device_count()}"
    elif torch.version.cuda or torch.version.hip:
        assert reason == "PyTorch here finds no CUDA device"
    else:
        assert reason == "PyTorch here was installed without CUDA"
    assert isinstance(caught.value, DeviceAbsent) == (reason != "PyTorch here finds no CUDA device")


@pytest.mark.skipif(torch.backends.mps.is_available(), reason="this is a computer with an Apple GPU")
def test_an_apple_gpu_that_is_not_there_is_told() -> None:
    with pytest.raises(DeviceAbsent, match=r"mps cannot be used: PyTorch here finds no Apple GPU\."):
        check_device("mps")


def test_a_kind_that_nobody_knows_is_told() -> None:
    with pytest.raises(DeviceAbsent, match="no such kind"):
        check_device("tpu:0")
