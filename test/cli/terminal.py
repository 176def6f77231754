"""Runs a command in a pseudo-terminal, answers its prompts, and prints what the terminal showed.

usage: terminal.py JSON, an object {"command": [...], "answers": [[prompt, text], ...]}
"""

import json
import os
import pty
import sys


def main(order: dict) -> int:
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(order["command"][0], order["command"])
    shown, answers = b"", [(prompt.encode(), text.encode()) for prompt, text in order["answers"]]
    while True:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:
            break
        shown += chunk
        while answers and answers[0][0] in shown:
            os.write(terminal, answers.pop(0)[1])
    sys.stdout.buffer.write(shown)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
