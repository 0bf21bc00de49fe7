"""The endpoint's client takes one message of text in time, and everything else is an error with its reason."""

import json
import time

import pytest

from benchmarks import fake_endpoint as fake
from workbench.drafting.model.endpoint import Endpoint, Surroundings, complete
from workbench.errors import EndpointError, ParameterError

ASKED = [{"role": "user", "content": "Reword this."}]
SECRET = "sk-not-for-any-record"


def endpoint(url, **other):
    return Endpoint(url, "a-model", SECRET, **{"timeout": 2.0, **other})


def patient(slept):
    return Surroundings(sleep=slept.append, chance=lambda: 0.0)


def test_a_model_that_answers_is_heard_and_sent_no_tools():
    with fake.serving(fake.says("Good morning.")) as served:
        assert complete(endpoint(served.url), ASKED) == "Good morning."
    headers, body = served.requests[0]
    assert headers["Authorization"] == f"Bearer {SECRET}"
    assert body["messages"] == ASKED
    assert body["temperature"] == 0
    assert not {"tools", "functions", "tool_choice"} & body.keys()


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (fake.answer(b"{}"), "not answer as a chat completion"),
        (fake.answer(b"<html>busy</html>"), "not answer as a chat completion"),
        (fake.answer(b'{"choices": []}'), "not answer as a chat completion"),
        (fake.answer(b"[" * 100_000), "not answer as a chat completion"),
        (fake.answer(b"\xff\xfe\x00"), "not answer as a chat completion"),
        (fake.answer(fake.completion("x", tool_calls=[{"id": "1"}])), "no tools"),
        (fake.answer(fake.completion(None)), "something else than text"),
        (fake.answer(fake.completion("cut").replace(b'"stop"', b'"length"')), "not whole"),
        (fake.answer(b"", 301, [("Location", "https://elsewhere.example/")]), "status 301"),
        (fake.answer(b"", 401), "status 401"),
        (fake.answer(b"", 500), "status 500"),
        (fake.answer(b"x" * 10, 200, [("Content-Encoding", "gzip")]), "packs its answer"),
        (fake.floods(4_000_000), "more than"),
        (lambda handler: handler.connection.close(), "cannot be reached"),
    ],
)
def test_what_is_no_answer_is_an_error(step, why):
    with fake.serving(step) as served, pytest.raises(EndpointError, match=why):
        complete(endpoint(served.url), ASKED, patient([]))


@pytest.mark.parametrize("step", [fake.hangs(5), fake.drips(fake.completion("slow"), 0.2)])
def test_one_deadline_holds_for_silence_and_for_a_drip(step):
    with fake.serving(step) as served:
        began = time.monotonic()
        with pytest.raises(EndpointError, match="in time"):
            complete(endpoint(served.url, timeout=0.4), ASKED)
        assert time.monotonic() - began < 4


def test_a_busy_endpoint_is_asked_again_after_the_time_it_names():
    slept = []
    busy = fake.answer(b"", 429, [("Retry-After", "1")])
    with fake.serving(busy, fake.answer(b"", 503), fake.says("Now.")) as served:
        assert complete(endpoint(served.url, timeout=60), ASKED, patient(slept)) == "Now."
    assert slept == [1.0, 1.0]
    assert len(served.requests) == 3


def test_a_storm_of_refusals_ends():
    with fake.serving(fake.answer(b"", 429)) as served:
        with pytest.raises(EndpointError, match="status 429"):
            complete(endpoint(served.url), ASKED, patient([]))
        assert len(served.requests) == 3


def test_a_wait_beyond_the_deadline_is_not_begun():
    busy = fake.answer(b"", 429, [("Retry-After", "3600")])
    with fake.serving(busy) as served, pytest.raises(EndpointError, match="asks to wait"):
        complete(endpoint(served.url), ASKED, patient([]))


@pytest.mark.parametrize(
    "url",
    [
        "http://models.example/v1",
        "ftp://models.example",
        "https://",
        "https://me@models.example/",
        "https://x.example/?k=1",
    ],
)
def test_an_address_that_is_not_safe_is_refused(url):
    with pytest.raises(ParameterError, match="https://HOST/PATH"):
        endpoint(url)


def test_settings_come_from_the_environment_and_the_key_is_never_shown():
    given = {"WORKBENCH_LLM_URL": "https://models.example/v1", "WORKBENCH_LLM_MODEL": "m", "WORKBENCH_LLM_KEY": SECRET}
    made = Endpoint.from_environment(given)
    assert made is not None
    assert made.key == SECRET
    assert SECRET not in repr(made) + json.dumps(made.parameters())
    assert Endpoint.from_environment({}) is None
    with pytest.raises(ParameterError, match="numbers"):
        Endpoint.from_environment({**given, "WORKBENCH_LLM_TIMEOUT": "soon"})
