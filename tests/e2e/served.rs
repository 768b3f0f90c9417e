//! `serve` itself, over real sockets.

use leadyard::serve::{self, Options};
use leadyard_domain::access::MasterKey;
use leadyard_tests::live::until;
use leadyard_tests::{Dealers, Live, Person, Rules, Says};

/// A running system whose dealers are real servers.
struct Served {
    live: Live,
    running: serve::Running,
    dealers: Dealers,
    _rules: tempfile::TempDir,
}

impl Served {
    async fn start(rules: Rules, data: Option<&std::path::Path>) -> Self {
        let dealers = Dealers::new(None);
        let folder = tempfile::tempdir().unwrap();
        rules.received_at(&dealers.listen().await).write_to(folder.path());
        let options = Options { data: data.map(Into::into), port: 0, rules: Some(folder.path().to_owned()) };
        let running = serve::start(&options).await.unwrap();
        let master: MasterKey = running.cloud.master.clone();
        dealers.secrets_of(master);
        let live = Live::new(serde_json::to_value(&running.ready).unwrap());
        Self { live, running, dealers, _rules: folder }
    }

    async fn lead(&self, person: &Person) -> String {
        let (status, body) = self.live.posts("web", person).await.unwrap();
        assert_eq!(status, 201, "{body}");
        body["lead"].as_str().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_posted_over_http_arrives_at_a_dealer_s_server_signed() {
    let served = Served::start(Rules::roofing("acme").seller("hudson", []), None).await;
    assert_eq!(served.live.get("/healthz").await.unwrap().0, 200);
    let lead = served.lead(&Person::named("Ada", "Hill")).await;
    let told = until("the dealer is told", async || served.dealers.told_to("acme/hudson").pop()).await;
    assert_eq!((told.lead(), told.signed, told.event.as_str()), (lead.as_str(), true, "lead.assigned"));
    until("the desk sees it delivered", async || {
        let story = served.live.story(&lead).await?;
        (story.stage() == "assigned" && story.assignment("hudson")["delivery"] == "received").then_some(())
    })
    .await;
    served.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_mailed_is_shown_on_a_page_and_comes_back_at_a_button() {
    let rules = Rules::roofing("acme")
        .with("[mail]\nfrom = \"desk@acme.example\"")
        .seller("hudson", [])
        .file("channels.csv", "dealer,order,kind,address\nhudson,1,mail,leads@hudson.example\n");
    let served = Served::start(rules, None).await;
    assert!(served.live.get("/mail").await.unwrap().1.contains("Nothing yet"));
    let lead = served.lead(&Person::named("Ada", "Hill").with("message", "<b>it leaks</b>")).await;
    let page = until("the mail is on the page", async || {
        let (status, page) = served.live.get("/mail").await?;
        (status == 200 && page.contains(&lead)).then_some(page)
    })
    .await;
    assert!(
        page.contains("to leads@hudson.example") && page.contains("&lt;b&gt;it leaks&lt;/b&gt;"),
        "{page}"
    );
    let button = page.split("formaction=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert!(button.ends_with("/bounced"), "{button}");
    let url = format!("{}{button}", served.live.ready["url"].as_str().unwrap().trim_end_matches('/'));
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let back = browser.post(&url).send().await.unwrap();
    assert_eq!((back.status().as_u16(), back.headers()["location"].to_str().unwrap()), (303, "/mail"));
    until("the lead has lost its dealer", async || {
        let story = served.live.story(&lead).await?;
        (story.assignments() == [("hudson", "withdrawn")]).then_some(())
    })
    .await;
    served.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_keeps_no_other_dealer_waiting() {
    let rules = Rules::roofing("acme")
        .seller("hudson", [("area", "zip:33101")])
        .seller("ridge", [("area", "zip:10001")]);
    let served = Served::start(rules, None).await;
    served.dealers.says("acme/hudson", Says::Hangs);
    for n in 0..8 {
        served.lead(&Person::number(n)).await;
    }
    until("all of them hang", async || (served.dealers.hanging() == 8).then_some(())).await;
    let other = served.lead(&Person::number(9).with("zip", "10001")).await;
    let told = until("the other dealer is told", async || served.dealers.told_to("acme/ridge").pop()).await;
    assert_eq!((told.lead(), served.dealers.hanging() > 0), (other.as_str(), true));
    served.dealers.release();
    served.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_connection_is_unknown_and_a_closed_port_is_not() {
    let rules = Rules::roofing("acme").seller("hudson", []);
    let served = Served::start(rules, None).await;
    served.dealers.says("acme/hudson", Says::Resets);
    let lead = served.lead(&Person::named("Ada", "Hill")).await;
    let first = until("an attempt is recorded", async || {
        let story = served.live.story(&lead).await?;
        if story.assignments().is_empty() { None } else { story.attempts("hudson").first().cloned() }
    })
    .await;
    assert_eq!(first, "unknown");
    served.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_received_survives_a_restart_and_keys_go_on_working() {
    let data = tempfile::tempdir().unwrap();
    let rules = Rules::roofing("acme").seller("hudson", [("area", "zip:10001")]);
    let served = Served::start(rules.clone(), Some(data.path())).await;
    let lead = served.lead(&Person::named("Ada", "Hill")).await;
    until("it waits", async || (served.live.story(&lead).await?.stage() == "waiting").then_some(())).await;
    let keys = served.live.ready["sources"].clone();
    served.running.stop().await;

    let served = Served::start(rules, Some(data.path())).await;
    assert_eq!(served.live.ready["sources"], keys);
    assert_eq!(served.live.story(&lead).await.unwrap().waiting(), "area");
    let (status, body) = served.live.posts("web", &Person::named("Ada", "Hill")).await.unwrap();
    assert_eq!((status, &body["lead"]), (200, &lead.into()));
    served.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_data_folder_is_refused_and_left_as_it_was() {
    let data = tempfile::tempdir().unwrap();
    let rules = tempfile::tempdir().unwrap();
    Rules::roofing("acme").seller("hudson", []).write_to(rules.path());
    let table = data.path().join("table.sqlite");
    std::fs::write(data.path().join("master.key"), "0f".repeat(32)).unwrap();
    std::fs::write(&table, "this is not a database, whatever its name says").unwrap();
    let options = Options { data: Some(data.path().into()), port: 0, rules: Some(rules.path().into()) };
    let error = serve::start(&options).await.err().expect("it refuses");
    assert!(format!("{error:#}").contains("did not open"), "{error:#}");
    assert_eq!(std::fs::read_to_string(&table).unwrap(), "this is not a database, whatever its name says");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rulebook_with_an_error_starts_nothing() {
    let rules = tempfile::tempdir().unwrap();
    Rules::roofing("acme").seller("hudson", []).contract("other", "nobody", []).write_to(rules.path());
    let options = Options { data: None, port: 0, rules: Some(rules.path().into()) };
    let error = serve::start(&options).await.err().expect("it refuses");
    assert!(error.to_string().contains("nobody") && error.to_string().contains("contracts.csv"), "{error}");
}
