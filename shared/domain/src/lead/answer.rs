//! A seat's state, and what the dealer's answer makes of it.

words! {
    /// A seat's state, from offered to closed.
    pub enum AssignmentState as "an assignment's state" {
        /// The dealer has been chosen; settled once delivered.
        Offered = "offered",
        /// The dealer said yes.
        Accepted = "accepted",
        /// The dealer said no.
        Declined = "declined",
        /// The deadline passed.
        Lapsed = "lapsed",
        /// The dealer gave it back, and the desk agreed.
        Returned = "returned",
        /// We took it back.
        Withdrawn = "withdrawn",
        /// The dealer reached the person.
        Contacted = "contacted",
        /// Sold.
        Won = "won",
        /// Not sold.
        Lost = "lost",
    }
}

impl AssignmentState {
    /// Whether the dealer holds the lead in this state.
    pub const fn holds(self) -> bool {
        matches!(self, Self::Offered | Self::Accepted | Self::Contacted | Self::Won)
    }

    /// Whether the seat came back in this state, and the lead is decided on anew: what was charged for it is credited.
    pub const fn is_given_back(self) -> bool {
        match self {
            Self::Declined | Self::Lapsed | Self::Returned | Self::Withdrawn => true,
            Self::Offered | Self::Accepted | Self::Contacted | Self::Won | Self::Lost => false,
        }
    }
}

words! {
    /// What a dealer says of a lead it holds.
    pub enum Answer as "an answer" {
        /// Takes it.
        Accept = "accept",
        /// Does not want it.
        Decline = "decline",
        /// Reached the person.
        Contacted = "contacted",
        /// Sold.
        Won = "won",
        /// Did not sell.
        Lost = "lost",
    }
}

impl Answer {
    /// The state that an offer takes on by it.
    pub const fn leads_to(self) -> AssignmentState {
        match self {
            Self::Accept => AssignmentState::Accepted,
            Self::Decline => AssignmentState::Declined,
            Self::Contacted => AssignmentState::Contacted,
            Self::Won => AssignmentState::Won,
            Self::Lost => AssignmentState::Lost,
        }
    }
}

/// What an answer makes of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// It moves there.
    To(AssignmentState),
    /// It stands there already: a second click.
    Already,
    /// It does not fit.
    Refused,
}

impl AssignmentState {
    /// What follows when the dealer answers.
    ///
    /// An outcome implies acceptance: a dealer that reports `won` from its own system need not have
    /// clicked `accept`. What was accepted cannot be declined; it can be returned.
    pub const fn answer(self, answer: Answer) -> Answered {
        use Answered::{Already, Refused, To};
        match (self, answer) {
            (Self::Offered, _)
            | (Self::Accepted, Answer::Contacted)
            | (Self::Accepted | Self::Contacted, Answer::Won | Answer::Lost) => To(answer.leads_to()),
            (Self::Accepted | Self::Contacted | Self::Won | Self::Lost, Answer::Accept)
            | (Self::Declined, Answer::Decline)
            | (Self::Contacted, Answer::Contacted)
            | (Self::Won, Answer::Won)
            | (Self::Lost, Answer::Lost) => Already,
            (
                Self::Accepted
                | Self::Declined
                | Self::Lapsed
                | Self::Returned
                | Self::Withdrawn
                | Self::Contacted
                | Self::Won
                | Self::Lost,
                Answer::Accept | Answer::Decline | Answer::Contacted | Answer::Won | Answer::Lost,
            ) => Refused,
        }
    }
}
