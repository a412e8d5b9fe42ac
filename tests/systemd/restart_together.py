"""Starts 50 restarts at once: all of them have been asked for, and wait for the lock, before the first one may begin.

Prints how each ended, and how many times the unit was started because of them.
"""

import fcntl
import json
import os
import subprocess
import sys
import time

UNIT, COUNT = "clawdbot-gateway.service", 50
lock_path = f"{os.environ['XDG_RUNTIME_DIR']}/{UNIT}.lock"


def starts():
    journal = subprocess.run(
        ["journalctl", "--user", "--boot", "--unit", UNIT, "--output", "cat", "--no-pager"],
        capture_output=True, text=True, check=True,
    )
    return sum(line.startswith(f"Started {UNIT}") for line in journal.stdout.splitlines())


def waits(child):
    folder = f"/proc/{child.pid}/fd"
    try:
        return any(os.readlink(f"{folder}/{fd}") == lock_path for fd in os.listdir(folder))
    except OSError:
        return False


before = starts()
with open(lock_path, "w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    children = [
        subprocess.Popen(["gatewayctl", "restart", "--json"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(COUNT)
    ]
    end = time.monotonic() + 60
    while not all(waits(child) for child in children):
        if time.monotonic() > end:
            sys.exit("the restarts do not wait for each other")
        time.sleep(0.05)
ended = [(json.loads(child.communicate()[0]), child.returncode) for child in children]
results = [document.get("result", document.get("error")) for document, _ in ended]
json.dump({"codes": [code for _, code in ended], "results": results, "starts": starts() - before}, sys.stdout)
