//! Switches, and the waking of leads that wait, in the transaction of what changed; of a company with
//! more categories than one transaction takes, the rest follow at once.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;
use leadyard_domain::distribution::Switches;
use leadyard_domain::ids::{CategoryId, CompanyId, DealerId};

use super::keys::{self, Key};
use super::rulebook::{RulebookPointer, WAKES_AT_ONCE, read_pointer};
use super::{Act, Commit, Item, Store, StoreError, number, read_number, read_string, string, values};

/// Wakes everybody: more slots than any waiting room has leads.
pub(super) const ALL: u64 = 1_000_000_000;

/// How long after a change those who wait are woken, in seconds: who was being decided on by the old
/// rules is in the waiting room by then, and the index shows it.
pub const WAKE_AFTER_S: u32 = 5;
/// Slots of one dealer stand in a wake under this and its id.
const SLOTS_OF: &str = "d_";
/// What stands of a wake of everybody.
const ROUNDS: &str = "rounds";
const AFTER: &str = "upto";
const SENT: &str = "sent";
/// Of slots that came back: how many runs looked for whom they are.
const RUNS: &str = "runs";
/// How much later the sweep looks, should the message be lost.
const WAKE_GRACE_S: u32 = 15;

/// Leads of a category that are to be woken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wake {
    /// Slots that came free.
    pub slots: u64,
    /// Whose slots they are, and how many.
    pub dealers: BTreeMap<DealerId, u64>,
    /// Counts changes: done is done only if nothing came on top.
    pub generation: u64,
    /// Counts publishes and switches: after each, everybody is looked at from the beginning.
    pub rounds: u64,
    /// Of everybody, up to whom they are due, by where they stand in the index; behind a `~`, of those who are nurtured.
    pub after: Option<String>,
    /// At which generation the best were sent; of slots that came back, at which it was looked up to there.
    pub sent: Option<u64>,
    /// How many runs looked for whom the slots are that came back, at the generation of `sent`.
    pub runs: u64,
}

impl Wake {
    /// Whether everybody is woken: the rules or a switch changed.
    pub const fn everybody(&self) -> bool {
        self.slots >= ALL
    }

    /// Behind whom it goes on for slots that came back; from the beginning, where more came back since.
    pub fn goes_on_behind(&self) -> Option<&str> {
        self.after.as_deref().filter(|_| self.sent == Some(self.generation))
    }

    /// Which run looks now for whom the slots are, 1 first: more that came back are looked for from the beginning.
    pub fn run(&self) -> u64 {
        if self.sent == Some(self.generation) { self.runs + 1 } else { 1 }
    }
}

impl Store {
    /// The pointer and the switches in force: what every decision reads afresh.
    pub async fn in_force(
        &self,
        company: &CompanyId,
    ) -> Result<(Option<RulebookPointer>, Switches), StoreError> {
        let items = self.get_many(&[Key::RulebookPointer(company), Key::Switches(company)]).await?;
        let mut found = (None, Switches::default());
        for item in items {
            match read_string(&item, "sk") {
                Some("S") => found.1 = read_switches(&item)?.0,
                Some(_) | None => found.0 = read_pointer(&item),
            }
        }
        Ok(found)
    }

    /// The switches with their version, 0 if none was ever flipped.
    pub async fn switches_get(&self, company: &CompanyId) -> Result<(Switches, u64), StoreError> {
        match self.get(&Key::Switches(company)).await? {
            Some(item) => read_switches(&item),
            None => Ok((Switches::default(), 0)),
        }
    }

    /// Keeps changed switches, with who flipped what, and wakes all who wait in these categories; `false` when somebody else
    /// flipped one meanwhile.
    pub async fn switches_save(
        &self,
        company: &CompanyId,
        switches: &Switches,
        seen: u64,
        categories: &[CategoryId],
        act: &Act,
    ) -> Result<bool, StoreError> {
        let text = serde_json::to_string(switches).map_err(|error| StoreError::Malformed(Box::new(error)))?;
        let mut item = super::key_item(&Key::Switches(company));
        item.insert("switches".to_owned(), string(text));
        item.insert("v".to_owned(), number(seen + 1));
        let condition = if seen == 0 { "attribute_not_exists(pk)" } else { "v = :seen" };
        let bound = if seen == 0 { values([]) } else { values([(":seen", number(seen))]) };
        let mut writes = vec![self.put(item, condition, bound)?, self.change_write(company, act)?];
        for category in categories.iter().take(WAKES_AT_ONCE) {
            writes.push(self.wake_write(company, category, ALL, None, act.at)?);
        }
        let saved = matches!(self.transact(writes).await?, Commit::Done);
        if saved {
            for category in categories.iter().skip(WAKES_AT_ONCE) {
                self.wake(company, category, act.at).await?;
            }
        }
        Ok(saved)
    }

    /// Wakes all who wait in a category.
    pub async fn wake(
        &self,
        company: &CompanyId,
        category: &CategoryId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let write = self.wake_write(company, category, ALL, None, now)?;
        self.transact(vec![write]).await.map(drop)
    }

    /// Slots came free: of this dealer, or (`None`) for all we know of everybody.
    pub(super) fn wake_write(
        &self,
        company: &CompanyId,
        category: &CategoryId,
        slots: u64,
        dealer: Option<&DealerId>,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let shard = wake_shard(category);
        let due_ms = now.as_millisecond() + 1_000 * i64::from(WAKE_AFTER_S + WAKE_GRACE_S);
        let bound = values([
            (":slots", number(slots)),
            (":one", number(1)),
            (":dk", string(shard)),
            (":dt", number(due_ms)),
        ]);
        let of_dealer = if dealer.is_some() { ", #dealer :slots" } else { "" };
        let (round, anew) = match dealer {
            // A slot that comes back meanwhile does not begin it anew, or a busy company's would never end.
            Some(_) => (String::new(), String::new()),
            None => (format!(", {ROUNDS} :one"), format!(" REMOVE {AFTER}, {SENT}")),
        };
        let expression = format!("ADD slots :slots, gen :one{round}{of_dealer} SET dk = :dk, dt = :dt{anew}");
        let mut write = self.update(&Key::Wake(company, category), &expression, "", bound)?;
        if let (Some(dealer), Some(update)) = (dealer, &mut write.update) {
            let name = format!("{SLOTS_OF}{dealer}");
            update.expression_attribute_names = Some(HashMap::from([("#dealer".to_owned(), name)]));
        }
        Ok(write)
    }

    /// Whom to wake, if anyone.
    pub async fn wake_get(
        &self,
        company: &CompanyId,
        category: &CategoryId,
    ) -> Result<Option<Wake>, StoreError> {
        let item = self.get(&Key::Wake(company, category)).await?;
        Ok(item.and_then(|item| {
            let slots_of = |name: &String| {
                let dealer = name.strip_prefix(SLOTS_OF)?.parse().ok()?;
                Some((dealer, read_number(&item, name)?))
            };
            Some(Wake {
                slots: read_number(&item, "slots")?,
                dealers: item.keys().filter_map(slots_of).collect(),
                generation: read_number(&item, "gen")?,
                rounds: read_number(&item, ROUNDS).unwrap_or(0),
                after: read_string(&item, AFTER).map(str::to_owned),
                sent: read_number(&item, SENT),
                runs: read_number(&item, RUNS).unwrap_or(0),
            })
        }))
    }

    /// They were woken: forgets it, unless more slots came free meanwhile.
    pub async fn wake_done(
        &self,
        company: &CompanyId,
        category: &CategoryId,
        wake: &Wake,
    ) -> Result<(), StoreError> {
        let result = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(super::key_item(&Key::Wake(company, category))))
            .condition_expression("gen = :gen")
            .expression_attribute_values(":gen", number(wake.generation))
            .send()
            .await;
        super::stands(result).map(drop)
    }

    /// Everybody is due up to this place in the index, and the rest is next; unless somebody published since, and all
    /// begins anew.
    pub async fn wake_goes_on(
        &self,
        company: &CompanyId,
        category: &CategoryId,
        wake: &Wake,
        after: &str,
    ) -> Result<(), StoreError> {
        let mut bound = values([(":after", string(after)), (":sent", number(wake.generation))]);
        // Of one that an earlier version made they are not counted.
        let condition = if wake.rounds == 0 {
            format!("attribute_exists(pk) AND attribute_not_exists({ROUNDS})")
        } else {
            bound.insert(":rounds".to_owned(), number(wake.rounds));
            format!("{ROUNDS} = :rounds")
        };
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(super::key_item(&Key::Wake(company, category))))
            .update_expression(format!("SET {AFTER} = :after, {SENT} = :sent"))
            .condition_expression(condition)
            .set_expression_attribute_values(Some(bound))
            .send()
            .await;
        super::stands(result).map(drop)
    }

    /// Of slots that came back some are left, and those behind this place in the index are next; unless more came back
    /// since, and it begins with the best again.
    pub async fn wake_goes_further(
        &self,
        company: &CompanyId,
        category: &CategoryId,
        wake: &Wake,
        upto: &str,
        taken: &BTreeMap<DealerId, u64>,
    ) -> Result<(), StoreError> {
        let mut bound = values([
            (":upto", string(upto)),
            (":gen", number(wake.generation)),
            (":run", number(wake.run())),
            (":taken", number(-(taken.values().sum::<u64>() as i64))),
        ]);
        let mut names = HashMap::new();
        let mut add = "ADD slots :taken".to_owned();
        for (at, (dealer, taken)) in taken.iter().enumerate() {
            bound.insert(format!(":t{at}"), number(-(*taken as i64)));
            names.insert(format!("#t{at}"), format!("{SLOTS_OF}{dealer}"));
            add.extend([", #t", &at.to_string(), " :t", &at.to_string()]);
        }
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(super::key_item(&Key::Wake(company, category))))
            .update_expression(format!("{add} SET {AFTER} = :upto, {SENT} = :gen, {RUNS} = :run"))
            .condition_expression("gen = :gen")
            .set_expression_attribute_names((!names.is_empty()).then_some(names))
            .set_expression_attribute_values(Some(bound))
            .send()
            .await;
        super::stands(result).map(drop)
    }

    /// Somebody comes free at an instant, and a lead waits for it: the best of them are woken then. Once for all of
    /// them.
    pub async fn wake_at(
        &self,
        company: &CompanyId,
        category: &CategoryId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let at_ms = at.as_millisecond();
        let mut item = super::key_item(&Key::WakeAt { company, category, at_ms });
        item.insert("dk".to_owned(), string(wake_shard(category)));
        item.insert("dt".to_owned(), number(at_ms));
        self.put_if(item, "attribute_not_exists(pk)", values([])).await.map(drop)
    }

    /// Whether leads still are to be woken for an instant.
    pub async fn wake_at_stands(
        &self,
        company: &CompanyId,
        category: &CategoryId,
        at_ms: i64,
    ) -> Result<bool, StoreError> {
        Ok(self.get(&Key::WakeAt { company, category, at_ms }).await?.is_some())
    }

    /// Some of them were, and the rest is next: the sweep looks for it only by then, should the message be lost.
    pub async fn wake_at_goes_further(
        &self,
        company: &CompanyId,
        category: &CategoryId,
        at_ms: i64,
        by: Timestamp,
    ) -> Result<(), StoreError> {
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(super::key_item(&Key::WakeAt { company, category, at_ms })))
            .update_expression("SET dt = :dt")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":dt", number(by.as_millisecond()))
            .send()
            .await;
        super::stands(result).map(drop)
    }

    /// They were woken.
    pub async fn wake_at_done(
        &self,
        company: &CompanyId,
        category: &CategoryId,
        at_ms: i64,
    ) -> Result<(), StoreError> {
        let key = super::key_item(&Key::WakeAt { company, category, at_ms });
        let result = self.client.delete_item().table_name(&self.table).set_key(Some(key)).send().await;
        result.map(drop).map_err(StoreError::unavailable)
    }
}

fn wake_shard(category: &CategoryId) -> String {
    keys::due_shard(keys::shard_of_name(category.as_str()))
}

fn read_switches(item: &Item) -> Result<(Switches, u64), StoreError> {
    let text = read_string(item, "switches").unwrap_or("{}");
    let switches = serde_json::from_str(text).map_err(|error| StoreError::damaged("switches", error))?;
    Ok((switches, read_number(item, "v").unwrap_or(0)))
}
