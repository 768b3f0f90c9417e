//! Who may be one person: their rows are kept one after another, in the order of their dates; different people's
//! side by side.

use std::collections::HashMap;

use jiff::Timestamp;
use leadyard_domain::enquiry::Understood;

/// A row of somebody.
pub(super) trait Of {
    /// What it says of them.
    fn who(&self) -> &Understood;
    /// When it arrived, and where it stands in the request.
    fn order(&self) -> (Timestamp, usize);
}

/// The rows by who may be one person (they share an e-mail or a phone), each in the order of their dates.
pub(super) fn people<T: Of>(mut rows: Vec<T>) -> Vec<Vec<T>> {
    rows.sort_by_key(T::order);
    let mut groups: Vec<Vec<T>> = Vec::new();
    let mut whose: HashMap<String, usize> = HashMap::new();
    for one in rows {
        let who = one.who();
        let email = who.email.as_ref().map(|email| email.dedupe_key());
        let phone = who.phone.as_ref().map(|phone| phone.as_str().to_owned());
        let keys: Vec<String> = email.into_iter().chain(phone).collect();
        let mut found: Vec<usize> = keys.iter().filter_map(|key| whose.get(key).copied()).collect();
        found.sort_unstable();
        found.dedup();
        let into = found.first().copied().unwrap_or(groups.len());
        if into == groups.len() {
            groups.push(Vec::new());
        }
        // Who brings two together is one with both.
        for other in found.into_iter().skip(1) {
            let theirs = groups.get_mut(other).map(std::mem::take).unwrap_or_default();
            whose.values_mut().filter(|group| **group == other).for_each(|group| *group = into);
            if let Some(group) = groups.get_mut(into) {
                group.extend(theirs);
                group.sort_by_key(T::order);
            }
        }
        whose.extend(keys.into_iter().map(|key| (key, into)));
        if let Some(group) = groups.get_mut(into) {
            group.push(one);
        }
    }
    groups
}
