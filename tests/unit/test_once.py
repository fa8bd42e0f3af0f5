"""What is done once."""

from __future__ import annotations

import threading

from gcompute.once import Once


def test_the_first_who_asks_does_it() -> None:
    """Things are apart from each other, and what is done already is for nobody."""
    once = Once(done=["a"])
    assert [once.claim(thing) for thing in ("a", "b", "b", "c")] == [False, True, False, True]


def test_what_could_not_be_done_is_for_the_next() -> None:
    """Releasing what nobody claimed does no harm."""
    once = Once()
    once.release("a")
    assert once.claim("a")
    once.release("a")
    assert [once.claim("a"), once.claim("a")] == [True, False]


def test_of_many_threads_one_is_first() -> None:
    """Eight threads, a thousand things: each thing is done once."""
    once, start = Once(), threading.Barrier(8)
    claimed: list[str] = []

    def claim() -> None:
        start.wait(10)
        claimed.extend([str(n) for n in range(1000) if once.claim(str(n))])

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed, key=int) == [str(n) for n in range(1000)]
