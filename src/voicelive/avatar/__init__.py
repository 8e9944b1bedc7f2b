"""The visible agent: its link, its picture in Python, the shapes of its mouth, the characters that there are."""
