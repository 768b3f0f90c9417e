//! Every handler dies before and after each of its calls, in turn; the system recovers, and the
//! promises hold.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use leadyard::system::{self, Worked};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::faults::{Fault, Invocation, Side};
use crate::promises;
use crate::rules::Book;
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
}

const HANDLERS: [Handler; 14] = [
    Handler::IntakeLead,
    Handler::IntakeRepeat,
    Handler::IntakeInteractions,
    Handler::Spill,
    Handler::Scoring,
    Handler::Distribution,
    Handler::Delivery,
    Handler::DeliveryFails,
    Handler::DeliveryThenGone,
    Handler::DeliveryUnknown,
    Handler::DeliveryRepeat,
    Handler::Sweep,
    Handler::Accept,
    Handler::Decline,
];

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
        let rested = world.come_to_rest().await;
        workers.abort_all();
        while workers.join_next().await.is_some() {}
        let mut violations = promises::check(&world).await?.violations;
        violations.extend(rested.err().map(|error| error.to_string()));
        Ok(Ran { calls: invocation.calls(), died: invocation.died(), violations })
    })
}

fn enquiry(message: &str) -> Value {
    json!({
        "last_name": "Hill", "email": "hill@mail.example.org", "phone": "+13035552001", "zip": "75214",
        "offer": "roof-repair", "message": message,
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
    let answer = world.enquire_in(&calm(), "alpha", &enquiry("first")).await;
    let lead = answer.and_then(|answer| Some(answer["lead"].as_str()?.to_owned()));
    let lead = lead.ok_or_else(|| anyhow::anyhow!("the enquiry was not taken"))?;
    match handler {
        Handler::IntakeLead | Handler::Spill => {}
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
