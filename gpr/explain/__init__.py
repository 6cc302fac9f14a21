"""Why an item is recommended, computed from the scores: shares, counterfactuals, examples, the path in the trie."""
