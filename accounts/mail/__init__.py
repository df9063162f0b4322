"""The mail queue, and mails about events of an account."""
