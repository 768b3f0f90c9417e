//! Why an enquiry is quarantined.

words! {
    /// A sign that an enquiry is nobody's, or a reason why it cannot go on by itself. Programs compare the
    /// words.
    pub enum Reason as "a reason" {
        /// A field that no person sees was filled in.
        Honeypot = "honeypot",
        /// The source's pages send a form token, and this came without.
        FormTokenMissing = "form_token_missing",
        /// A form token that is not ours, damaged, or another source's.
        FormTokenInvalid = "form_token_invalid",
        /// Sent sooner after the form was opened than anybody types.
        FormTooFast = "form_too_fast",
        /// Sent long after the form was opened.
        FormTooOld = "form_too_old",
        /// One form, two people.
        FormTokenReused = "form_token_reused",
        /// Opened at one address, sent from another.
        FormTokenElsewhere = "form_token_elsewhere",
        /// More from this source than is usual.
        SourceVelocity = "source_velocity",
        /// More people at one address than live there.
        AddressVelocity = "address_velocity",
        /// One person, again and again within an hour.
        IdentityVelocity = "identity_velocity",
        /// Somebody else says the same, word for word.
        IdenticalPayload = "identical_payload",
        /// A third person does.
        Campaign = "campaign",
        /// A mailbox to be thrown away.
        DisposableEmail = "disposable_email",
        /// An e-mail was given, and is none.
        MalformedEmail = "malformed_email",
        /// An e-mail that is typed to get past a form.
        DummyEmail = "dummy_email",
        /// A mailbox's name that nobody chose.
        GibberishEmail = "gibberish_email",
        /// A phone number was given, and is none.
        ImpossiblePhone = "impossible_phone",
        /// A phone number that is typed to get past a form.
        DummyPhone = "dummy_phone",
        /// Nothing that was given reaches anybody.
        NoRealContact = "no_real_contact",
        /// A name that nobody bears.
        GibberishName = "gibberish_name",
        /// A link, or an address, for a name.
        LinkInName = "link_in_name",
        /// A name that is typed to get past a form.
        DummyName = "dummy_name",
        /// First and last name are one made-up word.
        RepeatedName = "repeated_name",
        /// A message of random letters, or one that only fills the field.
        GibberishMessage = "gibberish_message",
        /// A message that is a link and nothing else.
        BareLink = "bare_link",
        /// A forum's or a page's markup.
        Markup = "markup",
        /// Somebody sells something.
        Advertising = "advertising",
        /// A letter that asks for nothing a dealer has: a job, a survey, praise, an end of calls.
        NoEnquiry = "no_enquiry",
        /// The overpayment swindle.
        Swindle = "swindle",
        /// Somebody tries the lock.
        Attack = "attack",
        /// A crawler, a scanner, or a browser without a window.
        BotAgent = "bot_agent",
        /// A program's library, as they run in data centres.
        ProgramAgent = "program_agent",
        /// Nothing says what sent it.
        NoAgent = "no_agent",
        /// The phone is on the do-not-call list.
        DoNotCall = "do_not_call",
        /// The person is on the suppression list.
        Suppressed = "suppressed",
        /// Neither e-mail nor phone could be understood.
        UnreachablePerson = "unreachable_person",
        /// Nobody knows what it is about.
        UnknownOffer = "unknown_offer",
        /// Nobody knows who sends it any more.
        UnknownSource = "unknown_source",
        /// The body could not be read.
        Unreadable = "unreadable",
        /// The source's cap was full when it came in, and it was not to be refused: from the spill, or an ad platform.
        SourceCap = "source_cap",
        /// Meta told of a lead, and it could not be fetched.
        MetaUnfetched = "meta_unfetched",
    }
}

/// What kind of sign it is. Signs of what was typed into one place say one thing: of contact and content the
/// heaviest counts. What machines show adds up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// What sent it.
    Machine,
    /// How to reach the person.
    Contact,
    /// What is written.
    Content,
    /// How often.
    Repetition,
    /// Who is not to be contacted, and what cannot go on.
    Listed,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 5] = [Self::Machine, Self::Contact, Self::Content, Self::Repetition, Self::Listed];

    /// Whether its signs add up.
    pub const fn adds_up(self) -> bool {
        match self {
            Self::Machine | Self::Repetition | Self::Listed => true,
            Self::Contact | Self::Content => false,
        }
    }
}

/// Alone enough for spam.
const OUTRIGHT: u32 = 110;
/// Alone enough to doubt; two of different classes are spam.
const SIGN: u32 = 55;
/// Two are enough to doubt; beside a sign they change nothing.
const HALF: u32 = 25;
/// Said, and never enough.
const TRACE: u32 = 5;

impl Reason {
    /// What it weighs unless the rulebook says otherwise; nothing, where it only compels.
    pub const fn default_weight(self) -> u32 {
        match self {
            Self::Advertising | Self::Attack => OUTRIGHT,
            Self::Honeypot
            | Self::FormTokenInvalid
            | Self::FormTooFast
            | Self::SourceVelocity
            | Self::AddressVelocity
            | Self::IdentityVelocity
            | Self::IdenticalPayload
            | Self::Campaign
            | Self::DisposableEmail
            | Self::DummyEmail
            | Self::DummyPhone
            | Self::NoRealContact
            | Self::UnreachablePerson
            | Self::GibberishName
            | Self::LinkInName
            | Self::DummyName
            | Self::RepeatedName
            | Self::GibberishMessage
            | Self::BareLink
            | Self::Markup
            | Self::NoEnquiry
            | Self::Swindle
            | Self::BotAgent
            | Self::ProgramAgent
            | Self::DoNotCall => SIGN,
            Self::FormTokenMissing
            | Self::FormTooOld
            | Self::FormTokenReused
            | Self::FormTokenElsewhere
            | Self::GibberishEmail
            | Self::NoAgent => HALF,
            Self::MalformedEmail | Self::ImpossiblePhone => TRACE,
            Self::Suppressed
            | Self::UnknownOffer
            | Self::UnknownSource
            | Self::Unreadable
            | Self::SourceCap
            | Self::MetaUnfetched => 0,
        }
    }

    /// What kind of sign it is.
    pub const fn class(self) -> Class {
        match self {
            Self::Honeypot
            | Self::FormTokenMissing
            | Self::FormTokenInvalid
            | Self::FormTooFast
            | Self::FormTooOld
            | Self::FormTokenReused
            | Self::FormTokenElsewhere
            | Self::BotAgent
            | Self::ProgramAgent
            | Self::NoAgent => Class::Machine,
            Self::DisposableEmail
            | Self::MalformedEmail
            | Self::DummyEmail
            | Self::GibberishEmail
            | Self::ImpossiblePhone
            | Self::DummyPhone
            | Self::NoRealContact
            | Self::UnreachablePerson => Class::Contact,
            Self::GibberishName
            | Self::LinkInName
            | Self::DummyName
            | Self::RepeatedName
            | Self::GibberishMessage
            | Self::BareLink
            | Self::Markup
            | Self::Advertising
            | Self::NoEnquiry
            | Self::Swindle
            | Self::Attack => Class::Content,
            Self::SourceVelocity
            | Self::AddressVelocity
            | Self::IdentityVelocity
            | Self::IdenticalPayload
            | Self::Campaign => Class::Repetition,
            Self::DoNotCall
            | Self::Suppressed
            | Self::UnknownOffer
            | Self::UnknownSource
            | Self::Unreadable
            | Self::SourceCap
            | Self::MetaUnfetched => Class::Listed,
        }
    }

    /// Whether an enquiry cannot go on with it, whatever it weighs.
    pub const fn compels(self) -> bool {
        matches!(
            self,
            Self::Suppressed
                | Self::UnreachablePerson
                | Self::UnknownOffer
                | Self::UnknownSource
                | Self::Unreadable
                | Self::SourceCap
                | Self::MetaUnfetched
        )
    }

    /// Whether only a person may release what has it. Time alone lets nobody in who must not be contacted,
    /// and no flood.
    pub const fn waits_for_a_person(self) -> bool {
        self.compels()
            || matches!(
                self,
                Self::DoNotCall | Self::SourceVelocity | Self::AddressVelocity | Self::IdentityVelocity
            )
    }
}
