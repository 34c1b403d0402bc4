import sys

import numpy as np
import pytest

from tunesmith.core import memory
from tunesmith.engines.local.loading import prepare_process


def test_the_peak_is_of_what_was_touched() -> None:
    before = memory.peak()
    held = np.ones(before // 8 + (64 << 20) // 8)  # more than ever before
    assert memory.peak() >= before + (32 << 20)
    del held


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forgets the high-water mark")
def test_a_reset_forgets_what_is_freed() -> None:
    prepare_process()  # from here on the allocator keeps what is freed
    held = np.ones((256 << 20) // 8)
    high = memory.peak()
    del held
    memory.reset_peak()
    assert memory.peak() <= high - (128 << 20)
