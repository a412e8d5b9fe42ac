"""Runs a program in a terminal of its own and plays a script of keys on it.

    top_in_a_terminal.py ROWSxCOLUMNS SCRIPT PROGRAM ARG...

SCRIPT is a JSON list of steps: {"see": TEXT} waits until TEXT is on the screen, {"keys": TEXT} types, {"size":
"ROWSxCOLUMNS"} resizes, {"signal": NUMBER} signals, {"run": [PROGRAM, ARG...]} runs something beside it. Afterwards it
waits for the end of the program and prints one JSON document: its exit code, all that it wrote, and whether the terminal
is set as it was before.
"""

import codecs
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

LIMIT_SECONDS = 30
# A control sequence, or one character.
TOKEN = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\x1b[()][A-Z0-9]|(.)", re.DOTALL)


def size(text):
    rows, columns = map(int, text.split("x"))
    return struct.pack("HHHH", rows, columns, 0, 0)


class Screen:
    """What the written text makes of a screen, as far as this program's sequences go."""

    def __init__(self):
        self.cells, self.row, self.column = {}, 1, 1
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.rest = ""

    def write(self, written):
        text = self.rest + self.decoder.decode(written)
        # A sequence may come in two pieces.
        cut = text.rfind("\x1b")
        whole = cut < 0 or TOKEN.match(text, cut) and TOKEN.match(text, cut).group(0) != "\x1b"
        self.rest, text = ("", text) if whole else (text[cut:], text[:cut])
        for parameters, command, character in TOKEN.findall(text):
            if command == "H":
                numbers = [int(number or 1) for number in (parameters or "1").split(";")]
                self.row, self.column = numbers[0], numbers[1] if len(numbers) > 1 else 1
            elif command == "J":
                self.cells = {}
            elif character and character >= " ":
                self.cells[self.row, self.column] = character
                self.column += 1

    def text(self):
        lines = {}
        for (row, column), character in sorted(self.cells.items()):
            line = lines.setdefault(row, [])
            line.extend(" " * (column - 1 - len(line)))
            line.append(character)
        return "\n".join("".join(lines[row]) for row in sorted(lines))


class Terminal:
    def __init__(self, dimensions, words):
        self.main, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, size(dimensions))
        self.inner = inner
        self.before = termios.tcgetattr(inner)
        self.program = subprocess.Popen(
            words, stdin=inner, stdout=inner, stderr=inner, start_new_session=True, close_fds=True
        )
        self.written, self.screen = b"", Screen()

    def read(self, seconds):
        ready, _, _ = select.select([self.main], [], [], seconds)
        if ready:
            piece = os.read(self.main, 65536)
            self.written += piece
            self.screen.write(piece)
        return bool(ready)

    def see(self, text):
        end = time.monotonic() + LIMIT_SECONDS
        while text not in self.screen.text():
            if time.monotonic() > end or (self.program.poll() is not None and not self.read(0)):
                sys.exit(f"{text!r} is not on the screen:\n{self.screen.text()}")
            self.read(0.05)

    def play(self, step):
        if "see" in step:
            self.see(step["see"])
        elif "keys" in step:
            os.write(self.main, step["keys"].encode())
        elif "size" in step:
            fcntl.ioctl(self.main, termios.TIOCSWINSZ, size(step["size"]))
            self.program.send_signal(signal.SIGWINCH)
        elif "signal" in step:
            self.program.send_signal(step["signal"])
        elif "run" in step:
            subprocess.run(step["run"], check=True)

    def end(self):
        limit = time.monotonic() + LIMIT_SECONDS
        while self.program.poll() is None:
            if time.monotonic() > limit:
                self.program.kill()
                sys.exit(f"it does not end; this is on the screen:\n{self.screen.text()}")
            self.read(0.05)
        while self.read(0):
            pass
        restored = termios.tcgetattr(self.inner) == self.before
        return {"code": self.program.returncode, "written": self.written.decode("utf-8", "replace"), "restored": restored}


def main():
    terminal = Terminal(sys.argv[1], sys.argv[3:])
    for step in json.loads(sys.argv[2]):
        terminal.play(step)
    print(json.dumps(terminal.end()))


if __name__ == "__main__":
    main()
