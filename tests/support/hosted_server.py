"""A provider on this machine: files, fine-tuning jobs, their events, chat. It speaks HTTP; nothing of it is mocked.

What it trains is a table of the words of its training file, so that a fine-tune answers like its rows. `Provider`
counts what arrives and can be told to misbehave: refuse, drop connections, fail a job, answer nonsense.
"""

import json
import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

KEY = "sk-test-4f1d8c0e7a2b4d61"
BASE = "gpt-4.1-mini"


class Provider:
    """State and behaviour; `requests` counts what arrived, as "POST /files"."""

    def __init__(self) -> None:
        self.address = ""
        self.requests: Counter[str] = Counter()
        self.bodies: dict[str, list[Any]] = defaultdict(list)
        self.files: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, str] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.models: dict[str, dict[str, Counter[str]]] = {}  # name → word → labels
        self.headers: list[dict[str, str]] = []
        self.busy = threading.Lock()
        # behaviour
        self.steps = 4
        self.looks_per_step = 1  # a job advances by a step each so many looks at it; 0: it never does
        self.failure: str | None = None  # why jobs fail
        self.refuse: dict[str, tuple[int, dict[str, Any]]] = {}  # "POST /fine_tuning/jobs" → status, error
        self.drop: Counter[str] = Counter()  # requests whose connection is cut before they are carried out
        self.drop_answer: Counter[str] = Counter()  # and those that are carried out, but whose answer is lost
        self.logprobs = True
        self.says: str | Callable[[list[dict[str, Any]]], str] | None = None  # what a chat answers, to its messages
        self.finish_reason = "stop"  # of every chat
        self.calls: list[dict[str, Any]] | None = None  # the calls of tools in what a chat answers
        self.fails_on: str | None = None  # a text that no chat answers
        self.echo_key = False  # errors repeat the key
        self.limited: list[dict[str, str]] = []  # headers of chats that are refused for their rate
        self.together: threading.Barrier | None = None  # where so many chats wait for each other
        self.holds: threading.Event | None = None  # until which no chat is answered

    # ------------------------------------------------------------ files and jobs

    def add_file(self, name: str, content: str) -> dict[str, Any]:
        identity = f"file-{len(self.files) + 1}"
        self.contents[identity] = content
        self.files[identity] = {
            "id": identity,
            "object": "file",
            "bytes": len(content),
            "created_at": int(time.time()),
            "filename": name,
            "purpose": "fine-tune",
            "status": "processed",
        }
        return self.files[identity]

    def add_job(self, body: dict[str, Any]) -> dict[str, Any]:
        identity = f"ftjob-{len(self.jobs) + 1}"
        self.jobs[identity] = {
            "id": identity,
            "object": "fine_tuning.job",
            "created_at": int(time.time()),
            "finished_at": None,
            "model": body["model"],
            "organization_id": "org-1",
            "status": "validating_files",
            "fine_tuned_model": None,
            "error": None,
            "hyperparameters": {"n_epochs": "auto"},
            "result_files": [],
            "seed": body.get("seed", 1),
            "trained_tokens": None,
            "training_file": body["training_file"],
            "validation_file": body.get("validation_file"),
            "metadata": body.get("metadata"),
            "suffix": body.get("suffix"),
            "looks": 0,
        }
        self.events[identity] = []
        self._tell(identity, "Created fine-tuning job")
        return self.jobs[identity]

    def look(self, identity: str) -> dict[str, Any]:
        job = self.jobs[identity]
        if job["status"] in ("succeeded", "failed", "cancelled"):
            return job
        job["looks"] += 1
        if self.looks_per_step and job["looks"] % self.looks_per_step == 0:
            self._advance(identity, job, job["looks"] // self.looks_per_step)
        return job

    def _advance(self, identity: str, job: dict[str, Any], step: int) -> None:
        job["status"] = "running"
        if self.failure:
            job["status"], job["error"] = "failed", {"code": "bad", "message": self.failure, "param": None}
            self._tell(identity, self.failure)
            return
        data = {"step": step, "total_steps": self.steps, "train_loss": 2.0 / step, "valid_loss": 2.5 / step}
        if step == self.steps:
            data |= {"full_valid_loss": 0.4, "full_valid_mean_token_accuracy": 0.9}
        self._tell(identity, f"Step {step}/{self.steps}: training loss={2 / step:.2f}", data)
        if step >= self.steps:
            name = f"ft:{job['model']}:org-1:{job['suffix']}:{identity}"
            self.models[name] = _learn(self.contents[job["training_file"]])
            job |= {"status": "succeeded", "fine_tuned_model": name, "trained_tokens": 1234}
            job["finished_at"] = job["created_at"] + 60
            self._tell(identity, "The job has successfully completed")

    def _tell(self, identity: str, message: str, data: dict[str, Any] | None = None) -> None:
        events = self.events[identity]
        events.append(
            {
                "id": f"ftevent-{identity}-{len(events)}",
                "object": "fine_tuning.job.event",
                "created_at": int(time.time()),
                "level": "info",
                "message": message,
                "type": "metrics" if data else "message",
                "data": data or {},
            }
        )

    # ------------------------------------------------------------ chat

    def chat(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if body["model"] != BASE and body["model"] not in self.models:
            return 404, {"code": "model_not_found", "message": f"The model {body['model']} does not exist"}
        text = body["messages"][-1]["content"]
        if self.fails_on and self.fails_on in text:
            return 400, {"message": "this text is refused"}
        if body.get("logprobs") and not self.logprobs:
            return 400, {"message": "logprobs are not supported", "param": "logprobs"}
        said = self.says(body["messages"]) if callable(self.says) else self.says
        if said is None:
            said = _answer(self.models.get(body["model"], {}), text)
        choice: dict[str, Any] = {"index": 0, "finish_reason": self.finish_reason}
        choice["message"] = {"role": "assistant", "content": said, "refusal": None}
        choice["message"] |= {"tool_calls": self.calls} if self.calls else {}
        if body.get("logprobs"):
            token = {"logprob": -0.105, "bytes": None, "top_logprobs": []}
            choice["logprobs"] = {"content": [token | {"token": word} for word in said.split()]}
        usage = {"prompt_tokens": 40, "completion_tokens": 2, "total_tokens": 42}
        answer = {"id": "chat-1", "object": "chat.completion", "created": 1, "model": body["model"]}
        return 200, answer | {"choices": [choice], "usage": usage}


def _learn(content: str) -> dict[str, Counter[str]]:
    words: dict[str, Counter[str]] = defaultdict(Counter)
    for line in content.splitlines():
        turns = json.loads(line)["messages"]
        for word in turns[-2]["content"].lower().split():
            words[word][turns[-1]["content"]] += 1
    return words


def _answer(model: dict[str, Counter[str]], text: str) -> str:
    votes: Counter[str] = Counter()
    for word in text.lower().split():
        seen = model.get(word, Counter())
        for label, number in seen.items():
            votes[label] += number / sum(seen.values())
    return votes.most_common(1)[0][0] if votes else "I cannot tell."


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    provider: Provider

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def _serve(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.removeprefix("/v1").partition("?")
        name = f"{method} {re.sub(r'(ftjob|file)-[0-9]+', '*', path)}"
        provider = self.provider
        if name == "POST /chat/completions":
            if provider.together:
                provider.together.wait(20)
            if provider.holds:  # whoever asked has gone meanwhile
                provider.holds.wait(20)
                self.close_connection = True
                return
        with provider.busy:
            provider.requests[name] += 1
            provider.headers.append(dict(self.headers))
            if provider.drop[name] > 0:
                provider.drop[name] -= 1
                self.close_connection = True
                return
            if name == "POST /chat/completions" and provider.limited:
                self._send(429, {"error": {"message": "too many requests"}}, provider.limited.pop(0))
                return
            status, answer = self._authorised() or self._refused(name) or self._answer(name, path, query, body)
            if provider.drop_answer[name] > 0:
                provider.drop_answer[name] -= 1
                self.close_connection = True
                return
        self._send(status, answer)

    def _authorised(self) -> tuple[int, dict[str, Any]] | None:
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if given == KEY:
            return None
        return 401, {"error": {"message": f"Incorrect API key provided: {given}", "code": "invalid_api_key"}}

    def _refused(self, name: str) -> tuple[int, dict[str, Any]] | None:
        if name not in self.provider.refuse:
            return None
        status, error = self.provider.refuse[name]
        words = f"{error['message']} (key {KEY})" if self.provider.echo_key else error["message"]
        return status, {"error": error | {"message": words}}

    def _answer(self, name: str, path: str, query: str, body: bytes) -> tuple[int, dict[str, Any]]:
        provider = self.provider
        identity = next((part for part in path.split("/") if re.match(r"(ftjob|file)-", part)), "")
        match name:
            case "POST /files":
                filename, content = self._form(body)
                return 200, provider.add_file(filename, content)
            case "GET /files":
                return 200, _page(list(provider.files.values())[::-1], query)
            case "POST /fine_tuning/jobs":
                asked = json.loads(body)
                provider.bodies[name].append(asked)
                return 200, provider.add_job(asked)
            case "GET /fine_tuning/jobs":
                return 200, _page(list(provider.jobs.values())[::-1], query)
            case "GET /fine_tuning/jobs/*":
                return 200, provider.look(identity)
            case "GET /fine_tuning/jobs/*/events":
                return 200, _page(provider.events[identity][::-1], query)
            case "POST /fine_tuning/jobs/*/cancel":
                provider.jobs[identity]["status"] = "cancelled"
                return 200, provider.jobs[identity]
            case "POST /chat/completions":
                asked = json.loads(body)
                provider.bodies[name].append(asked)
                status, answer = provider.chat(asked)
                return status, answer if status == 200 else {"error": answer}
        return 404, {"error": {"message": f"there is no {path}"}}

    def _form(self, body: bytes) -> tuple[str, str]:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = message_from_bytes(head + body).get_payload()
        file = next(part for part in parts if part.get_filename())
        return file.get_filename(), file.get_payload(decode=True).decode()

    def _send(self, status: int, answer: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        text = json.dumps(answer).encode()
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def _page(items: list[dict[str, Any]], query: str) -> dict[str, Any]:
    """As OpenAI pages: at most `limit`, those after the id `after`."""
    asked = dict(part.split("=", 1) for part in query.split("&") if part)
    limit = int(asked.get("limit", 20))
    if after := asked.get("after"):
        items = items[[item["id"] for item in items].index(after) + 1 :]
    return {"object": "list", "data": items[:limit], "has_more": len(items) > limit}


@contextmanager
def running() -> Iterator[Provider]:
    provider = Provider()
    handler = type("Bound", (Handler,), {"provider": provider})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    provider.address = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """A running provider; the environment holds its key, and no proxy stands between."""
    pytest.importorskip("openai")
    monkeypatch.setenv("LAB_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with running() as provider:
        yield provider
