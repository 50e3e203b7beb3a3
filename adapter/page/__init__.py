"""The web page for administrators."""
