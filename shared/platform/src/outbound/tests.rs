//! Real sockets on loopback, and every way a dealer's server can behave. Nothing asserts on timing: where
//! a limit matters, the other side waits for ever.

use std::net::SocketAddr;

use leadyard_domain::delivery::Failure;
use reqwest::dns::Resolve as _;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// Far more than an answer on loopback takes.
const PATIENT: Settings = Settings { allow_loopback: true, connect_ms: 20_000, attempt_ms: 60_000 };
/// For servers that never answer.
const HASTY: Settings = Settings { attempt_ms: 300, ..PATIENT };
/// A whole answer, and what any server says that must not be reached.
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

fn request(url: &str) -> Request {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse().unwrap());
    headers.insert("webhook-id", "msg_1".parse().unwrap());
    Request {
        method: http::Method::POST,
        url: url.to_owned(),
        headers,
        body: Bytes::from_static(br#"{"type":"lead.assigned"}"#),
        at: "1994-11-06T08:49:00Z".parse().unwrap(),
    }
}

async fn post(settings: Settings, url: &str) -> Attempt {
    Outbound::new(settings).unwrap().post(request(url)).await
}

/// A server that does this with every connection it gets, on a port of its own.
async fn server<F>(behave: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(behave(stream));
        }
    });
    address
}

/// Reads a whole request and gives it back as text.
async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut seen = Vec::new();
    let mut chunk = [0; 1024];
    while !seen.ends_with(b"}") {
        let read = stream.read(&mut chunk).await.unwrap();
        assert_ne!(read, 0, "the request broke off");
        seen.extend_from_slice(&chunk[..read]);
    }
    String::from_utf8(seen).unwrap()
}

/// A server that answers every request with these bytes and closes.
async fn answering(answer: impl Into<Bytes>) -> String {
    let answer = answer.into();
    let address = server(move |mut stream| {
        let answer = answer.clone();
        async move {
            read_request(&mut stream).await;
            stream.write_all(&answer).await.unwrap();
        }
    })
    .await;
    format!("http://{address}/hook")
}

/// A drop now and then, until the other side has had enough.
async fn drip(stream: &mut TcpStream) {
    while stream.write_all(b".").await.is_ok() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn failure(outcome: Outcome) -> Failure {
    *outcome.failure().unwrap()
}

fn assert_not_received(attempt: &Attempt, kind: FailureKind) {
    assert!(matches!(attempt.outcome, Outcome::NotReceived(_)), "{attempt:?}");
    assert_eq!(failure(attempt.outcome).kind, kind);
}

fn assert_unknown(attempt: &Attempt, kind: FailureKind) {
    assert!(matches!(attempt.outcome, Outcome::Unknown(_)), "{attempt:?}");
    assert_eq!(failure(attempt.outcome).kind, kind);
}

#[tokio::test]
async fn a_2xx_is_received_and_its_answer_kept() {
    let url = answering("HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n{\"id\":\n\"\x1b[31m\"}").await;
    let attempt = post(PATIENT, &url).await;
    assert_eq!(attempt.outcome, Outcome::Received);
    assert_eq!((attempt.status, attempt.answer_cut), (Some(200), false));
    assert_eq!(attempt.answer, "{\"id\": \"[31m\"}");
    assert!(!format!("{attempt:?}").contains("31m"));

    let attempt = post(PATIENT, &answering("HTTP/1.1 204 No Content\r\n\r\n").await).await;
    assert_eq!((attempt.outcome, attempt.status), (Outcome::Received, Some(204)));
}

#[tokio::test]
async fn what_is_sent_is_what_was_given_and_says_who_sends() {
    let (tell, told) = tokio::sync::oneshot::channel();
    let tell = Arc::new(std::sync::Mutex::new(Some(tell)));
    let address = server(move |mut stream| {
        let tell = Arc::clone(&tell);
        async move {
            let seen = read_request(&mut stream).await;
            stream.write_all(OK.as_bytes()).await.unwrap();
            let _ = tell.lock().unwrap().take().unwrap().send(seen);
        }
    })
    .await;
    post(PATIENT, &format!("http://{address}/hook?t=1")).await;
    let seen = told.await.unwrap();
    assert!(seen.starts_with("POST /hook?t=1 HTTP/1.1\r\n"));
    for line in [
        "content-type: application/json\r\n",
        "webhook-id: msg_1\r\n",
        "content-length: 24\r\n",
        concat!("user-agent: Leadyard/", env!("CARGO_PKG_VERSION"), "\r\n"),
        "\r\n\r\n{\"type\":\"lead.assigned\"}",
    ] {
        assert!(seen.contains(line), "{line}");
    }
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_not_followed() {
    let elsewhere = answering(OK).await;
    for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
        let answer = format!("HTTP/1.1 {status}\r\nlocation: {elsewhere}\r\ncontent-length: 0\r\n\r\n");
        let attempt = post(PATIENT, &answering(answer).await).await;
        assert_not_received(&attempt, FailureKind::Redirect);
        assert!(status.starts_with(&attempt.status.unwrap().to_string()));
    }
}

#[tokio::test]
async fn a_refusal_is_not_received_gone_disables_busy_says_when() {
    let attempt =
        post(PATIENT, &answering("HTTP/1.1 410 Gone\r\ncontent-length: 5\r\n\r\ngone!").await).await;
    assert_not_received(&attempt, FailureKind::Status);
    assert!(failure(attempt.outcome).disable);
    assert_eq!(attempt.answer, "gone!");

    let url = answering("HTTP/1.1 429 Slow\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n").await;
    let attempt = post(PATIENT, &url).await;
    assert_not_received(&attempt, FailureKind::Status);
    assert_eq!(failure(attempt.outcome).retry_after_s, Some(7));
    assert!(!failure(attempt.outcome).disable);

    let url = answering(
        "HTTP/1.1 503 Busy\r\nretry-after: Sun, 06 Nov 1994 09:19:00 GMT\r\ncontent-length: 0\r\n\r\n",
    )
    .await;
    // Half an hour from the attempt, less what the attempt took.
    let retry_after_s = failure(post(PATIENT, &url).await.outcome).retry_after_s.unwrap();
    assert!((1_740..=1_800).contains(&retry_after_s));
}

#[tokio::test]
async fn a_server_error_is_unknown() {
    let attempt = post(PATIENT, &answering("HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n").await).await;
    assert_unknown(&attempt, FailureKind::Status);
    assert_eq!(attempt.status, Some(500));
}

#[tokio::test]
async fn a_server_that_takes_the_lead_and_hangs_may_have_it() {
    let address = server(|mut stream| async move {
        read_request(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    assert_unknown(&post(HASTY, &format!("http://{address}/")).await, FailureKind::Timeout);
}

#[tokio::test]
async fn a_server_that_hangs_before_tls_stands_cannot_have_it() {
    let address = server(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let settings = Settings { connect_ms: 100, ..PATIENT };
    let attempt = post(settings, &format!("https://{address}/")).await;
    assert_not_received(&attempt, FailureKind::ConnectTimeout);
}

#[tokio::test]
async fn a_connection_that_breaks_after_sending_is_unknown() {
    // Closed without a word, reset, and broken off within the answer's head.
    let closed = server(|mut stream| async move {
        read_request(&mut stream).await;
    })
    .await;
    let reset = server(|mut stream| async move {
        read_request(&mut stream).await;
        stream.set_zero_linger().unwrap();
    })
    .await;
    let broken = answering("HTTP/1.1 200 OK\r\ncontent-le").await;
    for url in [format!("http://{closed}/"), format!("http://{reset}/"), broken] {
        assert_unknown(&post(PATIENT, &url).await, FailureKind::Reset);
    }
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_unknown() {
    let url = answering("220 mail.example.com ESMTP\r\n\r\n").await;
    assert_unknown(&post(PATIENT, &url).await, FailureKind::Malformed);
}

#[tokio::test]
async fn once_the_status_has_come_the_body_changes_nothing() {
    let broken = answering("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nso far").await;
    let dripping = server(|mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\nso far").await.unwrap();
        drip(&mut stream).await;
    })
    .await;
    // Time enough for the status to come on a busy machine.
    let limited = Settings { attempt_ms: 3_000, ..PATIENT };
    for (settings, url) in [(PATIENT, broken), (limited, format!("http://{dripping}/"))] {
        let attempt = post(settings, &url).await;
        assert_eq!(attempt.outcome, Outcome::Received);
        assert!(attempt.answer.starts_with("so far"));
        assert!(attempt.answer_cut);
    }
}

#[tokio::test]
async fn a_head_that_drips_is_cut_off_with_the_attempt() {
    let address = server(|mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nx-drops: ").await.unwrap();
        drip(&mut stream).await;
    })
    .await;
    assert_unknown(&post(HASTY, &format!("http://{address}/")).await, FailureKind::Timeout);
}

#[tokio::test]
async fn a_gigabyte_is_cut() {
    let (tell, told) = tokio::sync::oneshot::channel();
    let tell = Arc::new(std::sync::Mutex::new(Some(tell)));
    let address = server(move |mut stream| {
        let tell = Arc::clone(&tell);
        async move {
            read_request(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n").await.unwrap();
            let mut written = 0_u64;
            while written < 1_000_000_000 && stream.write_all(&[b'x'; 16_384]).await.is_ok() {
                written += 16_384;
            }
            let _ = tell.lock().unwrap().take().unwrap().send(written);
        }
    })
    .await;
    let attempt = post(PATIENT, &format!("http://{address}/")).await;
    assert_eq!(attempt.outcome, Outcome::Received);
    assert_eq!(attempt.answer.len(), limits::ANSWER_BYTES);
    assert!(attempt.answer_cut);
    // What the sockets' buffers hold, not what was offered.
    assert!(told.await.unwrap() < 100_000_000);
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_whole_and_noise_does_not_grow() {
    let body = "y".repeat(limits::ANSWER_BYTES);
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", limits::ANSWER_BYTES);
    let attempt = post(PATIENT, &answering(answer).await).await;
    assert_eq!((attempt.answer, attempt.answer_cut), (body, false));
    assert!(printable(&vec![0xff; 100_000]).len() <= limits::ANSWER_BYTES);
}

#[tokio::test]
async fn a_refused_connection_is_not_received() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    assert_not_received(&post(PATIENT, &format!("http://{address}/")).await, FailureKind::Refused);
}

#[test]
fn dealers_live_on_loopback_where_aws_does_and_nowhere_else() {
    for emulated in ["http://127.0.0.1:4566", "http://localhost:4566/", "https://[::1]:8443"] {
        assert!(Settings::beside(Some(emulated)).allow_loopback, "{emulated}");
    }
    let of_aws = "https://dynamodb.us-east-1.amazonaws.com";
    for other in
        [of_aws, "http://10.0.0.7:4566", "http://aws:4566", "http://dynamodb.example", "127.0.0.1:4566", ""]
    {
        assert!(!Settings::beside(Some(other)).allow_loopback, "{other}");
    }
    assert!(!Settings::beside(None).allow_loopback);
}

#[tokio::test]
async fn loopback_in_any_notation_is_refused_unless_this_is_one_machine() {
    // Dialled, it would answer 200.
    let port = answering(OK).await.rsplit_once(':').unwrap().1.replace("/hook", "");
    let settings = Settings { allow_loopback: false, ..PATIENT };
    for host in [
        "127.0.0.1",
        "localhost",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "127.1",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
    ] {
        for scheme in ["http", "https"] {
            let attempt = post(settings, &format!("{scheme}://{host}:{port}/")).await;
            assert_not_received(&attempt, FailureKind::BadUrl);
        }
    }
    // One machine allows loopback, but not in disguise, and nothing else that is private.
    for host in ["[::ffff:127.0.0.1]", "0.0.0.0", "10.0.0.1", "169.254.169.254", "[fd00:ec2::254]"] {
        let attempt = post(PATIENT, &format!("http://{host}:{port}/")).await;
        assert_not_received(&attempt, FailureKind::BadUrl);
    }
}

#[tokio::test]
async fn a_name_that_leads_to_loopback_is_refused_when_it_is_resolved() {
    // `localhost` stands for any name that an attacker points here, so the check of the URL as written is
    // passed by.
    let url: Url = answering(OK).await.replace("127.0.0.1", "localhost").parse().unwrap();
    let outbound = Outbound::new(Settings { allow_loopback: false, ..PATIENT }).unwrap();
    let deadline = Instant::now() + Duration::from_mins(1);
    let failed =
        outbound.transport.exchange(request(url.as_str()), url, deadline, limits::ANSWER_BYTES).await.err();
    assert_eq!(failed, Some(FailureKind::AddressNotAllowed));

    let vetting = resolve::Vetting { allow_loopback: false };
    let error = vetting.resolve("localhost".parse().unwrap()).await.err().unwrap();
    assert_eq!(error.downcast_ref(), Some(&resolve::ResolveError::NotAllowed));
}

#[test]
fn of_a_names_addresses_only_the_allowed_are_dialled() {
    let addresses =
        |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<SocketAddr>>();
    let mixed = addresses(&["10.0.0.1:0", "1.1.1.1:0", "127.0.0.1:0", "[fd00::1]:0"]);
    assert_eq!(resolve::vet(mixed.clone(), false, false), Ok(addresses(&["1.1.1.1:0"])));
    assert_eq!(resolve::vet(mixed.clone(), false, true), Ok(addresses(&["1.1.1.1:0", "127.0.0.1:0"])));
    // A localhost name never leaves this machine, whatever the resolver says.
    assert_eq!(resolve::vet(mixed, true, true), Ok(addresses(&["127.0.0.1:0"])));
    let private = addresses(&["169.254.169.254:0"]);
    assert_eq!(resolve::vet(private, false, true), Err(resolve::ResolveError::NotAllowed));
    assert_eq!(resolve::vet(Vec::new(), false, true), Err(resolve::ResolveError::NoAddress));
}

#[tokio::test]
async fn a_name_without_an_address_is_not_received() {
    // RFC 6761: `.invalid` never resolves.
    let attempt = post(PATIENT, "https://dealer.invalid/").await;
    assert_not_received(&attempt, FailureKind::Dns);
}

#[tokio::test]
async fn localhost_is_dialled_on_one_machine() {
    let url = answering(OK).await;
    let attempt = post(PATIENT, &url.replace("127.0.0.1", "localhost")).await;
    assert_eq!(attempt.outcome, Outcome::Received);
}

/// An HTTPS server whose certificate, which is its own authority, names this host.
async fn https_server(host: &str) -> (SocketAddr, CertificateDer<'static>) {
    let certified = rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
    let certificate = certified.cert.der().clone();
    let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key.into())
            .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let address = server(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            // Refused by the client: nothing to answer.
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            read_request(&mut stream).await;
            stream.write_all(OK.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    })
    .await;
    (address, certificate)
}

#[tokio::test]
async fn tls_verifies_the_authority_and_the_host_name() {
    let (address, certificate) = https_server("localhost").await;
    let url = format!("https://localhost:{}/", address.port());

    let trusting = Outbound::trusting(PATIENT, vec![certificate.clone()]).unwrap();
    assert_eq!(trusting.post(request(&url)).await.outcome, Outcome::Received);

    // An authority nobody knows.
    assert_not_received(&post(PATIENT, &url).await, FailureKind::Tls);

    // The right authority, another host's certificate.
    let attempt = trusting.post(request(&format!("https://{address}/"))).await;
    assert_not_received(&attempt, FailureKind::Tls);
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_not_received() {
    let plain = server(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let _ = stream.read(&mut [0; 1024]).await;
    })
    .await;
    let silent = server(|mut stream| async move {
        let _ = stream.read(&mut [0; 1024]).await;
    })
    .await;
    for address in [plain, silent] {
        assert_not_received(&post(PATIENT, &format!("https://{address}/")).await, FailureKind::Tls);
    }
}

#[tokio::test(start_paused = true)]
async fn dealers_in_process_are_judged_like_those_on_the_network() {
    let outbound = Outbound::answered_by(Arc::new(|request: Request| {
        Box::pin(async move {
            match request.url.as_str() {
                "https://dealer.test/slow" => {
                    tokio::time::sleep(Duration::from_hours(1)).await;
                    Ok(Answer { status: 200, ..Answer::default() })
                }
                "https://dealer.test/busy" => {
                    tokio::time::sleep(Duration::from_millis(40)).await;
                    Ok(Answer { status: 429, retry_after: Some("30".to_owned()), ..Answer::default() })
                }
                _ => Err(FailureKind::Refused),
            }
        })
    }));
    let attempt = outbound.post(request("https://dealer.test/busy")).await;
    assert_eq!(failure(attempt.outcome).retry_after_s, Some(30));
    assert_eq!(attempt.elapsed_ms, 40); // virtual, so exact
    let attempt = outbound.post(request("https://dealer.test/slow")).await;
    assert_unknown(&attempt, FailureKind::Timeout);
    assert_eq!(attempt.elapsed_ms, limits::ATTEMPT_MS);
    assert_not_received(&outbound.post(request("https://dealer.test/")).await, FailureKind::Refused);
    assert_not_received(&outbound.post(request("https://10.0.0.1/")).await, FailureKind::BadUrl);
}
