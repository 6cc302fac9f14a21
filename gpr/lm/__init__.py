"""The language model's side: base models, prompts, the trie of titles, and exact decoding over it."""
