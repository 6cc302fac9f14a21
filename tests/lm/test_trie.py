"""The radix trie against a dictionary of all prefixes, for random sequences; and the trie of the drawing, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpr.lm.trie import Trie, build_trie

Sequence = tuple[int, ...]
END = 9

bodies = st.lists(st.integers(0, 3), max_size=6).map(tuple)
catalogues = st.lists(bodies, min_size=1, max_size=25, unique=True).map(lambda all_: [(*body, END) for body in all_])
"""Distinct titles over few tokens, so that many share their beginnings; but for the end, some begin others."""


def prefix_of(trie: Trie, node: int) -> Sequence:
    """The tokens from the root to a node, read off the first leaf below it."""
    start = trie.starts[trie.order[trie.first[node]]]
    return tuple(trie.tokens[start : start + trie.depth[node]].tolist())


def next_tokens(titles: list[Sequence]) -> dict[Sequence, set[int]]:
    """The naive trie: every prefix of every title -> the tokens that may follow."""
    found: dict[Sequence, set[int]] = {}
    for title in titles:
        for at, token in enumerate(title):
            found.setdefault(title[:at], set()).add(token)
    return found


@given(catalogues)
def test_the_inner_nodes_are_the_branching_prefixes_and_the_root(titles: list[Sequence]) -> None:
    trie, naive = build_trie(titles), next_tokens(titles)
    prefixes = [prefix_of(trie, node) for node in range(trie.n_nodes)]
    assert prefixes[0] == ()
    assert len(set(prefixes)) == len(prefixes)
    assert set(prefixes) - {()} == {prefix for prefix, tokens in naive.items() if prefix and len(tokens) > 1}
    assert prefixes == sorted(prefixes)  # preorder
    for node, prefix in enumerate(prefixes[1:], 1):
        above = max((other for other in prefixes if other == prefix[: len(other)] and other != prefix), key=len)
        assert prefixes[trie.parent[node]] == above
        assert trie.parent[node] < node
    assert trie.parent[0] == -1


@given(catalogues)
def test_children_lead_to_what_begins_so(titles: list[Sequence]) -> None:
    trie, naive = build_trie(titles), next_tokens(titles)
    assert len(trie.child) == trie.n_nodes - 1 + len(titles)
    for node in range(trie.n_nodes):
        prefix, entries = prefix_of(trie, node), range(trie.child_ptr[node], trie.child_ptr[node + 1])
        assert sorted(trie.child_token[entries].tolist()) == sorted(naive[prefix])
        for entry in entries:
            child, token = int(trie.child[entry]), int(trie.child_token[entry])
            assert prefix_of(trie, child)[: len(prefix) + 1] == (*prefix, token)
            assert (trie.parent[child], trie.entry[child]) == (node, entry)


@given(catalogues)
def test_leaves_below_a_node_are_the_titles_that_begin_so(titles: list[Sequence]) -> None:
    trie = build_trie(titles)
    assert len(trie) == len(titles)
    assert [titles[item] for item in trie.order] == sorted(titles)
    for node in range(trie.n_nodes):
        prefix = prefix_of(trie, node)
        below = {titles[item] for item in trie.order[trie.first[node] : trie.last[node]]}
        assert below == {title for title in titles if title[: len(prefix)] == prefix}


@given(catalogues)
def test_a_path_visits_the_branchings_of_a_title(titles: list[Sequence]) -> None:
    trie, naive = build_trie(titles), next_tokens(titles)
    for item, title in enumerate(titles):
        path = trie.path(item)
        nodes = [prefix_of(trie, node) for node in trie.parent[trie.child[path]]]
        assert nodes == [title[:at] for at in range(len(title)) if at == 0 or len(naive[title[:at]]) > 1]
        assert trie.child_token[path].tolist() == [title[len(prefix)] for prefix in nodes]
        assert trie.child[path[-1]] == trie.leaves(np.array(item))


@given(catalogues)
def test_levels_count_the_inner_nodes_above(titles: list[Sequence]) -> None:
    trie = build_trie(titles)
    for node, level in enumerate(trie.level):
        above = 0
        while (node := int(trie.parent[node])) >= 0:
            above += 1
        assert above == level
    assert len(trie.level) == trie.n_nodes


@given(catalogues, st.data())
def test_above_are_the_inner_nodes_on_the_way(titles: list[Sequence], data: st.DataObject) -> None:
    trie = build_trie(titles)
    nodes = data.draw(st.lists(st.integers(0, len(trie.parent) - 1), max_size=6))
    expected = {0}
    for node in nodes:
        while (node := int(trie.parent[node])) >= 0:
            expected.add(node)
    assert trie.above(np.array(nodes, np.int64)).tolist() == sorted(expected)


@given(catalogues, st.data())
def test_most_below_is_the_largest_value_of_the_items_there(titles: list[Sequence], data: st.DataObject) -> None:
    trie = build_trie(titles)
    numbers = st.floats(-5, 5, width=32) | st.just(-np.inf)
    values = data.draw(st.lists(numbers, min_size=len(titles), max_size=len(titles)))
    most = trie.most_below(np.array([values, values[::-1]], np.float32))
    for node in range(len(trie.parent)):
        below = trie.order[trie.first[node] : trie.last[node]]
        assert most[0, node] == max(values[item] for item in below)
        assert most[1, node] == max(values[::-1][item] for item in below)


@given(catalogues, st.data())
def test_edges_of_any_nodes_in_any_order(titles: list[Sequence], data: st.DataObject) -> None:
    trie = build_trie(titles)
    nodes = data.draw(st.lists(st.integers(0, len(trie.parent) - 1), max_size=8))
    tokens, depths, owner = trie.edges(np.array(nodes, np.int64))
    at = 0
    for place, node in enumerate(nodes):
        prefix = prefix_of(trie, node)
        above = len(prefix_of(trie, trie.parent[node])) if node else 0
        edge = slice(at, at + len(prefix) - above)
        assert tuple(tokens[edge].tolist()) == prefix[above:]
        assert depths[edge].tolist() == list(range(above + 1, len(prefix) + 1))
        assert set(owner[edge].tolist()) <= {place}
        at = edge.stop
    assert at == len(tokens) == len(depths) == len(owner)


def test_the_trie_of_the_drawing() -> None:
    the, matrix, mummy, alien = 5, (1, 2), (1, 3), (7, 8)
    trie = build_trie([(the, *matrix, END), (the, *mummy, END), (*alien, END)])
    assert [prefix_of(trie, node) for node in range(trie.n_nodes)] == [(), (the, 1)]
    assert trie.child_token.tolist() == [the, alien[0], 2, 3]
    assert trie.child.tolist() == [1, 2 + 2, 2 + 0, 2 + 1]
    assert [trie.path(item).tolist() for item in range(3)] == [[0, 2], [0, 3], [1]]


def test_one_item_is_one_leaf_below_the_root() -> None:
    trie = build_trie([(4, 5, END)])
    assert (trie.n_nodes, trie.child.tolist(), trie.child_token.tolist()) == (1, [1], [4])
    assert trie.path(0).tolist() == [0]
    assert [len(part) for part in trie.edges(np.array([0]))] == [0, 0, 0]


def test_two_items_that_part_at_once_and_two_that_part_late() -> None:
    assert build_trie([(1, END), (2, END)]).n_nodes == 1
    late = build_trie([(1, 2, 4, END), (1, 2, 3, END)])
    assert [prefix_of(late, node) for node in range(late.n_nodes)] == [(), (1, 2)]
    assert late.child.tolist() == [1, 2 + 1, 2 + 0]


def test_a_title_that_is_the_beginning_of_another_ends_in_its_own_leaf() -> None:
    trie = build_trie([(1, END), (1, 2, END), (1, 2, 3, END)])  # Alien, Alien Two, Alien Two Three
    assert [prefix_of(trie, node) for node in range(trie.n_nodes)] == [(), (1,), (1, 2)]
    assert [len(trie.path(item)) for item in range(3)] == [2, 3, 3]


@pytest.mark.parametrize("titles", [[(1, 2), (1, 2, 3)], [(1, 2, 3), (1, 2)], [(1, 2), (5,), (1, 2)]])
def test_sequences_that_are_not_prefix_free_are_refused(titles: list[Sequence]) -> None:
    with pytest.raises(ValueError, match="not prefix-free"):
        build_trie(titles)


@pytest.mark.parametrize("titles", [[], [()], [(1, END), ()]])
def test_nothing_is_no_trie(titles: list[Sequence]) -> None:
    with pytest.raises(ValueError, match="at least one sequence"):
        build_trie(titles)


def test_token_ids_of_any_size_keep_their_order() -> None:
    titles = [(70_000, END), (300, END), (2, END), (300, 70_000, END)]
    trie = build_trie(titles)
    assert [titles[item] for item in trie.order] == sorted(titles)
