"""What a fine-tuned GPT does besides recommending: `classify` (a text -> its label) and `score` (a request and an item
-> good or bad). Both are recommending from a small catalogue, that of the labels, so a run of theirs is a run."""
