//! Who is called again, and when: one lead that is not ready, and what the desk and it do.

use fastrand::Rng;
use jiff::Timestamp;
use leadyard_domain::contract::{Need, Needs};
use leadyard_domain::followup::{CallResult, Ended, FollowUp, FollowUpPlan, Rests, Step, Wait, look};
use leadyard_domain::lead::Lead;

use crate::{at, holds, lead, one_of};

broken! {
    /// Who is not ready is called at once.
    FirstWait,
    /// Each call comes as soon as the first.
    NextWait,
    /// Whom nobody reached is called by the plan of who is not ready.
    NotReachedPlan,
    /// A call that nobody answered is one of the plan's.
    PlanCountsItsOwn,
    /// Behind its last call the plan goes on.
    PlanEnds,
    /// However often they were called, they are called again.
    MostCalls,
    /// Whatever they do wakes nobody.
    Wakes,
    /// An enquiry wakes nobody.
    EnquiryWakes,
    /// Who rests is not woken.
    RestingWakes,
    /// Who is woken is not counted anew.
    CountedAnew,
    /// A call that was promised for a time is made at once.
    PromiseKept,
    /// However long ago they asked, they are called.
    AskedLately,
    /// Who agreed to be called is called no longer than who only asked.
    ConsentLonger,
    /// Who agreed and asked again since is called no longer than they agreed.
    EitherLonger,
    /// What somebody else claimed is called all the same.
    ClaimKeepsOthers,
    /// A claim never runs out.
    ClaimRunsOut,
    /// A call keeps the claim.
    CallLetsGo,
    /// Whose claim it is does not have it for longer by claiming again.
    ClaimedAgain,
    /// A callback needs no time.
    CallbackHasTime,
    /// Who wants nothing is called again.
    NotInterestedRests,
}

const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;
const NOT_READY: [i64; 2] = [DAY, 3 * DAY];
const NOT_REACHED: [i64; 3] = [4 * HOUR, DAY, 2 * DAY];
const MOST_CALLS: u8 = 4;
const ENQUIRY_DAYS: u16 = 10;
const CONSENT_DAYS: u16 = 20;
const PEOPLE: [&str; 2] = ["ann", "bob"];

fn rules() -> FollowUpPlan {
    let hours = |minutes: &i64| Wait::hours(u32::try_from(minutes / HOUR).unwrap());
    FollowUpPlan {
        not_ready: NOT_READY.iter().map(hours).collect(),
        not_reached: NOT_REACHED.iter().map(hours).collect(),
        most_calls: MOST_CALLS,
        enquiry_days: ENQUIRY_DAYS,
        consent_days: CONSENT_DAYS,
        ..FollowUpPlan::default()
    }
}

#[derive(Clone, Copy, Debug)]
enum Act {
    /// The sweep looks; they may have done something.
    Looked { did: bool },
    /// They ask again, and it is looked.
    Asks,
    /// Somebody claims the lead.
    Claims(usize),
    /// Somebody called, and perhaps they are to be called back in so many minutes.
    Called(usize, CallResult, Option<i64>),
}

#[derive(Clone, Debug)]
struct Case {
    consent: bool,
    /// Minutes since the one before, and what happens.
    acts: Vec<(i64, Act)>,
}

fn cases(random: &mut Rng) -> Case {
    let many = random.usize(2..16);
    let acts = (0..many).map(|_| {
        let gap = one_of(random, &[0, 1, 14, 15, 4 * HOUR, DAY, DAY, 2 * DAY, 3 * DAY, 5 * DAY, 10 * DAY]);
        let act = match random.u8(..10) {
            0..=3 => Act::Looked { did: random.u8(..4) == 0 },
            4 => Act::Asks,
            5 => Act::Claims(random.usize(..2)),
            _ => {
                let result = one_of(
                    random,
                    &[
                        CallResult::NoAnswer,
                        CallResult::Voicemail,
                        CallResult::Busy,
                        CallResult::NotNow,
                        CallResult::NotNow,
                        CallResult::Callback,
                        CallResult::Callback,
                        CallResult::NotInterested,
                    ],
                );
                let proper = (result == CallResult::Callback) != (random.u8(..8) == 0);
                Act::Called(random.usize(..2), result, Some(random.i64(-2..4) * DAY).filter(|_| proper))
            }
        };
        (gap, act)
    });
    let acts: Vec<(i64, Act)> = acts.collect();
    Case { consent: random.bool(), acts }
}

fn minute(minutes: i64) -> Timestamp {
    at(minutes * 60)
}

/// How a follow-up stands: what is next, how many calls were made, whose it is and until when.
#[derive(Clone, Debug, PartialEq)]
struct Stands {
    next: Step,
    calls: u8,
    claim: Option<(String, Timestamp)>,
}

/// Who asked, has a phone, and is not ready.
fn nurtured(consent: bool) -> Lead {
    let mut lead = lead();
    lead.person.phone = Some("+13055550100".to_owned());
    lead.brings = if consent { Needs::NONE.with(Need::Consent) } else { Needs::NONE };
    lead.nurture(90);
    lead
}

/// The follow-up of the domain after each act, and whether that was refused.
fn done(case: &Case) -> Vec<(bool, Stands)> {
    let (rules, mut lead, mut now) = (rules(), nurtured(case.consent), 0);
    let mut follow_up = look(None, &lead, &rules, false, minute(0)).unwrap();
    let mut said = vec![(false, stands(&follow_up))];
    for (gap, act) in &case.acts {
        now += gap;
        let mut refused = false;
        match *act {
            Act::Looked { did } => looked(&mut follow_up, &lead, &rules, did, now),
            Act::Asks => {
                lead.last_enquiry_at = minute(now);
                looked(&mut follow_up, &lead, &rules, false, now);
            }
            Act::Claims(who) => refused = follow_up.claim(PEOPLE[who], minute(now)).is_err(),
            Act::Called(who, result, back) => {
                let back = back.map(|back| minute(now + back));
                refused = follow_up.call(PEOPLE[who], (result, back), &rules, minute(now)).is_err();
            }
        }
        said.push((refused, stands(&follow_up)));
    }
    said
}

fn looked(follow_up: &mut FollowUp, lead: &Lead, rules: &FollowUpPlan, did: bool, now: i64) {
    if let Some(next) = look(Some(follow_up), lead, rules, did, minute(now)) {
        *follow_up = next;
    }
}

fn stands(follow_up: &FollowUp) -> Stands {
    let claim = follow_up.claim.as_ref().map(|claim| (claim.by.clone(), claim.until));
    Stands { next: follow_up.step, calls: follow_up.calls, claim }
}

/// Why the next call is made.
#[derive(Clone, Copy, PartialEq)]
enum Why {
    NotReady,
    /// After so many calls in a row that nobody answered.
    NotReached(usize),
    Promised,
    Woken,
}

/// The rules.
struct Plain<K> {
    keeps: K,
    why: Why,
    /// Calls of the plan.
    planned: usize,
    stands: Stands,
}

impl<K: Fn(Broken) -> bool> Plain<K> {
    /// After so long, so often; then they rest until they do something.
    fn again(&mut self, waits: &[i64], made: usize, why: Why, now: i64) {
        let at = if (self.keeps)(Broken::NextWait) { made } else { 0 };
        let beyond = waits.last().filter(|_| !(self.keeps)(Broken::PlanEnds));
        let often = self.stands.calls < MOST_CALLS || !(self.keeps)(Broken::MostCalls);
        let wait = waits.get(made).map(|_| &waits[at]).or(beyond).filter(|_| often);
        match wait {
            Some(wait) => {
                self.stands.next = Step::Planned { at: minute(now + wait) };
                self.why = why;
            }
            None => self.rests(Rests::PlanOver),
        }
    }

    fn rests(&mut self, why: Rests) {
        self.stands.next = Step::Rests { why };
        self.stands.claim = None;
    }

    /// Whatever they do wakes them at once, but for a call that was promised.
    fn wakes(&mut self, now: i64) {
        let promised = self.why == Why::Promised && (self.keeps)(Broken::PromiseKept);
        let wakes = match self.stands.next {
            Step::Planned { .. } => !promised,
            Step::Rests { .. } => (self.keeps)(Broken::RestingWakes),
            Step::Due { .. } | Step::Ended { .. } => false,
        };
        if wakes {
            self.stands.next = Step::Due { since: minute(now) };
            self.why = Why::Woken;
            if (self.keeps)(Broken::CountedAnew) {
                (self.planned, self.stands.calls) = (0, 0);
            }
        }
    }

    /// What is planned comes due; nobody is called too long after they asked or agreed.
    fn time_passes(&mut self, asked: i64, consent: bool, now: i64) {
        if let Step::Planned { at } = self.stands.next
            && at <= minute(now)
        {
            self.stands.next = Step::Due { since: at };
        }
        let of_enquiry = asked + i64::from(ENQUIRY_DAYS) * DAY;
        let of_consent = i64::from(CONSENT_DAYS) * DAY;
        let until = if !consent || !(self.keeps)(Broken::ConsentLonger) {
            of_enquiry
        } else if (self.keeps)(Broken::EitherLonger) {
            of_enquiry.max(of_consent)
        } else {
            of_consent
        };
        let call = match self.stands.next {
            Step::Planned { at } => Some(at),
            Step::Due { .. } => Some(minute(now)),
            Step::Rests { .. } | Step::Ended { .. } => None,
        };
        if call.is_some_and(|call| call >= minute(until)) && (self.keeps)(Broken::AskedLately) {
            self.rests(Rests::ConsentOver);
        }
    }

    /// Whether somebody else is calling.
    fn is_anothers(&self, who: &str, now: i64) -> bool {
        let runs = |until: Timestamp| minute(now) < until || !(self.keeps)(Broken::ClaimRunsOut);
        let claimed = self.stands.claim.as_ref().is_some_and(|(by, until)| by != who && runs(*until));
        claimed && (self.keeps)(Broken::ClaimKeepsOthers)
    }

    fn claims(&mut self, who: &str, now: i64) -> bool {
        if self.is_anothers(who, now) {
            return false;
        }
        let until = match &self.stands.claim {
            Some((by, until)) if by == who && !(self.keeps)(Broken::ClaimedAgain) => *until,
            Some(_) | None => minute(now + 15),
        };
        self.stands.claim = Some((who.to_owned(), until));
        true
    }

    fn called(&mut self, who: &str, (result, back): (CallResult, Option<i64>), now: i64) -> bool {
        let called_back = result == CallResult::Callback;
        let timely = called_back == back.is_some() && back.is_none_or(|back| back > 0);
        let timely = timely || called_back && !(self.keeps)(Broken::CallbackHasTime);
        if self.is_anothers(who, now) || !timely {
            return false;
        }
        if (self.keeps)(Broken::CallLetsGo) {
            self.stands.claim = None;
        }
        self.stands.calls += 1;
        if self.why == Why::NotReady || !(self.keeps)(Broken::PlanCountsItsOwn) {
            self.planned += 1;
        }
        match result {
            CallResult::NoAnswer | CallResult::Voicemail | CallResult::Busy => {
                let tried = if let Why::NotReached(tried) = self.why { tried } else { 0 };
                let own = (self.keeps)(Broken::NotReachedPlan);
                let waits = if own { &NOT_REACHED[..] } else { &NOT_READY[..] };
                self.again(waits, tried, Why::NotReached(tried + 1), now);
            }
            CallResult::NotInterested if (self.keeps)(Broken::NotInterestedRests) => {
                self.rests(Rests::NotInterested);
            }
            CallResult::NotNow | CallResult::NotInterested => {
                self.again(&NOT_READY, self.planned, Why::NotReady, now);
            }
            CallResult::Callback => {
                self.stands.next = Step::Planned { at: minute(now + back.unwrap_or(0)) };
                self.why = Why::Promised;
            }
            CallResult::Interested => self.ends(Ended::Interested, now),
            CallResult::WrongNumber => self.ends(Ended::WrongNumber, now),
            CallResult::DoNotCall => self.ends(Ended::DoNotCall, now),
        }
        true
    }

    fn ends(&mut self, why: Ended, now: i64) {
        self.stands.next = Step::Ended { why, at: minute(now) };
    }
}

fn plain(case: &Case, broken: Option<Broken>) -> Vec<(bool, Stands)> {
    let keeps = |rule| broken != Some(rule);
    let first = if keeps(Broken::FirstWait) { NOT_READY[0] } else { 0 };
    let next = Step::Planned { at: minute(first) };
    let stands = Stands { next, calls: 0, claim: None };
    let mut plain = Plain { keeps, why: Why::NotReady, planned: 0, stands };
    let (mut now, mut asked) = (0, 0);
    let mut said = vec![(false, plain.stands.clone())];
    for (gap, act) in &case.acts {
        now += gap;
        let mut refused = false;
        match *act {
            Act::Looked { did } => {
                if did && keeps(Broken::Wakes) {
                    plain.wakes(now);
                }
                plain.time_passes(asked, case.consent, now);
            }
            Act::Asks => {
                if now > asked && keeps(Broken::EnquiryWakes) {
                    plain.wakes(now);
                }
                asked = now;
                plain.time_passes(asked, case.consent, now);
            }
            Act::Claims(who) => refused = !plain.claims(PEOPLE[who], now),
            Act::Called(who, result, back) => refused = !plain.called(PEOPLE[who], (result, back), now),
        }
        said.push((refused, plain.stands.clone()));
    }
    said
}

#[test]
fn who_is_called_again_and_when_is_what_the_rules_say_and_each_of_them_counts() {
    holds(ALL, 8_000, cases, done, plain);
}
