"""The beginning of a TLS handshake, in clear: what a client asks and what a server answers. No cryptography, no I/O.

Only what a scanner needs: the local library forbids old versions and ciphers, and would report its own policy instead of
the server's. A handshake that is to be finished belongs to `ssl` (net/tls.py).
"""
