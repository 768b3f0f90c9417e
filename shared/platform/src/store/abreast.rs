//! Many who work side by side for one request: what they read and write is gathered into few calls.
//!
//! A hundred rows of a file are a hundred enquiries, each with its own reads and its own transaction. A call
//! costs more than what it carries, and on a disk each transaction waits for it. So of those who ask at one
//! moment one makes the call for all: up to a hundred keys in a read, up to a hundred items in a transaction.
//! Everyone is told their own part, and sees nothing of the rest.
//!
//! # Determinations
//!
//! - *All or nothing, for each.* A transaction of many stands as a whole. Where a condition of one fails, nothing
//!   stood; that one is told so, and the others go together again without it.
//! - *Nobody shares an item with another of the same transaction*: the table refuses it. Who would, goes with the
//!   next.
//! - *What stays contended, or is refused as malformed, goes alone*: none is to answer for another's item.
//! - *Nobody waits for company*: who finds no call on its way makes one at once, with whoever has come by then.
//!   The longer calls take, the more go together.
//!
//! It lives as long as one request, and all who share it end with it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_dynamodb::types::TransactWriteItem;
use tokio::sync::oneshot;

use super::keys::Key;
use super::{Commit, Item, Store, StoreError, read_string};

/// Calls of a kind on their way at once: while the table works on one, the next is put together.
const LANES: usize = 2;
/// Keys of one read, as the table takes them.
const KEYS: usize = 100;
/// Items of one transaction, as the table takes them. Their size needs no limit here: what one request brings
/// is a quarter of the 4 MB that a transaction may hold.
const ITEMS: usize = 100;

/// What is to be read and written.
#[derive(Debug, Default)]
pub(super) struct Abreast {
    reads: Mutex<Line<Read>>,
    writes: Mutex<Line<Write>>,
}

/// Who waits for a call, and how many calls are on their way.
#[derive(Debug)]
struct Line<W> {
    waiting: VecDeque<W>,
    lanes: usize,
}

impl<W> Default for Line<W> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), lanes: 0 }
    }
}

impl<W> Line<W> {
    /// Joins the line; whether the one who joins is to make calls for it.
    fn join(&mut self, one: W) -> bool {
        self.waiting.push_back(one);
        let leads = self.lanes < LANES;
        self.lanes += usize::from(leads);
        leads
    }
}

/// `pk` and `sk`.
type Place = (String, String);

#[derive(Debug)]
struct Read {
    place: Place,
    tell: oneshot::Sender<Result<Option<Item>, StoreError>>,
}

#[derive(Debug)]
struct Write {
    items: Vec<TransactWriteItem>,
    alone: bool,
    tell: oneshot::Sender<Result<Commit, StoreError>>,
}

impl Store {
    /// The same store for those who work side by side for one request.
    #[must_use]
    pub fn abreast(&self) -> Self {
        Self { abreast: Some(Arc::default()), ..self.clone() }
    }

    pub(super) async fn get_abreast(
        &self,
        abreast: &Abreast,
        key: &Key<'_>,
    ) -> Result<Option<Item>, StoreError> {
        let (tell, told) = oneshot::channel();
        let leads = lock(&abreast.reads).join(Read { place: (key.pk(), key.sk()), tell });
        if leads {
            tokio::task::yield_now().await; // whoever is about to ask comes along
            loop {
                let group = next_reads(&mut lock(&abreast.reads));
                if group.is_empty() {
                    break;
                }
                self.read_group(group).await;
            }
        }
        told.await.unwrap_or_else(|_| Err(left_behind()))
    }

    async fn read_group(&self, group: HashMap<Place, Vec<Read>>) {
        let keys: Vec<Item> = group
            .keys()
            .map(|(pk, sk)| {
                HashMap::from([("pk".into(), super::string(pk)), ("sk".into(), super::string(sk))])
            })
            .collect();
        match self.get_items(&keys).await {
            Ok(items) => {
                let mut found: HashMap<Place, Item> =
                    items.into_iter().filter_map(|item| Some((place_of(&item)?, item))).collect();
                for (place, readers) in group {
                    let item = found.remove(&place);
                    for read in readers {
                        // Nobody may be there any more to hear it.
                        let _ = read.tell.send(Ok(item.clone()));
                    }
                }
            }
            Err(error) => {
                for read in group.into_values().flatten() {
                    let _ = read.tell.send(Err(like(&error)));
                }
            }
        }
    }

    pub(super) async fn transact_abreast(
        &self,
        abreast: &Abreast,
        items: Vec<TransactWriteItem>,
    ) -> Result<Commit, StoreError> {
        let (tell, told) = oneshot::channel();
        let leads = lock(&abreast.writes).join(Write { items, alone: false, tell });
        if leads {
            tokio::task::yield_now().await;
            loop {
                let group = next_writes(&mut lock(&abreast.writes));
                if group.is_empty() {
                    break;
                }
                let again = self.write_group(group).await;
                lock(&abreast.writes).waiting.extend(again);
            }
        }
        told.await.unwrap_or_else(|_| Err(left_behind()))
    }

    /// Commits a group; who is to go again.
    async fn write_group(&self, group: Vec<Write>) -> Vec<Write> {
        let items = group.iter().flat_map(|write| write.items.iter().cloned()).collect();
        let single = group.len() == 1;
        match self.transact_alone(items).await {
            Ok(Commit::Done) => {
                for write in group {
                    let _ = write.tell.send(Ok(Commit::Done));
                }
                Vec::new()
            }
            Ok(Commit::Refused(refusals)) => apart(group, refusals),
            Err(StoreError::Contended | StoreError::Malformed(_)) if !single => {
                group.into_iter().map(|write| Write { alone: true, ..write }).collect()
            }
            Err(error) => {
                for write in group {
                    let _ = write.tell.send(Err(like(&error)));
                }
                Vec::new()
            }
        }
    }
}

/// Whoever was refused is told; the others go again.
fn apart(group: Vec<Write>, refusals: Vec<(usize, Option<Item>)>) -> Vec<Write> {
    let mut refusals = refusals.into_iter().peekable();
    let mut from = 0;
    let mut again = Vec::new();
    for write in group {
        let to = from + write.items.len();
        let mut own = Vec::new();
        while let Some((at, item)) = refusals.next_if(|(at, _)| *at < to) {
            own.push((at - from, item));
        }
        from = to;
        if own.is_empty() {
            again.push(write);
        } else {
            let _ = write.tell.send(Ok(Commit::Refused(own)));
        }
    }
    again
}

/// Those who are read next, by what they ask for; an empty line gives up its lane.
fn next_reads(line: &mut Line<Read>) -> HashMap<Place, Vec<Read>> {
    let mut group: HashMap<Place, Vec<Read>> = HashMap::new();
    let mut later = VecDeque::new();
    for read in line.waiting.drain(..) {
        if group.contains_key(&read.place) || group.len() < KEYS {
            group.entry(read.place.clone()).or_default().push(read);
        } else {
            later.push_back(read);
        }
    }
    line.waiting = later;
    line.lanes -= usize::from(group.is_empty());
    group
}

/// Those who are written next: as many as one transaction takes, none touching another's items.
fn next_writes(line: &mut Line<Write>) -> Vec<Write> {
    let mut group: Vec<Write> = Vec::new();
    let mut later = VecDeque::new();
    let (mut count, mut taken) = (0, HashSet::new());
    for write in line.waiting.drain(..) {
        let places: Vec<Option<Place>> = write.items.iter().map(place_written).collect();
        // What we cannot place may be anything, and goes alone.
        let known = places.iter().all(Option::is_some) && !group.iter().any(|one| one.alone);
        let company = known && !write.alone && count + write.items.len() <= ITEMS;
        let free = company && places.iter().flatten().all(|place| !taken.contains(place));
        if group.is_empty() || free {
            count += write.items.len();
            let alone = write.alone || places.iter().any(Option::is_none);
            taken.extend(places.into_iter().flatten());
            group.push(Write { alone, ..write });
        } else {
            later.push_back(write);
        }
    }
    line.waiting = later;
    line.lanes -= usize::from(group.is_empty());
    group
}

fn place_written(write: &TransactWriteItem) -> Option<Place> {
    let key = write.put.as_ref().map(|put| &put.item);
    let key = key.or_else(|| write.update.as_ref().map(|update| &update.key));
    let key = key.or_else(|| write.delete.as_ref().map(|delete| &delete.key));
    place_of(key.or_else(|| write.condition_check.as_ref().map(|check| &check.key))?)
}

fn place_of(item: &Item) -> Option<Place> {
    Some((read_string(item, "pk")?.to_owned(), read_string(item, "sk")?.to_owned()))
}

fn lock<W>(line: &Mutex<Line<W>>) -> MutexGuard<'_, Line<W>> {
    line.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What one was told, for another: an error belongs to whoever made the call.
fn like(error: &StoreError) -> StoreError {
    match error {
        StoreError::Contended => StoreError::Contended,
        StoreError::Unavailable(source) => StoreError::Unavailable(source.to_string().into()),
        StoreError::Damaged { key, source } => StoreError::Damaged { key, source: source.to_string().into() },
        StoreError::Malformed(source) => StoreError::Malformed(source.to_string().into()),
    }
}

/// Whoever made the call went away in the middle of it.
fn left_behind() -> StoreError {
    StoreError::Unavailable("the request that made this call ended".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::types::Put;

    fn write(places: &[&str]) -> (Write, oneshot::Receiver<Result<Commit, StoreError>>) {
        let items = places
            .iter()
            .map(|pk| {
                let item = HashMap::from([
                    ("pk".into(), super::super::string(*pk)),
                    ("sk".into(), super::super::string("L")),
                ]);
                let put = Put::builder().table_name("t").set_item(Some(item)).build().unwrap();
                TransactWriteItem::builder().put(put).build()
            })
            .collect();
        let (tell, told) = oneshot::channel();
        (Write { items, alone: false, tell }, told)
    }

    fn line(writes: Vec<Write>) -> Line<Write> {
        Line { waiting: writes.into(), lanes: 1 }
    }

    fn sizes(group: &[Write]) -> Vec<usize> {
        group.iter().map(|write| write.items.len()).collect()
    }

    #[test]
    fn nobody_shares_an_item_with_another_of_the_same_transaction() {
        let mut line = line(vec![write(&["a", "b"]).0, write(&["c", "a"]).0, write(&["d"]).0]);
        assert_eq!(sizes(&next_writes(&mut line)), [2, 1]);
        assert_eq!(sizes(&next_writes(&mut line)), [2]);
        assert_eq!((next_writes(&mut line).len(), line.lanes), (0, 0));
    }

    #[test]
    fn a_transaction_holds_a_hundred_items_and_what_goes_alone_goes_alone() {
        let names: Vec<String> = (0..130).map(|n| n.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut many = line(names.chunks(30).map(|some| write(some).0).collect());
        // The last, of ten, still fits beside three of thirty.
        assert_eq!(sizes(&next_writes(&mut many)), [30, 30, 30, 10]);
        assert_eq!(sizes(&next_writes(&mut many)), [30]);
        let alone = Write { alone: true, ..write(&["x"]).0 };
        let mut apart = line(vec![write(&["y"]).0, alone, write(&["z"]).0]);
        assert_eq!(sizes(&next_writes(&mut apart)), [1, 1]);
        assert_eq!(sizes(&next_writes(&mut apart)), [1]);
        let alone = Write { alone: true, ..write(&["x"]).0 };
        let mut first = line(vec![alone, write(&["z"]).0]);
        assert_eq!(sizes(&next_writes(&mut first)), [1]);
    }

    #[test]
    fn who_was_refused_is_told_its_own_part_and_the_others_go_again() {
        let (one, _) = write(&["a", "b"]);
        let (two, mut told) = write(&["c", "d", "e"]);
        let (three, _) = write(&["f"]);
        let again = apart(vec![one, two, three], vec![(2, None), (4, None)]);
        assert_eq!(sizes(&again), [2, 1]);
        let Ok(Ok(Commit::Refused(refusals))) = told.try_recv() else { panic!("it was told") };
        assert_eq!(refusals.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0, 2]);
    }

    #[test]
    fn a_read_of_the_same_key_is_asked_once() {
        let read = |pk: &str| Read { place: (pk.to_owned(), String::new()), tell: oneshot::channel().0 };
        let mut line = Line { waiting: (0..250).map(|n| read(&(n % 120).to_string())).collect(), lanes: 1 };
        let first = next_reads(&mut line);
        assert_eq!((first.len(), first.values().map(Vec::len).sum::<usize>()), (100, 210));
        assert_eq!(next_reads(&mut line).len(), 20);
        assert_eq!((next_reads(&mut line).len(), line.lanes), (0, 0));
    }
}
