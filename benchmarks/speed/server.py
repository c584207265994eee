"""The server: HTTP/1.1 over asyncio, as cheap as that can be, in a process of its own.

    python -m benchmarks.speed.server [BYTES OF PAGES TO KEEP]

prints its port and serves until its standard input ends, so that it never outlives who started it. Knows HTTP and
delays; must not know providers. A delay holds back one answer and no other.
"""

from __future__ import annotations

import asyncio
import gc
import sys

from .answers import Answers

_HEAD = (
    b"HTTP/1.1 200 OK\r\ndate: Sat, 21 Nov 2026 09:27:43 GMT\r\ncontent-type: application/json; charset=utf-8\r\n"
    b"content-length: %d\r\nx-request-id: 01M7YPXPXSEE0MNS08H7D28989\r\nvary: Origin\r\n\r\n"
)
_REFUSED = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n{}"
_KEEP = 1 << 29


class Connection(asyncio.Protocol):
    """One connection, kept alive: no contender sends a request before it has the last one's answer."""

    def __init__(self, answers: Answers) -> None:
        self._answers, self._buffer = answers, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if end and len(body) >= _length(head):
            self._buffer = b""
            self._reply(head.split(b" ", 2), body)

    def _reply(self, words: list[bytes], body: bytes) -> None:
        try:
            page, delay = self._answers.answer(words[0].decode(), words[1].decode(), body)
        except (ValueError, KeyError, TypeError) as error:
            print(f"refused {words[0]!r} {words[1]!r}: {error!r}", file=sys.stderr, flush=True)
            self._transport.write(_REFUSED)
            return
        answer = b"".join((_HEAD % len(page), page))
        if delay:
            asyncio.get_running_loop().call_later(delay, self._transport.write, answer)
        else:
            self._transport.write(answer)


def _length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.split(b"\r\n", 1)[0]) if found else 0


async def main(keep: int) -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    answers = Answers(keep)
    server = await loop.create_server(lambda: Connection(answers), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    gc.disable()  # nothing here makes circles
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else _KEEP))
