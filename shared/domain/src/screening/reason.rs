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
        /// Different people saying the same, word for word.
        IdenticalPayload = "identical_payload",
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
        /// First and last name are one.
        RepeatedName = "repeated_name",
        /// A message of random letters.
        GibberishMessage = "gibberish_message",
        /// A link in the message.
        LinkInMessage = "link_in_message",
        /// Several links in the message.
        ManyLinks = "many_links",
        /// A forum's or a page's markup.
        Markup = "markup",
        /// Somebody sells something.
        Advertising = "advertising",
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
        /// The source's cap was full when it came in from the spill.
        SourceCap = "source_cap",
    }
}

impl Reason {
    /// What it weighs unless the rulebook says otherwise; nothing, where it compels.
    pub const fn default_weight(self) -> u32 {
        match self {
            Self::Honeypot | Self::LinkInName | Self::Attack => 100,
            Self::Markup => 80,
            Self::FormTokenInvalid
            | Self::FormTooFast
            | Self::FormTokenReused
            | Self::AddressVelocity
            | Self::IdenticalPayload
            | Self::GibberishName
            | Self::DummyName
            | Self::ManyLinks
            | Self::Advertising
            | Self::BotAgent => 60,
            Self::SourceVelocity | Self::IdentityVelocity | Self::DisposableEmail | Self::DoNotCall => 50,
            Self::GibberishMessage | Self::NoRealContact => 40,
            Self::FormTokenMissing | Self::DummyEmail | Self::DummyPhone | Self::ProgramAgent => 30,
            Self::GibberishEmail | Self::RepeatedName => 25,
            Self::FormTooOld
            | Self::FormTokenElsewhere
            | Self::MalformedEmail
            | Self::ImpossiblePhone
            | Self::LinkInMessage => 20,
            Self::NoAgent => 10,
            Self::Suppressed
            | Self::UnreachablePerson
            | Self::UnknownOffer
            | Self::UnknownSource
            | Self::Unreadable
            | Self::SourceCap => 0,
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
