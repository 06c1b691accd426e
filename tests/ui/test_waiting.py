from __future__ import annotations

import threading

from ui.waiting import Line


def test_so_many_go_at_once_and_the_others_in_order() -> None:
    line = Line(2)
    with line.place() as first, line.place() as second:
        assert (first.wait(0), second.wait(0), line.is_busy) == (0, 0, True)
        with line.place() as third, line.place() as fourth:
            assert (third.wait(0), fourth.wait(0)) == (1, 2)
        with line.place() as fifth:
            assert fifth.wait(0) == 1


def test_whoever_waits_goes_as_soon_as_one_before_it_ends() -> None:
    line, went = Line(1), threading.Event()

    def wait() -> None:
        with line.place() as place:
            if not place.wait(30):
                went.set()

    with line.place():
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert not went.wait(0.05)
    assert went.wait(30)
    waiting.join()
    assert not line.is_busy
