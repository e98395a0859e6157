#!/usr/bin/env python3
"""Checks what Castellan's ledger says, without Castellan: Python 3.9 or newer, its standard library, nothing else.

    verify-ledger.py proof <file> --key <ledger-key.pub>
        an entry is in the ledger that was signed (C2SP tlog-proof, the entry as its extra data); prints the entry
    verify-ledger.py growth <file> --older <checkpoint> --key <ledger-key.pub>
        the ledger that was signed begins with the one of an older checkpoint (as for add-checkpoint of C2SP tlog-witness)

Ends with 0 when it holds, 8 when it does not, 2 when it was not asked right.
Formats: https://c2sp.org/signed-note, /tlog-checkpoint, /tlog-proof, /tlog-witness; trees: RFC 6962; keys: RFC 8032.
"""
import argparse
import base64
import hashlib
import json
import re
import sys

# Ed25519, RFC 8032, section 5.1: verification alone, which needs no secret and no constant time.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def recover_x(y, sign):
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if x2 == 0:
        return None if sign else 0
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P != 0:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - x2) % P != 0:
        return None
    return P - x if x & 1 != sign else x


def point(encoded):
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    x = recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def add(a, b):
    e = (a[1] - a[0]) * (b[1] - b[0]) % P
    f = (a[1] + a[0]) * (b[1] + b[0]) % P
    g = 2 * a[3] * b[3] * D % P
    h = 2 * a[2] * b[2] % P
    return ((f - e) * (h - g) % P, (h + g) * (f + e) % P, (h - g) * (h + g) % P, (f - e) * (f + e) % P)


def times(scalar, base):
    result = (0, 1, 1, 0)
    while scalar > 0:
        if scalar & 1:
            result = add(result, base)
        base = add(base, base)
        scalar >>= 1
    return result


def is_same_point(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = recover_x(BASE_Y, 0)
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def is_signed(key, message, signature):
    if len(key) != 32 or len(signature) != 64:
        return False
    a, r, s = point(key), point(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    return is_same_point(times(s, BASE), add(r, times(challenge, a)))


class Wrong(Exception):
    """It does not hold."""


def decoded(text):
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Wrong("it holds what is not base64") from error
    if base64.b64encode(data).decode() != text:
        raise Wrong("it holds base64 in another spelling")
    return data


def read_key(line):
    """The origin, the four bytes that stand for the key in a note, and the key."""
    parts = re.fullmatch(r"([!-*,-~]{1,100})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})\n?", line)
    if parts is None:
        raise Wrong("the public key is none of a ledger")
    origin, name, key = parts[1], bytes.fromhex(parts[2]), decoded(parts[3])
    if key[:1] != b"\x01" or hashlib.sha256(f"{origin}\n".encode() + key).digest()[:4] != name:
        raise Wrong("the public key is none of a ledger")
    return origin, name, key[1:]


def read_checkpoint(note, line):
    """The size and the root, once the key has signed them."""
    origin, name, key = read_key(line)
    text, separator, signatures = note.rpartition("\n\n")
    text += "\n"
    if separator == "" or not signatures.endswith("\n"):
        raise Wrong("a checkpoint is no signed note")
    lines = text.split("\n")
    if lines[0] != origin:
        raise Wrong("a checkpoint is of another ledger")
    if len(lines) < 4 or re.fullmatch(r"0|[1-9][0-9]{0,15}", lines[1]) is None:
        raise Wrong("a checkpoint has no size")
    root = decoded(lines[2])
    for signed in signatures[:-1].split("\n"):
        parts = re.fullmatch("\u2014 ([!-*,-~]+) ([A-Za-z0-9+/]+=*)", signed)
        if parts is None:
            raise Wrong("a checkpoint is no signed note")
        data = decoded(parts[2])
        if parts[1] == origin and data[:4] == name and is_signed(key, text.encode(), data[4:]):
            return int(lines[1]), root
    raise Wrong("a checkpoint is not signed by the ledger key")


def leaf_hash(entry):
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_by_inclusion(leaf, index, size, path):
    """RFC 9162, section 2.1.3.2."""
    if index >= size:
        raise Wrong("its entry lies beyond the ledger that was signed")
    at, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise Wrong("it has more hashes than such a proof")
        if at & 1 or at == last:
            root = node_hash(sibling, root)
            while at & 1 == 0 and at != 0:
                at, last = at >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        at, last = at >> 1, last >> 1
    if last != 0:
        raise Wrong("it has fewer hashes than such a proof")
    return root


def check_growth(older, newer, path):
    """RFC 9162, section 2.1.4.2. Both are a size and a root."""
    if older[0] > newer[0]:
        raise Wrong("the older ledger is the larger one")
    if older[0] in (0, newer[0]):
        if path or (older[0] != 0 and older != newer):
            raise Wrong("two ledgers of the same size differ")
        return
    if older[0] & (older[0] - 1) == 0:
        path = [older[1], *path]
    if not path:
        raise Wrong("it has no hashes")
    at, last = older[0] - 1, newer[0] - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    older_root = newer_root = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise Wrong("it has more hashes than such a proof")
        if at & 1 or at == last:
            older_root, newer_root = node_hash(sibling, older_root), node_hash(sibling, newer_root)
            while at & 1 == 0 and at != 0:
                at, last = at >> 1, last >> 1
        else:
            newer_root = node_hash(newer_root, sibling)
        at, last = at >> 1, last >> 1
    if last != 0 or (older_root, newer_root) != (older[1], newer[1]):
        raise Wrong("the ledger that was signed does not begin with the one that was seen before")


def split(text):
    head, separator, checkpoint = text.partition("\n\n")
    if separator == "":
        raise Wrong("it is no proof of a ledger")
    return head.split("\n"), checkpoint


def number_after(line, word):
    parts = re.fullmatch(word + " (0|[1-9][0-9]{0,15})", line)
    if parts is None:
        raise Wrong("it is no proof of a ledger")
    return int(parts[1])


def hashes_of(lines):
    hashes = [decoded(line) for line in lines]
    if len(hashes) > 63 or any(len(one) != 32 for one in hashes):
        raise Wrong("it holds what is no hash")
    return hashes


def check_proof(text, key):
    lines, checkpoint = split(text)
    if len(lines) < 3 or lines[0] != "c2sp.org/tlog-proof@v1" or not lines[1].startswith("extra "):
        raise Wrong("it is no proof of an entry")
    entry, index = decoded(lines[1][len("extra ") :]), number_after(lines[2], "index")
    size, root = read_checkpoint(checkpoint, key)
    if root_by_inclusion(leaf_hash(entry), index, size, hashes_of(lines[3:])) != root:
        raise Wrong(f"its entry is not entry {index + 1} of the ledger that was signed")
    told = json.loads(entry)
    if told.get("seq") != index + 1:
        raise Wrong(f"its entry does not have the number {index + 1}")
    return {"holds": True, "size": size, "entry": told}


def check_consistency(text, older_text, key):
    lines, checkpoint = split(text)
    older, newer = read_checkpoint(older_text, key), read_checkpoint(checkpoint, key)
    if number_after(lines[0], "old") != older[0]:
        raise Wrong("it does not begin with the ledger that was seen before")
    check_growth(older, newer, hashes_of(lines[1:]))
    return {"holds": True, "size": newer[0], "from": older[0]}


def read_file(path):
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def main():
    parser = argparse.ArgumentParser(description="checks proofs of Castellan's ledger, without Castellan")
    parser.add_argument("what", choices=["proof", "growth"])
    parser.add_argument("file", help="the proof")
    parser.add_argument("--key", required=True, help="ledger-key.pub, from a safe place")
    parser.add_argument("--older", help="growth: the checkpoint that was seen before")
    asked = parser.parse_args()
    if (asked.what == "growth") != (asked.older is not None):
        parser.error("growth needs --older, proof has none")
    try:
        key, text = read_file(asked.key), read_file(asked.file)
        found = check_proof(text, key) if asked.what == "proof" else check_consistency(text, read_file(asked.older), key)
    except Wrong as wrong:
        print(json.dumps({"holds": False, "says": str(wrong)}))
        return 8
    except (OSError, ValueError) as error:
        print(json.dumps({"holds": False, "says": f"it cannot be read: {error}"}))
        return 8
    print(json.dumps(found, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
