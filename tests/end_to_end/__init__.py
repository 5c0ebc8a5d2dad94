"""The whole pipeline from outside: the commands that a newcomer types, and what they leave behind."""
