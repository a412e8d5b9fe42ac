"""A load of clients on the gateway of this machine, and one that watches it.

Runs a command under that load, and goes on until the gateway has answered for a while after it. Prints what was seen as
one JSON document: how the command ended, how many requests were answered, how many connects were refused, how many broke
off later, and what the watcher was told.
"""

import base64
import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time

PORT, COMMAND, CLIENTS = int(sys.argv[1]), sys.argv[2], 6
stop = threading.Event()
count = {"answered": 0, "refused": 0, "broken": 0}
seen = {"shutdown": [], "closed": [], "back_ms": []}
guard = threading.Lock()


def add(key):
    with guard:
        count[key] += 1


def connect():
    try:
        return socket.create_connection(("127.0.0.1", PORT), timeout=60)
    except OSError:
        add("refused")
        time.sleep(0.05)


def load():
    while not stop.is_set():
        one = connect()
        if one is None:
            continue
        try:
            with one:
                one.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                answer = b""
                while part := one.recv(4096):
                    answer += part
            add("answered" if b" 200 " in answer[:20] else "broken")
        except OSError:
            add("broken")


def read(stream):
    """The next frame: its kind and its content."""
    head = stream.read(2)
    if len(head) < 2:
        raise OSError("the connection is gone")
    length = head[1] & 127
    if length == 126:
        (length,) = struct.unpack(">H", stream.read(2))
    elif length == 127:
        (length,) = struct.unpack(">Q", stream.read(8))
    return head[0] & 15, stream.read(length)


def send(one, kind, content):
    mask = os.urandom(4)
    length = struct.pack(">BBH", 128 | kind, 128 | 126, len(content))
    one.sendall(length + mask + bytes(byte ^ mask[n % 4] for n, byte in enumerate(content)))


def hello(one):
    key = base64.b64encode(os.urandom(16)).decode()
    one.sendall(
        f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    stream = one.makefile("rb")
    while stream.readline().strip():
        pass
    client = {"id": "cli", "version": "1", "platform": "linux", "mode": "cli"}
    params = {"minProtocol": 3, "maxProtocol": 3, "client": client, "auth": {"token": "token-of-the-box"}}
    send(one, 1, json.dumps({"type": "req", "id": "1", "method": "connect", "params": params}).encode())
    while True:
        kind, content = read(stream)
        if kind == 8:
            raise OSError("sent away")
        frame = json.loads(content)
        if frame.get("id") == "1" and frame["ok"]:
            return stream


def watch():
    gone = None
    while not stop.is_set():
        one = connect()
        if one is None:
            continue
        one.settimeout(None)
        seen["socket"] = one
        try:
            stream = hello(one)
            if gone is not None:
                seen["back_ms"].append(round((time.monotonic() - gone) * 1000))
            seen["connects"] = seen.get("connects", 0) + 1
            while True:
                kind, content = read(stream)
                if kind == 8:
                    seen["closed"].append(struct.unpack(">H", content[:2])[0])
                    send(one, 8, content)
                    break
                frame = json.loads(content)
                if frame.get("event") == "shutdown":
                    seen["shutdown"].append(frame["payload"])
        except OSError:
            pass
        gone = time.monotonic()
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


def until(what, check):
    end = time.monotonic() + 90
    while not check():
        if time.monotonic() > end:
            sys.exit(f"waited for {what}: {count} {seen}")
        time.sleep(0.02)


def more():
    goal = count["answered"] + 200
    until("answers", lambda: count["answered"] >= goal)


threads = [threading.Thread(target=load, daemon=True) for _ in range(CLIENTS)]
threads.append(threading.Thread(target=watch, daemon=True))
for thread in threads:
    thread.start()
until("the watcher", lambda: seen.get("connects"))
more()
ran = subprocess.run(["bash", "-c", COMMAND], capture_output=True, text=True)
more()
if seen["closed"]:
    until("the watcher to be back", lambda: seen["connects"] > len(seen["closed"]))
stop.set()
seen.pop("socket").shutdown(socket.SHUT_RDWR)
for thread in threads:
    thread.join()
json.dump({**count, **seen, "code": ran.returncode, "stdout": ran.stdout, "stderr": ran.stderr}, sys.stdout)
