"""The mail queue, and mails about what happened to an account."""
