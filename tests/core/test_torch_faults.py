"""What is said of a device that PyTorch cannot use."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.errors import DeviceAbsent, DeviceFailed


@pytest.fixture
def check_device() -> Callable[[str], None]:
    # It imports torch, which only the process that runs this file is to do.
    from core.torch_faults import check_device

    return check_device


def test_the_cpu_is_always_there(check_device: Callable[[str], None]) -> None:
    check_device("cpu")


def test_a_card_beyond_those_there_are_is_told_with_the_reason(check_device: Callable[[str], None]) -> None:
    import torch

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


def test_an_apple_gpu_that_is_not_there_is_told(check_device: Callable[[str], None]) -> None:
    import torch

    if torch.backends.mps.is_available():
        pytest.skip("this is a computer with an Apple GPU")
    with pytest.raises(DeviceAbsent, match=r"mps cannot be used: PyTorch here finds no Apple GPU\."):
        check_device("mps")


def test_a_kind_that_nobody_knows_is_told(check_device: Callable[[str], None]) -> None:
    with pytest.raises(DeviceAbsent, match="no such kind"):
        check_device("tpu:0")
