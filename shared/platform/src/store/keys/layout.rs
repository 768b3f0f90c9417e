//! How each key is written: the partition that an item stands in, and its place there.

use leadyard_domain::delivery::Giver;
use leadyard_domain::ids::CompanyId;

use super::Key;

/// How the sort keys of a company's partial sums begin.
pub const REPORT_PARTS: &str = "P#";
/// How the sort keys of a company's named campaigns begin.
pub const REPORT_NAMES: &str = "N#";

/// How the sort keys of somebody's sessions begin.
pub const SESSION: &str = "S#";

/// The sort key of a suppression: no scope is written so.
pub const SUPPRESSED: &str = "suppressed";
/// The sort key of a do-not-call entry.
pub const DO_NOT_CALL: &str = "do_not_call";

impl Key<'_> {
    /// The partition key.
    pub fn pk(&self) -> String {
        match self {
            Self::Lead(lead)
            | Self::Assignment { lead, .. }
            | Self::Decision { lead, .. }
            | Self::Delivery { lead, .. }
            | Self::Act { lead, .. }
            | Self::FollowUp(lead)
            | Self::Activity(lead, _) => format!("L#{lead}"),
            Self::Visitor(company, visitor) | Self::VisitorActivity(company, visitor, _) => {
                format!("V#{company}#{visitor}")
            }
            Self::Enquiry(enquiry) | Self::Postback(enquiry, _) => format!("E#{enquiry}"),
            Self::Identity { hash, .. } | Self::Suppressed { hash } | Self::DoNotCall { hash } => {
                format!("I#{hash}")
            }
            Self::Window { company, source, number, shard } => {
                format!("Z#{company}#{source}#{number}#{shard}")
            }
            Self::SourceCaps(company, source) => format!("K#{company}#s#{source}"),
            Self::Verdicts(company) => format!("N#{company}"),
            Self::Imported(company, mark) => format!("J#{company}#{mark}"),
            Self::Idempotency { company, source, hash } => format!("Q#{company}#{source}#{hash}"),
            Self::ContractCaps(company, contract) => format!("K#{company}#c#{contract}"),
            Self::DealerCaps(company, dealer) => format!("K#{company}#d#{dealer}"),
            Self::ReturnsOfMonth(company, contract, _) => format!("K#{company}#c#{contract}"),
            Self::LedgerLine { company, dealer, .. } | Self::Deposit(company, dealer, _) => {
                format!("B#{company}#{dealer}")
            }
            Self::Return { company, .. } | Self::Claim(company, _) => format!("U#{company}"),
            Self::Change { company, .. } => format!("G#{company}"),
            Self::RulebookPointer(company)
            | Self::RulebookVersion(company, _)
            | Self::RulebookWatch(company)
            | Self::RulebookCore(company, _)
            | Self::RulebookChunk(company, _, _)
            | Self::RulebookText(company, _, _)
            | Self::RulebookDraft(company, _, _)
            | Self::RulebookAccess(company, _, _) => format!("R#{company}"),
            Self::ApiToken(company, _) => format!("PT#{company}"),
            Self::Companies => "P#companies".to_owned(),
            Self::Channel { company, dealer, .. } | Self::DealerSecret(company, dealer) => {
                format!("N#{company}#{dealer}")
            }
            Self::Trial(company, trial) => format!("O#{company}#{trial}"),
            Self::Look(company, look) | Self::LookPart(company, look, _) => format!("LK#{company}#{look}"),
            Self::Invitation(company, _) => invitations(company),
            Self::GivenSecrets(company, Giver::Dealer(dealer)) => format!("NG#{company}#{dealer}"),
            Self::GivenSecrets(company, Giver::Source(source)) => format!("NS#{company}#{source}"),
            Self::Switches(company) => format!("S#{company}"),
            Self::Wake(company, _) | Self::WakeAt { company, .. } => format!("W#{company}"),
            Self::Erasure(company, _) => format!("X#{company}"),
            Self::ReportPart { company, .. }
            | Self::ReportSeal(company)
            | Self::ReportNames(company, _)
            | Self::Now(company)
            | Self::Lapsing { company, .. } => format!("T#{company}"),
            Self::ReportTable { company, table, .. } => format!("T#{company}#{table}"),
            Self::ReportAside { shard, .. } => format!("TA#{shard}"),
            Self::Forgotten { hash } => format!("F#{hash}"),
            Self::SessionOf { whose, .. } => format!("P#{whose}"),
            Self::Session { hash } => format!("T#{hash}"),
            Self::Synthetic => "P".to_owned(),
        }
    }

    /// The sort key.
    pub fn sk(&self) -> String {
        match self {
            Self::Lead(_) => "L".to_owned(),
            Self::Assignment { cycle, assignment, .. } => format!("A#{cycle:05}#{assignment}"),
            Self::Decision { at_ms, decision, .. } => format!("D#{}#{decision}", sort_time(*at_ms)),
            Self::Delivery { assignment, event, number, .. } => format!("M#{assignment}#{event}#{number}"),
            Self::Act { at_ms, act, .. } => format!("H#{}#{act}", sort_time(*at_ms)),
            Self::ReturnsOfMonth(_, _, month) => format!("returns#{month}"),
            Self::LedgerLine { at_ms, kind, what, .. } => format!("{}#{kind}#{what}", sort_time(*at_ms)),
            Self::Deposit(_, _, reference) => format!("deposit#{reference}"),
            Self::Return { open, assignment, .. } => {
                format!("{}#{assignment}", if *open { "open" } else { "done" })
            }
            Self::Claim(_, enquiry) => format!("claim#{enquiry}"),
            Self::Change { at_ms, act, .. } => format!("{}#{act}", sort_time(*at_ms)),
            Self::Activity(_, day) | Self::VisitorActivity(_, _, day) => format!("Y#{:07}", day.0),
            Self::Visitor(_, _) => "V".to_owned(),
            Self::Enquiry(_) => "E".to_owned(),
            Self::Postback(_, status) => format!("P#{status}"),
            Self::Identity { scope, .. } => (*scope).to_owned(),
            Self::Suppressed { .. } => SUPPRESSED.to_owned(),
            Self::DoNotCall { .. } => DO_NOT_CALL.to_owned(),
            Self::Window { .. } => "Z".to_owned(),
            Self::Verdicts(_) => "N".to_owned(),
            Self::Imported(_, _) => "J".to_owned(),
            Self::Idempotency { .. } => "Q".to_owned(),
            Self::ContractCaps(_, _) | Self::DealerCaps(_, _) | Self::SourceCaps(_, _) => "K".to_owned(),
            Self::RulebookPointer(_) => "current".to_owned(),
            Self::RulebookVersion(_, version) => format!("version#{version:010}"),
            Self::RulebookWatch(_) => "watch".to_owned(),
            Self::RulebookCore(_, version) => format!("core#{version:010}"),
            Self::RulebookChunk(_, version, chunk) => format!("chunk#{version:010}#{chunk}"),
            Self::RulebookText(_, version, number) => format!("text#{version:010}#{number:05}"),
            Self::RulebookDraft(_, draft, number) => format!("draft#{draft}#{number:05}"),
            Self::RulebookAccess(_, version, part) => format!("access#{version:010}#{part:05}"),
            Self::ApiToken(_, id) => (*id).to_owned(),
            Self::Companies => "P".to_owned(),
            Self::Channel { order, .. } => format!("C#{order}"),
            Self::Trial(_, _) => "O".to_owned(),
            Self::Look(_, _) => "L".to_owned(),
            Self::LookPart(_, _, number) => format!("P#{number:05}"),
            Self::Invitation(_, to) => format!("{}#{}", to.kind(), to.id()),
            Self::GivenSecrets(_, _) => "G".to_owned(),
            Self::Switches(_) | Self::DealerSecret(_, _) => "S".to_owned(),
            Self::Wake(_, category) => format!("W#{category}"),
            Self::WakeAt { category, at_ms, .. } => format!("W#{category}#{}", sort_time(*at_ms)),
            Self::Erasure(_, erasure) => format!("E#{erasure}"),
            Self::ReportPart { day, shard, .. } => format!("{REPORT_PARTS}{day}#{shard}"),
            Self::ReportSeal(_) => "S".to_owned(),
            Self::Now(_) => "N".to_owned(),
            Self::Lapsing { from_ms, part, .. } => format!("O#{}#{part}", sort_time(*from_ms)),
            Self::ReportNames(_, year) => format!("{REPORT_NAMES}{year:04}"),
            Self::ReportTable { period, .. } => (*period).to_owned(),
            Self::ReportAside { sequence, .. } => (*sequence).to_owned(),
            Self::Forgotten { .. } | Self::FollowUp(_) => "F".to_owned(),
            Self::SessionOf { hash, .. } => format!("{SESSION}{hash}"),
            Self::Session { .. } => "T".to_owned(),
            Self::Synthetic => "P".to_owned(),
        }
    }
}

/// The partition in which a company's invitations stand.
pub fn invitations(company: &CompanyId) -> String {
    format!("PI#{company}")
}

/// A time in a sort key, Unix milliseconds: 14 digits, so that text sorts as time does, from 1970 to 5138.
pub fn sort_time(at_ms: i64) -> String {
    const LAST: i64 = 99_999_999_999_999;
    format!("{:014}", at_ms.clamp(0, LAST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use leadyard_domain::ids::{DecisionId, LeadId};

    #[test]
    fn what_belongs_to_a_lead_stands_in_its_partition_in_order_of_time() {
        let lead = LeadId::from_bytes([1; 16]);
        let decision = DecisionId::from_bytes([2; 16]);
        let early = Key::Decision { lead, at_ms: 999_999_999_999, decision };
        let late = Key::Decision { lead, at_ms: 1_000_000_000_000, decision };
        assert_eq!(early.pk(), Key::Lead(lead).pk());
        assert!(early.sk() < late.sk());
    }
}
