//! stub
use leadyard_domain::lead::Answer;
use leadyard_model::Protocol;
use leadyard_model::state::{Change, Faults};
use leadyard_model::world::*;
use stateright::{Checker, Model};

fn run(world: World) {
    let start = std::time::Instant::now();
    let checker = Protocol { world, broken: Broken::Nothing }.checker().target_state_count(12_000_000).spawn_bfs().join();
    println!("{}: {} unique of {} depth {} {:?}", world.name, checker.unique_state_count(), checker.state_count(), checker.max_depth(), start.elapsed());
    let d = checker.discoveries();
    for p in checker.model().properties() {
        if (p.expectation == stateright::Expectation::Always) == d.contains_key(p.name) && !p.name.is_empty() && p.expectation == stateright::Expectation::Always || d.contains_key(p.name) { println!("  {:?} {} {}", p.expectation, p.name, d.contains_key(p.name)); }
        if p.expectation == stateright::Expectation::Always && let Some(path) = d.get(p.name) {
            for a in path.clone().into_actions() { println!("      {a:?}"); }
            println!("      {:?}", path.last_state());
        }
    }
}

#[test]
fn try_it() {
    for world in leadyard_model::worlds::ALL { run(*world); }
}
