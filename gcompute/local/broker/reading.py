"""What a connection has received and not handled: bytes first, then frames, in order.

In: pieces of the stream. Out: one frame at a time, so that whoever handles them may stop in the
middle of a piece and go on later. A stream that is lost gives nothing more, and takes nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from .codec import FRAME_OVERHEAD, Frame, FrameParser

_NO_FRAMES: Iterator[Frame] = iter(())


class Reading:
    """The frames of one connection that are still to be handled; `frame_max` limits each."""

    def __init__(self, frame_max: int) -> None:
        #: Whether no byte means anything any more.
        self.is_lost = False
        self._parser = FrameParser(frame_max)
        #: Pieces that wait to be parsed, oldest first, and the frames of the one before them.
        self._pieces: deque[bytes] = deque()
        self._frames: Iterator[Frame] = _NO_FRAMES

    def __bool__(self) -> bool:
        """Tell whether there may be something to handle."""
        return bool(self._pieces) or self._frames is not _NO_FRAMES

    def add(self, data: bytes) -> None:
        """Append a piece of the stream."""
        if not self.is_lost:
            self._pieces.append(data)

    def next(self) -> Frame | None:
        """Return the next frame, None if no more is complete.

        Raises:
            ConnectionFault: 501, for what is no frame.
        """
        while True:
            frame = next(self._frames, None)
            if frame is not None:
                return frame
            if not self._pieces:
                self._frames = _NO_FRAMES
                return None
            self._frames = self._parser.feed(self._pieces.popleft())

    def limit(self, frame_max: int) -> None:
        """Set the largest frame from now on, as it was negotiated."""
        # As RabbitMQ, tolerate clients that count the payload only.
        self._parser.max_size = frame_max + FRAME_OVERHEAD

    def lose(self) -> None:
        """Give up the stream."""
        self.is_lost = True
        self._pieces.clear()
        self._frames = _NO_FRAMES
