"""What operators run: system checks, backups, housekeeping, the mail worker and key rotation."""
