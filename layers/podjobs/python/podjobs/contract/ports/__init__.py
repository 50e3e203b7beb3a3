"""The ports: what the subjects need from the outside world. The backends implement them."""
