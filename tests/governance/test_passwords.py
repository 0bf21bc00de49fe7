"""Passwords: long enough, not the owner's name, kept as Argon2id, and as slow to refuse for nobody as for somebody."""

from __future__ import annotations

import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2.exceptions import VerifyMismatchError

from workbench.errors import ParameterError
from workbench.governance import passwords
from workbench.governance.passwords import check_hash, check_password, hash_password, outdated, verify

GOOD = "a long walk along the sea"


@pytest.mark.parametrize(
    "password", [GOOD, "längere Wörter täglich", "山の上で朝日を見る日曜日です", "x7#Kq!vB29&t", "a" * 190 + "bcdef"]
)
def test_long_ones_of_any_alphabet_will_do(password):
    check_password(password, "ben", "Ben Okafor", "ben@firm.example")


@pytest.mark.parametrize(
    "password",
    ["", "short", "elevenchars", "x" * 201, "aaaaaaaaaaaaaaaa", "abababababab", "password1234", "Passwort!2026",
     "qwerty123456", "123456789012", "welcome welcome", "okafor-is-my-name", "my OKAFOR and me", "firm money machine"],
)  # fmt: skip
def test_short_common_and_telling_ones_are_refused_without_being_repeated(password):
    with pytest.raises(ParameterError) as refused:
        check_password(password, "b.okafor", "Ben Okafor", "ben@firm.example")
    assert not password or password not in str(refused.value)


def test_only_the_password_itself_is_right():
    stored = hash_password(GOOD)
    assert verify(stored, GOOD)
    for other in ("", GOOD + " ", GOOD.upper(), GOOD[:-1], GOOD + "\x00", GOOD * 100):
        assert not verify(stored, other)
    assert not verify(None, GOOD)
    assert not verify(None, "the password of nobody")
    assert not verify("not a hash", GOOD)


def test_one_password_typed_on_two_keyboards_is_one():
    assert verify(hash_password("caf\u00e9 caf\u00e9 caf\u00e9"), "cafe\u0301 cafe\u0301 cafe\u0301")


@pytest.mark.usefixtures("full_passwords")
def test_the_hash_says_its_parameters_and_its_salt_is_its_own():
    one, other = hash_password(GOOD), hash_password(GOOD)
    assert one.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert one != other
    check_hash(one)
    assert not outdated(one)
    assert outdated("$argon2id$v=19$m=4096,t=3,p=4$" + one.split("$", 4)[4])


def test_one_form_gives_one_hash_and_another_form_another():
    assert hash_password(GOOD, seed="form-1\nben") == hash_password(GOOD, seed="form-1\nben")
    assert hash_password(GOOD, seed="form-1\nben") != hash_password(GOOD, seed="form-1\nann")


@pytest.mark.usefixtures("full_passwords")
def test_nobody_is_refused_by_the_same_work_as_somebody(monkeypatch):
    stored, seen = hash_password(GOOD), []
    real = passwords._HASHER.verify

    class Counting:
        def verify(self, hashed, password):
            seen.append(hashed.split("$")[3])
            return real(hashed, password)

        def hash(self, password):
            return hash_password(password)

    passwords._nobodys()
    monkeypatch.setattr(passwords, "_HASHER", Counting())
    verify(stored, "wrong")
    verify(None, "wrong")
    assert seen == ["m=65536,t=3,p=4"] * 2


def test_many_tries_at_once_take_the_memory_of_a_few(monkeypatch):
    running, most, lock = 0, 0, threading.Lock()

    class Slow:
        def verify(self, *_):
            nonlocal running, most
            with lock:
                running, most = running + 1, max(most, running + 1)
            time.sleep(0.01)
            with lock:
                running -= 1
            raise VerifyMismatchError

    passwords._nobodys()
    monkeypatch.setattr(passwords, "_HASHER", Slow())
    with ThreadPoolExecutor(20) as pool:
        assert not any(pool.map(lambda _: verify(None, "wrong"), range(60)))
    assert 1 <= most <= 4


@pytest.mark.slow
@pytest.mark.usefixtures("full_passwords")
def test_nobody_is_refused_in_the_same_time_as_somebody():
    stored, took = hash_password(GOOD), {True: [], False: []}
    for known in [True, False] * 9:
        start = time.process_time()
        verify(stored if known else None, "wrong")
        took[known].append(time.process_time() - start)
    fast, slow = sorted(statistics.median(times) for times in took.values())
    assert slow < 2 * fast
