//! Every handler dies before and after each of its calls, in turn; the system recovers, and the
//! promises hold.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use leadyard::system::{self, Worked};
use leadyard_domain::lead::Stage;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::dealers::Seen;
use crate::faults::{Fault, Invocation, Side};
use crate::promises;
use crate::rules::{self, Book};
use crate::world::{World, in_virtual_time};

/// A handler, in the situation in which it does the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Handler {
    IntakeLead,
    IntakeRepeat,
    IntakeInteractions,
    Spill,
    Scoring,
    Distribution,
    /// Several leads at once, for the same contracts.
    DistributionOfMany,
    Delivery,
    /// The dealer is gone at the first attempt.
    DeliveryFails,
    /// The dealer received it; when it is posted again, after the crash, the dealer is gone.
    DeliveryThenGone,
    /// The last of six attempts ends unknown: a withdrawal, and the next dealer's turn.
    DeliveryUnknown,
    /// A holder is told of a repeat.
    DeliveryRepeat,
    Sweep,
    Accept,
    Decline,
    /// Something that happens to a lead which the desk placed.
    Placed(Placed),
    /// Something that the desk does to the whole company, for which a lead waits.
    Ruled(Ruled),
}

/// What the desk does to the whole company: leads that wait for it are woken, whatever dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ruled {
    /// Distribution was stopped, and goes on.
    StopOff,
    /// A rulebook whose cap is higher.
    Publish,
    /// The one before, whose cap is higher.
    RollBack,
}

/// What happens to a lead that the desk placed, since the rules need not have given it to that contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Placed {
    /// The placing itself.
    Place,
    /// The deadline of who was given it is over.
    Lapse,
    /// The dealer asks to return it; the desk has not decided.
    ReturnAsked,
    /// The desk lets the dealer return it.
    ReturnApproved,
    /// A dealer that is trusted returns it.
    ReturnTrusted,
    /// The desk takes it back, and keeps it for a while.
    TakeBack,
    /// The desk merges another lead of that person into it.
    Merge,
    /// A dealer that is trusted returns it, after it was merged into another.
    ReturnMerged,
}

const HANDLERS: [Handler; 26] = [
    Handler::IntakeLead,
    Handler::IntakeRepeat,
    Handler::IntakeInteractions,
    Handler::Spill,
    Handler::Scoring,
    Handler::Distribution,
    Handler::DistributionOfMany,
    Handler::Delivery,
    Handler::DeliveryFails,
    Handler::DeliveryThenGone,
    Handler::DeliveryUnknown,
    Handler::DeliveryRepeat,
    Handler::Sweep,
    Handler::Accept,
    Handler::Decline,
    Handler::Placed(Placed::Place),
    Handler::Placed(Placed::Lapse),
    Handler::Placed(Placed::ReturnAsked),
    Handler::Placed(Placed::ReturnApproved),
    Handler::Placed(Placed::ReturnTrusted),
    Handler::Placed(Placed::TakeBack),
    Handler::Placed(Placed::Merge),
    Handler::Placed(Placed::ReturnMerged),
    Handler::Ruled(Ruled::StopOff),
    Handler::Ruled(Ruled::Publish),
    Handler::Ruled(Ruled::RollBack),
];

/// Leads that come in before a batch is worked.
const MANY: usize = 5;

/// What one run came to.
struct Ran {
    calls: Vec<String>,
    died: bool,
    violations: Vec<String>,
}

/// Runs the matrix and prints it; whether every cell is ok.
///
/// # Errors
/// When a world cannot be built.
pub(crate) fn matrix(out: &mut impl Write, books: &[Book]) -> anyhow::Result<bool> {
    let mut well = true;
    for handler in HANDLERS {
        let calls = run(books, handler, None)?;
        report(out, handler, "not at all", &calls)?;
        well &= calls.violations.is_empty() && !calls.calls.is_empty();
        let mut cells = Vec::new();
        for (at, name) in calls.calls.iter().enumerate() {
            for side in [Side::Before, Side::After] {
                let ran = run(books, handler, Some((at + 1, side)))?;
                let place = format!("{side:?} call {} ({name})", at + 1);
                report(out, handler, &place, &ran)?;
                let ok = ran.died && ran.violations.is_empty();
                well &= ok;
                cells.push(if ok {
                    "ok"
                } else if ran.died {
                    "BROKEN"
                } else {
                    "EMPTY"
                });
            }
        }
        writeln!(out, "crash {handler:?}: {} calls, before/after each:", calls.calls.len())?;
        for (name, cells) in calls.calls.iter().zip(cells.chunks(2)) {
            writeln!(out, "    {name:<20} {}", cells.join("  "))?;
        }
    }
    Ok(well)
}

fn report(out: &mut impl Write, handler: Handler, place: &str, ran: &Ran) -> anyhow::Result<()> {
    for violation in &ran.violations {
        writeln!(out, "crash of {handler:?} {place}: {violation}")?;
    }
    Ok(())
}

fn run(books: &[Book], handler: Handler, dies_at: Option<(usize, Side)>) -> anyhow::Result<Ran> {
    // Any seed will do: the weather is fair, and only the queues are disorderly.
    const SEED: u64 = 5;
    in_virtual_time(SEED, async {
        let (world, _received) = World::build(SEED, books, false).await?;
        let invocation = Invocation::new(dies_at);
        Box::pin(act(&world, handler, &invocation)).await?;
        let mut workers = JoinSet::new();
        world.start(&mut workers);
        let mut late = Vec::new();
        if matches!(handler, Handler::Ruled(_)) {
            // By the next day they would be woken anyway.
            sleep(Duration::from_secs(600)).await;
            late = still_waiting(&world).await?;
        }
        let rested = world.come_to_rest().await;
        workers.abort_all();
        while workers.join_next().await.is_some() {}
        let mut violations = promises::check(&world).await?.violations;
        violations.extend(late);
        violations.extend(rested.err().map(|error| error.to_string()));
        Ok(Ran { calls: invocation.calls(), died: invocation.died(), violations })
    })
}

fn enquiry(message: &str) -> Value {
    enquiry_from("75214", message)
}

fn enquiry_from(zip: &str, message: &str) -> Value {
    json!({
        "last_name": "Hill", "email": "hill@mail.example.org", "phone": "+13035552001", "zip": zip,
        "offer": "roof-repair", "message": message, "consent": "yes",
    })
}

async fn act(world: &Arc<World>, handler: Handler, invocation: &Arc<Invocation>) -> anyhow::Result<()> {
    let calm = || Invocation::new(None);
    if handler == Handler::IntakeLead {
        return ask(world, invocation, "first").await;
    }
    if handler == Handler::Spill {
        world.faults.take_table_away(Duration::from_secs(30));
        world.enquire_in(&calm(), "alpha", &enquiry("first")).await;
        sleep(Duration::from_secs(40)).await;
        world.work(&system::SPILL, invocation).await;
        return Ok(());
    }
    if let Handler::Placed(what) = handler {
        return act_on_placed(world, what, invocation).await;
    }
    if let Handler::Ruled(what) = handler {
        return act_on_company(world, what, invocation).await;
    }
    let answer = world.enquire_in(&calm(), "alpha", &enquiry("first")).await;
    let lead = answer.and_then(|answer| Some(answer["lead"].as_str()?.to_owned()));
    let lead = lead.ok_or_else(|| anyhow::anyhow!("the enquiry was not taken"))?;
    match handler {
        Handler::IntakeLead | Handler::Spill | Handler::Placed(_) | Handler::Ruled(_) => {}
        Handler::IntakeRepeat => {
            work_off(world, &system::DISTRIBUTION).await;
            ask(world, invocation, "again").await?;
        }
        Handler::IntakeInteractions => {
            let at = world.cloud.clock.now();
            if world.interact_in(invocation, "alpha", &lead, at).await.is_none() {
                // Nobody was told: the page sends it again.
                sleep(Duration::from_secs(5)).await;
                let again = world.interact_in(&calm(), "alpha", &lead, at).await;
                anyhow::ensure!(again.is_some(), "the interaction was not taken");
            }
        }
        Handler::Scoring => {
            world.interact_in(&calm(), "alpha", &lead, world.cloud.clock.now()).await;
            sleep(Duration::from_secs(6)).await;
            world.work(&system::INTERACTIONS, invocation).await;
        }
        Handler::Distribution => {
            sleep(Duration::from_secs(6)).await;
            world.work(&system::DISTRIBUTION, invocation).await;
        }
        Handler::DistributionOfMany => {
            for number in 2..=MANY {
                let others = json!({
                    "last_name": "Hill", "email": format!("hill{number}@mail.example.org"), "zip": "75214",
                    "offer": "roof-repair", "message": "first",
                });
                world.enquire_in(&calm(), "alpha", &others).await;
            }
            sleep(Duration::from_secs(6)).await;
            // How many it takes is drawn; by this seed, more than one.
            let worked = world.work(&system::DISTRIBUTION, invocation).await;
            anyhow::ensure!(worked > 1, "a batch of {worked}");
        }
        Handler::Delivery => {
            work_off(world, &system::DISTRIBUTION).await;
            sleep(Duration::from_secs(6)).await;
            world.work(&system::DELIVERY, invocation).await;
        }
        Handler::DeliveryFails => {
            work_off(world, &system::DISTRIBUTION).await;
            sleep(Duration::from_secs(6)).await;
            world.dealers.always(Some(Fault::DealerGone));
            world.work(&system::DELIVERY, invocation).await;
            world.dealers.always(None);
        }
        Handler::DeliveryThenGone => {
            work_off(world, &system::DISTRIBUTION).await;
            sleep(Duration::from_secs(6)).await;
            world.work(&system::DELIVERY, invocation).await;
            world.dealers.always(Some(Fault::DealerGone));
        }
        Handler::DeliveryUnknown => {
            work_off(world, &system::DISTRIBUTION).await;
            world.dealers.always(Some(Fault::DealerError));
            let attempts = || world.dealers.log().iter().filter(|seen| seen.event == "assigned").count();
            while attempts() < 6 && !invocation.died() {
                sleep(Duration::from_secs(1)).await;
                let calm = calm();
                world.work(&system::DELIVERY, if attempts() < 5 { &calm } else { invocation }).await;
            }
            world.dealers.always(None);
        }
        Handler::DeliveryRepeat => {
            work_off(world, &system::DISTRIBUTION).await;
            work_off(world, &system::DELIVERY).await;
            ask(world, &calm(), "again").await?;
            sleep(Duration::from_secs(6)).await;
            world.work(&system::DELIVERY, invocation).await;
        }
        Handler::Sweep => {
            sleep(Duration::from_secs(120)).await;
            let _ = invocation.run(Box::pin(leadyard_sweep::sweep(&world.cloud))).await;
        }
        Handler::Accept | Handler::Decline => {
            work_off(world, &system::DISTRIBUTION).await;
            work_off(world, &system::DELIVERY).await;
            let seen = world.dealers.log().into_iter().find(|seen| seen.event == "assigned");
            let seen = seen.ok_or_else(|| anyhow::anyhow!("nobody received the lead"))?;
            let word = if handler == Handler::Accept { "accept" } else { "decline" };
            world.say_in(invocation, &seen.company, &seen.dealer, &seen.assignment, word).await;
        }
    }
    Ok(())
}

impl Placed {
    /// The contract: one with a deadline, one whose returns the desk decides, one that is trusted.
    const fn with(self) -> &'static str {
        match self {
            Self::Lapse => "birch-colorado",
            Self::ReturnAsked | Self::ReturnApproved => "cedar-colorado",
            Self::ReturnTrusted | Self::Place | Self::TakeBack | Self::Merge | Self::ReturnMerged => {
                "elm-colorado"
            }
        }
    }
}

/// A lead from Colorado, which the desk places before distribution has looked at it; and what comes of it.
async fn act_on_placed(world: &Arc<World>, what: Placed, invocation: &Arc<Invocation>) -> anyhow::Result<()> {
    let calm = || Invocation::new(None);
    let deposit = json!({ "amount": "80.00", "reference": "wire-1" });
    let (company, cedar) = rules::PREPAID;
    world.desk_in(&calm(), company, ("POST", &format!("/v1/dealers/{cedar}/deposits")), &deposit).await;
    let answer = world.enquire_in(&calm(), "alpha", &enquiry_from("80401", "first")).await;
    let lead = answer.and_then(|answer| Some(answer["lead"].as_str()?.to_owned()));
    let lead = lead.ok_or_else(|| anyhow::anyhow!("the enquiry was not taken"))?;
    let (place, with) = (format!("/v1/leads/{lead}/place"), json!({ "contract": what.with() }));
    let place = ("POST", place.as_str());
    if what == Placed::Place {
        return desk_twice(world, invocation, place, &with).await;
    }
    let placed = world.desk_in(&calm(), "alpha", place, &with).await;
    anyhow::ensure!(placed == Some(200), "the lead was not placed: {placed:?}");
    work_off(world, &system::DELIVERY).await;
    let seen = world.dealers.log().into_iter().find(|seen| seen.event == "assigned");
    let seen = seen.ok_or_else(|| anyhow::anyhow!("nobody received the lead"))?;
    if what == Placed::ReturnMerged {
        let other = another(world).await?;
        let body = json!({ "into": other, "reason": "the same person" });
        desk_twice(world, &calm(), ("POST", &format!("/v1/leads/{lead}/merge")), &body).await?;
    }
    match what {
        Placed::Lapse => {
            sleep(Duration::from_secs(61 * 60)).await;
            leadyard_sweep::sweep(&world.cloud).await?;
            sleep(Duration::from_secs(6)).await;
            world.work(&system::DELIVERY, invocation).await;
        }
        Placed::ReturnAsked | Placed::ReturnTrusted | Placed::ReturnMerged => {
            if asks_to_return(world, invocation, &seen).await.is_none() {
                sleep(Duration::from_secs(5)).await;
                let again = asks_to_return(world, &calm(), &seen).await;
                anyhow::ensure!(again == Some(200), "a second click was answered {again:?}");
            }
        }
        Placed::ReturnApproved => {
            let asked = asks_to_return(world, &calm(), &seen).await;
            anyhow::ensure!(asked == Some(200), "the return was not taken: {asked:?}");
            let path = format!("/v1/returns/{}/approve", seen.assignment);
            desk_twice(world, invocation, ("POST", &path), &json!({ "reason": "looked at" })).await?;
        }
        Placed::TakeBack => {
            let until = world.cloud.clock.now().checked_add(jiff::SignedDuration::from_hours(5))?;
            let body = json!({ "reason": "wrong", "hold": true, "until": until });
            desk_twice(world, invocation, ("POST", &format!("/v1/leads/{lead}/take_back")), &body).await?;
        }
        Placed::Merge => {
            let other = another(world).await?;
            let body = json!({ "into": lead, "reason": "the same person" });
            desk_twice(world, invocation, ("POST", &format!("/v1/leads/{other}/merge")), &body).await?;
        }
        Placed::Place => {}
    }
    Ok(())
}

/// Leads that wait: for a company that is stopped, or for a protected dealer whose day is full by the second edition
/// of the rules and not by the first.
async fn act_on_company(world: &Arc<World>, what: Ruled, invocation: &Arc<Invocation>) -> anyhow::Result<()> {
    let calm = || Invocation::new(None);
    let stop = |on: bool| json!({ "on": on });
    let switch = ("POST", "/v1/switches/stop?company=alpha");
    let texts = world.texts.iter().find(|(of, _)| *of == "alpha").map(|(_, texts)| texts);
    let [first, second] = texts.ok_or_else(|| anyhow::anyhow!("alpha has no texts"))?;
    if what == Ruled::StopOff {
        anyhow::ensure!(
            world.desk_in(&calm(), "alpha", switch, &stop(true)).await == Some(200),
            "not stopped"
        );
    } else {
        let route = ("PUT", "/v1/rulebook?company=alpha&base=1");
        let put = world.desk_in(&calm(), "alpha", route, &json!({ "files": **second })).await;
        anyhow::ensure!(put == Some(200), "the second edition was not published: {put:?}");
    }
    for number in 0..2 {
        let mut body = enquiry_from("80202", "first");
        body["email"] = json!(format!("hill{number}@mail.example.org"));
        body["phone"] = json!(format!("+1303555201{number}"));
        let answer = world.enquire_in(&calm(), "alpha", &body).await;
        let lead = answer.and_then(|answer| Some(answer["lead"].as_str()?.to_owned()));
        let lead = lead.ok_or_else(|| anyhow::anyhow!("the enquiry was not taken"))?;
        world.ledger().leads.push(("alpha".to_owned(), lead));
    }
    work_off(world, &system::DISTRIBUTION).await;
    anyhow::ensure!(!still_waiting(world).await?.is_empty(), "nobody waits");
    match what {
        Ruled::StopOff => desk_twice(world, invocation, switch, &stop(false)).await,
        Ruled::Publish => {
            let route = ("PUT", "/v1/rulebook?company=alpha&base=2");
            desk_twice(world, invocation, route, &json!({ "files": **first })).await
        }
        Ruled::RollBack => {
            let route = ("POST", "/v1/rulebook/rollback?company=alpha&base=2");
            desk_twice(world, invocation, route, &json!({ "version": 1 })).await
        }
    }
}

/// The leads that wait, in words.
async fn still_waiting(world: &World) -> anyhow::Result<Vec<String>> {
    let known = world.ledger().leads.clone();
    let mut waiting = Vec::new();
    for (_, lead) in known {
        let story = world.plain.store.lead_story(lead.parse()?).await?;
        let lead = story.map(|story| story.lead).ok_or_else(|| anyhow::anyhow!("lead {lead} is gone"))?;
        if lead.stage == Stage::Waiting {
            waiting.push(format!("lead {} still waits: {:?}", lead.id, lead.waiting));
        }
    }
    Ok(waiting)
}

/// The same person's second lead: she wrote from another address.
async fn another(world: &World) -> anyhow::Result<String> {
    let mut body = enquiry_from("80401", "from work");
    body["email"] = json!("hill@work.example.org");
    let answer = world.enquire_in(&Invocation::new(None), "alpha", &body).await;
    let lead = answer.and_then(|answer| Some(answer["lead"].as_str()?.to_owned()));
    lead.ok_or_else(|| anyhow::anyhow!("the second enquiry was not taken"))
}

async fn asks_to_return(world: &World, invocation: &Arc<Invocation>, seen: &Seen) -> Option<u16> {
    world.say_in(invocation, &seen.company, &seen.dealer, &seen.assignment, "return").await
}

/// The desk does something; when nobody answers, it clicks again: it is done then, or was.
async fn desk_twice(
    world: &World,
    invocation: &Arc<Invocation>,
    route: (&str, &str),
    body: &Value,
) -> anyhow::Result<()> {
    let first = world.desk_in(invocation, "alpha", route, body).await;
    if first.is_some() {
        anyhow::ensure!(first == Some(200), "{route:?} was answered {first:?}");
        return Ok(());
    }
    sleep(Duration::from_secs(5)).await;
    let again = world.desk_in(&Invocation::new(None), "alpha", route, body).await;
    anyhow::ensure!(matches!(again, Some(200 | 409)), "{route:?} was answered {again:?} at the second click");
    Ok(())
}

/// Posts an enquiry; when nobody answers, again, as a page's script would.
async fn ask(world: &World, invocation: &Arc<Invocation>, message: &str) -> anyhow::Result<()> {
    if world.enquire_in(invocation, "alpha", &enquiry(message)).await.is_none() {
        sleep(Duration::from_secs(5)).await;
        let again = world.enquire_in(&Invocation::new(None), "alpha", &enquiry(message)).await;
        anyhow::ensure!(again.is_some(), "the enquiry was not taken");
    }
    Ok(())
}

/// Works a queue until it is empty, late messages and duplicates included.
async fn work_off(world: &World, queue: &Worked) {
    for _ in 0..20 {
        sleep(Duration::from_secs(1)).await;
        while world.work(queue, &Invocation::new(None)).await > 0 {}
    }
}
