"""The answering side of SMTP, ESMTP and LMTP without I/O: the sink's server and the tests' server.

`session.serve()` is a generator like a client's dialogue and speaks in the same steps (`protocol.steps`), with
three of its own (`values.Deliver`, `Pause`, `Hangup`). Whoever drives it owns the socket and the clock.
"""
