"""A loopback model that speaks the chat-completions API: for the demo, the tests and the benches.

It takes the real path (hold, HTTP, parse, settle) without a key and keeps a bill of its own, which is the
truth that our books are compared with. It is not a language model, and whatever it scores is labelled so.
"""
