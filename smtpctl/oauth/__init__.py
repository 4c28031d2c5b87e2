"""OAuth 2.0: what an access token says about itself."""
