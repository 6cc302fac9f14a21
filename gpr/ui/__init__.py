"""The page in the browser. The only part that knows gradio."""
