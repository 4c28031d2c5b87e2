"""A local SMTP server that catches mail: `server.Sink` runs `protocol.server` on sockets and threads."""
