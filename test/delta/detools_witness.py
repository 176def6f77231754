"""detools as a witness.

usage: detools_witness.py apply OLD PATCH NEW
       detools_witness.py create COMPRESSION OLD NEW PATCH
"""

import sys

import detools

verb, *args = sys.argv[1:]
if verb == "apply":
    detools.apply_patch_filenames(*args)
else:
    compression, old, new, patch = args
    detools.create_patch_filenames(old, new, patch, compression=compression)
