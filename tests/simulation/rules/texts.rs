//! The rulebooks as text, and what the desk changes in them when it publishes the second edition.

pub(super) const BOTH: [(&str, &str); 2] = [
    (
        "scoring.toml",
        r#"half_life_days = 14

[[fit]]
label = "can be called"
points = 15
has = ["phone"]

[[fit]]
label = "can be written to"
points = 15
has = ["email"]

[interactions]
enquiry = { points = 10, daily_cap = 3 }
quote_request = { points = 30, daily_cap = 2 }
email_click = { points = 5, daily_cap = 3 }
page_view = { points = 1, daily_cap = 10 }

[bands.fit]
A = 30
B = 10

[bands.engagement]
1 = 40
2 = 10
"#,
    ),
    (
        "areas.csv",
        "area,part\ndenver,zip3:802\ncolorado,state:CO\ntexas,state:TX\nflorida,zip3:331\nutah,state:UT\nnevada,state:NV\nanywhere,any\n",
    ),
];

pub(super) const ALPHA: [(&str, &str); 6] = [
    (
        "company.toml",
        r#"id = "alpha"
name = "Alpha Leads"
zone = "America/Denver"
window_days = 30
mode = "automatic"
"#,
    ),
    (
        "offers.toml",
        r#"[[offer]]
id = "roof-repair"
category = "roofing"
name = "Roof repair"

[[offer]]
id = "roof-new"
category = "roofing"
name = "New roof"

[[offer]]
id = "gutters"
category = "roofing"
name = "Gutters, placed by hand"
mode = "manual"

[[offer]]
id = "grill-prize"
category = "roofing"
name = "Win a grill"
incentive = true

[[offer]]
id = "solar-quote"
category = "solar"
name = "Solar quote"
band = "A1"
"#,
    ),
    ("sources.toml", "[[source]]\nid = \"web\"\nkind = \"form\"\noffer = \"roof-repair\"\n"),
    (
        "dealers.csv",
        "dealer,kind,name,zip,zone,hours,cap_day,prepaid\n\
         ash,outside,Ash,89101,America/Los_Angeles,24/7,,\n\
         aspen,outside,Aspen,80202,America/Denver,24/7,,\n\
         birch,outside,Birch,80401,America/Denver,Mo-Su 08:00-20:00,,\n\
         cedar,outside,Cedar,80401,America/Denver,24/7,6,yes\n\
         doug,own,Doug,75214,America/Chicago,24/7,,\n\
         elm,outside,Elm,33101,America/New_York,24/7,3,\n\
         fir,outside,Fir,75230,America/Chicago,24/7,,\n\
         yew,outside,Yew,89101,America/Los_Angeles,24/7,,\n",
    ),
    (
        "channels.csv",
        "dealer,order,kind,address\n\
         ash,1,webhook,http://127.0.0.1:9/alpha/ash\n\
         aspen,1,webhook,http://127.0.0.1:9/alpha/aspen\n\
         birch,1,webhook,http://127.0.0.1:9/alpha/birch\n\
         cedar,1,webhook,http://127.0.0.1:9/alpha/cedar\n\
         doug,1,inbox,\n\
         elm,1,webhook,http://127.0.0.1:9/alpha/elm\n\
         fir,1,webhook,http://127.0.0.1:9/alpha/fir\n\
         yew,1,webhook,http://127.0.0.1:9/alpha/yew\n",
    ),
    (
        "contracts.csv",
        "contract,dealer,offers,sources,area,territory,sale,when_unavailable,max_age_hours,tier,weight,price,cap_hour,cap_day,cap_week,cap_month,cap_total,budget_month,deadline_minutes,deadline_clock,return_days,return_quota,return_reasons,return_approval,min_band,needs\n\
         aspen-denver,aspen,roof-repair roof-new,*,denver,protected,exclusive,wait,,1,1,85.00,,3,,,,400.00,,,,,,,,\n\
         birch-colorado,birch,*,*,colorado,open,exclusive,next,,1,1,45.00,2,4,,,,,60,open,,,,,,\n\
         cedar-colorado,cedar,*,*,colorado,open,shared:2,next,,1,2,40.00,,5,,,,,,,7,,wrong-number,desk,,\n\
         elm-colorado,elm,roof-repair roof-new grill-prize,*,colorado,open,shared:2,next,,1,1,40.00,,,,,,,,,7,50%,wrong-number,trusted,,\n\
         fir-texas,fir,*,*,texas,first,exclusive,next,,3,1,40.00,,,,,,,,,,,,,,\n\
         cedar-texas,cedar,*,*,texas,open,exclusive,next,,1,1,40.00,,2,,,,,,,,,,,,\n\
         doug-texas,doug,*,*,texas,open,shared:2,next,,1,1,0,,,,,,,90,wall,,,,,,\n\
         fir-utah,fir,*,*,utah,first,shared:2,wait,72,1,1,35.00,,,,,,,,,,,,,,\n\
         birch-utah,birch,*,*,utah,first,shared:2,wait,72,1,1,35.00,,,,,,,,,,,,,,\n\
         elm-florida,elm,roof-repair,*,florida,closed,exclusive,wait,72,1,1,50.00,,2,,,,,,,,,,,\n\
         cedar-anywhere,cedar,*,*,anywhere,open,exclusive,next,,2,1,30.00,,,,,6,,,,,,,,,\n\
         ash-nevada,ash,*,*,nevada,open,exclusive,next,,1,1,55.00,,6,,,,,,,,,,,,consent dnc_clean\n\
         yew-nevada,yew,*,*,nevada,open,exclusive,next,,1,1,50.00,3,,,,,,,,,,,,A2,\n",
    ),
];

pub(super) const BETA: [(&str, &str); 6] = [
    (
        "company.toml",
        r#"id = "beta"
name = "Beta Leads"
zone = "America/New_York"
scope = "offer"
window_days = 30
mode = "automatic"
"#,
    ),
    (
        "offers.toml",
        r#"[[offer]]
id = "car-quote"
category = "insurance"
name = "Car insurance"

[[offer]]
id = "home-quote"
category = "insurance"
name = "Home insurance"
"#,
    ),
    ("sources.toml", "[[source]]\nid = \"web\"\nkind = \"form\"\noffer = \"car-quote\"\n"),
    (
        "dealers.csv",
        "dealer,kind,name,zip,zone,hours\n\
         aspen,outside,Aspen too,80202,America/Denver,24/7\n\
         gum,outside,Gum,33101,America/New_York,24/7\n",
    ),
    (
        "channels.csv",
        "dealer,order,kind,address\n\
         aspen,1,webhook,http://127.0.0.1:9/beta/aspen\n\
         gum,1,webhook,http://127.0.0.1:9/beta/gum\n",
    ),
    (
        "contracts.csv",
        "contract,dealer,offers,sources,area,territory,sale,when_unavailable,tier,weight,price,cap_hour,cap_day,cap_week,cap_month,budget_month\n\
         gum-anywhere,gum,*,*,anywhere,open,shared:2,next,1,1,20.00,,2,,3,60.00\n\
         aspen-anywhere,aspen,*,*,anywhere,open,shared:2,next,1,3,20.00,1,,4,,\n",
    ),
];

/// What is otherwise in the second edition of alpha's: a file, what stands there, and what stands there then. A cap
/// is lowered and another raised, a price goes up, an area shrinks, a need is dropped, and a contract is gone.
pub(super) const ALPHA_SECOND: [(&str, &str, &str); 5] = [
    ("contracts.csv", "protected,exclusive,wait,,1,1,85.00,,3,", "protected,exclusive,wait,,1,1,95.00,,1,"),
    ("contracts.csv", "birch-colorado,birch,*,*,colorado,", "birch-colorado,birch,*,*,denver,"),
    ("contracts.csv", "shared:2,next,,1,2,40.00,,5,", "shared:2,next,,1,2,40.00,,7,"),
    ("contracts.csv", ",consent dnc_clean\n", ",consent\n"),
    (
        "contracts.csv",
        "elm-colorado,elm,roof-repair roof-new grill-prize,*,colorado,open,shared:2,next,,1,1,40.00,,,,,,,,,7,50%,wrong-number,trusted,,\n",
        "",
    ),
];

/// The same of beta's.
pub(super) const BETA_SECOND: [(&str, &str, &str); 2] = [
    ("contracts.csv", "shared:2,next,1,1,20.00,,2,,3,60.00", "shared:2,next,1,1,25.00,,1,,3,60.00"),
    ("contracts.csv", "shared:2,next,1,3,20.00,1,,4,", "shared:2,next,1,3,20.00,2,,4,"),
];
