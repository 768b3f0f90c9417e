//! `areas.csv`: named areas, one part a row.

use std::collections::BTreeMap;

use crate::contract::AreaPart;
use crate::ids::AreaId;
use crate::limits;
use crate::rulebook::body::Body;
use crate::rulebook::columns::AREAS;
use crate::rulebook::index::{Index, Read};
use crate::rulebook::problem::{Position, Problems};
use crate::rulebook::table::{Row, Table};

pub(super) fn read(
    body: &Body<'_>,
    index: &mut Index<AreaId>,
    problems: &mut Problems,
) -> BTreeMap<AreaId, (Position, Vec<AreaPart>)> {
    let mut areas: BTreeMap<AreaId, (Position, Vec<AreaPart>)> = BTreeMap::new();
    let Some(mut table) = Table::open(body, &AREAS, problems) else {
        index.broke_off();
        return areas;
    };
    let mut rows = 0;
    while let Some(row) = table.next_row(problems) {
        let offset = row.offset();
        if let Ok((area, part)) = part(&row, offset, index, problems) {
            areas.entry(area).or_insert_with(|| (body.locate(offset), Vec::new())).1.push(part);
        }
        rows += 1;
        if !table.at_most(limits::AREA_PARTS, rows, "area parts", problems) {
            break;
        }
    }
    if table.broke_off {
        index.broke_off();
    }
    areas
}

fn part(
    row: &Row<'_, '_>,
    offset: usize,
    index: &mut Index<AreaId>,
    problems: &mut Problems,
) -> Read<(AreaId, AreaPart)> {
    // An area of many rows shares one id.
    let area = match index.find_known(row.text("area")) {
        Some(known) => Ok(known),
        None => row.needed("area", str::parse::<AreaId>, problems),
    };
    if let Ok(area) = &area {
        index.insert_again(area, offset);
    }
    let part = row.needed("part", str::parse::<AreaPart>, problems);
    Ok((area?, part?))
}
