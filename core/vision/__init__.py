"""Answers about pictures: models on this machine, and servers that are asked instead."""
