"""Recognises what was downloaded in place of the weights: a web page, a cut file."""


def what_is_it(head: bytes) -> str:
    """What a file is that is often saved in the place of weights, by its first bytes; else empty.

    Args:
        head: the first 512 bytes or more.
    """
    start = head[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"<") and any(sign in start for sign in (b"<!doctype html", b"<html", b"<head")):
        return "a web page (of a quota, a login or an error)"
    if start.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer (a few lines that stand for the file)"
    return ""
