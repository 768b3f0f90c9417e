//! `offers.toml`: what leads sign up for.

use crate::distribution::Step;
use crate::ids::{CategoryId, OfferId};
use crate::limits;
use crate::rulebook::body::Body;
use crate::rulebook::company::{Defaults, Mode, ranking};
use crate::rulebook::index::{Index, Read};
use crate::rulebook::keys::{Keys, document, text};
use crate::rulebook::problem::{Position, ProblemCode, Problems};
use crate::rulebook::value;
use crate::scoring::Band;

/// One `[[offer]]`, the company's defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Offer {
    /// Its id.
    pub id: OfferId,
    /// The trade it belongs to.
    pub category: CategoryId,
    /// As the desk reads it.
    pub name: String,
    /// Whether its leads are placed by themselves.
    pub mode: Mode,
    /// The least band that is distributed; below it a lead is nurtured. Key `band`.
    pub min_band: Band,
    /// A prize or freebie: a lead nurtures until a second interaction.
    pub incentive: bool,
    /// How those who may have its leads are put in order.
    pub ranking: Vec<Step>,
}

pub(super) fn read(
    body: &Body<'_>,
    defaults: &Defaults,
    index: &mut Index<OfferId>,
    problems: &mut Problems,
) -> Vec<(Position, Offer)> {
    let Some(table) = document(body, problems) else {
        index.broke_off();
        return Vec::new();
    };
    let mut file = Keys::new(body, &table, 0);
    let tables = file.tables("offer", problems);
    file.finish(problems);
    let Ok(tables) = tables else {
        index.broke_off();
        return Vec::new();
    };
    if tables.is_empty() {
        problems.error(body, 0, ProblemCode::MissingKey, "a rulebook has at least one [[offer]]");
        index.broke_off();
    }
    let mut offers = Vec::new();
    for (count, keys) in tables.into_iter().enumerate() {
        if count == limits::OFFERS {
            let message = format!("a rulebook has at most {} offers", limits::OFFERS);
            problems.error(body, keys.offset, ProblemCode::TooMany, message);
            index.broke_off();
            break;
        }
        let at = body.locate(keys.offset);
        offers.extend(offer(keys, body, defaults, index, problems).map(|offer| (at, offer)));
    }
    offers
}

fn offer(
    mut keys: Keys<'_, '_>,
    body: &Body<'_>,
    defaults: &Defaults,
    index: &mut Index<OfferId>,
    problems: &mut Problems,
) -> Read<Offer> {
    let id = keys.needed("id", text(str::parse::<OfferId>), problems);
    let unique = id.as_ref().map_or(Ok(()), |id| index.insert(id, keys.offset_of("id"), body, problems));
    let category = keys.needed("category", text(str::parse), problems);
    let name = keys.needed("name", text(|text| value::prose("name", text, limits::TEXT_CHARS)), problems);
    let mode = keys.optional("mode", text(str::parse), problems);
    let min_band = keys.optional("band", text(str::parse), problems);
    let incentive = keys.flag("incentive", problems);
    let ranking = ranking(&mut keys, problems);
    keys.finish(problems);
    unique?;
    Ok(Offer {
        id: id?,
        category: category?,
        name: name?,
        mode: mode?.unwrap_or(defaults.mode),
        min_band: min_band?.unwrap_or(Band::LEAST),
        incentive: incentive?,
        ranking: ranking?.unwrap_or_else(|| defaults.ranking.clone()),
    })
}
