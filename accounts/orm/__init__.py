"""What any table needs: bulk deletions, conditional changes, append-only rows, best-effort and confirmed writes."""
