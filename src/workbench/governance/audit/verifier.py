#!/usr/bin/env python3
"""Verify an audit trail without the program that wrote it: one file, Python's standard library, nothing else.

    python verifier.py --database decisions.db --checkpoints FOLDER --key HEX
    python verifier.py --export records.jsonl  --checkpoints FOLDER --key HEX
    python verifier.py --proof proof.json --key HEX          # one record, without the others

Copy this file to a machine of your own, with the records, the checkpoints, and the public key as the firm gave it to
you earlier and by another way. It checks that

- records are numbered without a gap, each holds the SHA-256 of the one before, and none is of an earlier moment;
- each is JSON in the canonical spelling of RFC 8785, and the columns it is searched by say what it says;
- checkpoints are numbered without a gap, each names the one before, and is signed (Ed25519, RFC 8032) by the key;
- at each checkpoint the last record's hash and the Merkle root (RFC 6962) are those that were signed.

Exit codes: 0 nothing found, 1 something found, 2 the files or the options cannot be read. It reads only.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import re
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

COLUMNS = ("at", "actor", "action", "outcome", "object_kind", "object_id", "book")
NEEDED = (*COLUMNS, "sequence", "previous", "code_version", "actor_kind", "roles", "on_behalf_of", "object_version",
          "before", "after", "reason", "key", "controls_version", "policy", "rules_hash", "inputs", "documents",
          "details")  # fmt: skip
ZERO = "0" * 64
PURPOSE = b"workbench audit checkpoint 1\n"
FORMAT = "workbench audit checkpoint 1"
SHOWN = 100
LARGEST_CHECKPOINT = 100_000
PROOF = "workbench audit proof 1"
LARGEST_PROOF = 10_000_000
Point = tuple[int, int, int, int]
#: Number, body, hash, columns; an export has neither hashes nor columns.
Row = tuple[int, bytes, str | None, tuple[bytes, ...] | None]


# --- Ed25519, verification only (RFC 8032, 5.1). Slow and plain: nothing here is secret. ---

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)


def recover_x(y: int, sign: int) -> int | None:
    """The x that belongs to y on the curve, or None."""
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if square == 0:
        return None if sign else 0
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_1 % P
    if (x * x - square) % P:
        return None
    return P - x if x & 1 != sign else x


def point(encoded: bytes) -> Point | None:
    """Decode a point to extended coordinates, or None (5.1.3)."""
    if len(encoded) != 32:
        return None
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def add(one: Point, other: Point) -> Point:
    """Add two points (5.1.4)."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar: int, base: Point) -> Point:
    """Multiply a point by a whole number."""
    total = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = add(total, base)
        base = add(base, base)
        scalar >>= 1
    return total


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = point(BASE_Y.to_bytes(32, "little")) or (0, 1, 1, 0)


def signed_by(public: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether a signature of 64 bytes is that of a public key of 32 bytes under a message (5.1.7)."""
    key = point(public)
    if key is None or len(signature) != 64:
        return False
    r, s = point(signature[:32]), int.from_bytes(signature[32:], "little")
    if r is None or s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    left, right = times(s, BASE), add(r, times(h, key))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


# --- Canonical JSON (RFC 8785). ---

SHORT = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
ESCAPED = {code: SHORT.get(code, f"\\u{code:04x}") for code in (*range(32), 34, 92)}


def spelled(value: Any) -> str:
    """Spell a value canonically. Raises ValueError for what has no canonical form."""
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return '"' + value.translate(ESCAPED) + '"'
    if isinstance(value, int):
        if abs(value) > 2**53 - 1:
            raise ValueError("a whole number beyond 2^53 - 1")
        return str(value)
    if isinstance(value, float):
        return spelled_float(value)
    if isinstance(value, list):
        return "[" + ",".join(map(spelled, value)) + "]"
    keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
    return "{" + ",".join(spelled(key) + ":" + spelled(value[key]) for key in keys) + "}"


def spelled_float(value: float) -> str:
    """Spell a double as ECMAScript does: the shortest digits that read back as the same."""
    if not math.isfinite(value):
        raise ValueError("a number that is not finite")
    if value == 0:
        return "0"
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, part = mantissa.partition(".")
    digits = (whole + ("" if part == "0" else part)).lstrip("0")
    place = int(exponent or 0) + (len(whole) if whole != "0" else len(digits) - len(part))
    digits = digits.rstrip("0")
    sign, n = "-" if value < 0 else "", place
    if len(digits) <= n <= 21:
        return sign + digits.ljust(n, "0")
    if 0 < n <= 21:
        return sign + digits[:n] + "." + digits[n:]
    if -6 < n <= 0:
        return sign + "0." + "0" * -n + digits
    return sign + digits[0] + ("." + digits[1:] if digits[1:] else "") + f"e{n - 1:+d}"


def no_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys are all different."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands twice")
    return made


def whole(text: str) -> int | float:
    """A number without a point; beyond 2^53 - 1 it is the double that it was written from (RFC 8785, 3.2.2.3)."""
    value = int(text) if len(text) < 20 else 2**53
    return value if abs(value) < 2**53 else float(text)


def strictly(text: bytes) -> Any:
    """Read JSON; ValueError unless it is canonical, byte for byte. `text` is bytes."""
    try:
        value = json.loads(text.decode("utf-8"), object_pairs_hook=no_twice, parse_int=whole)
        same = spelled(value).encode("utf-8") == text
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    if not same:
        raise ValueError("not in the canonical spelling")
    return value


# --- Merkle tree (RFC 6962, 2.1), grown leaf by leaf. ---


class Tree:
    """The roots of the perfect subtrees so far, each with its height."""

    def __init__(self) -> None:
        self.parts: list[tuple[int, bytes]] = []

    def grow(self, leaf: bytes) -> None:
        """Add one leaf."""
        carried = (0, hashlib.sha256(b"\x00" + leaf).digest())
        while self.parts and self.parts[-1][0] == carried[0]:
            height, left = self.parts.pop()
            carried = (height + 1, hashlib.sha256(b"\x01" + left + carried[1]).digest())
        self.parts.append(carried)

    def root(self) -> str:
        """The root so far."""
        if not self.parts:
            return hashlib.sha256(b"").hexdigest()
        total = self.parts[-1][1]
        for _, left in self.parts[-2::-1]:
            total = hashlib.sha256(b"\x01" + left + total).digest()
        return total.hex()


# --- What is read. ---


def from_database(path: Path) -> Iterator[Row]:
    """Yield (number, body, hash, columns) of each record of an SQLite file, opened to read only."""
    if not path.is_file():
        raise OSError(f"{path} is not a file")
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    connection.text_factory = bytes
    try:
        names = ", ".join(("sequence", "body", "hash", *COLUMNS))
        for row in connection.execute(f"SELECT {names} FROM audit ORDER BY sequence"):
            place = row[0] if type(row[0]) is int else 0  # a table made anew may hold anything; 0 is nobody's place
            yield place, raw(row[1]), raw(row[2]).decode("utf-8", "replace"), tuple(map(raw, row[3:]))
    finally:
        connection.close()


def raw(value: Any) -> bytes:
    """The bytes of a database's value, whatever its type."""
    return value if isinstance(value, bytes) else str(value).encode()


def from_export(path: Path) -> Iterator[Row]:
    """Yield (number, body, None, None) of each line of an export; a line gives its own number."""
    number = 0
    with path.open("rb") as file:
        while line := file.readline(4_000_000):
            body = line[:-1] if line.endswith(b"\n") else line
            said = re.search(rb'"sequence":(\d{1,18})}$', body)
            number = int(said.group(1)) if said else number + 1
            yield number, body, None, None


def read_checkpoints(folders: list[Path], public_keys: list[str], say: Findings) -> list[dict[str, Any]]:
    """Read every checkpoint file of some folders; return those that can be trusted, in order."""
    known = {hashlib.sha256(bytes.fromhex(key)).hexdigest()[:16]: bytes.fromhex(key) for key in public_keys}
    found: dict[int, dict[str, Any]] = {}
    for folder in folders:
        for name in sorted(os.listdir(folder)):
            if re.fullmatch(r"checkpoint-\d{8}\.json", name):
                one = read_checkpoint(Path(folder) / name, known, say)
                if one and found.setdefault(one["number"], one)["hash"] != one["hash"]:
                    say(None, "checkpoint_forged", f"two different checkpoints {one['number']} are signed")
    kept: list[dict[str, Any]] = []
    for number in sorted(found):
        one, before = found[number], kept[-1] if kept else None
        expected = before["number"] + 1 if before else 1
        if number > expected:
            say(None, "checkpoint_missing", f"checkpoints {expected} to {number - 1} are missing")
        follows = one["previous"] == (before["hash"] if before else ZERO) or number > expected
        if before:
            follows = follows and one["trail"] == before["trail"]
            follows = follows and one["size"] > before["size"] and one["at"] >= before["at"]
        if follows:
            kept.append(one)
        else:
            say(None, "checkpoint_forged", f"checkpoint {number} does not follow from the one before")
    return kept


def read_checkpoint(path: Path, known: dict[str, bytes], say: Findings) -> dict[str, Any] | None:
    """Read one file; None, and a finding, where it is no checkpoint signed by a known key."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_CHECKPOINT:
            raise ValueError("it is no file of a checkpoint's size")
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        say(None, "checkpoint_unreadable", f"{path.name} is not a checkpoint ({error})")
        return None
    return judge_checkpoint(content, path.name, known, say)


def judge_checkpoint(content: bytes, name: str, known: dict[str, bytes], say: Findings) -> dict[str, Any] | None:
    """Judge a checkpoint's bytes; an empty `name` is one without a file of its own."""
    called = name or "the checkpoint"
    try:
        outer = strictly(content.rstrip(b"\n"))
        said, signature = outer["statement"], bytes.fromhex(outer["signature"])
        statement = spelled(said).encode()
        texts = all(isinstance(said[name], str) for name in ("trail", "head", "root", "at", "key", "previous"))
        numbers = all(type(said[name]) is int and said[name] > 0 for name in ("number", "size"))
        if said["format"] != FORMAT or not texts or not numbers:
            raise ValueError("its parts are not those of a checkpoint")
    except (OSError, ValueError, KeyError, TypeError) as error:
        say(None, "checkpoint_unreadable", f"{called} is not a checkpoint ({error})")
        return None
    if said["key"] not in known:
        say(None, "checkpoint_forged", f"{called} is signed by key {said['key']}, which is not among those given")
        return None
    if not signed_by(known[said["key"]], PURPOSE + statement, signature):
        say(None, "checkpoint_forged", f"the signature of {called} is not that of key {said['key']}")
        return None
    if name and name != f"checkpoint-{said['number']:08d}.json":
        say(None, "checkpoint_replayed", f"{name} holds checkpoint {said['number']}")
    return {**said, "hash": hashlib.sha256(statement).hexdigest()}


def check_proof(path: Path, public_keys: list[str], say: Findings) -> dict[str, Any]:
    """Check that one record is among those a checkpoint was signed over (RFC 9162, 2.1.3.2)."""
    known = {hashlib.sha256(bytes.fromhex(key)).hexdigest()[:16]: bytes.fromhex(key) for key in public_keys}
    if path.stat().st_size > LARGEST_PROOF:
        raise OSError("the proof is too large to be one")
    report: dict[str, Any] = {"sequence": 0, "size": 0, "at": "", "record": ""}
    try:
        said = strictly(path.read_bytes().rstrip(b"\n"))
        record, steps = said["record"].encode(), [bytes.fromhex(step) for step in said["path"]]
        place = said["sequence"]
        inside = strictly(record)["sequence"]
        if said["format"] != PROOF or type(place) is not int or inside != place or any(len(s) != 32 for s in steps):
            raise ValueError("its parts are not those of a proof")
        checkpoint = said["checkpoint"].encode()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        say(None, "proof", f"the file is no proof of a record ({error})")
        return report
    signed = judge_checkpoint(checkpoint, "", known, say)
    if signed is None:
        return report
    report = {"sequence": place, "size": signed["size"], "at": signed["at"], "record": said["record"]}
    if included(hashlib.sha256(record).digest(), place - 1, signed["size"], steps) != signed["root"]:
        say(place, "proof", f"record {place} as given is not among those that were signed")
    return report


def included(digest: bytes, index: int, size: int, steps: list[bytes]) -> str:
    """The root that a path leads to from leaf `index` of `size`; empty where the path does not fit."""
    if not 0 <= index < size:
        return ""
    last, folded = size - 1, hashlib.sha256(b"\0" + digest).digest()
    for step in steps:
        if last == 0:
            return ""
        if index & 1 or index == last:
            folded = hashlib.sha256(b"\1" + step + folded).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            folded = hashlib.sha256(b"\1" + folded + step).digest()
        index, last = index >> 1, last >> 1
    return folded.hex() if last == 0 else ""


# --- The verification. ---


def verify(
    records: Iterator[Row], checkpoints: list[dict[str, Any]], say: Findings, through: int | None = None
) -> dict[str, Any]:
    """Follow the records and compare them with the checkpoints; return what was read."""
    waiting = list(reversed(checkpoints))
    tree, number, at, read, covered, digest, bad = Tree(), 0, "", 0, 0, "", False
    first: int | None = None
    previous: str | None = ZERO
    for row in records:
        place, body, written, _ = row
        if through is not None and place > through:
            break
        read += 1
        if first is None:
            first = place if written is None else 1  # only an export may begin later
            number, previous = first - 1, (ZERO if first == 1 else None)
            waiting = [one for one in waiting if one["size"] >= first]
        if place <= number:
            say(place, "insert", f"record {place} stands behind record {number}")
        elif place > number + 1:
            say(number + 1, "delete", f"records {number + 1} to {place - 1} are missing")
        number = place
        digest = hashlib.sha256(body).hexdigest()
        at = check(row, digest, previous, at, say)
        previous = written or digest
        if read == 1 and first == 1 and checkpoints and checkpoints[0]["trail"] != digest:
            say(1, "another_trail", "the first record is not that of the trail that was signed")
        tree.grow(bytes.fromhex(digest))
        while waiting and number >= waiting[-1]["size"]:
            one = waiting.pop()
            same = number == one["size"] and digest == one["head"]
            same = same and (tree.root() == one["root"] if first == 1 else not say.count)
            if same and not bad:
                covered = one["size"]
            elif not bad:
                bad = True
                say(one["size"], "rewrite", f"records {covered + 1} to {one['size']} are not those that checkpoint "
                    f"{one['number']} was signed over")  # fmt: skip
    beyond = [one for one in checkpoints if one["size"] > number and (through is None or one["size"] <= through)]
    if beyond:
        say(number + 1, "cut", f"records {number + 1} to {beyond[-1]['size']} are missing: the tail was cut")
    elif through is not None and number < through:
        say(number + 1, "cut", f"the records end at {number}, not at {through} as said")
    root = tree.root() if first in (1, None) else ""
    return {"first": first or 1, "records": read, "last": number, "covered": covered, "head": digest, "root": root}


def check(row: Row, digest: str, previous: str | None, at: str, say: Findings) -> str:
    """Check one record by itself and against the one before; return its moment."""
    place, body, written, columns = row
    try:
        said = strictly(body)
        missing = [name for name in NEEDED if name not in said]
        if missing or not all(isinstance(said[name], str) for name in (*COLUMNS, "previous")):
            raise ValueError(f"not a record: {', '.join(missing) or 'a field is of another kind'}")
        if type(said["sequence"]) is not int or not re.fullmatch(
            r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", said["at"], re.ASCII
        ):
            raise ValueError("its number or its moment is none")
    except (ValueError, TypeError) as error:
        say(place, "spelling", f"record {place} cannot be relied on: {error}")
        return at
    if said["sequence"] != place:
        say(place, "swap", f"at place {place} lies a record that says it is number {said['sequence']}")
    if written is not None and digest != written:
        say(place, "edit", f"record {place} does not give its hash: it was edited")
    if previous is not None and said["previous"] != previous:
        say(place, "edit", f"record {place} is not chained to the record before it")
    if said["at"] < at:
        say(place, "clock", f"record {place} is of {said['at']}, before the one it follows ({at})")
    if columns is not None:
        for name, column in zip(COLUMNS, columns):
            if said[name].encode() != column:
                say(place, "copy", f"record {place} says another {name} than its column")
    return said["at"]


class Findings:
    """What was found: all counted, the first hundred kept."""

    def __init__(self) -> None:
        self.kept: list[dict[str, Any]] = []
        self.count = 0

    def __call__(self, sequence: int | None, attack: str, problem: str) -> None:
        """Note a finding."""
        self.count += 1
        if len(self.kept) < SHOWN:
            self.kept.append({"sequence": sequence, "attack": attack, "problem": problem})


def main(words: list[str] | None = None) -> int:
    """Read the options, verify, report; return the exit code."""
    options = argparse.ArgumentParser(description="Verify an audit trail without the program that wrote it.")
    source = options.add_mutually_exclusive_group(required=True)
    source.add_argument("--database", type=Path, help="the SQLite file; it is opened to read only")
    source.add_argument("--export", type=Path, help="records as JSON lines, as `workbench audit export` writes them")
    source.add_argument("--proof", type=Path, help="the proof of one record, as `workbench audit prove` writes it")
    options.add_argument("--checkpoints", type=Path, action="append", default=[], help="a folder of checkpoints")
    options.add_argument("--key", action="append", default=[], help="a public key that may have signed, 64 hex digits")
    options.add_argument("--through", type=int, help="the last record, where the export ends early on purpose")
    options.add_argument("--json", action="store_true", help="print the report as JSON")
    given = options.parse_args(words)
    keys = [key.strip().lower() for key in given.key]
    if any(not re.fullmatch(r"[0-9a-f]{64}", key) for key in keys):
        options.error("a key is 64 hex digits")
    if (given.checkpoints or given.proof) and not keys:
        options.error("give the public key that the checkpoints are signed with (--key)")
    say = Findings()
    if given.proof:
        return prove(given.proof, keys, say, as_json=given.json)
    try:
        checkpoints = read_checkpoints(given.checkpoints, keys, say)
        records = from_database(given.database) if given.database else from_export(given.export)
        report = verify(records, checkpoints, say, given.through)
    except (OSError, sqlite3.Error) as error:
        print(shown(f"cannot be read: {error}"), file=sys.stderr)
        return 2
    if given.checkpoints and not checkpoints and report["last"]:
        say(None, "checkpoint_missing", "no checkpoint that can be trusted lies in the folder")
    report.update(checkpoints=len(checkpoints), found=say.count, findings=say.kept)
    print(json.dumps(report, indent=1) if given.json else in_words(report))
    return 1 if say.count else 0


def prove(path: Path, keys: list[str], say: Findings, *, as_json: bool) -> int:
    """Check a proof and report; return the exit code."""
    try:
        report = check_proof(path, keys, say)
    except OSError as error:
        print(shown(f"cannot be read: {error}"), file=sys.stderr)
        return 2
    report.update(found=say.count, findings=say.kept)
    lines = [f"FOUND ({one['attack']}): {one['problem']}." for one in say.kept]
    if not say.count:
        lines = [f"Record {report['sequence']} is one of the {report['size']} that were signed on {report['at']}:"]
        lines.append(report["record"])
    print(json.dumps(report, indent=1) if as_json else "\n".join(map(shown, lines)))
    return 1 if say.count else 0


def in_words(report: dict[str, Any]) -> str:
    """The report for a person."""
    lines = [f"{report['records']} records and {report['checkpoints']} checkpoints were read."]
    if report["covered"]:
        lines.append(f"Records {report['first']} to {report['covered']} are those that were signed.")
    if report["last"] > report["covered"]:
        after = max(report["covered"] + 1, report["first"])
        lines.append(f"Records {after} to {report['last']} are covered by no checkpoint: only their chain was checked.")
    lines += [f"FOUND ({one['attack']}): {one['problem']}." for one in report["findings"]]
    if report["found"] > len(report["findings"]):
        lines.append(f"{report['found'] - len(report['findings'])} more findings are not shown.")
    lines.append("NOT as it was written." if report["found"] else "Nothing was found that is not as it was written.")
    return "\n".join(map(shown, lines))


def shown(text: str) -> str:
    """Plain ASCII for any terminal: what a forged file says can neither move the cursor nor turn words around."""
    return "".join(letter if " " <= letter <= "~" else f"\\u{ord(letter):04x}" for letter in text)


if __name__ == "__main__":
    sys.exit(main())
