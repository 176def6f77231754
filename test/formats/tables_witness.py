"""ESP-IDF's partition tables and otadata, as the package esp-idf-defs has them from its sources.

table CSV OUT     writes the binary of a table in CSV
csv TABLE         prints a binary table as CSV
otadata SEQ OUT   writes a record that says valid
"""
import sys

from esp_idf_defs.otadata import OtaDataSelectEntry, OtaImageState
from esp_idf_defs.partitions import PartitionTable

command, first, *rest = sys.argv[1:]
if command == "table":
    with open(rest[0], "wb") as out:
        table = PartitionTable.from_csv(open(first).read())
        table.verify()
        out.write(table.to_binary())
elif command == "csv":
    table = PartitionTable.from_binary(open(first, "rb").read())
    table.verify()
    print(table.to_csv(simple_formatting=True))
else:
    with open(rest[0], "wb") as out:
        out.write(OtaDataSelectEntry(int(first), OtaImageState.VALID).to_bytes())
