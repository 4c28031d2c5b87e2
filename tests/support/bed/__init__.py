"""The test bed: servers that nobody here wrote, started on loopback with settings of their own.

Nothing of a running machine is used or changed: each server gets its settings, spool, log and ports from one temporary
folder, and runs in a process namespace that ends as one. Two runs can go on at once. No mail can leave: every
transport to the outside is an error.

    ports.py     a port for each name, never one that another run has
    process.py   start in the foreground, wait until ready, end
    settings.py  settings files out of templates/
    accounts.py  who may log in, and recipients with a known reply
    pki.py       a root, an intermediate and one chain for each fault
    tokens.py    JSON Web Tokens that Dovecot checks by itself
    introspection.py    opaque tokens, and who tells Dovecot what they stand for
    postfix.py dovecot.py exim.py opensmtpd.py kerberos.py aio.py    one server each, with what only it needs
"""
