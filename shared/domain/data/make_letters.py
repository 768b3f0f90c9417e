"""Makes letters.bin: how unusual it is that a letter follows another in a name.

Usage: make_letters.py FOLDER, where FOLDER holds dist.all.last, dist.female.first and dist.male.first of the
package `names` 0.3.0 (the United States Census of 1990, public domain).

27 rows of 27 bytes: the letters a to z, and the edge of a word (row: before its first letter; column: behind its
last). Each is -16 * log2 of the probability, smoothed as if every pair had been seen 0.3 times more, at most 255.
Each name counts once, however many bear it.
"""
import collections
import math
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
names = set()
for file in ("dist.all.last", "dist.female.first", "dist.male.first"):
    for line in (folder / file).read_text().splitlines():
        name = line.split()[0].lower()
        if name.isascii() and name.isalpha() and len(name) > 1:
            names.add(name)
pairs, firsts = collections.Counter(), collections.Counter()
for name in sorted(names):
    edged = "{" + name + "{"  # '{' follows 'z'
    for a, b in zip(edged, edged[1:]):
        pairs[a, b] += 1
        firsts[a] += 1
table = bytearray()
for a in range(27):
    for b in range(27):
        pair = (chr(97 + a), chr(97 + b))
        probability = (pairs[pair] + 0.3) / (firsts[pair[0]] + 0.3 * 27)
        table.append(min(255, round(-16 * math.log2(probability))))
(pathlib.Path(__file__).parent / "letters.bin").write_bytes(table)
print(len(names), "names")
