"""A data set of the hub, from a server that answers as the hub does: its data files alone are fetched."""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

FILES = {"data/train.jsonl": b'{"text": "a", "label": "b"}\n', "load.py": b"raise SystemExit(9)", "README.md": b"# Set"}
COMMIT = "0123456789abcdef0123456789abcdef01234567"
FETCH = "import sys; from tunesmith.data.containers.hub import fetch; print(fetch(sys.argv[1]))"


class Hub(BaseHTTPRequestHandler):
    asked: list[str] = []

    def do_GET(self):
        self.answer()

    def do_HEAD(self):
        self.answer()

    def answer(self):
        self.asked.append(self.path)
        content = next((held for name, held in FILES.items() if self.path.endswith(f"/{name}")), None)
        if "/tree/" in self.path:
            listed = [{"type": "file", "path": name, "size": len(held), "oid": COMMIT} for name, held in FILES.items()]
            content = json.dumps(listed).encode()
        elif self.path.startswith("/api/datasets/org/set"):
            siblings = [{"rfilename": name, "size": len(held)} for name, held in FILES.items()]
            content = json.dumps({"id": "org/set", "sha": COMMIT, "siblings": siblings}).encode()
        self.send_response(200 if content is not None else 404)
        self.send_header("Content-Length", str(len(content or b"")))
        self.send_header("ETag", '"0123456789abcdef0123456789abcdef01234567"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content or b"")

    def log_message(self, *arguments):
        pass


@pytest.fixture
def hub():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_only_data_files_are_fetched(hub, tmp_path):
    pytest.importorskip("huggingface_hub")
    known = os.environ | {"HF_ENDPOINT": hub, "HF_HOME": str(tmp_path), "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "*"}
    done = subprocess.run(
        [sys.executable, "-c", FETCH, "org/set"], env=known, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    folder = done.stdout.strip().splitlines()[-1]
    fetched = {os.path.relpath(os.path.join(at, name), folder) for at, _, names in os.walk(folder) for name in names}
    assert fetched == {"data/train.jsonl"}
    assert not any(path.endswith("load.py") for path in Hub.asked)
