//! Who signs in, and what the rules in force let them do.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, header};
use leadyard_platform::oidc::OidcAccess;
use leadyard_tests::browser::FORM;
use leadyard_tests::logs::Logs;
use leadyard_tests::provider::{ELSEWHERE, Fault, ISSUER, access};
use leadyard_tests::{Browser, Person, Reply, Rules, Yard};
use serde_json::json;

fn rules(company: &str, people: &str) -> Rules {
    Rules::roofing(company).seller("hudson", []).file("people.csv", &format!("person,email,role\n{people}"))
}

#[tokio::test(start_paused = true)]
async fn one_person_may_be_a_manager_here_and_a_reader_there() {
    let acme = Yard::of(rules("acme", "maria,maria@desk.example,manager\n")).await;
    let bolt = acme.also(rules("bolt", "m.hill,MARIA@desk.example,reader\n")).await;
    let (ours, theirs) = (
        acme.settled_lead(&Person::named("Ada", "Hill")).await,
        bolt.settled_lead(&Person::named("Ben", "Moss")).await,
    );
    let maria = Browser::by_mail(&acme, "maria@desk.example").await;
    let csrf = maria.csrf().await;
    let today = maria.opens("/console/today").await.is(200);
    assert!(today.text.contains(&ours) && today.text.contains(&theirs), "{}", today.text);
    let note = |lead: &str| format!("/console/leads/{lead}/note");
    let _ = maria.sends(&note(&ours), &format!("text=known&{csrf}")).await.is(303);
    let refused = maria.sends(&note(&theirs), &format!("text=known&{csrf}")).await.is(403);
    assert!(refused.text.contains("the role desk or manager"), "{}", refused.text);
    // What each company calls her is told apart, where they differ.
    let acts: Vec<_> = acme.story(&ours).await.list("history").map(|act| act["by"].clone()).collect();
    assert_eq!(acts, [json!("maria (acme)")]);
    assert_eq!(bolt.story(&theirs).await.list("history").count(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_leaves_people_csv_has_no_access_from_the_next_request_on() {
    let yard = Yard::of(rules("acme", "maria,maria@desk.example,manager\nben,ben@desk.example,desk\n")).await;
    let lead = yard.settled_lead(&Person::named("Ada", "Hill")).await;
    let ben = Browser::by_mail(&yard, "ben@desk.example").await;
    let csrf = ben.csrf().await;
    let note = format!("/console/leads/{lead}/note");
    let _ = ben.sends(&note, &format!("text=one&{csrf}")).await.is(303);

    // A lesser role is one at once, and so is a greater.
    let _ = yard
        .publish(&rules("acme", "maria,maria@desk.example,manager\nben,ben@desk.example,reader\n"))
        .await
        .is(200);
    let _ = ben.sends(&note, &format!("text=two&{csrf}")).await.is(403);
    let _ = ben.opens("/console/today").await.is(200);
    let _ = yard.publish(&rules("acme", "maria,maria@desk.example,manager\n")).await.is(200);
    let gone = ben.opens(&format!("/console/leads/{lead}")).await.is(303);
    assert!(gone.header("location").starts_with("/console/sign-in"));
    let _ = ben.sends(&note, &format!("text=three&{csrf}")).await.is(401);
    assert_eq!(yard.story(&lead).await.list("history").count(), 1);
    // Somebody else's publish of what lets him in again does, as long as his session runs.
    let _ = yard.desk(Method::POST, "/v1/rulebook/rollback", Some(json!({ "version": 1 }))).await.is(200);
    let _ = ben.opens("/console/today").await.is(200);
}

#[tokio::test(start_paused = true)]
async fn signing_out_everywhere_ends_all_sessions_of_that_person_and_of_nobody_else() {
    let yard = Yard::of(rules("acme", "maria,maria@desk.example,manager\nben,ben@desk.example,desk\n")).await;
    let (here, there) = (
        Browser::by_mail(&yard, "maria@desk.example").await,
        Browser::by_mail(&yard, "maria@desk.example").await,
    );
    let (ben, by_token, also_by_token) = (
        Browser::by_mail(&yard, "ben@desk.example").await,
        Browser::of(&yard).await,
        Browser::of(&yard).await,
    );
    let csrf = here.csrf().await;
    let _ = here.sends("/console/sign-out", &format!("everywhere=yes&{csrf}")).await.is(303);
    for over in [&here, &there] {
        let _ = over.opens("/console/today").await.is(303);
    }
    for open in [&ben, &by_token, &also_by_token] {
        let _ = open.opens("/console/today").await.is(200);
    }
    let csrf = by_token.csrf().await;
    let _ = by_token.sends("/console/sign-out", &csrf).await.is(303);
    let _ = also_by_token.opens("/console/today").await.is(200);
}

const MARIA: &str = "maria@desk.example";

async fn with_maria() -> Yard {
    let rules = rules("acme", "maria,maria@desk.example,manager\n");
    Yard::of(rules.dealer("boca", [("email", "sam@boca.example")])).await
}

/// A browser that is not signed in: its cookies, by name.
#[derive(Default)]
struct Visitor(std::collections::BTreeMap<String, String>);

impl Visitor {
    fn headers(&self) -> HeaderMap {
        let pairs: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = HeaderValue::try_from(pairs.join("; ")).unwrap();
        HeaderMap::from_iter([
            (header::COOKIE, cookies),
            (header::HOST, HeaderValue::from_static("leads.example")),
        ])
    }

    async fn opens(&mut self, yard: &Yard, path: &str) -> Reply {
        let reply = yard.requests(Method::GET, path, self.headers(), FORM, Vec::new()).await;
        for set in reply.headers.get_all(header::SET_COOKIE) {
            let set = set.to_str().unwrap();
            for rule in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/console"] {
                assert!(set.contains(rule), "{set}");
            }
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            if set.contains("Max-Age=0") {
                self.0.remove(name);
            } else {
                self.0.insert(name.to_owned(), value.to_owned());
            }
        }
        reply
    }

    /// On to the provider: where it is sent to.
    async fn goes(&mut self, yard: &Yard, next: &str) -> String {
        let page = self.opens(yard, &format!("/console/sign-in?next={next}")).await.is(200);
        let link =
            page.text.split("href=\"").find(|rest| rest.starts_with("/console/sign-in/provider")).unwrap();
        let link = link.split('"').next().unwrap().replace("&#38;", "&");
        let sent = self.opens(yard, &link).await.is(303);
        sent.header("location").to_owned()
    }

    /// Signs in at the provider with this address, and comes back.
    async fn signs_in(&mut self, yard: &Yard, address: &str) -> Reply {
        let to = self.goes(yard, "%2Fconsole%2Freports").await;
        let back = yard.dealers.provider().lets_in(&to, address);
        self.opens(yard, &back).await
    }
}

#[tokio::test(start_paused = true)]
async fn somebody_signs_in_by_the_provider_and_goes_on_to_where_they_were_going() {
    let (logs, _guard) = Logs::keep();
    let yard = with_maria().await;
    let mut maria = Visitor::default();
    let to = maria.goes(&yard, "%2Fconsole%2Freports").await;
    assert!(to.starts_with(&format!("{ISSUER}/authorize?")), "{to}");
    assert!(to.contains("redirect_uri=https%3A%2F%2Fleads.example%2Fconsole%2Fsign-in%2Fback"), "{to}");
    let back = yard.dealers.provider().lets_in(&to, "Maria@Desk.example");
    let done = maria.opens(&yard, &back).await.is(303);
    assert_eq!(done.header("location"), "/console/reports");
    assert_eq!(maria.0.len(), 1, "what began the sign-in is over: {:?}", maria.0.keys());
    let page = maria.opens(&yard, "/console/reports").await.is(200);
    assert!(page.text.contains("<span>maria</span>"), "{}", page.text);
    // The same link once more: its sign-in is over, and the session stands.
    let _ = maria.opens(&yard, &back).await.is(403);
    let _ = maria.opens(&yard, "/console/reports").await.is(200);
    // A new sign-in has a session of its own, and the one before is over.
    let before = maria.headers();
    let _ = maria.signs_in(&yard, MARIA).await.is(303);
    assert_ne!(before, maria.headers());
    let _ = yard.requests(Method::GET, "/console/reports", before, FORM, Vec::new()).await.is(303);
    let _ = maria.opens(&yard, "/console/reports").await.is(200);
    // What the provider publishes is asked for once in a while.
    let asked = yard.dealers.provider().asked();
    assert_eq!(asked.iter().filter(|path| path.contains("well-known")).count(), 1, "{asked:?}");
    let logged = logs.text().to_lowercase();
    assert!(!logged.contains("desk.example") && !logged.contains("code-0"), "{logged}");
}

#[tokio::test(start_paused = true)]
async fn by_whichever_way_somebody_signs_in_neither_scripts_nor_other_sites_have_their_cookie() {
    let mut yard = with_maria().await;
    let (by_provider, by_mailbox) = (
        Visitor::default().signs_in(&yard, MARIA).await.is(303),
        Visitor::default().signs_in(&yard, "sam@boca.example").await.is(303),
    );
    yard.runs_on_one_machine();
    let signs_in = async |host: &'static str, form: String| {
        let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static(host))]);
        yard.requests(Method::POST, "/console/sign-in", headers, FORM, form.into_bytes()).await.is(303)
    };
    let [desk, dealer] =
        [yard.desk_token(), yard.dealer_token("hudson")].map(|token| format!("token={token}"));
    let chosen = "company=acme&person=maria&next=%2Fconsole%2Ftoday".to_owned();
    let session = |reply: &Reply| -> Vec<String> {
        let all = reply.headers.get_all(header::SET_COOKIE).iter().map(|set| set.to_str().unwrap());
        let sets: Vec<&str> = all.filter(|set| set.starts_with("leadyard_session=")).collect();
        assert_eq!(sets.len(), 1, "{:?}", reply.headers);
        sets[0].split("; ").skip(1).map(str::to_owned).collect()
    };
    let kept = |last: &[&str]| -> Vec<String> {
        let flags = ["Path=/console", "HttpOnly", "SameSite=Lax", "Max-Age=86400"];
        flags.iter().chain(last).map(|flag| (*flag).to_owned()).collect()
    };
    assert_eq!(session(&by_provider), kept(&["Secure"]));
    assert_eq!(session(&by_mailbox), kept(&["Secure"]));
    for form in [&desk, &dealer] {
        assert_eq!(session(&signs_in("leads.example", form.clone()).await), kept(&["Secure"]));
    }
    // Over plain HTTP on this machine browsers differ in what they take.
    for form in [&desk, &dealer, &chosen] {
        assert_eq!(session(&signs_in("127.0.0.1:8080", form.clone()).await), kept(&[]));
    }
    // It is taken away as it was set.
    let maria = Browser::by_mail(&yard, MARIA).await;
    let over = maria.sends("/console/sign-out", &maria.csrf().await).await.is(303);
    let gone = ["Path=/console", "HttpOnly", "SameSite=Lax", "Max-Age=0", "Secure"];
    assert_eq!(session(&over), gone);
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_a_day_after_it_began_though_it_is_used_every_hour() {
    let yard = with_maria().await;
    let sessions = [
        (Browser::by_mail(&yard, MARIA).await, "/console/today"),
        (Browser::of(&yard).await, "/console/today"),
        (Browser::of_dealer(&yard, "hudson").await, "/console/inbox"),
    ];
    let minutes = async |minutes: u64| tokio::time::sleep(Duration::from_secs(60 * minutes)).await;
    let all = async |status: u16| {
        let mut replies = Vec::new();
        for (browser, page) in &sessions {
            replies.push(browser.opens(page).await.is(status));
        }
        replies
    };
    for _ in 1..24 {
        minutes(60).await;
        let _ = all(200).await;
    }
    minutes(59).await;
    let _ = all(200).await;
    minutes(1).await;
    for over in all(303).await {
        assert!(over.header("location").starts_with("/console/sign-in"), "{}", over.header("location"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_dealer_signs_in_by_the_address_of_dealers_csv_for_as_long_as_it_stands_there() {
    let yard = with_maria().await;
    let mut sam = Visitor::default();
    let done = sam.signs_in(&yard, "sam@boca.example").await.is(303);
    assert_eq!(done.header("location"), "/console/inbox");
    assert!(sam.opens(&yard, "/console/inbox").await.is(200).text.contains("boca"));
    let _ =
        yard.publish(&rules("acme", "maria,maria@desk.example,manager\n").dealer("boca", [])).await.is(200);
    let over = sam.opens(&yard, "/console/inbox").await.is(303);
    assert!(over.header("location").starts_with("/console/sign-in"));
}

#[tokio::test(start_paused = true)]
async fn what_a_provider_says_wrongly_lets_nobody_in_and_nothing_hangs() {
    let yard = with_maria().await;
    let provider = yard.dealers.provider();
    for (fault, status) in [
        (Fault::Audience, 403),
        (Fault::Issuer, 403),
        (Fault::Nonce, 403),
        (Fault::Over, 403),
        (Fault::Unsigned, 403),
        (Fault::Shared, 403),
        (Fault::Forged, 403),
        (Fault::Unverified, 403),
        (Fault::Nameless, 403),
        (Fault::Tokenless, 403),
        (Fault::Away, 503),
        (Fault::Slow, 503),
    ] {
        let mut maria = Visitor::default();
        provider.does(Fault::None);
        let to = maria.goes(&yard, "%2Fconsole%2Ftoday").await;
        let back = provider.lets_in(&to, MARIA);
        provider.does(fault);
        let began = tokio::time::Instant::now();
        let refused = maria.opens(&yard, &back).await;
        assert_eq!(refused.status, status, "{fault:?}: {}", refused.text);
        assert!(began.elapsed() < Duration::from_secs(9), "{fault:?} took {:?}", began.elapsed());
        assert!(maria.0.is_empty(), "{fault:?} left {:?}", maria.0.keys());
        assert!(!refused.text.contains("desk.example"), "{fault:?}: {}", refused.text);
        let _ = maria.opens(&yard, "/console/today").await.is(303);
    }
    // One that is away or another before anybody is sent there.
    yard.advance(Duration::from_secs(25 * 3_600)).await;
    for (fault, status, said) in [
        (Fault::Away, 503, "does not answer"),
        (Fault::Slow, 503, "does not answer"),
        (Fault::Metadata, 502, "set up wrongly"),
    ] {
        provider.does(fault);
        let page = Visitor::default().opens(&yard, "/console/sign-in/provider").await.is(status);
        assert!(page.text.contains(said), "{fault:?}: {}", page.text);
    }
    // Nobody that is known.
    provider.does(Fault::None);
    let refused = Visitor::default().signs_in(&yard, "eve@desk.example").await.is(403);
    assert!(refused.text.contains("Nobody here knows you"), "{}", refused.text);
}

#[tokio::test(start_paused = true)]
async fn a_provider_whose_metadata_stand_elsewhere_is_asked_there_and_is_the_issuer_all_the_same() {
    let mut yard = with_maria().await;
    yard.signs_in_by(OidcAccess { metadata_url: Some(ELSEWHERE.to_owned()), ..access() }).await;
    let provider = yard.dealers.provider().clone();
    let mut maria = Visitor::default();
    let done = maria.signs_in(&yard, MARIA).await.is(303);
    assert_eq!(done.header("location"), "/console/reports");
    let _ = maria.opens(&yard, "/console/reports").await.is(200);
    let asked = provider.asked();
    assert_eq!(asked, [ELSEWHERE, "/keys", "/token"], "below the issuer nobody looks");
    // Whoever publishes there is no other issuer: what it says of one lets nobody in.
    yard.signs_in_by(OidcAccess { metadata_url: Some(ELSEWHERE.to_owned()), ..access() }).await;
    provider.does(Fault::Metadata);
    let page = Visitor::default().opens(&yard, "/console/sign-in/provider").await.is(502);
    assert!(page.text.contains("set up wrongly"), "{}", page.text);
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_ends_where_it_began_once_and_in_time() {
    let yard = with_maria().await;
    let provider = yard.dealers.provider();
    let (mut maria, mut eve) = (Visitor::default(), Visitor::default());
    let (to_maria, to_eve) =
        (maria.goes(&yard, "%2Fconsole%2Ftoday").await, eve.goes(&yard, "%2Fconsole%2Ftoday").await);
    // A link that another browser began, with or without a sign-in of one's own.
    let eves = provider.lets_in(&to_eve, MARIA);
    let _ = maria.opens(&yard, &eves).await.is(403);
    let _ = Visitor::default().opens(&yard, &eves).await.is(403);
    // A state, a code, a cookie that are guessed.
    let mut maria = Visitor::default();
    let _ = (to_maria, maria.goes(&yard, "%2Fconsole%2Ftoday").await);
    let _ = maria.opens(&yard, "/console/sign-in/back?code=code-0&state=guessed").await.is(403);
    let mut forged = Visitor::default();
    forged.0.insert("leadyard_signing_in".to_owned(), "signing_in_AAAA.AAAA".to_owned());
    let _ = forged.opens(&yard, &eves).await.is(403);
    // Whoever stops at the provider.
    let mut maria = Visitor::default();
    let to = maria.goes(&yard, "%2Fconsole%2Ftoday").await;
    let state = to.split("&state=").nth(1).unwrap().split('&').next().unwrap();
    let denied =
        maria.opens(&yard, &format!("/console/sign-in/back?error=access_denied&state={state}")).await.is(403);
    assert!(denied.text.contains("did not let you in"), "{}", denied.text);
    // Later than ten minutes.
    let mut maria = Visitor::default();
    let to = maria.goes(&yard, "%2Fconsole%2Ftoday").await;
    let back = provider.lets_in(&to, MARIA);
    tokio::time::sleep(Duration::from_secs(601)).await;
    let late = maria.opens(&yard, &back).await.is(403);
    assert!(late.text.contains("more than ten minutes ago"), "{}", late.text);
    // Nowhere but to pages of the console.
    let mut maria = Visitor::default();
    let to = maria.goes(&yard, "https%3A%2F%2Fevil.example").await;
    let done = maria.opens(&yard, &provider.lets_in(&to, MARIA)).await.is(303);
    assert_eq!(done.header("location"), "/console/today");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_changes_its_keys_is_asked_for_the_new_ones() {
    let yard = with_maria().await;
    let _ = Visitor::default().signs_in(&yard, MARIA).await.is(303);
    yard.dealers.provider().changes_its_key();
    tokio::time::sleep(Duration::from_secs(11)).await;
    let _ = Visitor::default().signs_in(&yard, MARIA).await.is(303);
    // Away for a while, it is gone by as it was, up to where it must be asked.
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    yard.dealers.provider().does(Fault::Away);
    let mut maria = Visitor::default();
    let to = maria.goes(&yard, "%2Fconsole%2Ftoday").await;
    assert!(to.starts_with(ISSUER));
}

#[tokio::test(start_paused = true)]
async fn people_are_offered_where_whoever_runs_it_says_so_and_on_loopback_alone() {
    let mut yard = with_maria().await;
    let asks = async |yard: &Yard, host: &'static str| {
        let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static(host))]);
        let page =
            yard.requests(Method::GET, "/console/sign-in", headers.clone(), FORM, Vec::new()).await.is(200);
        let form = b"company=acme&person=maria&next=%2Fconsole%2Ftoday".to_vec();
        let chosen = yard.requests(Method::POST, "/console/sign-in", headers, FORM, form).await;
        (page.text.contains("value=\"maria\""), chosen.status.as_u16())
    };
    // By nothing that is sent: not the name it is asked by.
    assert_eq!(asks(&yard, "127.0.0.1:8080").await, (false, 404));
    yard.runs_on_one_machine();
    assert_eq!(asks(&yard, "127.0.0.1:8080").await, (true, 303));
    assert_eq!(asks(&yard, "leads.example").await, (false, 404));
}

#[tokio::test(start_paused = true)]
async fn what_was_typed_when_a_sign_in_was_over_is_sent_again_by_one_click_for_who_typed_it() {
    let yard = Yard::of(rules("acme", "maria,maria@desk.example,manager\nben,ben@desk.example,desk\n")).await;
    let lead = yard.settled_lead(&Person::named("Ada", "Hill")).await;
    let maria = Browser::by_mail(&yard, MARIA).await;
    let csrf = maria.csrf().await;
    yard.advance(Duration::from_secs(9 * 3_600)).await;
    let note = format!("/console/leads/{lead}/note");
    let kept = maria.sends(&note, &format!("text=she+said+%3Cb%3Emaybe&{csrf}")).await.is(401);
    assert!(
        kept.text.contains("she said &#60;b&#62;maybe") && !kept.text.contains("<b>maybe"),
        "{}",
        kept.text
    );
    // Without having signed in: the same page, and nothing is lost.
    let still = maria.submits(&kept, "/console/again", &[]).await.is(401);
    assert!(still.text.contains("she said &#60;b&#62;maybe"), "{}", still.text);

    let ben = Browser::by_mail(&yard, "ben@desk.example").await;
    let refused = ben.submits(&still, "/console/again", &[]).await.is(403);
    assert!(
        refused.text.contains("typed by somebody else") && !refused.text.contains("maybe"),
        "{}",
        refused.text
    );
    let _ = ben.submits(&still, "/console/again", &[("mark", "typed_AAAA.AAAA")]).await.is(403);

    let maria = Browser::by_mail(&yard, MARIA).await;
    let page = maria.submits(&still, "/console/again", &[]).await.is(200);
    assert_eq!(yard.story(&lead).await.list("history").count(), 0, "nothing is done before the click");
    let _ = maria.submits(&page, &note, &[]).await.is(303);
    let story = yard.story(&lead).await;
    let noted: Vec<_> = story.list("history").collect();
    assert_eq!((noted.len(), &noted[0]["by"]), (1, &json!("maria")));
    assert!(noted[0].to_string().contains("she said <b>maybe"), "{noted:?}");
    // Another site's form comes back to nobody.
    let mut headers = HeaderMap::new();
    headers.insert("sec-fetch-site", HeaderValue::from_static("cross-site"));
    let _ = yard.requests(Method::POST, &note, headers, FORM, b"text=x".to_vec()).await.is(303);
}

#[tokio::test(start_paused = true)]
async fn people_are_added_many_at_once_and_what_is_wrong_is_said_by_line() {
    let yard = with_maria().await;
    let maria = Browser::by_mail(&yard, MARIA).await;
    let csrf = maria.csrf().await;
    let adds = async |people: &str| {
        let people: String = form_urlencoded::byte_serialize(people.as_bytes()).collect();
        maria.sends("/console/people/add", &format!("company=acme&people={people}&{csrf}")).await
    };
    let version = yard.version().await;
    let refused =
        adds("ben,ben@desk.example,desk\nBen B,b@desk.example,desk\nx,MARIA@desk.example,desk\nrita;rita\n")
            .await
            .is(400);
    for said in
        ["line 2: person: an id is", "line 3: this person or address is there already", "line 4: is written"]
    {
        assert!(refused.text.contains(said), "{said}: {}", refused.text);
    }
    assert!(refused.text.contains("ben,ben@desk.example,desk"), "what was typed stays: {}", refused.text);
    assert_eq!(yard.version().await, version, "all or none");
    let done = adds("ben,ben@desk.example,desk\r\nrita; rita@desk.example; reader\r\n").await.is(303);
    assert!(maria.opens(done.header("location")).await.is(200).text.contains("rita@desk.example"));
    let ben = Browser::by_mail(&yard, "ben@desk.example").await;
    let _ = ben.opens("/console/quarantine").await.is(200);
    let _ = ben.opens("/console/people").await.is(403);

    let made = maria
        .sends("/console/people/token", &format!("company=acme&name=crm&role=desk&{csrf}"))
        .await
        .is(200);
    let token = made.text.split("<code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let asks = || yard.sends(Some(&token), Method::GET, "/v1/waiting", "text/plain", Vec::new());
    let _ = asks().await.is(200);
    let page = maria.opens("/console/people").await.is(200);
    assert!(!page.text.contains(&token) && page.text.contains("used last on 2026-06-01"), "{}", page.text);
    let id = token.rsplit('.').nth(1).unwrap();
    let _ = maria.sends("/console/people/revoke", &format!("company=acme&token={id}&{csrf}")).await.is(303);
    let _ = asks().await.is(401);

    // One for today is good until the company's day is over.
    let today = format!("company=acme&name=today&role=desk&until=2026-06-01&{csrf}");
    let made = maria.sends("/console/people/token", &today).await.is(200);
    let token = made.text.split("<code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let asks = || yard.sends(Some(&token), Method::GET, "/v1/waiting", "text/plain", Vec::new());
    yard.advance_to("2026-06-02T03:59:00Z").await;
    let _ = asks().await.is(200);
    yard.advance_to("2026-06-02T04:00:00Z").await;
    let _ = asks().await.is(401);
}
