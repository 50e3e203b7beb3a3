"""Mail to administrators."""
