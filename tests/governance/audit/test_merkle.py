"""Merkle trees: the known roots of Certificate Transparency's own tests, and proofs held against the definition."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.governance.audit import merkle
from workbench.governance.audit.merkle import Frontier

# The eight leaves and their roots in the reference implementation's tests (google/certificate-transparency).
LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("size", range(1, 9))
def test_the_roots_are_those_of_certificate_transparency(size):
    assert merkle.root(LEAVES[:size]).hex() == ROOTS[size - 1]


def test_the_empty_tree_is_the_hash_of_nothing():
    assert merkle.root([]) == hashlib.sha256(b"").digest() == merkle.EMPTY


def by_definition(data):
    """MTH of RFC 6962, 2.1, as it stands there."""
    if not data:
        return hashlib.sha256(b"").digest()
    if len(data) == 1:
        return hashlib.sha256(b"\0" + data[0]).digest()
    half = 1
    while half * 2 < len(data):
        half *= 2
    return hashlib.sha256(b"\1" + by_definition(data[:half]) + by_definition(data[half:])).digest()


leaves = st.lists(st.binary(max_size=4), max_size=70)


@given(leaves, st.integers(0, 70))
def test_a_tree_that_grows_in_two_steps_has_the_root_of_the_definition(data, cut):
    grown = Frontier().extended(data[:cut]).extended(data[cut:])
    assert grown.root == by_definition(data)
    assert grown.size == len(data)
    assert len(grown.roots) == len(data).bit_count()


@given(leaves.filter(bool), st.data())
def test_every_leaf_has_a_proof_and_no_other_leaf_has_it(data, draw):
    index = draw.draw(st.integers(0, len(data) - 1))
    proof, root = merkle.inclusion(data, index), merkle.root(data)
    assert merkle.includes(data[index], index, len(data), proof, root)
    assert not merkle.includes(data[index] + b"x", index, len(data), proof, root)
    assert not merkle.includes(data[index], index, len(data), (*proof, root), root)
    assert not merkle.includes(data[index], len(data), len(data), proof, root)
    for wrong in range(len(proof)):
        changed = [*proof[:wrong], bytes(32), *proof[wrong + 1 :]]
        assert not merkle.includes(data[index], index, len(data), changed, root)


@given(leaves.filter(bool), st.data())
def test_a_tree_that_only_grew_has_a_proof_and_a_changed_one_has_not(data, draw):
    earlier = draw.draw(st.integers(1, len(data)))
    proof = merkle.consistency(data, earlier)
    first, second = merkle.root(data[:earlier]), merkle.root(data)
    assert merkle.consistent(earlier, len(data), first, second, proof)
    assert not merkle.consistent(earlier, len(data), merkle.leaf(b"other" * 9), second, proof)
    assert not merkle.consistent(earlier, len(data), first, merkle.leaf(b"other" * 9), proof)
    if earlier < len(data):
        assert not merkle.consistent(earlier, len(data), first, second, (*proof, first))


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(index, size):
    with pytest.raises(ValueError, match="there is no leaf"):
        merkle.inclusion([b"x"] * size, index)


@pytest.mark.parametrize("earlier", [0, 4])
def test_there_is_no_proof_of_a_beginning_that_is_none(earlier):
    with pytest.raises(ValueError, match="no beginning"):
        merkle.consistency([b"x"] * 3, earlier)
    assert not merkle.consistent(earlier, 3, bytes(32), bytes(32), ())


@pytest.mark.parametrize(("size", "roots"), [(-1, ()), (3, (bytes(32),)), (1, (bytes(31),))])
def test_a_frontier_that_cannot_be_is_refused(size, roots):
    with pytest.raises(ValueError, match="do not belong"):
        Frontier(size, roots)
