//! What is said of a route: who may call it, what it takes and what it answers.

use serde_json::Value;

use crate::access::Role;
use crate::error::Code;
use crate::limits;

/// Which function answers: on AWS each has a URL of its own, unless one name stands in front of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Function {
    /// Intake, deployed for leads.
    Leads,
    /// Intake, deployed for interactions.
    Interactions,
    /// The console.
    Console,
}

impl Function {
    /// As the template names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Leads => "leads",
            Self::Interactions => "interactions",
            Self::Console => "console",
        }
    }
}

words! {
    /// A method of HTTP.
    pub enum Method as "a method" {
        /// Reads.
        Get = "get",
        /// Does.
        Post = "post",
        /// Puts in place.
        Put = "put",
        /// Changes a part.
        Patch = "patch",
        /// Takes away.
        Delete = "delete",
        /// What a browser asks before it sends from another origin.
        Options = "options",
    }
}

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// Anyone.
    Anyone,
    /// Whoever has the page key that stands in the path.
    PageKey,
    /// A server that sends the source's secret besides.
    SourceSecret,
    /// Somebody of the desk who has at least this role in the company, by a token.
    Desk(Role),
    /// A dealer, by its token.
    Dealer,
    /// Whoever has the link: its token stands in the path.
    Link,
    /// An ad platform, by what it was given.
    Platform,
}

/// Somebody of the desk, whatever their role.
pub(super) const READER: Who = Who::Desk(Role::Reader);
/// Who works at the desk.
pub(super) const STAFF: Who = Who::Desk(Role::Desk);
/// Who answers for the company's rules.
pub(super) const MANAGER: Who = Who::Desk(Role::Manager);

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Text.
    Text,
    /// Text of so many characters at most.
    Short(usize),
    /// An id as the rulebook writes it.
    Id,
    /// A UUID.
    Uuid,
    /// An instant, RFC 3339.
    Instant,
    /// A day.
    Date,
    /// A month: `2026-06`.
    Month,
    /// An amount in units of the company's currency: `45.00`.
    Money,
    /// A whole number, not below 0.
    Count,
    /// A number.
    Number,
    /// True or false.
    Flag,
    /// One of these.
    Words(Vec<String>),
    /// Several, perhaps so many at most.
    List(Box<Kind>, Option<usize>),
    /// By name.
    Map(Box<Kind>),
    /// An object with these members.
    Object(Vec<Member>),
    /// An object with these members and any others.
    Open(Vec<Member>),
    /// A shape that several have: see [`super::shapes`].
    Of(&'static str),
    /// Either.
    Either(Vec<Kind>),
    /// Anything.
    Any,
}

/// One of these words.
pub(super) fn one_of(words: &[&str]) -> Kind {
    Kind::Words(words.iter().map(|word| (*word).to_owned()).collect())
}

/// Several of a kind.
pub(super) fn list(kind: Kind) -> Kind {
    Kind::List(Box::new(kind), None)
}

/// At most so many of a kind.
pub(super) fn at_most(most: usize, kind: Kind) -> Kind {
    Kind::List(Box::new(kind), Some(most))
}

/// Of a kind, by name.
pub(super) fn by_name(kind: Kind) -> Kind {
    Kind::Map(Box::new(kind))
}

/// An object with these members.
pub(super) fn object(members: impl IntoIterator<Item = Member>) -> Kind {
    Kind::Object(members.into_iter().collect())
}

/// Objects with these members.
pub(super) fn objects(members: impl IntoIterator<Item = Member>) -> Kind {
    list(object(members))
}

/// A member of an object, a parameter of a query, a header.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) says: &'static str,
    pub(super) always: bool,
    pub(super) null: bool,
}

/// One that is always there.
pub(super) fn must(name: &'static str, kind: Kind, says: &'static str) -> Member {
    Member { name, kind, says, always: true, null: false }
}

/// One that may be missing.
pub(super) fn may(name: &'static str, kind: Kind, says: &'static str) -> Member {
    Member { always: false, ..must(name, kind, says) }
}

/// One that is always there, and null where there is nothing to say.
pub(super) fn null(name: &'static str, kind: Kind, says: &'static str) -> Member {
    Member { null: true, ..must(name, kind, says) }
}

/// A body.
#[derive(Clone, Debug)]
pub(super) struct Body {
    pub(super) media: Vec<&'static str>,
    pub(super) kind: Kind,
    pub(super) needed: bool,
    pub(super) bytes: usize,
    pub(super) example: Option<Value>,
}

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) says: &'static str,
    /// Media types with what each holds; none of an empty one.
    pub(super) holds: Vec<(&'static str, Kind)>,
}

/// A route.
#[derive(Clone, Debug)]
pub struct Route {
    /// Which function answers.
    pub function: Function,
    /// By which method.
    pub method: Method,
    /// The path as it is routed: `/v1/leads/{key}`.
    pub path: &'static str,
    pub(super) tag: &'static str,
    pub(super) says: &'static str,
    pub(super) more: &'static str,
    pub(super) who: Vec<Who>,
    pub(super) of_path: Vec<Member>,
    pub(super) query: Vec<Member>,
    pub(super) headers: Vec<Member>,
    pub(super) body: Option<Body>,
    pub(super) answers: Vec<Answer>,
    pub(super) refuses: Vec<Code>,
    /// What else problems hold, by the media type that they have here.
    pub(super) problems_as: Vec<(&'static str, Kind)>,
    /// It asks nobody, and so cannot fail for that.
    pub(super) alone: bool,
}

pub(super) const JSON: &str = "application/json";
pub(super) const PROBLEM: &str = "application/problem+json";
pub(super) const HTML: &str = "text/html";
pub(super) const CSV: &str = "text/csv";
pub(super) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

impl Route {
    pub(super) fn new(function: Function, method: Method, path: &'static str, says: &'static str) -> Self {
        Self {
            function,
            method,
            path,
            tag: "",
            says,
            more: "",
            who: Vec::new(),
            of_path: Vec::new(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            answers: Vec::new(),
            refuses: Vec::new(),
            problems_as: vec![(PROBLEM, Kind::Of("Problem"))],
            alone: false,
        }
    }

    /// Under which heading it stands.
    pub(super) fn under(self, tag: &'static str) -> Self {
        Self { tag, ..self }
    }

    /// What else is to be known.
    pub(super) fn tells(self, more: &'static str) -> Self {
        Self { more, ..self }
    }

    /// Who may call it.
    pub(super) fn by(self, who: &[Who]) -> Self {
        Self { who: who.to_vec(), ..self }
    }

    /// A part of the path that says more than its name does.
    pub(super) fn part(mut self, member: Member) -> Self {
        self.of_path.push(member);
        self
    }

    pub(super) fn query(mut self, members: impl IntoIterator<Item = Member>) -> Self {
        self.query.extend(members);
        self
    }

    /// The desk names the company, where it has several.
    pub(super) fn company(self) -> Self {
        self.query([may(
            "company",
            Kind::Id,
            "Whose. Needed where the token is of several companies; a dealer's token names its own.",
        )])
    }

    pub(super) fn header(mut self, member: Member) -> Self {
        self.headers.push(member);
        self
    }

    fn with_body(self, media: &[&'static str], kind: Kind, needed: bool) -> Self {
        let body = Body { media: media.to_vec(), kind, needed, bytes: limits::BODY_BYTES, example: None };
        Self { body: Some(body), ..self }
    }

    /// It takes an object with these members.
    pub(super) fn takes(self, members: impl IntoIterator<Item = Member>) -> Self {
        self.with_body(&[JSON], object(members), true)
    }

    /// It takes such an object, or no body.
    pub(super) fn may_take(self, members: impl IntoIterator<Item = Member>) -> Self {
        self.with_body(&[JSON], object(members), false)
    }

    /// It takes a body of these media types.
    pub(super) fn takes_as(self, media: &[&'static str], kind: Kind) -> Self {
        self.with_body(media, kind, true)
    }

    /// The body's limit, where it is another than usual.
    pub(super) fn bytes(mut self, bytes: usize) -> Self {
        if let Some(body) = &mut self.body {
            body.bytes = bytes;
        }
        self
    }

    /// A body as it may be sent.
    pub(super) fn example(mut self, example: Value) -> Self {
        if let Some(body) = &mut self.body {
            body.example = Some(example);
        }
        self
    }

    /// It answers with such an object.
    pub(super) fn answers(
        self,
        status: u16,
        says: &'static str,
        members: impl IntoIterator<Item = Member>,
    ) -> Self {
        self.answers_as(status, says, [(JSON, object(members))])
    }

    /// It answers with one of these.
    pub(super) fn answers_as(
        mut self,
        status: u16,
        says: &'static str,
        holds: impl IntoIterator<Item = (&'static str, Kind)>,
    ) -> Self {
        self.answers.push(Answer { status, says, holds: holds.into_iter().collect() });
        self
    }

    /// It answers with a page.
    pub(super) fn shows(self, status: u16, says: &'static str) -> Self {
        self.answers_as(status, says, [(HTML, Kind::Text)])
    }

    /// It answers without a body.
    pub(super) fn empty(self, status: u16, says: &'static str) -> Self {
        self.answers_as(status, says, [])
    }

    /// Codes that it answers with besides those that follow from the rest.
    pub(super) fn refuses(mut self, codes: &[Code]) -> Self {
        self.refuses.extend(codes);
        self
    }

    /// How it tells problems, where not as problems alone.
    pub(super) fn problems_as(self, holds: impl IntoIterator<Item = (&'static str, Kind)>) -> Self {
        Self { problems_as: holds.into_iter().collect(), ..self }
    }

    /// Whether its problems are problems and nothing else.
    pub(super) fn tells_problems_alone(&self) -> bool {
        matches!(self.problems_as[..], [(PROBLEM, Kind::Of("Problem"))])
    }

    /// It asks nobody.
    pub(super) fn alone(self) -> Self {
        Self { alone: true, ..self }
    }

    /// The role that it needs of the desk; none, where it is not the desk's.
    pub fn role(&self) -> Option<Role> {
        self.who.iter().find_map(|who| match who {
            Who::Desk(role) => Some(*role),
            Who::Anyone | Who::PageKey | Who::SourceSecret | Who::Dealer | Who::Link | Who::Platform => None,
        })
    }

    /// Whether it is a dealer's, for its own leads.
    pub fn is_dealers(&self) -> bool {
        self.who.contains(&Who::Dealer)
    }

    /// Every code that it answers with, in the order of their declaration.
    pub(super) fn codes(&self) -> Vec<Code> {
        let known = self.who.iter().any(|who| match who {
            Who::PageKey | Who::SourceSecret | Who::Desk(_) | Who::Dealer | Who::Platform => true,
            Who::Anyone | Who::Link => false,
        });
        let found = self.who.iter().any(|who| matches!(who, Who::Desk(_) | Who::Dealer | Who::Link));
        let more_than_reads = self.role().is_some_and(|role| role > Role::Reader);
        let sent = self.body.is_some();
        let mut codes: Vec<Code> = [
            (known, Code::Unauthorized),
            // What is not for who asks does not exist for them.
            (found, Code::NotFound),
            (more_than_reads, Code::Forbidden),
            (!self.query.is_empty(), Code::InvalidField),
            (sent, Code::MalformedBody),
            (sent, Code::BodyTooLarge),
            (!self.alone, Code::Unavailable),
            (!self.alone, Code::Internal),
        ]
        .into_iter()
        .filter_map(|(so, code)| so.then_some(code))
        .chain(self.refuses.iter().copied())
        .collect();
        codes.sort_by_key(|code| Code::ALL.iter().position(|other| other == code));
        codes.dedup();
        codes
    }
}

/// Every word of a closed list.
macro_rules! closed {
    ($words:ty) => {
        $crate::openapi::route::Kind::Words(<$words>::ALL.iter().map(|word| word.to_string()).collect())
    };
}
pub(super) use closed;
