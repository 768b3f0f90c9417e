//! The demo: a rulebook of about 300 dealers at real places, whose webhooks lead back to this machine.

/// The address that the demo's channels are written with; `serve` puts its own in its place.
pub const PLACEHOLDER: &str = "http://127.0.0.1:9/";

/// The demo rulebook's files.
pub const FILES: [(&str, &str); 10] = [
    ("company.toml", include_str!("../demo/company.toml")),
    ("offers.toml", include_str!("../demo/offers.toml")),
    ("sources.toml", include_str!("../demo/sources.toml")),
    ("scoring.toml", include_str!("../demo/scoring.toml")),
    ("followup.toml", include_str!("../demo/followup.toml")),
    ("dealers.csv", include_str!("../demo/dealers.csv")),
    ("channels.csv", include_str!("../demo/channels.csv")),
    ("areas.csv", include_str!("../demo/areas.csv")),
    ("contracts.csv", include_str!("../demo/contracts.csv")),
    ("tests.toml", include_str!("../demo/tests.toml")),
];

/// The demo's files, with the dealers at `base` (ends with a slash).
pub fn files(base: &str) -> Vec<(String, Vec<u8>)> {
    FILES.map(|(name, text)| (name.to_owned(), text.replace(PLACEHOLDER, base).into_bytes())).to_vec()
}
