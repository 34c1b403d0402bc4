"""Several at once, results in order."""

import threading
import time

import pytest

from tunesmith.core.parallel import in_order


def test_results_come_in_order_whoever_is_done_first():
    def slow_first(number):
        time.sleep(0.05 if number == 0 else 0)
        return number

    assert list(in_order(slow_first, range(20), 4)) == list(range(20))


def test_no_more_are_under_way_than_asked_for():
    under_way, most, lock = 0, 0, threading.Lock()

    def work(number):
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.005)
        with lock:
            under_way -= 1

    list(in_order(work, range(30), 3))
    assert most == 3


def test_what_one_raises_is_raised_in_its_place():
    results = in_order(lambda number: 6 // number, [3, 2, 0, 1], 2)
    assert [next(results), next(results)] == [2, 3]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_who_stops_listening_stops_the_work():
    done = []
    results = in_order(lambda number: time.sleep(0.002) or done.append(number), range(1000), 2)
    next(results)
    results.close()
    time.sleep(0.05)
    assert len(done) < 20
    assert len(done) == len(set(done))
